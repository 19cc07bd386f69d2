"""An answer as a server writes it, for a person who reads along.

Lines are read raw: a hundred battles are thousands of events a second, which the client's objects could not keep up
with. Where nothing was said yet a fault may be waited out, for a few seconds at most; once a word came, an answer that
breaks off has failed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from llmuses.errors import UnreachableError
from llmuses.models.base import Delta, StreamError
from llmuses.models.openai.errors import Refused, as_exception, as_response_error, read_error
from llmuses.models.openai.events import EventReader
from llmuses.models.openai.gate import Fault, Gate, Ticket, backoff
from llmuses.reach import as_client
from llmuses.records import ErrorKind, Generate, Request, ResponseError

if TYPE_CHECKING:
    import aiohttp

    from llmuses.models.openai.server import Server

RETRIES = 2
LONGEST_WAIT = 5.0
"""Seconds: a server that wants to be left alone for longer has failed, as far as somebody who waits is concerned."""
USAGE_SECONDS = 2.0
"""How long the count of tokens is waited for when the answer is whole."""
LONGEST_REFUSAL = 1 << 20


class Streams:
    """The streams of one model, on any event loop. ``gate`` makes what lets them through, one a loop.

    ``expected`` guesses the tokens of a request before it is sent.
    """

    def __init__(self, server: Server, gate: Callable[[], Gate], timeout: float, expected: Callable[[Request], float]):
        self._server = server
        self._new_gate = gate
        self._timeout = timeout
        self._expected = expected
        self._gates: WeakKeyDictionary[asyncio.AbstractEventLoop, Gate] = WeakKeyDictionary()
        self._lines: dict[asyncio.AbstractEventLoop, _Line] = {}

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Yield an answer as it is written. See llmuses.models.base.Streamer."""
        if not isinstance(request.ask, Generate):
            raise TypeError("only a written answer can be streamed")
        loop = asyncio.get_running_loop()
        if (gate := self._gates.get(loop)) is None:
            gate = self._gates[loop] = self._new_gate()
        ticket = Ticket(gate)
        ticket.tokens = self._expected(request)
        while True:
            ticket.attempt += 1
            began = False
            try:
                async with aclosing(self._attempt(request.ask, ticket)) as deltas:
                    async for delta in deltas:
                        began = True
                        if delta.usage:
                            ticket.used((delta.usage.prompt_tokens or 0) + (delta.usage.completion_tokens or 0))
                        yield delta
                self._server.answered = True
                gate.answered()
                return
            except Refused as refused:
                raise StreamError(as_response_error(refused.error)) from refused
            except UnreachableError as problem:
                raise _failed("unreachable", str(problem)) from problem
            except Fault as fault:
                if fault.busy:
                    gate.refused(ticket, fault.retry_after)
                delay = _delay(ticket.attempt, fault)
                if began or delay is None:
                    raise _failed(fault.code, fault.message) from fault
            finally:
                ticket.leave()
            await asyncio.sleep(delay)

    async def _attempt(self, ask: Generate, ticket: Ticket) -> AsyncGenerator[Delta, None]:
        """Ask once; a body that a refusal taught to write otherwise is sent again at once."""
        import aiohttp

        from llmuses.models.openai.connecting import broken_exchange

        server = self._server
        url, headers = f"{server.url}/chat/completions", _headers(server)
        try:
            async with self._line() as session:
                while True:
                    body = server.dialect.chat(ask, stream=True)
                    await ticket.enter()
                    with as_client():
                        response = await session.post(url, data=body.content, headers=headers)
                    async with response:
                        server.reached = True
                        if response.status == 200:
                            async with aclosing(_deltas(response, server.secret)) as deltas:
                                async for delta in deltas:
                                    yield delta
                            return
                        said = await response.content.read(LONGEST_REFUSAL)
                    error = read_error(response.status, said, response.headers, server.secret)
                    if not server.dialect.learn(error, body):
                        raise as_exception(error)
        except aiohttp.ConnectionTimeoutError as problem:
            raise broken_exchange(problem, server) from problem
        except TimeoutError as problem:
            raise Fault("timeout", f"no answer within {self._timeout:g} s") from problem
        except (aiohttp.ClientError, OSError) as problem:
            raise broken_exchange(problem, server) from problem

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[aiohttp.ClientSession]:
        """Give the loop's session: open while a stream uses it, so that none is left when a loop ends."""
        loop = asyncio.get_running_loop()
        line = self._lines.setdefault(loop, _Line())
        line.users += 1
        try:
            yield line.session or line.open(self._server, self._timeout)
        finally:
            line.users -= 1
            if not line.users and line.session:
                del self._lines[loop]
                await line.session.close()


class _Line:
    """An HTTP session and how many streams use it."""

    def __init__(self) -> None:
        self.users = 0
        self.session: aiohttp.ClientSession | None = None

    def open(self, server: Server, timeout: float) -> aiohttp.ClientSession:
        import aiohttp

        from llmuses.models.openai.connecting import CONNECT_SECONDS, KEEP_ALIVE_SECONDS, proxy, tls

        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=tls(), keepalive_timeout=KEEP_ALIVE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_SECONDS),
            proxy=proxy(server),
        )
        return self.session


async def _deltas(response: aiohttp.ClientResponse, secret: str) -> AsyncGenerator[Delta, None]:
    """Yield what a reply says, as it arrives."""
    reader = EventReader(secret)
    while not reader.ended:
        try:
            async with asyncio.timeout(USAGE_SECONDS if reader.answered else None):
                content = await response.content.readany()
        except TimeoutError:
            if not reader.answered:
                raise
            break
        if not content:
            break
        if delta := reader.feed(content):
            yield delta
    yield reader.finish()


def _headers(server: Server) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {server.key}",
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
    }


def _delay(attempt: int, fault: Fault) -> float | None:
    """Return the seconds after which a stream is asked for again, None where it is not."""
    wait = fault.retry_after or 0.0
    most = RETRIES if fault.most_retries is None else min(RETRIES, fault.most_retries)
    if attempt > most or wait > LONGEST_WAIT or fault.code == "timeout":
        return None
    return wait + backoff(attempt, random.SystemRandom())


def _failed(code: str, message: str) -> StreamError:
    return StreamError(ResponseError(kind=ErrorKind.FAILED, code=code, message=message))
