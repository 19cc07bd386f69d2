"""Bradley-Terry by maximum likelihood on counts, with sandwich covariances.

A model of strength θ_i beats one of strength θ_j with chance σ(θ_i − θ_j), σ the logistic function; a tie is half a
win for each. Source: Bradley & Terry (1952), "Rank analysis of incomplete block designs", Biometrika 39. Strengths are
natural logarithms of odds, and sum to zero.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from arena.ratings.counts import Floats, Ints, PairCounts, pair_matrix
from arena.ratings.newton import climb


class Fit(NamedTuple):
    """Strengths that sum to zero, shape (K,), and their covariance, shape (K, K), of rank K − 1."""

    strengths: Floats
    covariance: Floats


def chances(strengths: Floats, first: Ints, second: Ints) -> Floats:
    """Return the chance that the first of each pair wins, shape (P,)."""
    with np.errstate(over="ignore"):  # far apart on the way to a maximum that is not finite
        return np.asarray(1 / (1 + np.exp(strengths[second] - strengths[first])), np.float64)


def fit(counts: PairCounts, start: Floats | None = None) -> Fit:
    """Return the strengths of models that are linked by wins and losses (see ``graph.standing``), covariance per battle.

    ``start`` are strengths to begin from. Raises ValueError where the maximum is not finite.
    """
    strengths = maximise(counts, start)
    return Fit(strengths, sandwich(counts, strengths, scores_of(counts, strengths)))


def maximise(counts: PairCounts, start: Floats | None = None) -> Floats:
    """Return the strengths of highest likelihood by Newton's method with halved steps.

    Raises ValueError where it does not come to rest: the maximum is not finite.
    """

    def newton(strengths: Floats) -> Floats:
        p = chances(strengths, counts.first, counts.second)
        return np.asarray(np.linalg.solve(pinned(information(counts, p)), gradient(counts, p)), np.float64)

    first = np.zeros(counts.models) if start is None else start - start.mean()
    strengths = climb(first, lambda at: log_likelihood(counts, at), newton)
    return np.asarray(strengths - strengths.mean(), np.float64)


def log_likelihood(counts: PairCounts, strengths: Floats) -> float:
    """Return the logarithm of the battles' chance under these strengths, a tie as half a win for each."""
    gap = strengths[counts.first] - strengths[counts.second]
    won = counts.wins + counts.ties / 2
    lost = counts.losses + counts.ties / 2
    return float(-(won @ np.logaddexp(0, -gap) + lost @ np.logaddexp(0, gap)))


def gradient(counts: PairCounts, p: Floats) -> Floats:
    """Return the gradient of the log-likelihood, shape (K,); ``p`` are the first ones' chances."""
    residual = counts.wins + counts.ties / 2 - counts.total * p
    of_first = np.bincount(counts.first, residual, counts.models)
    return np.asarray(of_first - np.bincount(counts.second, residual, counts.models), np.float64)


def information(counts: PairCounts, p: Floats) -> Floats:
    """Return the negative Hessian of the log-likelihood, shape (K, K), of rank K − 1."""
    return pair_matrix(counts.models, counts.first, counts.second, counts.total * p * (1 - p))


def scores_of(counts: PairCounts, strengths: Floats) -> Floats:
    """Return Σ g gᵀ over battles, g the gradient of one battle's log-likelihood, shape (K, K).

    All battles of one pair with one outcome have the same g, so counts say it all.
    """
    p = chances(strengths, counts.first, counts.second)
    squares = counts.wins * (1 - p) ** 2 + counts.losses * p**2 + counts.ties * (0.5 - p) ** 2
    return pair_matrix(counts.models, counts.first, counts.second, squares)


def sandwich(counts: PairCounts, strengths: Floats, scores: Floats) -> Floats:
    """Return H⁺ S H⁺, the covariance of the strengths that sum to zero, S the sum of the outer products of scores.

    It holds where the model of ties or of independence does not; S by cluster makes it cluster-robust. Source: White
    (1982), "Maximum likelihood estimation of misspecified models", Econometrica 50(1). To S the model's own variance is
    added where a model of the pair only tied: one tie would else be a rating known exactly.
    """
    p = chances(strengths, counts.first, counts.second)
    bread = np.linalg.inv(pinned(information(counts, p)))
    own = np.where(counts.without_spread(), counts.total * p * (1 - p), 0.0)
    meat = scores + pair_matrix(counts.models, counts.first, counts.second, own)
    centre = np.eye(counts.models) - 1 / counts.models
    return np.asarray(centre @ bread @ meat @ bread @ centre, np.float64)


def cluster_scores(models: int, first: Ints, second: Ints, residual: Floats, cluster: Ints) -> Floats:
    """Return Σ G Gᵀ over clusters, G the sum of a cluster's gradients, shape (K, K), times C / (C − 1).

    ``residual`` is what was won less what was expected, ``cluster`` any number that a cluster's battles share, both of
    shape (N,). Source: Cameron & Miller (2015), "A practitioner's guide to cluster-robust inference", J. Human Resources
    50(2), section II.
    """
    order = np.argsort(cluster)
    first, second, residual, cluster = first[order], second[order], residual[order], cluster[order]
    starts = np.flatnonzero(np.concatenate(([True], cluster[1:] != cluster[:-1])))
    sizes = np.diff(starts, append=len(cluster))
    number = len(starts)
    if sizes.max() <= _FEW:
        scores = _paired_scores(models, first, second, residual, np.repeat(sizes, sizes), cluster)
    else:
        rows = np.repeat(np.arange(number), sizes)
        places = np.concatenate((rows * models + first, rows * models + second))
        values = np.concatenate((residual, -residual))
        if number * models <= 4 * len(values):
            dense = np.bincount(places, values, number * models).reshape(number, models)
            scores = np.asarray(dense.T @ dense, np.float64)
        else:
            scores = _sparse_scores(models, places, values)
    return np.asarray(scores * (number / max(1, number - 1)), np.float64)


_FEW = 16
"""Clusters of so few battles are added up pair by pair of battles, which needs no second sorting."""


def _paired_scores(models: int, first: Ints, second: Ints, residual: Floats, sizes: Ints, cluster: Ints) -> Floats:
    """Return Σ G Gᵀ of sorted battles: each battle's own g gᵀ and, for two of one cluster, g hᵀ + h gᵀ."""
    scores = pair_matrix(models, first, second, residual**2)
    several = sizes > 1
    first, second, residual, cluster = first[several], second[several], residual[several], cluster[several]
    cross = np.zeros(models * models)
    for lag in range(1, _FEW):
        same = np.flatnonzero(cluster[lag:] == cluster[:-lag])
        if not len(same):
            break
        products = residual[same] * residual[same + lag]
        for one, sign in ((first[same], 1), (second[same], -1)):
            cross += np.bincount(one * models + first[same + lag], sign * products, models * models)
            cross -= np.bincount(one * models + second[same + lag], sign * products, models * models)
    square = cross.reshape(models, models)
    return np.asarray(scores + square + square.T, np.float64)


def _sparse_scores(models: int, places: Ints, values: Floats) -> Floats:
    """Return Gᵀ G of a matrix with few entries a row; ``places`` are row · models + column, in any order."""
    order = np.argsort(places, kind="stable")
    places, values = places[order], values[order]
    starts = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1])))
    sums, where = np.add.reduceat(values, starts), places[starts]
    rows = where // models
    columns = where - rows * models
    scores = np.zeros(models * models)
    scores += np.bincount(columns * (models + 1), sums * sums, models * models)
    for lag in range(1, models):
        same = rows[lag:] == rows[:-lag]
        if not same.any():
            break
        products = (sums[lag:] * sums[:-lag])[same]
        scores += np.bincount((columns[:-lag] * models + columns[lag:])[same], products, models * models)
        scores += np.bincount((columns[lag:] * models + columns[:-lag])[same], products, models * models)
    return scores.reshape(models, models)


def pinned(matrix: Floats) -> Floats:
    """Return a matrix whose rows sum to zero made regular: the strengths' sum, which nothing decides, is held at zero."""
    return np.asarray(matrix + np.trace(matrix) / len(matrix) ** 2, np.float64)
