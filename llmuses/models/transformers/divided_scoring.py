"""Scoring by two ways: long sequences another one than those that are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmuses.models.transformers.prefixes import Asked
from llmuses.models.transformers.reading import Outcome
from llmuses.models.transformers.sharing import Scoring


class DividedScorer:
    """Scores sequences of which up to ``length`` tokens are read one way, and longer ones another way.

    For networks that encode the positions of all tokens otherwise in long texts: long sequences have nothing in common
    with short ones then, though their tokens are the same.
    """

    def __init__(self, length: int, short: Scoring, long: Scoring):
        self.name = short.name
        self._length = length
        self._short = short
        self._long = long

    def run(self, asked: Sequence[Asked]) -> Iterator[Outcome]:
        """Yield what is found about some sequences, until all of them are answered."""
        short: list[int] = []
        long: list[int] = []
        for number, (context, continuation) in enumerate(asked):
            read = len(context) + max(len(continuation) - 1, 0)
            (long if read > self._length else short).append(number)
        for way, numbers in ((self._long, long), (self._short, short)):
            if not numbers:
                continue
            for readings, lost, seconds in way.run([asked[number] for number in numbers]):
                yield Outcome(
                    [reading._replace(sequence=numbers[reading.sequence]) for reading in readings],
                    [numbers[sequence] for sequence in lost],
                    seconds,
                )
