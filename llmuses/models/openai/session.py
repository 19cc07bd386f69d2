"""One open line to an OpenAI-compatible server: sends a body, returns the reply, says what went wrong."""

from __future__ import annotations

import asyncio
import difflib
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING

import aiohttp
import httpx2
import msgspec
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, DefaultAioHttpClient

from llmuses.errors import LlmusesError, ModelError, UnreachableError
from llmuses.models.openai.errors import (
    Meaning,
    ServerError,
    as_exception,
    as_response_error,
    meaning,
    one_line,
    read_error,
)
from llmuses.models.openai.gate import Fault, Ticket
from llmuses.models.openai.replies import Reply, read_reply
from llmuses.records import Response

if TYPE_CHECKING:
    from llmuses.models.openai.dialect import Body
    from llmuses.models.openai.server import Server

CONNECT_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 4.0
"""Shorter than the five seconds after which common servers hang up on an idle connection."""

_ticket: ContextVar[Ticket] = ContextVar("ticket")


class Session:
    """A client on the current event loop. ``server`` is what outlives it."""

    def __init__(self, server: Server, client: AsyncOpenAI):
        self.server = server
        self._client = client

    async def ask(self, path: str, write: Callable[[], Body], ticket: Ticket) -> Reply:
        """Return the reply to a body, written anew whenever a refusal taught how.

        Raises Fault where asking again may help, Refused where it would not.
        """
        _ticket.set(ticket)
        server = self.server
        while True:
            body = write()
            try:
                response = await self._client.post(path, content=body.content, cast_to=httpx2.Response)
            except APIStatusError as problem:
                server.reached = True
                answer = problem.response
                error = read_error(answer.status_code, answer.content, answer.headers, server.secret)
                if server.dialect.learn(error, body):
                    continue
                raise as_exception(error) from problem
            except (APIConnectionError, aiohttp.ClientError, httpx2.HTTPError, OSError) as problem:
                raise self._fault(problem) from problem
            server.reached = True
            return read_reply(response.content, server.secret)

    def _fault(self, problem: Exception) -> Fault:
        """Return what a broken exchange was. Raises UnreachableError where the server was never there at all."""
        cause: BaseException = problem
        while not isinstance(cause, aiohttp.ClientError) and cause.__cause__ is not None:
            cause = cause.__cause__
        if isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            text = _no_connection(cause)
            if not self.server.reached:
                raise UnreachableError(
                    f"cannot reach {self.server.url}: {text}; is the server running, and is base_url right?"
                ) from problem
            return Fault("unreachable", text)
        if isinstance(cause, aiohttp.ClientPayloadError):
            return Fault("cut_off", "the connection ended in the middle of the answer")
        if isinstance(cause, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
            return Fault("disconnected", "the server hung up without an answer")
        return Fault("bad_http", one_line(f"no HTTP answer: {cause}", self.server.secret))

    async def refusal(self, key: str, error: ServerError) -> Response:
        """Return how a lasting refusal is recorded. Raises ModelError where no request at all would be answered."""
        server = self.server
        what, _ = meaning(error)
        said = f"HTTP {error.status}: {error.message}"
        if what is Meaning.KEY:
            raise UnreachableError(f"{server.url} does not accept {server.key_in_words} ({said}).")
        if what is Meaning.QUOTA:
            raise UnreachableError(f"{server.url} answers no more, the account's quota is used up ({said}).")
        if not server.answered:
            if what is Meaning.MODEL:
                raise UnreachableError(
                    f"{server.url} does not know the model '{server.model}' ({said}){await self._known_models()}"
                )
            if what is Meaning.SETTING:
                raise _wrong_setting(server, error, said)
        return Response(key=key, error=as_response_error(error))

    async def _known_models(self) -> str:
        """Return the end of a sentence that names models which the server does know, as far as it says."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                answer = await self._client.get("/models", cast_to=httpx2.Response)
            names = [str(entry["id"]) for entry in msgspec.json.decode(answer.content)["data"]]
        except Exception:  # whatever it is: the sentence is complete without
            return "."
        if near := difflib.get_close_matches(self.server.model, names, n=1):
            return f": did you mean '{near[0]}'?"
        return f"; it knows: {', '.join(names[:5])}{', …' if len(names) > 5 else ''}." if names else "."


def _no_connection(cause: aiohttp.ClientError) -> str:
    """Return in words why no connection came about."""
    inner = cause.__cause__
    if not isinstance(inner, OSError) or isinstance(cause, aiohttp.ConnectionTimeoutError):
        return f"no connection within {CONNECT_SECONDS:g} s"
    if isinstance(inner, ssl.SSLError):
        return one_line(f"no TLS connection ({inner.reason or inner})")
    if inner.errno is not None and inner.errno > 0:
        return os.strerror(inner.errno)  # aiohttp writes words of its own into strerror
    return one_line(inner.strerror or str(inner))


@cache
def _tls() -> ssl.SSLContext:
    """Return the client's own TLS settings, which take a while to read."""
    return httpx2.create_ssl_context()


def _wrong_setting(server: Server, error: ServerError, said: str) -> LlmusesError:
    if error.status in (404, 405):
        return UnreachableError(f"nothing at {server.url} answers ({said}): check base_url, it usually ends in /v1.")
    if error.status == 403:
        return UnreachableError(f"{server.url} does not allow this ({said}).")
    return ModelError(f"{server.url} cannot be asked like this ({said}).")


async def _enter(_: httpx2.Request) -> None:
    await _ticket.get().enter()


@asynccontextmanager
async def open_session(server: Server, slots: int) -> AsyncIterator[Session]:
    """Open a session on the running event loop, and close it.

    Requests pass the gate as the last thing before they are sent, when they are built already: a slot that falls free
    is refilled without waiting for that work.
    """
    http_client = DefaultAioHttpClient(
        event_hooks={"request": [_enter]},
        verify=_tls(),
        limits=httpx2.Limits(max_connections=slots + 1, keepalive_expiry=KEEP_ALIVE_SECONDS),
        trust_env=not server.is_local,  # no proxy stands between a machine and itself
    )
    client = AsyncOpenAI(
        api_key=server.key,
        base_url=server.url,
        max_retries=0,
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
        http_client=http_client,
    )
    client._platform = "Unknown"  # else the first requests look it up, in a thread each
    async with client:
        yield Session(server, client)
