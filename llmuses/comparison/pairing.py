"""Two runs on the questions that they share: the difference, its interval, its test."""

from __future__ import annotations

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
    both = first.keys() & second.keys()
    ids = sorted(sample_id for sample_id in both if first[sample_id].scores and second[sample_id].scores)
    if total is not None:
        return Shared(ids, total - len(ids), 0, 0)
    return Shared(ids, len(both) - len(ids), len(first) - len(both), len(second) - len(both))


def side(questions: Questions, ids: Sequence[str], other: Questions) -> Side:
    """Return one run's score over some questions, and the counts of its answers to all that both runs were asked."""
    asked = [question for sample_id, question in questions.items() if sample_id in other]
    return Side(
        score=sum(questions[sample_id].score for sample_id in ids) / len(ids),
        unparsed=sum(question.unparsed for question in asked),
        rejected=sum(question.rejected for question in asked),
        truncated=sum(question.truncated for question in asked),
        failed=sum(question.failed for question in asked),
    )


def differences(first: Questions, second: Questions, ids: Iterable[str]) -> list[list[float]]:
    """Return the differences of the questions' scores, a list for each subset."""
    strata: dict[str, list[float]] = defaultdict(list)
    for sample_id in ids:
        strata[first[sample_id].subset].append(first[sample_id].score - second[sample_id].score)
    return list(strata.values())


def right_or_wrong(questions: Questions, ids: Iterable[str]) -> bool:
    """Return whether each question was answered once, and each score is 0 or 1."""
    scores = (questions[sample_id].scores for sample_id in ids)
    return all(len(each) == 1 and next(iter(each.values())) in (0.0, 1.0) for each in scores)


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
