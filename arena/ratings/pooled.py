"""Ratings by category that borrow from the whole: a category with few votes stays near the overall rating.

A model's strength in a category is its overall strength plus a deviation that is drawn from a normal distribution of
variance τ²; how large τ is, votes that were held out decide. Source: Efron & Morris (1975), "Data analysis using Stein's
estimator and its generalizations", J. American Statistical Association 70(350), with the Bradley-Terry likelihood in the
place of the normal one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from arena.ratings.bradley_terry import chances, information, log_likelihood, maximise
from arena.ratings.counts import Floats, Ints, PairCounts

_FOLDS = 5
_VARIANCES = (0.0, *np.geomspace(0.002, 4.0, 14).tolist(), math.inf)
"""The variances of deviations, in squared natural logarithms of odds, that are tried: from none to no pooling at all."""


class PooledFit(NamedTuple):
    """One category: strengths, shape (K,), their covariance, shape (K, K), and ``borrowed``: how much of each strength, from
    0 to 1, comes from the overall rating."""

    strengths: Floats
    covariance: Floats
    borrowed: Floats


def fit_pooled(parts: Sequence[PairCounts], seed: int = 0) -> tuple[list[PooledFit], float]:
    """Return a fit for each category's counts, and τ. The counts together must link all models (``graph.standing``).

    Raises ValueError where they do not.
    """
    whole = added(parts)
    variance = chosen_variance(parts, seed)
    overall = maximise(whole)
    return [_fit_part(part, whole, overall, variance) for part in parts], math.sqrt(variance)


def added(parts: Sequence[PairCounts]) -> PairCounts:
    """Return all categories' battles as one."""
    return PairCounts(
        parts[0].models, *(np.concatenate(columns) for columns in zip(*(p[1:] for p in parts), strict=True))
    )


def chosen_variance(parts: Sequence[PairCounts], seed: int = 0) -> float:
    """Return the τ² under which votes that were held out are likeliest, over five parts of the votes."""
    folds = [_split(part, np.random.default_rng((seed, number))) for number, part in enumerate(parts)]
    gained = np.zeros(len(_VARIANCES))
    for fold in range(_FOLDS):
        kept = [_without(part, split[fold]) for part, split in zip(parts, folds, strict=True)]
        overall = _ridge(added(kept))
        for column, variance in enumerate(_VARIANCES):
            for part, split in zip(kept, folds, strict=True):
                strengths = penalised(part, overall, variance)
                gained[column] += log_likelihood(split[fold], strengths)
    return float(_VARIANCES[int(np.argmax(gained))])


def penalised(part: PairCounts, overall: Floats, variance: float) -> Floats:
    """Return the strengths of highest posterior density around the overall ones.

    An infinite variance leaves a trace of pooling, so that a model that lost nothing in a category stays finite.
    """
    if variance == 0:
        return overall
    pull = 1 / min(variance, _LOOSE)
    deviation = np.zeros(part.models)
    value = log_likelihood(part, overall)
    for _ in range(60):
        strengths = overall + deviation
        p = chances(strengths, part.first, part.second)
        residual = part.wins + part.ties / 2 - part.total * p
        won = np.bincount(part.first, residual, part.models) - np.bincount(part.second, residual, part.models)
        gradient = won - pull * deviation
        hessian = information(part, p)
        hessian[np.diag_indices(part.models)] += pull
        step = np.linalg.solve(hessian, gradient)
        if np.abs(step).max() < 1e-8:
            break
        for _ in range(30):
            further = deviation + step
            gained = log_likelihood(part, overall + further) - pull * float(further @ further) / 2
            if gained >= value - 1e-12 * abs(value):
                break
            step = step / 2
        deviation, value = further, gained
    return np.asarray(overall + deviation - deviation.mean(), np.float64)


_LOOSE = 25.0


def _ridge(counts: PairCounts) -> Floats:
    """Return the overall strengths of a part of the votes, which may not link all models."""
    return penalised(counts, np.zeros(counts.models), _LOOSE)


def _fit_part(part: PairCounts, whole: PairCounts, overall: Floats, variance: float) -> PooledFit:
    """Return a category's fit with the variance of its posterior.

    With the prior's precision P = I/τ² and the category's information H it is (H + P)⁻¹ (H + P C P) (H + P)⁻¹ on top of
    what the deviations themselves leave open, C the covariance of the overall strengths.
    """
    models = part.models
    centre = np.eye(models) - 1 / models
    strengths = penalised(part, overall, variance)
    above = np.linalg.pinv(information(whole, chances(overall, whole.first, whole.second)))
    if variance == 0:
        return PooledFit(strengths, np.asarray(above, np.float64), np.ones(models))
    own = information(part, chances(strengths, part.first, part.second))
    pull = np.eye(models) / min(variance, _LOOSE)
    inner = np.linalg.inv(own + pull)
    share = inner @ pull
    covariance = centre @ (inner + share @ above @ share.T) @ centre
    return PooledFit(strengths, np.asarray(covariance, np.float64), np.clip(np.diag(share), 0, 1))


def _split(part: PairCounts, generator: np.random.Generator) -> list[PairCounts]:
    """Return the battles dealt out at random into as many parts as there are folds."""
    rest = [
        np.rint(part.wins).astype(np.int64),
        np.rint(part.losses).astype(np.int64),
        np.rint(part.ties).astype(np.int64),
    ]
    dealt = []
    for left in range(_FOLDS, 0, -1):
        taken: list[Ints] = [generator.binomial(numbers, 1 / left) for numbers in rest]
        rest = [numbers - own for numbers, own in zip(rest, taken, strict=True)]
        dealt.append(PairCounts(part.models, part.first, part.second, *(own.astype(np.float64) for own in taken)))
    return dealt


def _without(part: PairCounts, held_out: PairCounts) -> PairCounts:
    return part._replace(
        wins=part.wins - held_out.wins, losses=part.losses - held_out.losses, ties=part.ties - held_out.ties
    )
