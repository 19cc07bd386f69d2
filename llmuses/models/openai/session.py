"""One open line to an OpenAI-compatible server: sends a body, returns the reply, says what went wrong."""

from __future__ import annotations

import asyncio
import difflib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import aiohttp
import httpx2
import msgspec
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, DefaultAioHttpClient

from llmuses.errors import LlmusesError, ModelError, UnreachableError
from llmuses.models.openai.connecting import CONNECT_SECONDS, KEEP_ALIVE_SECONDS, broken_exchange, tls
from llmuses.models.openai.errors import (
    Meaning,
    Refused,
    ServerError,
    as_exception,
    as_response_error,
    meaning,
    one_line,
    read_error,
)
from llmuses.models.openai.gate import Fault, Ticket
from llmuses.models.openai.replies import Reply, read_reply
from llmuses.reach import as_client
from llmuses.records import Generate, GenerationConfig, Message, Response

if TYPE_CHECKING:
    from llmuses.models.openai.dialect import Body
    from llmuses.models.openai.server import Server

_ticket: ContextVar[Ticket] = ContextVar("ticket")

for _name in ("openai", "httpx2"):  # what they note of every request quotes the server, which may quote the key
    if logging.getLogger(_name).level == logging.NOTSET:
        logging.getLogger(_name).setLevel(logging.WARNING)


class Session:
    """A client on the current event loop. ``server`` is what outlives it."""

    def __init__(self, server: Server, client: AsyncOpenAI):
        self.server = server
        self._client = client
        self._trial: asyncio.Task[None] | None = None

    async def ask(self, path: str, write: Callable[[], Body], ticket: Ticket) -> Reply:
        """Return the reply to a body, written anew whenever a refusal taught how.

        Raises Fault where asking again may help, Refused where it would not.
        """
        _ticket.set(ticket)
        server = self.server
        while True:
            body = write()
            try:
                with as_client():
                    response = await self._client.post(path, content=body.content, cast_to=httpx2.Response)
            except APIStatusError as problem:
                server.reached = True
                answer = problem.response
                error = read_error(answer.status_code, answer.content, answer.headers, server.secret)
                if server.dialect.learn(error, body):
                    continue
                raise as_exception(error) from problem
            except (APIConnectionError, aiohttp.ClientError, httpx2.HTTPError, OSError) as problem:
                raise broken_exchange(problem, server) from problem
            server.reached = True
            return read_reply(response.content, server.secret)

    async def try_out(self, config: GenerationConfig, ticket: Ticket) -> None:
        """Where nothing was answered yet, find out whether a refusal is the request's fault: ask for next to nothing, once.

        Raises ModelError where that is refused too, as it is with settings that no request can be answered with: a length
        beyond the model's, a stop text that the server does not take.
        """
        if self.server.answered:
            return
        if self._trial is None:
            self._trial = asyncio.create_task(self._ask_for_nothing(config, ticket))
        await asyncio.shield(self._trial)

    async def _ask_for_nothing(self, config: GenerationConfig, ticket: Ticket) -> None:
        ask = Generate(messages=(Message("user", "Say yes."),), config=config)
        try:
            await self.ask("/chat/completions", lambda: self.server.dialect.chat(ask), ticket)
        except Refused as refused:
            if self.server.answered:  # another request meanwhile: the settings will do
                return
            error = refused.error
            raise _wrong_setting(self.server, error, f"HTTP {error.status}: {error.message}") from refused
        except Fault:
            return  # it says nothing
        self.server.answered = True

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
                with as_client():
                    answer = await self._client.get("/models", cast_to=httpx2.Response)
            names = [
                one_line(str(entry["id"]), self.server.secret) for entry in msgspec.json.decode(answer.content)["data"]
            ]
        except Exception:  # whatever it is: the sentence is complete without
            return "."
        if near := difflib.get_close_matches(self.server.model, names, n=1):
            return f": did you mean '{near[0]}'?"
        return f"; it knows: {', '.join(names[:5])}{', …' if len(names) > 5 else ''}." if names else "."


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
        verify=tls(),
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
