"""Two runs on the questions that they share: the difference, its interval, its test."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from llmuses.comparison.result import Side
from llmuses.comparison.runs import Question
from llmuses.statistics.paired import Difference, mcnemar, paired_error, paired_proportions

Questions = Mapping[str, Question]


class Shared(NamedTuple):
    """The questions that two runs can be compared on, in alphabetical order, and how many others there are."""

    ids: list[str]
    left_out: int
    only_first: int
    only_second: int


class Measured(NamedTuple):
    """A difference, the two-sided p-value of there being none, and the test that gave it."""

    difference: Difference
    p_value: float
    method: Literal["mcnemar", "bootstrap"]


def shared(first: Questions, second: Questions, total: int | None = None) -> Shared:
    """Return the questions that have an answer in both runs.

    ``total`` is how many both were asked where these are the same: what has no review is then left out as failed.
    """
    both = sum(sample_id in second for sample_id in first)
    ids = sorted(
        sample_id
        for sample_id, question in first.items()
        if question.score is not None and (other := second.get(sample_id)) is not None and other.score is not None
    )
    if total is not None:
        return Shared(ids, total - len(ids), 0, 0)
    return Shared(ids, both - len(ids), len(first) - both, len(second) - both)


def side(questions: Questions, ids: Sequence[str], other: Questions) -> Side:
    """Return one run's score over some questions, and the counts of its answers to all that both runs were asked."""
    asked = [question for sample_id, question in questions.items() if sample_id in other]
    return Side(
        score=math.fsum(scores(questions, ids)) / len(ids),
        unparsed=sum(question.unparsed for question in asked),
        rejected=sum(question.rejected for question in asked),
        truncated=sum(question.truncated for question in asked),
        failed=sum(question.failed for question in asked),
    )


def scores(questions: Questions, ids: Iterable[str]) -> list[float]:
    """Return the scores of some questions that have one."""
    return [score for sample_id in ids if (score := questions[sample_id].score) is not None]


def differences(first: Questions, second: Questions, ids: Sequence[str]) -> list[list[float]]:
    """Return the differences of the questions' scores, a list for each subset."""
    strata: dict[str, list[float]] = defaultdict(list)
    for sample_id, a, b in zip(ids, scores(first, ids), scores(second, ids), strict=True):
        strata[first[sample_id].subset].append(a - b)
    return list(strata.values())


def right_or_wrong(questions: Questions, ids: Iterable[str]) -> bool:
    """Return whether each question was answered once, and each score is 0 or 1."""
    return all(questions[sample_id].right_or_wrong for sample_id in ids)


def measured(strata: Sequence[Sequence[float]], binary: bool) -> Measured:
    """Return the difference and its test: McNemar's where answers are right or wrong, else the paired bootstrap."""
    if binary:
        values = [value for stratum in strata for value in stratum]
        p_value = mcnemar(sum(value > 0 for value in values), sum(value < 0 for value in values))
        return Measured(paired_proportions(strata), p_value, "mcnemar")
    from llmuses.statistics.bootstrap import paired_bootstrap

    difference, p_value = paired_bootstrap(strata)
    return Measured(difference, p_value, "bootstrap")


def standard_error(strata: Sequence[Sequence[float]], binary: bool) -> float:
    """Return the standard error of a difference as ``measured`` has it, without its test."""
    return paired_proportions(strata).stderr if binary else paired_error(strata)
