"""How few votes would put another model first."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from arena.ratings.bradley_terry import chances, information, maximise
from arena.ratings.counts import Floats, Ints, PairCounts

_CLOSEST = 12
"""How many of the models after the first are looked at."""


class Flip(NamedTuple):
    """What would change the first place: without the ``removed`` votes that matter most, or with ``added`` votes more for
    another model against the first, the first is first no longer. ``without`` and ``by`` are who is then; ``removed`` and
    ``without`` are None where no votes that could be taken away would do it."""

    leader: int
    removed: int | None
    without: int | None
    added: int
    by: int


def flip(counts: PairCounts, strengths: Floats) -> Flip:
    """Return how few votes would flip the first place, from the counts and their strengths of highest likelihood, shape (K,).

    Votes are ranked by their first-order influence on the gap between the first and another; the numbers are verified by
    rating anew, and no larger than needed in that order. Source: Broderick, Giordano & Meager (2020), "An automatic
    finite-sample robustness metric", arXiv:2011.14999. Raises ValueError for fewer than two models.
    """
    if counts.models < 2:
        raise ValueError("there is no other model")
    leader = int(np.argmax(strengths))
    matrix = information(counts, chances(strengths, counts.first, counts.second))
    inverse = np.linalg.inv(matrix + np.trace(matrix) / len(matrix) ** 2)
    others = [int(model) for model in np.argsort(-strengths) if model != leader][:_CLOSEST]
    removed, without = _fewest_removed(counts, strengths, inverse, leader, others)
    added, by = _fewest_added(counts, strengths, inverse, leader, others)
    return Flip(leader, removed, without, added, by)


def _fewest_removed(
    counts: PairCounts, strengths: Floats, inverse: Floats, leader: int, others: list[int]
) -> tuple[int | None, int | None]:
    p = chances(strengths, counts.first, counts.second)
    residual = np.stack((1 - p, -p, 0.5 - p))
    votes = np.stack((counts.wins, counts.losses, counts.ties))
    best: tuple[int, Ints, Floats] | None = None
    for other in others:
        along = inverse[leader] - inverse[other]
        influence = residual * (along[counts.first] - along[counts.second])
        order = np.argsort(-influence, axis=None)
        order = order[influence.ravel()[order] > 0]
        number, closed = votes.ravel()[order], influence.ravel()[order] * votes.ravel()[order]
        if not len(order):
            continue
        gap = float(strengths[leader] - strengths[other])
        at = int(np.searchsorted(np.cumsum(closed), gap))
        if at < len(order):
            guess = math.ceil(number[:at].sum() + (gap - closed[:at].sum()) / influence.ravel()[order[at]])
        else:  # more than the first order allows
            guess = math.ceil(number.sum() * gap / closed.sum())
        if best is None or guess < best[0]:
            best = guess, order, number
    if best is None:
        return None, None
    guess, order, number = best
    before = np.concatenate(([0.0], np.cumsum(number)))

    def first_without(taken: int) -> int | None:
        left = votes.ravel().copy()
        left[order] -= np.clip(taken - before[:-1], 0, number)
        wins, losses, ties = left.reshape(votes.shape)
        return _first(counts._replace(wins=wins, losses=losses, ties=ties), strengths, leader)

    return _fewest(first_without, leader, guess, int(before[-1]))


def _fewest_added(
    counts: PairCounts, strengths: Floats, inverse: Floats, leader: int, others: list[int]
) -> tuple[int, int]:
    gap = strengths[leader] - strengths[others]
    spread = inverse[leader, leader] + inverse[others, others] - 2 * inverse[leader, others]
    guesses = gap / (spread / (1 + np.exp(-gap)))
    other, guess = others[int(np.argmin(guesses))], int(np.ceil(guesses.min()))

    def first_with(more: int) -> int | None:
        pair = (np.append(counts.first, other), np.append(counts.second, leader))
        won = (np.append(counts.wins, float(more)), np.append(counts.losses, 0.0), np.append(counts.ties, 0.0))
        return _first(PairCounts(counts.models, *pair, *won), strengths, leader)

    added, by = _fewest(first_with, leader, guess, 1 << 40)
    if added is None or by is None:
        raise ValueError("no number of votes changes the first place")
    return added, by


def _first(counts: PairCounts, start: Floats, leader: int) -> int | None:
    """Return who is first, the leader where another one is level with it, or None where nothing bounds a rating any more."""
    try:
        strengths = maximise(counts, start)
    except (ValueError, np.linalg.LinAlgError):
        return None
    other = int(np.argmax(strengths))
    return other if strengths[other] > strengths[leader] + 1e-9 else leader


def _fewest(
    first_after: Callable[[int], int | None], leader: int, guess: int, most: int
) -> tuple[int | None, int | None]:
    """Return the smallest number, found from a guess, after which another model is first, and which; None for none."""
    low, high = 0, min(max(1, guess), most)
    while (after := first_after(high)) == leader:
        if high == most:
            return None, None
        low, high = high, min(high + max(1, high // 2), most)
    step = 1
    while high - low > 1:
        middle = max(low + 1, high - step, (low + high) // 2)
        first = first_after(middle)
        if first == leader:
            low, step = middle, high
        else:
            high, after, step = middle, first, 2 * step
    return (None, None) if after is None else (high, after)
