"""One copy of a model in a process of its own: reads requests from a connection, writes responses to it.

Started by ``replicas``, whose end of the connection is all that holds it: when that closes, for whatever reason, the
process ends at once.
"""

from __future__ import annotations

import importlib
import os
import queue
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from llmuses.errors import LlmusesError
from llmuses.records import Request, Response


class Start(NamedTuple):
    """What to load: the module of a backend, and what its ``load`` takes. Said first, once."""

    backend: str
    name: str
    args: Any


class Batch(NamedTuple):
    """Requests to answer, in any order."""

    requests: list[Request]


class Cancel(NamedTuple):
    """Nobody waits any more for what was asked so far."""


class Loaded(NamedTuple):
    """The model is there."""

    name: str
    identity: str
    details: Mapping[str, Any]


class Refused(NamedTuple):
    """The model cannot be loaded, or can do no more; the process ends."""

    why: str


class Answered(NamedTuple):
    """The response to one request."""

    response: Response


def main() -> None:
    """Serve the connection whose file descriptor is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it decides
    connection = Connection(int(sys.argv[1]))
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(connection, inbox), daemon=True).start()
    try:
        _serve(connection, inbox)
    except OSError:
        pass  # nobody is there any more
    except Exception as problem:  # what the network raises of a device that is lost, say
        connection.send(Refused(f"{type(problem).__name__}: {(str(problem).splitlines() or [''])[0]}"))
        raise


def _read(connection: Connection, inbox: queue.SimpleQueue[Any]) -> None:
    """Take in what is sent, at once: the other end never waits for a pass through the network."""
    try:
        while True:
            inbox.put(connection.recv())
    except (EOFError, OSError):
        os._exit(0)


def _serve(connection: Connection, inbox: queue.SimpleQueue[Any]) -> None:
    start = inbox.get()
    try:
        model = importlib.import_module(start.backend).load(start.name, start.args)
    except LlmusesError as problem:
        connection.send(Refused(str(problem)))
        return
    connection.send(Loaded(model.name, model.identity, dict(model.details)))
    feed = _Feed(inbox)
    while True:
        feed.wait()
        responses = model.run(feed.requests())
        for response in responses:
            connection.send(Answered(response))
            if feed.is_cancelled():
                break
        del responses  # ends what is in flight


class _Feed:
    """The requests that have come so far. They end where there are no more for now, so that nothing waits for others."""

    def __init__(self, inbox: queue.SimpleQueue[Any]):
        self._inbox = inbox
        self._waiting: deque[Request] = deque()
        self._cancelled = False

    def wait(self) -> None:
        """Wait until there is a request."""
        self._cancelled = False
        while not self._waiting:
            self._take(self._inbox.get())
            self._cancelled = False

    def requests(self) -> Iterator[Request]:
        """Yield the requests that are there and those that come meanwhile."""
        while True:
            self._look()
            if self._cancelled or not self._waiting:
                return
            yield self._waiting.popleft()

    def is_cancelled(self) -> bool:
        """Return whether nobody waits for what was yielded; what came after that is kept."""
        self._look()
        return self._cancelled

    def _look(self) -> None:
        while not self._inbox.empty():
            self._take(self._inbox.get())

    def _take(self, message: Batch | Cancel) -> None:
        if isinstance(message, Cancel):
            self._waiting.clear()
            self._cancelled = True
        else:
            self._waiting.extend(message.requests)
