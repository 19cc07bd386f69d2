"""One copy of a model in a process of its own: reads requests from a connection, writes responses to it.

Started by ``replica_process``, whose end of the connection is all that holds it: when that closes, for whatever reason,
the process ends at once.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import queue
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from llmuses.errors import LlmusesError
from llmuses.models.base import Delta, StreamError
from llmuses.models.transformers.news import failed
from llmuses.records import Generate, Request, Response, ResponseError


class Start(NamedTuple):
    """What to load: the module of a backend, and what its ``load`` takes. Said first, once."""

    backend: str
    name: str
    args: Any


class Batch(NamedTuple):
    """Requests of a run to answer, in any order."""

    run: int
    requests: list[Request]


class Cancel(NamedTuple):
    """Nobody waits any more for what a run asked."""

    run: int


class Write(NamedTuple):
    """Write an answer for somebody who reads along."""

    number: int
    ask: Generate


class Leave(NamedTuple):
    """Nobody reads along any more."""

    number: int


class Loaded(NamedTuple):
    """The model is there."""

    name: str
    identity: str
    details: Mapping[str, Any]


class Refused(NamedTuple):
    """The model cannot be loaded, or can do no more; the process ends."""

    why: str


class Answered(NamedTuple):
    """The response to one request of a run."""

    run: int
    response: Response


class Wrote(NamedTuple):
    """What came new of an answer that somebody reads, or why there is no more."""

    number: int
    news: Delta | ResponseError


Tell = Callable[[NamedTuple], None]


def main() -> None:
    """Serve the connection whose file descriptor is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it decides
    connection = Connection(int(sys.argv[1]))
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(connection, inbox), daemon=True).start()
    tell = _telling(connection)
    start = inbox.get()
    try:
        model = importlib.import_module(start.backend).load(start.name, start.args)
    except LlmusesError as problem:
        tell(Refused(str(problem)))
        return
    except Exception as problem:
        _give_up(tell, problem)
    tell(Loaded(model.name, model.identity, dict(model.details)))
    runs, readers = _Runs(model, tell), _Readers(model, tell)
    while True:
        message = inbox.get()
        match message:
            case Batch() | Cancel():
                runs.take(message)
            case Write() | Leave():
                readers.take(message)


def _read(connection: Connection, inbox: queue.SimpleQueue[Any]) -> None:
    """Take in what is sent, at once: the other end never waits for a pass through the network."""
    try:
        while True:
            inbox.put(connection.recv())
    except (EOFError, OSError):
        os._exit(0)


def _telling(connection: Connection) -> Tell:
    """Return what sends a message, from any thread."""
    sending = threading.Lock()

    def tell(message: NamedTuple) -> None:
        try:
            with sending:
                connection.send(message)
        except OSError:
            os._exit(0)  # nobody is there any more

    return tell


def _give_up(tell: Tell, problem: Exception) -> None:
    """End the process over what the network raises of a device that is lost, say."""
    traceback.print_exc()
    tell(Refused(f"{type(problem).__name__}: {(str(problem).splitlines() or [''])[0]}"))
    os._exit(1)


class _Runs:
    """The runs that ask, each in a thread of its own: one that is cancelled takes nothing of another one along."""

    def __init__(self, model: Any, tell: Tell):
        self._model = model
        self._tell = tell
        self._feeds: dict[int, _Feed] = {}

    def take(self, message: Batch | Cancel) -> None:
        """Put requests to work, or leave off."""
        feed = self._feeds.get(message.run)
        if isinstance(message, Cancel):
            if feed is not None:
                self._feeds.pop(message.run).cancel()
            return
        if feed is None:
            feed = self._feeds[message.run] = _Feed()
            threading.Thread(target=self._answer, args=(message.run, feed), daemon=True).start()
        feed.put(message.requests)

    def _answer(self, run: int, feed: _Feed) -> None:
        try:
            while feed.wait():
                responses = self._model.run(feed.requests())
                for response in responses:
                    self._tell(Answered(run, response))
                    if feed.cancelled:
                        return  # ends what is in flight
        except Exception as problem:
            _give_up(self._tell, problem)


class _Feed:
    """The requests of a run that have come so far. They end where there are no more for now, so that nothing waits for
    others."""

    def __init__(self) -> None:
        self._coming: queue.SimpleQueue[list[Request]] = queue.SimpleQueue()
        self._waiting: deque[Request] = deque()
        self.cancelled = False

    def put(self, requests: list[Request]) -> None:
        """Add requests."""
        self._coming.put(requests)

    def cancel(self) -> None:
        """Yield no more."""
        self.cancelled = True
        self._coming.put([])

    def wait(self) -> bool:
        """Wait until there is a request; return False where none will be wanted."""
        while not (self._waiting or self.cancelled):
            self._waiting.extend(self._coming.get())
        return not self.cancelled

    def requests(self) -> Iterator[Request]:
        """Yield the requests that are there and those that come meanwhile."""
        while True:
            while not self._coming.empty():
                self._waiting.extend(self._coming.get())
            if self.cancelled or not self._waiting:
                return
            yield self._waiting.popleft()


class _Readers:
    """Those who read along: an event loop in a thread of its own."""

    def __init__(self, model: Any, tell: Tell):
        self._model = model
        self._tell = tell
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def take(self, message: Write | Leave) -> None:
        """Begin an answer, or leave off."""
        if isinstance(message, Write):
            self._loop.call_soon_threadsafe(self._begin, message)
        else:
            self._loop.call_soon_threadsafe(self._end, message)

    def _begin(self, message: Write) -> None:
        self._tasks[message.number] = self._loop.create_task(self._write(message))

    def _end(self, message: Leave) -> None:
        if task := self._tasks.pop(message.number, None):
            task.cancel()

    async def _write(self, message: Write) -> None:
        try:
            async with aclosing(self._model.stream(Request(str(message.number), message.ask))) as deltas:
                async for delta in deltas:
                    self._tell(Wrote(message.number, delta))
        except StreamError as problem:
            self._tell(Wrote(message.number, problem.error))
        except Exception as problem:  # whatever a model raises ends this stream only
            self._tell(Wrote(message.number, failed("network", f"{type(problem).__name__}: {problem}")))
        finally:
            self._tasks.pop(message.number, None)
