"""Small pieces of the room's plainer tabs: a table, a card with a title, the form around one row's buttons, a moment."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from llmuses.markup import Markup, attrs, join, link
from llmuses.web import assets

UP = "../"
"""What leads from the address of a page that the room reads to where the site is served."""


def drawing() -> tuple[str, str]:
    """Return the addresses of Plotly's script and of its template, as such a page reaches them."""
    return UP + assets.plotly_address(), UP + assets.address("plotly_template.json")


def table(heads: Sequence[str], rows: Iterable[Markup], numbers: Sequence[int] = ()) -> Markup:
    """Return a table. ``numbers`` are the columns of figures, the first one 0."""
    first = join(
        Markup('<th scope="col"{}>{}</th>').format(attrs(class_="n" if place in numbers else None), head)
        for place, head in enumerate(heads)
    )
    return Markup(
        '<div class="u-wide" tabindex="0"><table class="u-tbl cozy"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(first, join(rows))


def section(title: str, *content: Markup, about: str = "") -> Markup:
    """Return a part of a tab under its heading."""
    return Markup('<section class="u-part"><h2>{}</h2>{}{}</section>').format(
        title, Markup('<p class="md q">{}</p>').format(about) if about else "", join(content)
    )


def asking(
    name: str, value: str, reason: str, *deeds: tuple[str, str], more: Markup | str = "", required: bool = False
) -> Markup:
    """Return a row's form: a reason to be given, and a button for each (deed, words). ``name`` says what is meant, ``value``
    which, ``required`` whether the browser insists on a reason."""
    buttons = join(
        Markup('<button class="g-btn sm ghost" type="submit" data-deed="{}">{}</button>').format(deed, words)
        for deed, words in deeds
    )
    return Markup(
        '<form class="row u-ask" data-deed="{deed}"><input type="hidden" name="{name}" value="{value}">'
        '<input class="g-input sm" name="reason" maxlength="200" placeholder="{reason}" aria-label="{reason}"{required}>{buttons}{more}</form>'
    ).format(
        deed=deeds[0][0],
        name=name,
        value=value,
        reason=reason,
        buttons=buttons,
        more=more,
        required=attrs(required=required),
    )


def run_page(run_id: str, **query: object) -> str:
    """Return the address at which the room reads a run, hidden or not."""
    return link("admin/browse", run=run_id, **query)


def command_line(arguments: Sequence[str]) -> str:
    """Return a command as a shell takes it, with the models file that this server was told to read."""
    models = os.environ.get("LLMUSES_MODELS")
    told = f"LLMUSES_MODELS={shlex.quote(str(Path(models).resolve()))} " if models else ""
    return told + shlex.join(["llmuses", *arguments])


def moment(when: float | None) -> str:
    """Return a time with its date, in this machine's zone."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(when)) if when else "–"
