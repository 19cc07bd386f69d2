"""Battles added up: how often each pair of models met, and how it went.

With counts the cost of a rating depends on the number of models, not of battles.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class PairCounts(NamedTuple):
    """Counts over ordered pairs of models: all arrays have shape (P,), one entry a pair that met.

    ``first`` and ``second`` are indices of models; ``wins``, ``losses`` and ``ties`` are counts as the first one sees
    them, whole numbers or sums of weights. A pair may stand there in both orders.
    """

    models: int
    first: Ints
    second: Ints
    wins: Floats
    losses: Floats
    ties: Floats

    @property
    def total(self) -> Floats:
        """Return how often each pair met."""
        return self.wins + self.losses + self.ties

    @property
    def battles(self) -> float:
        """Return how many battles there are."""
        return float(self.total.sum())

    def played(self) -> Floats:
        """Return how many battles each model played, shape (K,)."""
        total = self.total
        of_first = np.bincount(self.first, total, self.models)
        return np.asarray(of_first + np.bincount(self.second, total, self.models), np.float64)

    def won(self) -> Floats:
        """Return each model's wins, a tie counting half, shape (K,)."""
        half = self.ties / 2
        of_first = np.bincount(self.first, self.wins + half, self.models)
        return np.asarray(of_first + np.bincount(self.second, self.losses + half, self.models), np.float64)

    def without_spread(self) -> NDArray[np.bool_]:
        """Return of which pairs one model has nothing but ties, shape (P,).

        Its battles show no spread, which is no certainty: their variance is taken from the model of the ratings.
        """
        decided = self.wins + self.losses
        of_first = np.bincount(self.first, decided, self.models)
        spread = of_first + np.bincount(self.second, decided, self.models) > 0
        return np.asarray(~(spread[self.first] & spread[self.second]))


WIN, LOSS, TIE = 0, 1, 2
"""How a battle went for the first model."""


def count_pairs(models: int, first: Ints, second: Ints, outcome: Ints, weight: Floats | None = None) -> PairCounts:
    """Return the counts of battles, all arrays of shape (N,): two models' indices and WIN, LOSS or TIE.

    ``weight`` weighs each battle, 1 by default. A pair is counted in one order, the lower index first. Raises
    ValueError for a model that plays itself.
    """
    if np.any(first == second):
        raise ValueError("a model cannot play itself")
    swapped = first > second
    low, high = np.where(swapped, second, first), np.where(swapped, first, second)
    seen = np.where(swapped & (outcome != TIE), 1 - outcome, outcome)
    cells = np.bincount((low * models + high) * 3 + seen, weight, models * models * 3).reshape(-1, 3)
    met = np.flatnonzero(cells.sum(axis=1))
    wins, losses, ties = cells[met].astype(np.float64).T
    return PairCounts(models, met // models, met % models, wins, losses, ties)


def met_matrix(counts: PairCounts) -> Floats:
    """Return how often each two models met, shape (K, K)."""
    met = np.bincount(counts.first * counts.models + counts.second, counts.total, counts.models**2)
    square = met.reshape(counts.models, counts.models)
    return np.asarray(square + square.T, np.float64)


def pair_matrix(models: int, first: Ints, second: Ints, values: Floats) -> Floats:
    """Return the matrix of shape (K, K) with Σ v (e_i − e_j)(e_i − e_j)ᵀ over pairs (i, j), values of shape (P,)."""
    pairs = np.bincount(first * models + second, values, models * models).reshape(models, models)
    pairs = pairs + pairs.T
    return np.asarray(np.diag(pairs.sum(axis=1)) - pairs, np.float64)
