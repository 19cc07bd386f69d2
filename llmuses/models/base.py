"""What a model is to the rest of the house: one verb."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import msgspec

from llmuses.errors import ModelError
from llmuses.records import Mode, Request, Response, ResponseError, Usage


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


class Delta(msgspec.Struct, kw_only=True, frozen=True):
    """What came new of an answer that is being written.

    ``reasoning`` is what the model thought, kept apart from ``text``: tags such as ``<think>`` are in neither. The last
    delta has a ``finish_reason`` (``stop``, ``length``, ``content_filter`` or what else the server said), and the
    ``usage`` where the backend counted. ``recast`` says that all text before this delta was reasoning: thoughts that
    ended in ``</think>`` and had not been announced.
    """

    text: str = ""
    reasoning: str = ""
    recast: bool = False
    finish_reason: str | None = None
    usage: Usage | None = None


class StreamError(ModelError):
    """A stream failed: there is no answer, or not the rest of it. ``error`` is what ``run`` would have recorded."""

    def __init__(self, error: ResponseError):
        super().__init__(error.message or error.code)
        self.error = error


@runtime_checkable
class Streamer(Protocol):
    """A model that can write to a person who reads along: a second verb, of the backends that have it."""

    def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Yield an answer as it is written, on the event loop that iterates; the loop is never blocked.

        ``request`` asks to generate. Many streams run at once. Raises StreamError where the answer fails, before the
        first delta or after some. Closing the generator (``aclose``, or a cancelled task) stops the work behind it.
        """
        ...
