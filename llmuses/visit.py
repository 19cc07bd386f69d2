"""What a page may know of whoever opened it: the language and the query. No gradio here: any request will do."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl

from llmuses.i18n import LANGUAGES, Lang, choose, text
from llmuses.markup import Markup, message

_log = logging.getLogger(__name__)

LANG_COOKIE = "llmuses_lang"


class Asked(Protocol):
    """The part of a request that is read; Starlette's and Gradio's both have it."""

    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def query_params(self) -> Mapping[str, str]: ...
    @property
    def cookies(self) -> Mapping[str, str]: ...


class Visit(NamedTuple):
    """The language to write in, and the query of the page's address as it was typed (not to be trusted)."""

    lang: Lang
    query: dict[str, str]


def visit(request: Asked, query: str | None = None) -> Visit:
    """Return who asks for what. ``query`` is the address's query string now, where a script changed it since.

    The language is ``?lang=``, else what was chosen before (a cookie), else what the browser prefers.
    """
    asked = dict(request.query_params) if query is None else dict(parse_qsl(query.lstrip("?"))[:50])
    for wish in (asked.get("lang"), dict(request.cookies).get(LANG_COOKIE)):
        if wish in LANGUAGES:
            return Visit("zh" if wish == "zh" else "en", asked)
    return Visit(choose(dict(request.headers).get("accept-language")), asked)


def render(request: Asked, view: Callable[[Visit], Markup], event: object = None) -> str:
    """Return the page that ``view`` writes for this visit; where it raises, a message in its place.

    ``event`` is an event of static/shell.js: it carries the query string of now, and a turn, which goes back so that
    the script knows that its question was answered even where nothing changed.
    """
    query = getattr(event, "query", None)
    who = visit(request, query if isinstance(query, str) else None)
    try:
        page = view(who)
    except Exception:  # whatever it was, the reader gets words and the log the traceback
        code = f"P-{secrets.token_hex(2)}"
        _log.exception("page error %s at %s", code, who.query)
        page = message(text(who.lang, "web.error.title"), text(who.lang, "web.error.body", code=code), "failed")
    return page + Markup('<i hidden data-turn="{}"></i>').format(getattr(event, "turn", 0))
