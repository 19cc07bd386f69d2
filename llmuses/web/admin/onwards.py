"""Where somebody goes on who has logged in: to the page of the room that was asked for, and nowhere else."""

from __future__ import annotations

import re

from starlette.requests import Request

from llmuses.web.admin import reading

HOME = "admin"
PAGES = frozenset({HOME, *(f"{HOME}/{name}" for name in (*(page.name for page in reading.PAGES), *reading.PUBLIC))})
"""What can be gone on to, from where the app is served."""

_QUERY = re.compile(r"[!$-\[\]-~]{0,1000}", re.ASCII)
"""What browsers send as a query: no space and nothing invisible, no ``#``, ``"`` or backslash."""


def onwards(asked: str) -> str:
    """Return the page that a text names, with its query, as an address relative to where the app is served; the room itself
    where the text is anything else. What the text begins with is one of our own names: it leads to no other site."""
    page, mark, query = asked.partition("?")
    return f"{page}{mark}{query}" if page in PAGES and _QUERY.fullmatch(query) else HOME


def asked_for(request: Request) -> str:
    """Return the page of the room that a request asks for, as ``onwards`` does."""
    name, query = request.url.path.rpartition("/")[2], request.url.query
    page = HOME if name == HOME else f"{HOME}/{name}"
    return onwards(f"{page}?{query}" if query else page)
