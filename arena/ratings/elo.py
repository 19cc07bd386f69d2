"""Online Elo: each battle moves the two ratings at once, so later battles weigh more and the order matters.

Source: Elo (1978), The Rating of Chessplayers, Past and Present, section 1.7.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from arena.ratings.counts import TIE, WIN, Floats, Ints


class EloSettings(NamedTuple):
    """``k`` points are at stake in a battle; ``scale`` points of difference are odds of ``base`` to 1."""

    k: float = 4.0
    scale: float = 400.0
    base: float = 10.0
    initial: float = 1000.0


def online_elo(models: int, first: Ints, second: Ints, outcome: Ints, settings: EloSettings | None = None) -> Floats:
    """Return the ratings after all battles in the order given, shape (K,).

    ``first``, ``second`` and ``outcome`` (WIN, LOSS, TIE as the first one sees it) have shape (N,).
    """
    at = settings or EloSettings()
    ratings = [at.initial] * models
    k, factor = at.k, math.log(at.base) / at.scale
    points = np.array([1.0, 0.0, 0.5])[outcome]
    for a, b, won in zip(first.tolist(), second.tolist(), points.tolist(), strict=True):
        moved = k * (won - 1 / (1 + math.exp((ratings[b] - ratings[a]) * factor)))
        ratings[a] += moved
        ratings[b] -= moved
    return np.asarray(ratings, np.float64)


def bootstrap_elo(
    models: int,
    first: Ints,
    second: Ints,
    outcome: Ints,
    settings: EloSettings | None = None,
    rounds: int = 100,
    seed: int = 0,
) -> Floats:
    """Return the ratings of resampled battles, shape (rounds, K): their median depends on no single order.

    Each round draws N battles with replacement, in random order. Source: Efron (1979), "Bootstrap methods: another
    look at the jackknife", Annals of Statistics 7(1). All rounds move forward together, one battle each at a step.
    """
    at = settings or EloSettings()
    generator = np.random.default_rng(seed)
    ratings = np.full((rounds, models), at.initial)
    rows = np.arange(rounds)
    factor = math.log(at.base) / at.scale
    points = np.where(outcome == TIE, 0.5, np.where(outcome == WIN, 1.0, 0.0))
    for begin in range(0, len(first), _STEPS):
        drawn = generator.integers(0, len(first), (min(_STEPS, len(first) - begin), rounds))
        for a, b, won in zip(first[drawn], second[drawn], points[drawn], strict=True):
            moved = at.k * (won - 1 / (1 + np.exp((ratings[rows, b] - ratings[rows, a]) * factor)))
            ratings[rows, a] += moved
            ratings[rows, b] -= moved
    return ratings


_STEPS = 10_000
"""How many battles of each round are drawn at once."""
