"""Simulated arenas: models of known strength that battle each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from arena.ratings.counts import LOSS, TIE, WIN, Floats, Ints, PairCounts, count_pairs


class Arena(NamedTuple):
    """Strengths that sum to zero, shape (K,), and the battles, each of shape (N,)."""

    strengths: Floats
    first: Ints
    second: Ints
    outcome: Ints

    def counts(self) -> PairCounts:
        return count_pairs(len(self.strengths), self.first, self.second, self.outcome)


def draw_strengths(rng: np.random.Generator, models: int, elo: float = 150.0) -> Floats:
    """Return strengths (natural logarithms of odds) whose standard deviation is ``elo`` points of a scale of 400."""
    drawn = rng.normal(0, elo * np.log(10) / 400, models)
    return np.asarray(drawn - drawn.mean(), np.float64)


def play(rng: np.random.Generator, strengths: Floats, battles: int, ties: float = 0.0) -> Arena:
    """Return battles of pairs drawn alike. A tie costs both the same: it comes with chance ``ties``, whoever plays."""
    models = len(strengths)
    first = rng.integers(0, models, battles)
    second = (first + rng.integers(1, models, battles)) % models
    return Arena(strengths, first, second, decide(rng, strengths[first] - strengths[second], ties))


def decide(rng: np.random.Generator, gap: Floats, ties: float = 0.0) -> Ints:
    """Return an outcome for each gap of strengths, such that half of ties and wins together follow Bradley-Terry.

    Where both are nearly as strong ties can be as common as asked for; where one is far stronger they cannot.
    """
    p = 1 / (1 + np.exp(-gap))
    tied = np.minimum(ties, 2 * np.minimum(p, 1 - p) * 0.9)
    drawn = rng.random(len(gap))
    return np.where(drawn < p - tied / 2, WIN, np.where(drawn < p + tied / 2, TIE, LOSS)).astype(np.int64)
