"""What stands above both boards: heading, sub-pages, ways to take the view away; and how the view is cited."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import NamedTuple

from leaderboard.board_words import Words
from leaderboard.sheets import Sheet, to_csv
from leaderboard.sub_pages import sub_pages
from llmuses.markup import Markup, icon, join, link
from llmuses.visit import Visit

FORMATS = {"csv": "CSV", "json": "JSON", "md": "Markdown", "tex": "LaTeX"}
"""What a board can be taken away as, by the ending of the file's name."""

CITE = "cite"
"""The parameter of a query that opens the citation."""


class Data(NamedTuple):
    """What a view shows, as it is cited: its figures as CSV, and a sentence for what they are."""

    csv: bytes
    what: str

    @property
    def sha256(self) -> str:
        """Return the hash of the CSV that the same address gives: ``sha256sum`` of the download says the same."""
        return hashlib.sha256(self.csv).hexdigest()


def boards_head(current: str, page: str, query: Mapping[str, str], say: Words, actions: bool = True) -> Markup:
    """Return the head of a board; ``page`` is its address, which its downloads are named after."""
    say = say.shared
    return Markup('<div class="u-head"><h1>{}</h1>{}{}</div>').format(
        say("title"), sub_pages(say.lang, current, query=query), view_actions(page, query, say) if actions else ""
    )


def view_actions(page: str, query: Mapping[str, str], say: Words) -> Markup:
    """Return the ways to take a view away: its link, its files, its citation; ``say`` has the words that boards share."""
    files = join(
        Markup('<a class="g-btn sm ghost" href="{}" download>{}{}</a>').format(
            link(f"export/{page}.{ending}", **query), icon("download", small=True) if ending == "csv" else "", name
        )
        for ending, name in FORMATS.items()
    )
    return Markup(
        '<div class="row end u-hide-phone u-actions"><button class="g-btn sm ghost" type="button" data-copy="">{}'
        '<span data-words>{}</span></button>{}<a class="g-btn sm ghost" href="{}" data-drawer="{}=1">{}</a></div>'
    ).format(icon("link", small=True), say("copy"), files, link(page, **{**query, CITE: "1"}), CITE, say("cite"))


def cited(page: str, sheet: Sheet | None, visit: Visit) -> Markup:
    """Return the drawer that cites what a sheet holds, nothing without one."""
    if sheet is None:
        return Markup("")
    data = Data(to_csv(sheet), "llmuses: " + sheet.caption.partition(";")[0])
    return citation(page, visit.query, data, Words(visit.lang, "board"))


def citation(page: str, query: Mapping[str, str], data: Data, say: Words, now: float | None = None) -> Markup:
    """Return the drawer that says how this view is cited: in a sentence, as BibTeX, with the date and the data's hash."""
    day = time.strftime("%Y-%m-%d", time.gmtime(now))
    address = link(page, **{name: value for name, value in query.items() if name not in (CITE, "lang", "rows", "pick")})
    key = f"llmuses-{page}-{day}"
    words = say("cite.text", what=data.what, day=day, hash=data.sha256[:16])
    bibtex = "\n".join(
        (
            f"@misc{{{key},",
            f"  title = {{{{{data.what}}}}},",
            "  howpublished = {llmuses leaderboard},",
            f"  note = {{{address}; read {day}; data SHA-256 {data.sha256}}},",
            f"  year = {{{day[:4]}}}",
            "}",
        )
    )
    return Markup(
        '<aside class="u-drawer" aria-label="{title}" tabindex="-1" data-key="{key}=1"><header><div class="row"><h2>{title}</h2>'
        '<span class="end"></span><button class="g-btn sm ghost" type="button" title="{close}" aria-label="{close}" data-close>'
        '{cross}</button></div><p class="md q">{why}</p></header><div class="body">{text}{code}<h3 class="u-gap">SHA-256</h3>'
        '<p class="mono sm u-hash">{hash}</p><p class="md q">{check}</p></div></aside>'
    ).format(
        title=say("cite"),
        key=CITE,
        close=say("close"),
        cross=icon("close"),
        why=say("cite.why"),
        text=_copied(words, say, ""),
        code=_copied(bibtex, say, "u-code"),
        hash=data.sha256,
        check=say("cite.check", file=f"{page}.csv"),
    )  # fmt: skip


def _copied(words: str, say: Words, look: str) -> Markup:
    return Markup(
        '<div class="u-cite"><div class="{}">{}</div><button class="g-btn sm" type="button" data-copy="{}">{}'
        "<span data-words>{}</span></button></div>"
    ).format(look or "md", words, words, icon("copy", small=True), say("cite.copy"))
