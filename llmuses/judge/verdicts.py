"""Reading a judge's verdict: which of two answers is better, or how good one is. What cannot be read is None, never a guess."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from llmuses.judge.json_verdicts import json_ratings, json_scores, json_winners
from llmuses.judge.judge_text import JudgeText
from llmuses.judge.marks import bracketed_pairs, bracketed_ratings, marks
from llmuses.judge.numbers import announced_ratings, bare_ratings, two_scores
from llmuses.judge.plain_words import concluded, named_alone
from llmuses.judge.saying import Said, decide, own
from llmuses.judge.templates import VerdictStyle
from llmuses.records import Winner

SCALE = (1.0, 10.0)
"""The worst and the best rating."""
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
    """Return which of two answers a judge called better, None where that cannot be read or it contradicts itself.

    Looked for in the style that was asked for, then in brackets, then in plain words. ``material`` are the texts that the
    judge was shown (questions, answers): a verdict that it only repeats from them is none.
    """
    judged = JudgeText(text, material)
    if style is VerdictStyle.JSON and (objects := own(judged, json_winners(judged))):
        named = decide(judged, objects)
        return None if named is None else PairVerdict(*named, _last(own(judged, json_scores(judged))))
    for find in _SCORES.get(style, ()):
        if scores := own(judged, find(judged)):
            return _by_scores(decide(judged, scores))
    for find_winners in (marks, named_alone, concluded):
        if said := own(judged, find_winners(judged)):
            verdict = decide(judged, said)
            return None if verdict is None else PairVerdict(*verdict)
    return None


def read_rating(
    text: str, style: VerdictStyle, material: Sequence[str] = (), scale: tuple[float, float] = SCALE
) -> float | None:
    """Return the number that a judge gave an answer, None where it cannot be read, or lies outside the scale.

    Looked for in the style that was asked for, then in brackets, after "Rating:", alone on the first or last line. ``material``
    as in ``read_pairwise``.
    """
    judged = JudgeText(text, material)
    finders = (bracketed_ratings, announced_ratings, bare_ratings)
    for find in (json_ratings, *finders) if style is VerdictStyle.JSON else finders:
        if said := own(judged, find(judged)):
            rating = decide(judged, said)
            return rating if rating is not None and scale[0] <= rating <= scale[1] else None
    return None


def by_scores(scores: tuple[float, float]) -> PairVerdict:
    """Return the verdict that two scores of a scale from 1 to 10 mean."""
    one, two = scores
    winner = Winner.TIE if one == two else Winner.MODEL_A if one > two else Winner.MODEL_B
    return PairVerdict(winner, abs(one - two) / (SCALE[1] - SCALE[0]), scores)


def _by_scores(scores: tuple[float, float] | None) -> PairVerdict | None:
    if scores is None or not all(SCALE[0] <= score <= SCALE[1] for score in scores):
        return None
    return by_scores(scores)


def _last(said: Sequence[Said[tuple[float, float]]]) -> tuple[float, float] | None:
    return said[-1].value if said else None


_SCORES = {VerdictStyle.TWO_NUMBERS: (bracketed_pairs, two_scores), VerdictStyle.JSON: (json_scores,)}
