"""Both sides of one turn, written at once: what is new on either goes to the page together, a few times a second."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping

from arena.live.battles import Answer
from arena.live.playing import MakeWriter, Writer
from arena.live.wire import Frame, PaneState, Side
from llmuses.models.base import Delta

_QUIET_SECONDS = 15.0
"""After so long without news an empty frame keeps the connection open: proxies close silent ones."""

_FRAMES = 500.0
"""All battles together get so many frames a second: what one process can write and a browser draw without falling behind."""

_ENDED = (PaneState.FINISHED, PaneState.STOPPED, PaneState.FAILED)


def pause(battles: int) -> float:
    """Return the seconds between two frames of one battle, by how many are being written: 0.1 to 0.5."""
    return min(0.5, max(0.1, battles / _FRAMES))


class Writing:
    """The sides that write in one turn, from asking to the last word."""

    def __init__(self, sides: Iterable[Side], make: MakeWriter, seconds: float, overdue: float):
        self._news = asyncio.Event()
        self._writers: dict[Side, Writer] = {side: make(self._news.set) for side in sides}
        self._limits = (seconds, overdue)
        self._tasks: dict[Side, asyncio.Task[None]] = {}
        self._began = self._last = time.monotonic()
        self._begun_sides = 0
        self._seconds: dict[Side, float] = {}

    def stop(self) -> None:
        """Stop who still writes: the answer is what is there."""
        for side in self._writers:
            self._end_one(side, PaneState.STOPPED)

    def _end_one(self, side: Side, state: PaneState, reason: str | None = None) -> None:
        if self._writers[side].state not in _ENDED:
            self._writers[side].stop(state, reason)
            self._note(side)
        if task := self._tasks.get(side):
            task.cancel()

    def _note(self, side: Side) -> None:
        self._seconds.setdefault(side, time.monotonic() - self._began)

    def answers(self) -> dict[Side, Answer]:
        """Return what each side has said."""
        return {
            side: Answer(
                text=writer.text,
                state=writer.state,
                thoughts=writer.reasoning,
                finish=writer.finish,
                tokens=writer.usage.completion_tokens if writer.usage else None,
                seconds=self._seconds.get(side, 0.0),
            )
            for side, writer in self._writers.items()
        }

    async def frames(
        self, streams: Mapping[Side, AsyncGenerator[Delta, None]], waits: Callable[[], float]
    ) -> AsyncGenerator[Frame, None]:
        """Yield what changes until all sides have ended; ``waits`` says how long to collect between two frames.

        Where it is closed before, the sides are stopped.
        """
        self._began = self._last = time.monotonic()
        for side, stream in streams.items():
            if self._writers[side].state in _ENDED:
                continue  # stopped before it began
            self._tasks[side] = asyncio.create_task(self._follow(side, stream))
        try:
            late = False
            while True:
                ended = self._done()
                frame = self._frame()
                if not late and self._is_late():
                    frame.overdue = late = True
                if frame != Frame() or time.monotonic() - self._last > _QUIET_SECONDS:
                    self._last = time.monotonic()
                    yield frame
                if ended:
                    return
                await self._wait(waits())
        finally:
            self.stop()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _frame(self) -> Frame:
        changes = {side: writer.changes() for side, writer in self._writers.items()}
        return Frame(a=changes.get("a"), b=changes.get("b"))

    async def _follow(self, side: Side, stream: AsyncGenerator[Delta, None]) -> None:
        alarm = asyncio.get_running_loop().call_later(self._limits[0], self._end_one, side, PaneState.FAILED, "timeout")
        try:
            await self._writers[side].follow(stream)
        finally:
            alarm.cancel()
            self._note(side)
            self._news.set()

    def _is_late(self) -> bool:
        waiting = any(writer.state is PaneState.WAITING for writer in self._writers.values())
        return waiting and time.monotonic() - self._began > self._limits[1]

    async def _wait(self, seconds: float) -> None:
        """Wait until a frame is worth sending: something is new, and the last one is long enough ago or a side's first word
        is there, which nobody should wait for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._news.wait()
        self._news.clear()
        begun = sum(writer.state is not PaneState.WAITING for writer in self._writers.values())
        if begun > self._begun_sides:
            self._begun_sides = begun
            return
        if (rest := self._last + seconds - time.monotonic()) > 0 and not self._done():
            await asyncio.wait([task for task in self._tasks.values() if not task.done()], timeout=rest)

    def _done(self) -> bool:
        return all(task.done() for task in self._tasks.values())
