"""Ratings by category that borrow from the overall rating: partial pooling.

A category's strengths are the overall ones plus deviations, the deviations drawn from a normal distribution of
variance τ²; how large τ is, votes that were held out decide. Source: Efron & Morris (1975), "Data analysis using Stein's
estimator and its generalizations", J. American Statistical Association 70(350), with the Bradley-Terry likelihood in the
place of the normal one.

What borrowing gains has a limit that no method passes. Twenty models whose strengths have a standard deviation of 150 points,
eight categories with 100 votes each: against ratings by category alone the error is 27% where categories deviate by 15 points,
39% at 45, 44% at 60 and 60% at 120; with both spreads known beforehand it would be 27, 37, 43 and 60% in the same arenas
(``tests/simulations/categories.py``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from arena.ratings.bradley_terry import Fit, chances, information
from arena.ratings.counts import Floats, PairCounts

_FOLDS = 5
_LOOSE = 25.0
_VARIANCES = (0.0, *np.geomspace(0.002, 8.0, 13).tolist(), _LOOSE)
"""The variances of deviations, in squared natural logarithms of odds, that are tried: from none to almost no pooling. The
trace that is left keeps a model finite that lost nothing in a category."""


class PooledFit(NamedTuple):
    """One category: strengths that sum to zero, shape (K,), their covariance, shape (K, K), and ``borrowed``: how much of
    each strength, from 0 to 1, comes from the overall rating."""

    strengths: Floats
    covariance: Floats
    borrowed: Floats


def fit_pooled(
    parts: Sequence[PairCounts], overall: Fit, scores: Callable[[int, Floats], Floats], seed: int = 0
) -> tuple[list[PooledFit], float]:
    """Return a fit for each category's counts, and τ, in natural logarithms of odds.

    ``overall`` is the fit of all battles. ``scores(number, strengths)`` returns, for one category, the outer products of
    its battles' or clusters' scores at these strengths added up, shape (K, K), for sandwich errors.
    """
    variance, likeliest = chosen_variances(parts, seed)
    won = np.stack([_halves(*_dense(part)) for part in parts])
    fits = []
    for number, deviation in enumerate(deviate(won, overall.strengths, variance, np.zeros(won.shape[:2]))):
        strengths = overall.strengths + deviation - deviation.mean()
        fits.append(_fit_part(parts[number], overall, strengths, variance, likeliest, scores(number, strengths)))
    return fits, math.sqrt(variance)


def chosen_variances(parts: Sequence[PairCounts], seed: int = 0) -> tuple[float, float]:
    """Return the smallest τ² under which votes that were held out are as likely, but for one standard error, as they are
    under the best one, and that best one.

    Five parts of the votes are held out in turn. Where categories do not differ several τ² do equally well, and the
    likeliest by a hair would cost precision. Source of the rule: Breiman, Friedman, Olshen & Stone (1984),
    Classification and Regression Trees, section 3.4.3.
    """
    models, generator = parts[0].models, np.random.default_rng(seed)
    folds = [_dealt(part, generator) for part in parts]
    gained = np.zeros((len(_VARIANCES), _FOLDS, len(parts)))
    for number in range(_FOLDS):
        held_out = np.stack([dealt[number] for dealt in folds])
        kept = np.stack([sum(dealt[:number] + dealt[number + 1 :], np.zeros((models, models))) for dealt in folds])
        overall = deviate(kept.sum(axis=0)[None], np.zeros(models), _LOOSE, np.zeros((1, models)))[0]
        deviations = np.zeros((len(parts), models))
        for row, variance in enumerate(_VARIANCES):
            deviations = deviate(kept, overall, variance, deviations, 1e-5)
            gained[row, number] = _log_likelihood(held_out, overall + deviations)
    totals = gained.sum(axis=(1, 2))
    lost = (gained[int(np.argmax(totals))] - gained).reshape(len(_VARIANCES), -1)
    error = lost.std(axis=1, ddof=1) * math.sqrt(lost.shape[1])
    simplest = int(np.flatnonzero(lost.sum(axis=1) <= error)[0])
    return float(_VARIANCES[simplest]), float(_VARIANCES[int(np.argmax(totals))])


def deviate(won: Floats, overall: Floats, variance: float, start: Floats, accuracy: float = 1e-9) -> Floats:
    """Return the deviations from the overall strengths of highest posterior density, shape (C, K), by Newton's method.

    ``won`` has shape (C, K, K), ``overall`` (K,), ``start`` (C, K). All categories take their steps together.
    """
    if variance == 0:
        return np.zeros_like(start)
    pull, deviations, diagonal = 1 / variance, start.copy(), np.arange(won.shape[1])
    total, wins = won + won.transpose(0, 2, 1), won.sum(axis=2)
    for _ in range(100):
        strengths = overall + deviations
        p = 1 / (1 + np.exp(strengths[:, None, :] - strengths[:, :, None]))
        gradient = wins - (total * p).sum(axis=2) - pull * deviations
        weight = total * p * (1 - p)
        hessian = -weight
        hessian[:, diagonal, diagonal] += weight.sum(axis=2) + pull
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        largest = np.abs(step).max(axis=1, keepdims=True)
        deviations += step * np.minimum(1, _STRIDE / np.maximum(largest, 1e-300))
        if largest.max() < accuracy:
            break
    return deviations


_STRIDE = 2.0
"""The longest step that is taken at once: far from the maximum Newton's own can be far too long."""


def _dense(part: PairCounts) -> tuple[Floats, Floats]:
    """Return how often each model beat each other, and how often it tied with it as the first of a pair, shape (K, K)."""
    wins, ties = np.zeros((2, part.models, part.models))
    np.add.at(wins, (part.first, part.second), part.wins)
    np.add.at(wins, (part.second, part.first), part.losses)
    np.add.at(ties, (part.first, part.second), part.ties)
    return wins, ties


def _halves(wins: Floats, ties: Floats) -> Floats:
    """Return wins with each tie as half a win for both."""
    return np.asarray(wins + (ties + ties.T) / 2, np.float64)


def _dealt(part: PairCounts, generator: np.random.Generator) -> list[Floats]:
    """Return the wins, ties as halves, of the battles dealt out at random, one matrix a fold.

    Sums of weights that are no whole numbers are rounded up or down by chance.
    """
    rest = [np.floor(numbers + generator.random(numbers.shape)).astype(np.int64) for numbers in _dense(part)]
    dealt = []
    for left in range(_FOLDS, 0, -1):
        taken = [generator.binomial(numbers, 1 / left) for numbers in rest]
        rest = [numbers - own for numbers, own in zip(rest, taken, strict=True)]
        dealt.append(_halves(*(own.astype(np.float64) for own in taken)))
    return dealt


def _log_likelihood(won: Floats, strengths: Floats) -> Floats:
    """Return the logarithm of each category's chance, shape (C,)."""
    gap = strengths[:, :, None] - strengths[:, None, :]
    return np.asarray(-(won * np.logaddexp(0, -gap)).sum(axis=(1, 2)), np.float64)


def _fit_part(
    part: PairCounts, overall: Fit, strengths: Floats, variance: float, likeliest: float, squares: Floats
) -> PooledFit:
    """Return a category's fit with its covariance.

    P = I/τ² is the precision that the fit pulls with, H the category's information, S its scores' outer products, C the
    covariance of the overall strengths. Deviations that truly have variance T, the likeliest one, are found with the error
    (H + P)⁻¹ (S + P T P) (H + P)⁻¹; what shows through of the overall strengths adds (H + P)⁻¹ P C P (H + P)⁻¹.
    """
    models = part.models
    centre = np.eye(models) - 1 / models
    if variance == 0:
        return PooledFit(strengths, np.asarray(overall.covariance + likeliest * centre, np.float64), np.ones(models))
    pull = np.eye(models) / variance
    inner = np.linalg.inv(information(part, chances(strengths, part.first, part.second)) + pull)
    share = inner @ pull
    open_ = inner @ squares @ inner + share @ (likeliest * np.eye(models) + overall.covariance) @ share.T
    return PooledFit(strengths, np.asarray(centre @ open_ @ centre, np.float64), np.clip(np.diag(share), 0, 1))
