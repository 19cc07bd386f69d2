"""The door of the admin room: who is let in, to what, and from where. Every request passes through it.

Nothing below ``admin`` is an event of Gradio's: there is one document, one address for views, one for deeds. So this file
is all that has to be right.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import parse_qs

import msgspec
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from llmuses.errors import LlmusesError, StoreError, in_words
from llmuses.i18n import text
from llmuses.visit import render, visit
from llmuses.web import document
from llmuses.web.admin import reading
from llmuses.web.admin.elsewhere import Elsewhere
from llmuses.web.admin.onwards import HOME, asked_for, onwards
from llmuses.web.admin.passwords import Wait
from llmuses.web.admin.room import Deed, Doing, Room, Tab
from llmuses.web.admin.rules import Role
from llmuses.web.admin.sessions import COOKIE, Person
from llmuses.web.admin.writing import chosen, login_page, reading_page, room_page
from llmuses.web.callers import Callers, is_at_this_machine
from llmuses.web.login import root_of

PATH = "/admin"
TOKEN = "x-llmuses-token"
_MOST = 1 << 20
_log = logging.getLogger(__name__)

Handler = Callable[[Request, Person], Awaitable[Response]]


def add_admin(app: FastAPI, room: Room, tabs: Sequence[Tab], deeds: Mapping[str, Deed]) -> None:
    """Add the room's addresses to the app."""
    door = Door(room, tabs, deeds)
    app.add_route(PATH, door.guarded(door.page, base="./"), methods=["GET"])
    app.add_route(f"{PATH}/", door.home, methods=["GET"])
    app.add_route(f"{PATH}/login", door.login, methods=["POST"])
    if room.rules.logins:
        elsewhere = Elsewhere(room, door.ask)
        app.add_route(f"{PATH}/login/{{name}}", elsewhere.start, methods=["GET"])
        app.add_route(f"{PATH}/login/{{name}}/back", elsewhere.back, methods=["GET"])
    app.add_route(f"{PATH}/logout", door.guarded(door.logout, token=False), methods=["POST"])
    app.add_route(f"{PATH}/view", door.guarded(door.view), methods=["GET"])
    app.add_route(f"{PATH}/do/{{name}}", door.guarded(door.deed), methods=["POST"])
    app.add_route(f"{PATH}/log/{{job}}", door.guarded(door.output), methods=["GET"])
    for page in reading.PAGES:
        app.add_route(f"{PATH}/{page.name}", door.guarded(door.reading(page), base="../"), methods=["GET"])
        app.add_route(f"{PATH}/view/{page.name}", door.guarded(door.reading_view(page)), methods=["GET"])
    for name in reading.PUBLIC:
        app.add_route(f"{PATH}/{name}", door.guarded(door.public, base="../"), methods=["GET"])
    app.add_route(f"{PATH}/export/{{name}}", door.guarded(door.export), methods=["GET"])


def is_there(room: Room | None, request: Request) -> bool:
    """Return whether there is a room for a caller: without an account, only for a browser on this very machine."""
    if room is None or room.rules.accounts:
        return room is not None
    return is_at_this_machine(request)


class Door:
    """The handlers, and the guard in front of them."""

    def __init__(self, room: Room, tabs: Sequence[Tab], deeds: Mapping[str, Deed]):
        self._room = room
        self._tabs = tabs
        self._deeds = deeds
        self._callers = Callers(room.rules.proxies, ())
        self._export = reading.export(room)

    # -- who is there

    def guarded(self, handler: Handler, token: bool = True, base: str = "") -> Callable[[Request], Awaitable[Response]]:
        """Return a handler that only people of the room reach; what changes something needs the page's token too.

        A document has a ``base``, from which the app is reached: in its place a stranger gets the login.
        """

        async def handle(request: Request) -> Response:
            if not is_there(self._room, request):
                return _said(404, "not found")
            if self._from_elsewhere(request):
                return _said(403, "this request came from a page of another site")
            person = self._person(request)
            if person is None:
                return self.ask(request, 401, base=base, to=asked_for(request)) if base else _said(401, "log in first")
            given = request.headers.get(TOKEN, "")
            if request.method == "POST" and token and not secrets.compare_digest(given.encode(), person.token.encode()):
                return _said(403, "the page is too old: load it again")
            response = await handler(request, person)
            response.headers["cache-control"] = "no-store"
            return response

        return handle

    def _from_elsewhere(self, request: Request) -> bool:
        if request.method != "GET":
            return self._callers.from_elsewhere(request)
        # A link from elsewhere may open the page; nothing else may be fetched or framed from there.
        fetched = request.headers.get("sec-fetch-site", "none")
        return fetched not in ("same-origin", "none") and request.headers.get("sec-fetch-dest") != "document"

    def _person(self, request: Request) -> Person | None:
        if not self._room.rules.accounts:
            return self._room.sessions.nobody()
        return self._room.sessions.person(request.cookies.get(COOKIE), time.time())

    def ask(self, request: Request, status: int, problem: str = "", base: str = "./", to: str = HOME) -> Response:
        """Return the login. ``base`` leads from the address to where the app is served, ``to`` from there to the page that was
        asked for."""
        nonce = document.new_nonce()
        page = login_page(self._room.rules, visit(request), nonce, problem, base, to)
        return HTMLResponse(page, status, {**document.headers(nonce), "cache-control": "no-store"})

    # -- coming and going

    async def home(self, request: Request) -> Response:
        """Lead to the room's one address."""
        return RedirectResponse(f"../{PATH.strip('/')}", 307)

    async def login(self, request: Request) -> Response:
        """Check a name and a password, and give out a session."""
        if not is_there(self._room, request) or self._callers.from_elsewhere(request):
            return _said(403, "this request came from a page of another site")
        try:
            fields = parse_qs((await _body(request)).decode("utf-8", "replace"), max_num_fields=10)
        except ValueError:  # more fields than a form of ours has
            return _said(400, "this is no form of this page")
        name, password, asked = (fields.get(field, [""])[0] for field in ("name", "password", "to"))
        to = onwards(asked)
        caller, lang = self._callers.of(request), visit(request).lang
        try:
            account = await run_in_threadpool(self._room.passwords.check, name, password, caller.address)
        except Wait as wait:
            response = self.ask(request, 429, text(lang, "admin.login.wait", n=round(wait.seconds + 0.5)), "../", to)
            response.headers["retry-after"] = str(round(wait.seconds + 0.5))
            return response
        if account is None:
            self._room.audit.say("", "login refused", name[:100], caller.address)
            return self.ask(request, 401, text(lang, "admin.login.wrong"), "../", to)
        self._room.audit.say(account.name, "login", "", caller.address)
        response = RedirectResponse(f"../{to}", 303)
        self._room.sessions.give(response, account, caller, time.time())
        return response

    async def logout(self, request: Request, person: Person) -> Response:
        """End the session, here and wherever else its cookie may be."""
        self._room.sessions.end(request.cookies.get(COOKIE))
        self._room.audit.say(person.name, "logout", "", self._callers.of(request).address)
        response = RedirectResponse(f"../{PATH.strip('/')}", 303)
        self._room.sessions.take(response, self._callers.of(request))
        return response

    # -- what there is to see and to do

    async def page(self, request: Request, person: Person) -> Response:
        """Return the room's document, with its first view in it."""
        nonce = document.new_nonce()
        page = await run_in_threadpool(room_page, self._room, person, self._visible(person), request, nonce)
        return _document(page, nonce, request)

    def reading(self, page: Tab) -> Handler:
        """Return what answers with the document of a page that the room reads."""

        async def handle(request: Request, person: Person) -> Response:
            nonce, tabs = document.new_nonce(), self._visible(person)
            written = await run_in_threadpool(reading_page, self._room, person, tabs, page, request, nonce)
            return _document(written, nonce, request)

        return handle

    def reading_view(self, page: Tab) -> Handler:
        """Return what answers with such a page alone, to be put into its document."""

        async def handle(request: Request, person: Person) -> Response:
            shown = await run_in_threadpool(render, request, lambda who: page.view(self._room, person, who))
            return HTMLResponse(shown, headers=document.headers())

        return handle

    async def public(self, request: Request, person: Person) -> Response:
        """Lead to the public page of the same name."""
        name, query = request.url.path.rpartition("/")[2], request.url.query
        return RedirectResponse(f"../{name}{'?' if query else ''}{query}", 307)

    async def export(self, request: Request, person: Person) -> Response:
        """Return a file of any run, or what a page offers to take away."""
        name, query = request.path_params["name"], dict(request.query_params)
        return await run_in_threadpool(self._export, name, query)

    async def view(self, request: Request, person: Person) -> Response:
        """Return the view that an address names, to be put into the document."""
        tab = chosen(self._visible(person), visit(request))
        shown = await run_in_threadpool(render, request, lambda who: tab.view(self._room, person, who))
        return HTMLResponse(shown, headers=document.headers())

    async def deed(self, request: Request, person: Person) -> Response:
        """Do what a button or a form asks for. What was asked is on record before it is done, and again where it was not."""
        name, address = request.path_params["name"], self._callers.of(request).address
        deed = self._deeds.get(name)
        if deed is None:
            return _said(404, "no such deed")
        if deed.role is Role.ADMIN and not person.is_admin:
            return _said(403, text(visit(request).lang, "admin.only"))
        body = await _body(request)
        try:
            asked = msgspec.json.decode(body, type=deed.asks)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            return _said(400, in_words(problem))
        if deed.audited:
            self._room.audit.say(person.name, name, body.decode("utf-8", "replace"), address)
        doing = Doing(self._room, person, visit(request).lang)
        try:
            return JSONResponse(dict(await run_in_threadpool(deed.run, doing, asked)))
        except LlmusesError as problem:
            if deed.audited:
                self._undone(person, f"{name} refused", str(problem), address)
            return _said(409, str(problem))
        except Exception:  # whatever it was, the page gets words and the log the traceback
            code = f"P-{secrets.token_hex(2)}"
            _log.exception("deed %s failed: %s", name, code)
            if deed.audited:
                self._undone(person, f"{name} failed", code, address)
            return _said(500, text(doing.lang, "web.error.body", code=code))

    def _undone(self, person: Person, deed: str, why: str, address: str) -> None:
        """Write down that a deed on record was not done; where that cannot be written, whoever asked is told all the same."""
        with contextlib.suppress(StoreError):
            self._room.audit.say(person.name, deed, why, address)

    async def output(self, request: Request, person: Person) -> Response:
        """Return what a job has printed."""
        try:
            job = self._room.log.job(request.path_params["job"])
            printed = (self._room.log.place(job.job_id) / "log.txt").read_bytes()
        except (LlmusesError, OSError):
            return _said(404, "no such log")
        return Response(printed, media_type="text/plain; charset=utf-8", headers=document.headers())

    def _visible(self, person: Person) -> list[Tab]:
        return [tab for tab in self._tabs if person.is_admin or tab.role is Role.OPERATOR]


def _document(page: str, nonce: str, request: Request) -> Response:
    response = HTMLResponse(page, headers=document.headers(nonce))
    if cookie := document.language_cookie(visit(request), root_of(request)):
        response.headers.append("set-cookie", cookie)
    return response


async def _body(request: Request) -> bytes:
    """Return a request's body, cut where no form of ours is as long: it is then no JSON."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST:
                break
    except ClientDisconnect:
        return b""
    return bytes(body[: _MOST + 1])


def _said(status: int, words: str) -> Response:
    return JSONResponse({"problem": words}, status, {**document.headers(), "cache-control": "no-store"})
