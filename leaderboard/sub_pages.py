"""The pages that stand under one entry of the bar, as links beside a page's heading."""

from __future__ import annotations

from llmuses.i18n import Lang, text
from llmuses.markup import Markup, attrs, join

LEADERBOARD = (("arena", "leaderboard"), ("benchmarks", "benchmarks"), ("charts", "charts"))
"""Each sub-page's name under ``web.sub`` and its address."""

BROWSE = (("runs", "browse"), ("battles", "battles"), ("catalogue", "catalogue"))


def sub_pages(lang: Lang, current: str, pages: tuple[tuple[str, str], ...] = LEADERBOARD) -> Markup:
    """Return the links to the pages beside this one, the ``current`` one marked."""
    links = join(
        Markup('<a href="{}"{}>{}</a>').format(
            path, attrs(aria_current="page" if name == current else None), text(lang, f"web.sub.{name}")
        )
        for name, path in pages
    )
    return Markup('<nav class="u-sub" aria-label="{}">{}</nav>').format(text(lang, "web.sub"), links)
