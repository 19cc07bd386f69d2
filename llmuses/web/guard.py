"""Stands before everything that the app serves: security headers, doors that stay shut, the document made ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmuses.i18n import text
from llmuses.markup import Markup, message
from llmuses.settings import read_only
from llmuses.visit import Visit, visit
from llmuses.web import assets, document
from llmuses.web.bar import Entry, bar

_GRADIO = "/gradio_api/"
_DOOR = "/gradio_api/run/predict"
"""The one door of Gradio's that our pages use: all their events are answered at once, none waits in its queue."""

_SHUT = ("/monitoring", "/login", "/logout")
"""What of Gradio's is shut beside all others of its doors: uploads by anyone, fetching for others, files by their path."""

_LARGEST = 65_536
"""Bytes that an event of a page may have: an address's query, and where it stands on the page."""

_ADMIN = "/admin"
_VOTING = "/arena-api/"
"""What a copy that is only read does not have."""


class Guard:
    """ASGI middleware. ``pages`` maps a path to its entry in the bar; other documents become a page that says so.

    ``moved`` says of some paths where an address with this query leads by now, ``admin`` whether there is an admin room
    for a caller.
    """

    def __init__(
        self,
        app: ASGIApp,
        pages: Mapping[str, str],
        entries: Sequence[Entry],
        moved: Mapping[str, Callable[[Mapping[str, str]], str | None]] | None = None,
        admin: Callable[[Request], bool] = lambda request: False,
    ):
        self.app = app
        self.pages = pages
        self.entries = entries
        self.moved = moved or {}
        self.admin = admin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})  # nothing here speaks that way
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        page = path.strip("/")
        if _is_shut(path) or (read_only() and path.startswith(_ADMIN)):
            await self._missing(scope, receive, send)
        elif path == _DOOR and not _is_small(Request(scope)):
            await PlainTextResponse("too large", 413, document.headers())(scope, receive, send)
        elif read_only() and scope["method"] == "POST" and path.startswith(_VOTING):
            await JSONResponse({"code": "closed", "figures": {}}, 403, document.headers())(scope, receive, send)
        elif page in self.pages and path == f"/{page}/":
            here = Request(scope).url  # Gradio would send the browser to the top of the site
            there = here.replace(scheme="", netloc="", path=f"{scope.get('root_path', '')}/{page}")
            await RedirectResponse(str(there), 301, document.headers())(scope, receive, send)
        elif page in self.moved and (now := self._there(scope, page)) is not None:
            await RedirectResponse(now, 307, document.headers())(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD") and page in self.pages:
            await self._document(scope, receive, send, page)
        else:
            await self.app(scope, receive, _Guarded(self, scope, receive, send))

    def _there(self, scope: Scope, page: str) -> str | None:
        """Return the address that a page's address has become, below the path that the app is served from."""
        there = self.moved[page](dict(Request(scope).query_params)) if scope["method"] in ("GET", "HEAD") else None
        return None if there is None else f"{scope.get('root_path', '')}/{there}"

    async def _document(self, scope: Scope, receive: Receive, send: Send, page: str) -> None:
        request = Request(scope)
        who = visit(request)
        name = self.pages[page]
        nonce = document.new_nonce()
        start: Message = {}
        body = bytearray()

        async def collect(part: Message) -> None:
            if part["type"] == "http.response.start":
                start.update(part)
            elif part["type"] == "http.response.body":
                body.extend(part.get("body", b""))
                if not part.get("more_body", False):
                    await finish()

        async def finish() -> None:
            ready = bytes(body)
            headers = MutableHeaders(raw=list(start["headers"]))
            if headers.get("content-type", "").startswith("text/html") and start["status"] == 200:
                top = bar(self.entries, name, page, who, self.admin(request))
                ready = document.rewrite(ready.decode(), who, text(who.lang, f"web.title.{name}"), top, nonce).encode()
                headers["content-length"] = str(len(ready))
                headers["cache-control"] = "no-store"
                headers["vary"] = "Accept-Language, Cookie"
            headers.update(document.headers(nonce))
            if cookie := document.language_cookie(who, scope.get("root_path", "")):
                headers.append("set-cookie", cookie)
            await send({**start, "headers": headers.raw})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else ready})

        await self.app(scope, receive, collect)

    async def _missing(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        page = self.missing(visit(request), scope.get("root_path", "") + "/", self.admin(request))
        await HTMLResponse(page, 404, document.headers())(scope, receive, send)

    def missing(self, who: Visit, base: str, admin: bool) -> str:
        """Return the page for an address that does not exist; its links start from ``base``. ``admin`` as in ``bar``."""
        lang = who.lang
        action = Markup('<p class="u-act"><a class="g-btn sm" href="./">{}</a></p>').format(
            text(lang, "web.missing.action")
        )
        words = message(text(lang, "web.missing.title"), text(lang, "web.missing.body"), "find", action)
        return Markup(
            '<!doctype html><html lang="{}"><head><meta charset="utf-8"><base href="{}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{} · llmuses</title>{}</head>'
            '<body>{}<main id="main" class="u u-page u-alone">{}</main></body></html>'
        ).format(
            lang, base, text(lang, "web.missing.title"), assets.tags(), bar(self.entries, "", "", who, admin), words
        )


def _is_shut(path: str) -> bool:
    return (path.startswith(_GRADIO) and path != _DOOR) or path.startswith(_SHUT)


def _is_small(request: Request) -> bool:
    """Return whether a request says how large it is, and is small: the server holds it to that."""
    said = request.headers.get("content-length", "")
    is_number = said.isascii() and said.isdigit() and len(said) < 9
    return is_number and int(said) <= _LARGEST and "transfer-encoding" not in request.headers


class _Guarded:
    """Adds the headers to an answer as it goes out; a 404 that a person would see becomes a page in words."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive, send: Send):
        self._guard, self._scope, self._receive, self._send = guard, scope, receive, send
        self._replaced = False

    async def __call__(self, part: Message) -> None:
        if self._replaced:
            return
        if part["type"] == "http.response.start":
            if part["status"] == 404 and self._by_person():
                self._replaced = True
                await self._guard._missing(self._scope, self._receive, self._send)
                return
            headers = MutableHeaders(raw=list(part["headers"]))
            for name, value in document.headers().items():
                headers.setdefault(name, value)  # an answer may bring a stricter policy of its own
            part = {**part, "headers": headers.raw}
        await self._send(part)

    def _by_person(self) -> bool:
        accept = Request(self._scope).headers.get("accept", "")
        return self._scope["method"] == "GET" and "text/html" in accept
