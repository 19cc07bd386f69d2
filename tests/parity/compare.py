"""Compares what two programs asked a model, what it computed, and what they chose: a pure function and its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

TOLERANCE = 1e-3
"""The largest difference of two log-probabilities that may come from another order of adding float32 numbers."""

Key = tuple[str, int]
"""A subset and the row's number in its file."""


class Asked(NamedTuple):
    """One sample as one program asked and scored it. ``scores`` maps its metrics to numbers in [0, 1]."""

    prompt: str
    continuations: tuple[str, ...]
    logprobs: tuple[float, ...]
    scores: Mapping[str, float]


class Difference(NamedTuple):
    """Where the programs part ways on a sample, and how."""

    key: Key
    what: str


class Outcome(NamedTuple):
    """What came of one task. ``ours`` and ``theirs`` are the mean of each metric under the program's own name."""

    name: str
    samples: int
    prompts_equal: int
    choices_equal: int | None
    """None, as all that is computed, where prompts alone were compared."""
    largest: float
    """The largest difference of two log-probabilities of one continuation, over the samples with equal prompts."""
    metrics: Mapping[str, str]
    ours: Mapping[str, float]
    theirs: Mapping[str, float]
    differences: Sequence[Difference]


def compare(name: str, ours: Mapping[Key, Asked], theirs: Mapping[Key, Asked], metrics: Mapping[str, str]) -> Outcome:
    """Compare two programs sample by sample; a sample that one of them did not ask is a difference.

    ``metrics`` names the other program's metric for each of ours that must be equal to it. A choice is the likeliest
    continuation, as a sum and for each of its bytes, and what the metrics say of it. Continuations that only we asked
    beside all of theirs are left aside.
    """
    differences = []
    prompts = choices = 0
    largest = 0.0
    for key in sorted(ours.keys() | theirs.keys()):
        if key not in ours or key not in theirs:
            differences.append(Difference(key, "was asked by one of the two alone"))
            continue
        one, other = _picked(ours[key], theirs[key].continuations), theirs[key]
        if found := _prompts_differ(one, other):
            differences.append(Difference(key, found))
        else:
            prompts += 1
            apart = max(abs(a - b) for a, b in zip(one.logprobs, other.logprobs, strict=True))
            largest = max(largest, apart)
            if not apart <= TOLERANCE:
                differences.append(Difference(key, f"log-probabilities are up to {apart:.2g} apart"))
        if found := _choices_differ(one, other, metrics):
            differences.append(Difference(key, found))
        else:
            choices += 1
    both = sorted(ours.keys() & theirs.keys())
    return Outcome(
        name=name,
        samples=len(ours.keys() | theirs.keys()),
        prompts_equal=prompts,
        choices_equal=choices,
        largest=largest,
        metrics=metrics,
        ours=_means([ours[key] for key in both]),
        theirs=_means([theirs[key] for key in both]),
        differences=differences,
    )


def compare_prompts(name: str, ours: Mapping[Key, Asked], theirs: Mapping[Key, Asked]) -> Outcome:
    """Compare prompts and continuations alone, for two programs that no model answered."""
    differences = []
    for key in sorted(ours.keys() | theirs.keys()):
        if key not in ours or key not in theirs:
            differences.append(Difference(key, "was asked by one of the two alone"))
        elif found := _prompts_differ(_picked(ours[key], theirs[key].continuations), theirs[key]):
            differences.append(Difference(key, found))
    samples = len(ours.keys() | theirs.keys())
    return Outcome(name, samples, samples - len(differences), None, 0.0, {}, {}, {}, differences)


def _picked(asked: Asked, continuations: Sequence[str]) -> Asked:
    """Return a sample with these continuations alone, in this order; unchanged where it lacks one of them."""
    known = dict(zip(asked.continuations, asked.logprobs, strict=True))
    if not known.keys() >= set(continuations):
        return asked
    return asked._replace(
        continuations=tuple(continuations), logprobs=tuple(known[continuation] for continuation in continuations)
    )


def _prompts_differ(one: Asked, other: Asked) -> str | None:
    if one.prompt != other.prompt:
        place = _first_difference(one.prompt, other.prompt)
        around = slice(max(0, place - 20), place + 20)
        return f"prompts differ at character {place}: {one.prompt[around]!r} and {other.prompt[around]!r}"
    if one.continuations != other.continuations:
        return f"continuations differ: {one.continuations!r} and {other.continuations!r}"
    return None


def _first_difference(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _choices_differ(one: Asked, other: Asked, metrics: Mapping[str, str]) -> str | None:
    if _choices(one) != _choices(other):
        return f"choices differ: options {_choices(one)} and {_choices(other)}, counted from 0"
    for ours, theirs in metrics.items():
        if not abs(one.scores[ours] - other.scores[theirs]) <= TOLERANCE:
            return f"scores differ: {ours} {one.scores[ours]:g} and {theirs} {other.scores[theirs]:g}"
    return None


def _choices(asked: Asked) -> tuple[int, int]:
    """Return which continuation is the likeliest, as a sum and divided by its bytes without the gap before it."""
    bytes_ = [max(1, len(text.removeprefix(" ").encode())) for text in asked.continuations]
    per_byte = [logprob / size for logprob, size in zip(asked.logprobs, bytes_, strict=True)]
    return asked.logprobs.index(max(asked.logprobs)), per_byte.index(max(per_byte))


def _means(answers: Sequence[Asked]) -> dict[str, float]:
    names = [name for name in answers[0].scores if all(name in answer.scores for answer in answers)] if answers else []
    return {name: sum(answer.scores[name] for answer in answers) / len(answers) for name in names}


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as a Markdown table: a line for each metric of either program, scores in points."""
    head = (
        "benchmark",
        "samples",
        "prompts equal",
        "choices equal",
        "largest Δ logprob",
        "metric",
        "llmuses",
        "lm-eval",
    )
    rows = [head, tuple("---" if column in (0, 5) else "---:" for column in range(len(head)))]
    for outcome in outcomes:
        rows += _lines(outcome)
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = (
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    )
    return "\n".join(lines)


def _lines(outcome: Outcome) -> list[tuple[str, ...]]:
    first: tuple[str, ...] = (outcome.name, str(outcome.samples), str(outcome.prompts_equal))
    if outcome.choices_equal is None:
        return [(*first, *("–",) * 5)]
    first = (*first, str(outcome.choices_equal), f"{outcome.largest:.1e}")
    paired = [(ours, theirs) for ours, theirs in outcome.metrics.items()]
    alone = [("", theirs) for theirs in outcome.theirs if theirs not in outcome.metrics.values()]
    rows = []
    for ours, theirs in paired + alone:
        metric = ours if ours == theirs else f"{ours} = {theirs}" if ours else f"({theirs})"
        rows.append((*first, metric, _points(outcome.ours.get(ours)), _points(outcome.theirs.get(theirs))))
        first = ("",) * len(first)
    return rows


def _points(score: float | None) -> str:
    return "–" if score is None else f"{100 * score:.2f}"
