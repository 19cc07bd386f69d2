"""A player without weights that writes slowly, for copies in processes of their own: ``Replicas("tests.support.slow_player", …)``.

What it is asked says what it does: ``count 5`` writes five numbers, ``die`` kills its process after one, ``refuse`` and
``break`` fail in the middle. A stream that is left in the middle leaves a file behind.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from llmuses.models.base import Delta, StreamError
from llmuses.records import ErrorKind, Generate, Mode, Request, Response, ResponseError


class Args(NamedTuple):
    """Where files are left, and the seconds that a word takes."""

    folder: Path
    delay: float = 0.002


def load(name: str, args: Args) -> SlowPlayer:
    """Return the player, whatever its name."""
    return SlowPlayer(args)


class SlowPlayer:
    """See the module."""

    name = identity = "slow"
    prefers = Mode.GENERATE
    details: Mapping[str, Any] = {}

    def __init__(self, args: Args):
        self._args = args

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Say each prompt back."""
        for request in requests:
            time.sleep(self._args.delay)
            yield Response(key=request.key, text=_prompt(request), finish_reason="stop")

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Write as the prompt says."""
        what, _, number = _prompt(request).partition(" ")
        try:
            for word in range(int(number or 3)):
                await asyncio.sleep(self._args.delay)
                yield Delta(text=f"{word} ")
                if what == "die":
                    os.kill(os.getpid(), signal.SIGKILL)
                if what == "refuse":
                    raise StreamError(ResponseError(kind=ErrorKind.REJECTED, code="content_filter", message="no"))
                if what == "break":
                    raise ValueError("a cable was pulled")
        except (GeneratorExit, asyncio.CancelledError):
            (self._args.folder / f"left-{os.getpid()}").touch()
            raise
        yield Delta(finish_reason="stop")

    def close(self) -> None:
        """Nothing is held."""


def _prompt(request: Request) -> str:
    assert isinstance(request.ask, Generate)
    return request.ask.messages[-1].content
