"""Work in batches that fit into memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from llmuses.models.transformers.memory import free_memory, is_out_of_memory

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher:
    """Cuts a list into batches of at most ``rows`` items and ``tokens`` tokens, padding counted.

    ``longest`` bounds a batch's padded length where it has more than one row. Where memory does not suffice for a
    batch, and none can be spared elsewhere, it is halved, and the batches after it are no larger.
    """

    def __init__(self, rows: int, tokens: int | None, longest: int | None):
        self._rows = rows
        self._tokens = tokens
        self._longest = longest

    def run(
        self,
        items: Sequence[Item],
        padded: Callable[[Sequence[Item]], int],
        work: Callable[[Sequence[Item]], Sequence[Result]],
    ) -> Iterator[tuple[Item, Result | None, float]]:
        """Yield each item with its result and its share of the seconds that its batch took.

        ``padded`` is the length to which a batch is padded. The result is None where memory does not suffice even
        for the item alone.
        """
        done = 0
        while done < len(items):
            batch = self._next(items[done : done + self._rows], padded)
            started = time.perf_counter()
            try:
                results: Sequence[Result | None] = work(batch)
            except RuntimeError as problem:
                if not is_out_of_memory(problem):
                    raise
                problem.__traceback__ = None  # its frames hold the tensors that did not fit
                if free_memory():
                    continue
                if len(batch) > 1:
                    self._rows = len(batch) // 2
                    continue
                results = [None]
            share = (time.perf_counter() - started) / len(batch)
            for item, result in zip(batch, results, strict=True):
                yield item, result, share
            done += len(batch)

    def _next(self, items: Sequence[Item], padded: Callable[[Sequence[Item]], int]) -> Sequence[Item]:
        size = 1
        while size < len(items):
            length = padded(items[: size + 1])
            if self._tokens is not None and length * (size + 1) > self._tokens:
                break
            if self._longest is not None and length > self._longest:
                break
            size += 1
        return items[:size]


class TokenBudget:
    """How many tokens one pass reads, and the most logits that it computes.

    The tokens are doubled, up to ``most``, as long as full passes become faster by it; where memory does not suffice
    they are halved, and grow no more.
    """

    smallest = 16
    """Tokens below which halving saves nothing: the weights and what is kept take the rest."""

    gain = 1.1
    """What a doubling must gain in tokens a second to be kept."""

    trials = 2
    """Full passes that are timed before the next doubling: the first ones also do what is done once."""

    def __init__(self, tokens: int, logits: int, most: int | None = None):
        self.tokens = tokens
        self.logits = logits
        self._most = tokens if most is None else most
        self._paces: list[float] = []
        self._before = 0.0

    def took(self, tokens: int, seconds: float) -> None:
        """Learn from a pass how long so many tokens take."""
        if 2 * self.tokens > self._most and not self._before:
            return
        if tokens < 0.8 * self.tokens:
            return
        self._paces.append(tokens / seconds)
        if len(self._paces) < self.trials:
            return
        pace = max(self._paces)
        self._paces = []
        if pace < self.gain * self._before:
            self.tokens //= 2
            self._settle()
        elif 2 * self.tokens > self._most:
            self._settle()
        else:
            self._before = pace
            self.tokens *= 2

    def halve(self, used: int) -> bool:
        """Make the budget half of what did not fit; return whether there is any use in trying again."""
        if used <= self.smallest:
            return False
        self.tokens = max(used // 2, self.smallest)
        self.logits //= 2
        self._settle()
        return True

    def _settle(self) -> None:
        self._most = self.tokens
        self._before = 0.0
