"""Answers in progress by two ways: those that may become long another one than those that may not."""

from __future__ import annotations

from collections.abc import Sequence

from llmuses.models.transformers.answers import Writing
from llmuses.models.transformers.loops import Loop, Told


class DividedLoop:
    """Writes answers of which up to ``length`` tokens will be read in one loop, and others in another one.

    For networks that encode the positions of all tokens otherwise in long texts. A prompt counts with all tokens that its
    answer may have.
    """

    def __init__(self, length: int, short: Loop, long: Loop):
        self._length = length
        self._short = short
        self._long = long

    @property
    def waiting(self) -> int:
        """Return how many answers have not begun."""
        return self._short.waiting + self._long.waiting

    @property
    def busy(self) -> bool:
        """Return whether there is anything to be done."""
        return self._short.busy or self._long.busy

    def join(self, writings: Sequence[Writing]) -> None:
        """Add answers to those that wait."""
        for loop in (self._short, self._long):
            loop.join([writing for writing in writings if self._loop(writing) is loop])

    def leave(self, writing: Writing) -> None:
        """Take an answer out, wherever it is. Nothing happens where it has ended."""
        self._loop(writing).leave(writing)

    def step(self, told: Told) -> None:
        """Bring on each loop that has something to do, the quicker one first."""
        for loop in (self._short, self._long):
            if loop.busy:
                loop.step(told)

    def _loop(self, writing: Writing) -> Loop:
        # The last token of an answer is written and never read.
        read = len(writing.prompt.tokens) + writing.prompt.room - 1
        return self._short if read <= self._length else self._long
