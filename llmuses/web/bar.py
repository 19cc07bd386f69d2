"""The application bar: brand, pages, search, language, theme. It is part of the document, so it is there at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from llmuses.i18n import LANGUAGES, text
from llmuses.markup import Markup, attrs, icon, join, link
from llmuses.visit import Visit
from llmuses.web.keys import keys_button, keys_dialog

_MARK = Markup(
    '<svg viewBox="0 0 22 22" aria-hidden="true"><path d="M3 11h16M3 7v8M19 7v8" fill="none" stroke="var(--u-ink)"'
    ' stroke-width="1.6" stroke-linecap="round"/><circle cx="11" cy="11" r="3.9" fill="var(--u-accent)"/></svg>'
)
_OTHER = {"en": ("zh", "EN", "中文"), "zh": ("en", "中文", "EN")}
_ENDONYM = {"en": "English", "zh": "中文"}


class Entry(NamedTuple):
    """A page that the bar leads to: the name under ``web.nav``, and its address."""

    name: str
    path: str


def bar(entries: Sequence[Entry], current: str, page: str, visit: Visit, admin: bool = False, up: str = "") -> Markup:
    """Return the bar of one page. ``current`` is the entry to mark, ``page`` the address of this page, ``admin`` whether
    there is an admin room for whoever reads it. ``up`` leads from the page's base to where the app is served."""
    lang = visit.lang
    pages = join(
        Markup('<a href="{}"{}>{}</a>').format(
            up + entry.path,
            attrs(aria_current="page" if entry.name == current else None),
            text(lang, f"web.nav.{entry.name}"),
        )
        for entry in entries
    )
    return Markup(
        '<a class="u-skip" href="#main">{skip}</a>'
        '<header class="u u-bar"><div><a class="brand" href="{up}./">{mark}<span>llmuses</span></a>'
        '<nav aria-label="{main}">{pages}</nav><div class="tools">{find}{languages}{theme}{keys}{admin}</div></div></header>{dialog}'
    ).format(
        skip=text(lang, "web.skip"),
        up=up,
        mark=_MARK,
        main=text(lang, "web.nav.main"),
        pages=pages,
        find=_find(visit, up),
        languages=_languages(page, visit),
        theme=_theme(visit),
        keys=keys_button(visit),
        dialog=keys_dialog(visit),
        admin=_admin(current, visit, up) if admin else "",
    )


def _admin(current: str, visit: Visit, up: str) -> Markup:
    here = attrs(aria_current="page" if current == "admin" else None)
    words = text(visit.lang, "web.nav.admin")
    return Markup(
        '<a class="tool u-door" href="{3}admin" title="{2}" aria-label="{2}"{0}>{1}<span class="wide">{2}</span></a>'
    ).format(here, icon("lock"), words, up)


def _find(visit: Visit, up: str) -> Markup:
    words = text(visit.lang, "web.find")
    return Markup(
        '<form class="find" role="search" action="{}leaderboard" method="get">{}'
        '<input type="search" name="q" placeholder="{}" aria-label="{}" autocomplete="off" data-find><kbd>/</kbd>'
        "</form>"
    ).format(up, icon("find"), words, words)


def _languages(page: str, visit: Visit) -> Markup:
    other, here, there = _OTHER[visit.lang]
    assert set(_OTHER) == set(LANGUAGES)
    query = {name: value for name, value in visit.query.items() if name != "lang"}
    return Markup(
        '<a class="tool" href="{}" hreflang="{}" title="{}" data-lang><b class="wide">{}</b>'
        '<span lang="{}">{}</span></a>'
    ).format(link(page or "./", **query, lang=other), other, _ENDONYM[other], here, other, there)


def _theme(visit: Visit) -> Markup:
    words = text(visit.lang, "web.theme")
    return Markup(
        '<button class="tool" type="button" title="{}" aria-label="{}" data-theme-switch>{}{}</button>'
    ).format(
        words,
        words,
        Markup('<span class="moon">{}</span>').format(icon("moon")),
        Markup('<span class="sun">{}</span>').format(icon("sun")),
    )
