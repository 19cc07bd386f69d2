"""Which way of scoring a network gets: the fastest that gives the same numbers as the plain one, found by trying."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import torch

from llmuses.models.transformers.prefixes import Asked
from llmuses.models.transformers.reading import Outcome
from llmuses.models.transformers.tokenization import Codec

_log = logging.getLogger(__name__)

_TOLERANCE = {torch.float64: 1e-4, torch.float32: 1e-4, torch.float16: 0.05, torch.bfloat16: 0.4}
"""What log-probabilities of a few tokens may differ by through rounding alone."""


class Scoring(Protocol):
    """A way of scoring sequences."""

    name: str

    def run(self, asked: Sequence[Asked]) -> Iterator[Outcome]:
        """Yield what is found about some sequences, until all of them are answered."""
        ...


class SharingWay(Scoring, Protocol):
    """A way of scoring that reads a prefix once for several sequences, where that saves at least ``worth`` tokens."""

    worth: int


_OPENING = "The river rises in the hills.\n\n"

_TRIALS = (
    (_OPENING, "Question: Where does it rise?\nAnswer:", (" in the hills", " in the sea", " far")),
    (_OPENING, "Question: Who has 3 apples and 5 pears?\nAnswer:", (" She has", " He")),
    ("", "Paris is a city. Another one is", (" Berlin, and a third", " called", " Rome")),
)
"""Prompts with a prefix in common, and one without: openings, what follows on them, continuations."""


def trials(codec: Codec, max_length: int | None, worth: int) -> list[Asked]:
    """Return a few sequences to try a way of scoring on, cut to what the network can read.

    Two of the contexts have at least ``worth`` tokens in common, and their continuations as many more.
    """
    times = -(-worth // len(codec.rendered(_OPENING)))
    pairs = [codec.pair(times * opening + times * own, endings) for opening, own, endings in _TRIALS]
    return [
        Asked(pair.context[:max_length], continuation[: max_length and max(1, max_length - len(pair.context) + 1)])
        for pair in pairs
        for continuation in pair.continuations
    ]


def choose(
    ways: Sequence[SharingWay], plain: Scoring, asked: Callable[[int], Sequence[Asked]], dtype: torch.dtype, model: str
) -> Scoring:
    """Return the first way that agrees with the plain one, on all of some sequences.

    ``asked`` returns sequences that share prefixes worth so many tokens. What was passed over is said in one line of the
    log.
    """
    refused = []
    way: Scoring
    for way in ways:
        sequences = asked(way.worth)
        try:
            expected = _logprobs(plain, sequences)
        except Exception:  # then nothing is known of the others either; what is wrong shows when the model is asked
            return plain
        try:
            found = _logprobs(way, sequences)
        except Exception as problem:  # whatever a network that is made otherwise raises: it is scored another way
            refused.append(f"{way.name}: {type(problem).__name__} {problem}".strip().splitlines()[0])
            continue
        worst = max(map(_apart, found, expected), default=0.0)
        if worst <= _TOLERANCE.get(dtype, 1e-4):
            break
        refused.append(f"{way.name}: log-probabilities differ by {worst:.1g}")
    else:
        way = plain
    if refused:
        _log.info("%s is scored the %s way (%s)", model, way.name, "; ".join(refused))
    return way


def _apart(one: float, other: float) -> float:
    """Return how far two numbers are apart; what is no number is as far from a number as can be."""
    if math.isnan(one) or math.isnan(other):
        return 0.0 if math.isnan(one) and math.isnan(other) else math.inf
    return abs(one - other)


def _logprobs(way: Scoring, asked: Sequence[Asked]) -> list[float]:
    """Return one log-probability for each sequence, summed over its tokens."""
    found = [0.0] * len(asked)
    for outcome in way.run(asked):
        for reading in outcome.readings:
            found[reading.sequence] += reading.logprob
        for sequence in outcome.lost:
            found[sequence] = math.nan
    return found
