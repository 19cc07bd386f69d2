"""One open line to an OpenAI-compatible server: sends a body, returns the reply, says what went wrong."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import msgspec

from llmuses.errors import LlmusesError, ModelError, UnreachableError
from llmuses.models.openai.connecting import CONNECT_SECONDS, broken_exchange, open_http
from llmuses.models.openai.errors import (
    Meaning,
    ServerError,
    as_exception,
    as_response_error,
    meaning,
    one_line,
    read_error,
)
from llmuses.models.openai.gate import Ticket
from llmuses.models.openai.replies import Reply, read_reply
from llmuses.reach import as_client
from llmuses.records import Response

if TYPE_CHECKING:
    from llmuses.models.openai.dialect import Body
    from llmuses.models.openai.server import Server


class Session:
    """A line on the current event loop. ``server`` is what outlives it."""

    def __init__(self, server: Server, http: aiohttp.ClientSession):
        self.server = server
        self._http = http

    async def ask(self, path: str, write: Callable[[], Body], ticket: Ticket) -> Reply:
        """Return the reply to a body, written anew whenever a refusal taught how.

        A body passes the gate when it is ready to be sent: a slot that falls free is refilled without waiting for that
        work. Raises Fault where asking again may help, Refused where it would not.
        """
        server = self.server
        while True:
            body = write()
            await ticket.enter()
            try:
                with as_client():
                    async with self._http.post(f"{server.url}{path}", data=body.content) as response:
                        content = await response.read()
            except (aiohttp.ClientError, OSError) as problem:
                raise broken_exchange(problem, server) from problem
            server.reached = True
            if 200 <= response.status < 300:
                return read_reply(content, server.secret)
            error = read_error(response.status, content, response.headers, server.secret)
            if not server.dialect.learn(error, body):
                raise as_exception(error)

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
                    async with self._http.get(f"{self.server.url}/models") as answer:
                        listed = msgspec.json.decode(await answer.read())["data"]
            names = [one_line(str(entry["id"]), self.server.secret) for entry in listed]
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


@asynccontextmanager
async def open_session(server: Server, slots: int) -> AsyncIterator[Session]:
    """Open a session on the running event loop, and close it."""
    async with open_http(server, None, slots + 1) as http:
        yield Session(server, http)
