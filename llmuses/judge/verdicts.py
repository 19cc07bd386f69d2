"""Reading a judge's verdict."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from llmuses.judge.templates import VerdictStyle
from llmuses.metrics.reading import fold
from llmuses.records import Winner

_TURNED = {Winner.MODEL_A: Winner.MODEL_B, Winner.MODEL_B: Winner.MODEL_A}


class PairVerdict(NamedTuple):
    """What a judge said of two answers: the first shown is ``model_a``.

    ``strength`` is 0 for a tie and up to 1: 1 for a win where the style knows no degrees and for ``>>``, 0.5 for ``>``, the
    difference over 9 for two scores. ``scores`` are those two, from 1 to 10.
    """

    winner: Winner
    strength: float
    scores: tuple[float, float] | None = None

    def turned(self) -> PairVerdict:
        """Return the same verdict for answers that change places."""
        scores = None if self.scores is None else (self.scores[1], self.scores[0])
        return PairVerdict(_TURNED.get(self.winner, self.winner), self.strength, scores)


def read_pairwise(text: str, style: VerdictStyle, material: Sequence[str] = ()) -> PairVerdict | None:
    """Return which of two answers a judge called better, None where that cannot be read.

    ``material`` are the texts that the judge was shown (questions, answers): a verdict that it only repeats from them is none.
    """
    said = re.findall(r"\[\[([ABC])\]\]", fold(text))
    if len(set(said)) != 1:
        return None
    winner = {"A": Winner.MODEL_A, "B": Winner.MODEL_B, "C": Winner.TIE}[said[0]]
    return PairVerdict(winner, float(winner is not Winner.TIE))


def read_rating(text: str, style: VerdictStyle, material: Sequence[str] = ()) -> float | None:
    """Return the number from 1 to 10 that a judge gave an answer, None where that cannot be read."""
    said = {float(number) for number in re.findall(r"\[\[(\d+(?:\.\d+)?)\]\]", fold(text))}
    return said.pop() if len(said) == 1 and 1 <= min(said) <= 10 else None
