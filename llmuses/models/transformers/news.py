"""What a thread tells somebody who reads along on an event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable

from llmuses.models.base import Delta, StreamError
from llmuses.models.transformers.responses import error
from llmuses.records import ErrorKind, ResponseError

Tell = Callable[[Delta | ResponseError], None]
"""Takes what came new of an answer, or why there is no more."""


class News:
    """The news of one answer. Made on the event loop that reads them; told from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._coming: asyncio.Queue[Delta | ResponseError] = asyncio.Queue()

    def tell(self, what: Delta | ResponseError) -> None:
        """Hand on what came new of the answer, or why there is no more."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody reads on
            self._loop.call_soon_threadsafe(self._coming.put_nowait, what)

    async def deltas(self) -> AsyncGenerator[Delta, None]:
        """Yield what is told, up to the delta that ends the answer. Raises StreamError where it fails."""
        while True:
            what = await self._coming.get()
            if isinstance(what, ResponseError):
                raise StreamError(what)
            yield what
            if what.finish_reason:
                return


def failed(code: str, message: str) -> ResponseError:
    """Return why an answer failed that may be asked again."""
    problem = error("", ErrorKind.FAILED, code, message).error
    assert problem is not None
    return problem
