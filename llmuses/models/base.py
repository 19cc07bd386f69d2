"""What a model is to the rest of the house: one verb."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from llmuses.records import Mode, Request, Response


@runtime_checkable
class Model(Protocol):
    """Anything that answers requests.

    Batching, prefix reuse, concurrency and retries are the backend's own affair behind ``run``.
    """

    name: str
    """What people call it: shown on boards."""

    identity: str
    """What must be equal for two answers to be interchangeable: the weights or the server, the precision, the
    system prompt, the chat template. Part of every prediction's key."""

    prefers: Mode
    """How multiple choice is best asked of it: by log-probability where it gives them, else by writing."""

    details: Mapping[str, Any]
    """What is worth recording about it in run.json (parameters, precision, device, server, ...)."""

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Yield one response for each request, in any order, as they finish.

        ``requests`` is read lazily, not further ahead than the backend can use: a run over a hundred thousand
        samples must not hold them all. A request that cannot be answered yields a response with an ``error``; an
        exception ends the run and means that no request could be answered (a wrong key, a vanished server).
        Closing the iterator cancels what is in flight.
        """
        ...

    def close(self) -> None:
        """Free memory and connections. May be called more than once."""
        ...
