"""The pages that stand under one entry of the bar, as links beside a page's heading."""

from __future__ import annotations

from collections.abc import Mapping

from leaderboard.board_filters import NAMES
from llmuses.i18n import Lang, text
from llmuses.markup import Markup, attrs, join, link

LEADERBOARD = (("arena", "leaderboard"), ("benchmarks", "benchmarks"), ("charts", "charts"))
"""Each sub-page's name under ``web.sub`` and its address."""

_OF_ARENA = ("arena", "category", "language", "votes", "judge", "style", *NAMES)
CARRIED = {"arena": _OF_ARENA, "charts": _OF_ARENA, "benchmarks": NAMES}
"""What one narrowed a board by stays when one goes to another of these pages that knows it."""

BROWSE = (("runs", "browse"), ("battles", "battles"), ("catalogue", "catalogue"))


def sub_pages(
    lang: Lang,
    current: str,
    pages: tuple[tuple[str, str], ...] = LEADERBOARD,
    query: Mapping[str, str] | None = None,
) -> Markup:
    """Return the links to the pages beside this one, the ``current`` one marked; filters of the ``query`` go with them."""
    links = join(
        Markup('<a href="{}"{}>{}</a>').format(
            _way(name, path, query or {}),
            attrs(aria_current="page" if name == current else None),
            text(lang, f"web.sub.{name}"),
        )
        for name, path in pages
    )
    return Markup('<nav class="u-sub" aria-label="{}">{}</nav>').format(text(lang, "web.sub"), links)


def _way(name: str, path: str, query: Mapping[str, str]) -> str:
    """Return a sub-page's address. That of the arena asks for its board by name: without battles the plain one shows benchmarks."""
    board = "arena" if name == "arena" else None
    return link(path, board=board, **{each: query[each] for each in CARRIED.get(name, ()) if each in query})
