"""The keys of all pages, in a dialog that ``?`` opens."""

from __future__ import annotations

from llmuses.i18n import text
from llmuses.markup import Markup, icon, join
from llmuses.visit import Visit

GROUPS: tuple[tuple[str, tuple[tuple[tuple[str, ...], str], ...]], ...] = (
    ("everywhere", ((("/",), "find"), (("Esc",), "esc"), (("?",), "help"))),
    ("lists", ((("J", "K"), "turn"), (("D",), "disagree"), (("F",), "fold"))),
    (
        "arena",
        (
            (("1", "2", "3", "4"), "vote"),
            (("N",), "next"),
            (("C",), "write"),
            (("Enter",), "send"),
            (("Shift", "Enter"), "line"),
        ),
    ),
)
"""What keys do, place by place: the name of the place under ``web.keys.at``, then keys and what they do."""


def keys_dialog(visit: Visit) -> Markup:
    """Return the dialog, closed. static/shell.js opens it."""

    def say(name: str) -> str:
        return text(visit.lang, f"web.keys.{name}")

    groups = join(
        Markup('<h3 class="sm q">{}</h3><dl class="u-facts">{}</dl>').format(
            say(f"at.{place}"),
            join(
                Markup("<dt>{}</dt><dd>{}</dd>").format(
                    join((Markup("<kbd>{}</kbd>").format(key) for key in keys), " "), say(does)
                )
                for keys, does in rows
            ),
        )
        for place, rows in GROUPS
    )
    return Markup(
        '<div class="u"><dialog class="u-card u-keys" aria-labelledby="u-keys"><form method="dialog" class="row"><h2 id="u-keys">{}</h2>'
        '<button class="g-btn sm ghost end" aria-label="{}">{}</button></form>{}<p class="sm qq">{}</p></dialog></div>'
    ).format(say("title"), say("close"), icon("close"), groups, say("when"))


def keys_button(visit: Visit) -> Markup:
    """Return the button of the bar that opens the dialog."""
    words = text(visit.lang, "web.keys.title")
    return Markup(
        '<button class="tool wide u-keysbutton" type="button" title="{0} (?)" aria-label="{0}" aria-haspopup="dialog" data-keys><kbd>?</kbd></button>'
    ).format(words)
