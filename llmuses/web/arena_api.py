"""The live arena over HTTP: JSON in, JSON or server-sent events out. Every answer of the engine's passes through here."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Send

from arena.live.arena import LiveArena
from arena.live.refusal import Code, Refusal
from arena.live.visitor import Visitor
from arena.live.wire import EVENT_NAMES, Asked, Event, SendAsk
from llmuses.records import Winner
from llmuses.web.callers import Callers
from llmuses.web.sessions import session_of, set_session

PREFIX = "/arena-api"
_BODY_SECONDS = 30.0
_READING_SECONDS = 60.0
"""Who takes in nothing of an answer for so long is taken to be gone: it holds one of the places to write at."""

_STATUS: dict[Code, int] = {
    "malformed": 400, "mode": 400, "settings": 400, "model": 400, "image": 400, "no_vision": 400,
    "terms": 403, "closed": 403, "proof": 403, "login": 403, "foreign": 403, "origin": 403, "filtered": 403,
    "ended": 404, "image_gone": 404,
    "voted": 409, "writing": 409, "not_finished": 409, "not_voted": 409, "turns": 409,
    "too_long": 413,
    "rate": 429, "busy": 429,
    "no_models": 503, "no_judge": 503, "not_saved": 503,
}  # fmt: skip

T = TypeVar("T")


class _Of(Asked, kw_only=True, frozen=True):
    """What speaks of a battle and nothing else."""

    battle: str


class _Vote(Asked, kw_only=True, frozen=True):
    battle: str
    choice: Winner


def add_arena(app: FastAPI, arena: LiveArena) -> None:
    """Add the routes below ``arena-api/`` to the app."""
    api = _Api(arena)
    post: dict[str, Callable[[Visitor, Request], Awaitable[Response]]] = {
        "send": api.send,
        "retry": api.retry,
        "stop": api.stop,
        "again": api.again,
        "vote": api.vote,
        "opinion": api.opinion,
        "withdraw": api.withdraw,
        "image": api.take_image,
    }
    get: dict[str, Callable[[Visitor, Request], Awaitable[Response]]] = {
        "state": api.state,
        "challenge": api.challenge,
        "image/{name}": api.image,
    }
    for method, handlers in (("POST", post), ("GET", get)):
        for path, handler in handlers.items():
            app.add_route(f"{PREFIX}/{path}", api.guarded(handler), methods=[method])


class _Api:
    """The handlers. What they get is checked: who calls, from whose page, how much."""

    def __init__(self, arena: LiveArena):
        self._arena = arena
        self._web = arena.rules.web
        self._callers = Callers(self._web.proxies, self._web.origins)
        self._most = 4096 + 6 * arena.rules.sizes.prompt_chars  # a character is six bytes at most, escaped

    def guarded(
        self, handler: Callable[[Visitor, Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Return a handler that knows the visitor, answers refusals in JSON, and gives newcomers a session."""

        async def handle(request: Request) -> Response:
            now = time.time()
            caller = self._callers.of(request)
            known = session_of(request, self._arena.keys, self._web, now)
            session = known or self._arena.keys.new_session(now)
            elsewhere = request.method != "GET" and self._callers.from_elsewhere(request)
            try:
                if elsewhere:
                    raise Refusal("origin")
                response = await handler(self._arena.keys.visitor(session, caller.address), request)
            except Refusal as refusal:
                response = refused(refusal)
            if (
                known is None and not elsewhere
            ):  # a form elsewhere brings no cookie, and must not replace the one there is
                set_session(response, session, self._arena.keys, self._web, caller)
            response.headers["cache-control"] = "no-store"
            return response

        return handle

    # -- what models write

    async def send(self, visitor: Visitor, request: Request) -> Response:
        """Ask both models, or one, and stream what they write."""
        ask = await self._read(request, SendAsk)
        return await _streamed(self._arena.send(visitor, ask))

    async def retry(self, visitor: Visitor, request: Request) -> Response:
        """Ask again what failed, or the last turn."""
        return await _streamed(self._arena.retry(visitor, (await self._read(request, _Of)).battle))

    async def stop(self, visitor: Visitor, request: Request) -> Response:
        """Stop who writes."""
        self._arena.stop(visitor, (await self._read(request, _Of)).battle)
        return _json({})

    async def again(self, visitor: Visitor, request: Request) -> Response:
        """Return a battle as it stands, for a page that was loaded anew."""
        return _json(await self._arena.again(visitor, (await self._read(request, _Of)).battle))

    # -- what people decide

    async def vote(self, visitor: Visitor, request: Request) -> Response:
        """Take the vote; when the answer goes out it is on the disk."""
        ask = await self._read(request, _Vote)
        return _json({"revealed": await self._arena.vote(visitor, ask.battle, ask.choice)})

    async def opinion(self, visitor: Visitor, request: Request) -> Response:
        """Return what the judge thinks of it."""
        return _json(await self._arena.opinion(visitor, (await self._read(request, _Of)).battle))

    async def withdraw(self, visitor: Visitor, request: Request) -> Response:
        """Withdraw a battle."""
        await self._arena.withdraw(visitor, (await self._read(request, _Of)).battle)
        return _json({})

    # -- around it

    async def take_image(self, visitor: Visitor, request: Request) -> Response:
        """Take an image, the body as it is."""
        if not request.headers.get("content-type", "").lower().startswith("image/"):
            raise Refusal("image")
        return _json(await self._arena.take_image(visitor, await _body(request, self._arena.rules.sizes.image_bytes)))

    async def image(self, visitor: Visitor, request: Request) -> Response:
        """Return an image to the session that sent it."""
        image = self._arena.image(visitor, request.path_params["name"])
        headers = {
            "Cross-Origin-Resource-Policy": "same-origin",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        }
        return Response(image.data, media_type=image.media_type, headers=headers)

    async def challenge(self, visitor: Visitor, request: Request) -> Response:
        """Return a proof of work to do; nothing (204) where none is asked for."""
        challenge = self._arena.challenge(visitor)
        return Response(status_code=204) if challenge is None else _json(challenge)

    async def state(self, visitor: Visitor, request: Request) -> Response:
        """Return what a page needs to know at first."""
        return _json(self._arena.state(visitor))

    async def _read(self, request: Request, kind: type[T]) -> T:
        if not request.headers.get("content-type", "").lower().startswith("application/json"):
            raise Refusal("malformed")  # what a form of another page could send is not even looked at
        body = await _body(request, self._most)
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Refusal("malformed") from None


async def _body(request: Request, most: int) -> bytes:
    """Return a request's body. Raises Refusal ``too_long`` as soon as it is larger than allowed."""
    said = request.headers.get("content-length", "0")
    if not said.isascii() or not said.isdigit() or len(said) > 12:
        raise Refusal("malformed")
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            if int(said) > most:
                raise Refusal("too_long", length=int(said), limit=most)
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise Refusal("too_long", length=len(body), limit=most)
    except (TimeoutError, ClientDisconnect):
        raise Refusal("malformed") from None
    return bytes(body)


def refused(refusal: Refusal) -> Response:
    """Return a refusal as JSON: its code, its figures, and when to come back."""
    content: dict[str, Any] = {"code": refusal.code, "figures": refusal.figures}
    headers = {}
    if refusal.retry_after is not None:
        content["retry_after"] = seconds = max(1, math.ceil(refusal.retry_after))
        headers["Retry-After"] = str(seconds)
    return Response(msgspec.json.encode(content), _STATUS[refusal.code], headers, media_type="application/json")


def _json(content: object) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")


async def _streamed(events: AsyncGenerator[Event, None]) -> Response:
    """Return events as they come; a refusal before the first of them is raised here, and becomes an answer in JSON."""
    first = await anext(events)
    return _EventStream(events, first)


class _EventStream(StreamingResponse):
    """Server-sent events. The models are stopped at once when the browser goes away."""

    def __init__(self, events: AsyncGenerator[Event, None], first: Event):
        headers = {"X-Accel-Buffering": "no"}  # nginx would hold events back
        super().__init__(self._lines(first), headers=headers, media_type="text/event-stream")
        self._events = events

    async def _lines(self, first: Event) -> AsyncIterator[bytes]:
        yield _line(first)
        async for event in self._events:
            yield _line(event)

    async def stream_response(self, send: Send) -> None:
        async def sent(message: Message) -> None:
            async with asyncio.timeout(_READING_SECONDS):
                await send(message)

        async with contextlib.aclosing(self._events):
            with contextlib.suppress(TimeoutError):  # the server hangs up where an answer has no end
                await super().stream_response(sent)


def _line(event: Event) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (EVENT_NAMES[type(event)].encode(), msgspec.json.encode(event))
