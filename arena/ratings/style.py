"""Bradley-Terry with covariates of each battle: strengths once what pleases beside them is accounted for.

The chance that the first wins is σ(θ_i − θ_j + β · x), x the battle's covariates, antisymmetric in its two sides. Source:
Springall (1973), "Response surface fitting using a generalization of the Bradley-Terry paired comparison model", J. Royal
Statistical Society C 22(1).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from arena.ratings.counts import Floats, Ints
from arena.ratings.newton import climb


class StyledFit(NamedTuple):
    """Strengths that sum to zero, shape (K,), their sandwich covariance, shape (K, K); coefficients, shape (F,), and
    theirs, shape (F, F)."""

    strengths: Floats
    covariance: Floats
    coefficients: Floats
    coefficient_covariance: Floats


def fit_styled(models: int, first: Ints, second: Ints, points: Floats, x: Floats, weight: Floats) -> StyledFit:
    """Return the fit of battles by Newton's method: indices, points of the first (1, 0, ½) and weights of shape (N,),
    covariates of shape (N, F).

    The battles must link all models (see ``graph.standing``). Raises ValueError where the maximum is not finite.
    """

    def newton(at: Floats) -> Floats:
        p = _chance(at, models, first, second, x)
        gradient = _gathered(models, first, second, x, weight * (points - p))
        hessian = _pinned(_outer(models, first, second, x, weight * p * (1 - p)), models)
        return np.asarray(np.linalg.solve(hessian, gradient), np.float64)

    def height(at: Floats) -> float:
        return _log_likelihood(at, models, first, second, points, x, weight)

    at = climb(np.zeros(models + x.shape[1]), height, newton, accuracy=1e-9, furthest=50)
    return _fitted(at, models, first, second, points, x, weight)


def _fitted(at: Floats, models: int, first: Ints, second: Ints, points: Floats, x: Floats, weight: Floats) -> StyledFit:
    """Return the fit with H⁻¹ S H⁻¹ (White 1982), S the sum of the outer products of battles' gradients."""
    p = _chance(at, models, first, second, x)
    bread = np.linalg.inv(_pinned(_outer(models, first, second, x, weight * p * (1 - p)), models))
    whole = bread @ _outer(models, first, second, x, (weight * (points - p)) ** 2) @ bread
    centre = np.eye(models) - 1 / models
    return StyledFit(
        at[:models] - at[:models].mean(),
        np.asarray(centre @ whole[:models, :models] @ centre, np.float64),
        at[models:],
        np.asarray(whole[models:, models:], np.float64),
    )


def _gap(at: Floats, models: int, first: Ints, second: Ints, x: Floats) -> Floats:
    return np.asarray(at[first] - at[second] + x @ at[models:], np.float64)


def _chance(at: Floats, models: int, first: Ints, second: Ints, x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-_gap(at, models, first, second, x))), np.float64)


def _log_likelihood(
    at: Floats, models: int, first: Ints, second: Ints, points: Floats, x: Floats, weight: Floats
) -> float:
    gap = _gap(at, models, first, second, x)
    return float(weight @ (points * gap - np.logaddexp(0, gap)))


def _gathered(models: int, first: Ints, second: Ints, x: Floats, along: Floats) -> Floats:
    """Return Σ along · (e_i − e_j, x), shape (K + F,)."""
    by_model = np.bincount(first, along, models) - np.bincount(second, along, models)
    return np.concatenate((by_model, x.T @ along))


def _outer(models: int, first: Ints, second: Ints, x: Floats, along: Floats) -> Floats:
    """Return Σ along · (e_i − e_j, x)(e_i − e_j, x)ᵀ, shape (K + F, K + F)."""
    pairs = np.bincount(first * models + second, along, models * models).reshape(models, models)
    pairs = pairs + pairs.T
    matrix = np.zeros((models + x.shape[1],) * 2)
    matrix[:models, :models] = np.diag(pairs.sum(axis=1)) - pairs
    for column in range(x.shape[1]):
        border = along * x[:, column]
        matrix[:models, models + column] = np.bincount(first, border, models) - np.bincount(second, border, models)
    matrix[models:, :models] = matrix[:models, models:].T
    matrix[models:, models:] = (x * along[:, None]).T @ x
    return matrix


def _pinned(matrix: Floats, models: int) -> Floats:
    """Return the matrix made regular: the strengths' sum, which nothing decides, is held at zero."""
    regular = matrix.copy()
    regular[:models, :models] += np.trace(matrix[:models, :models]) / models**2
    return regular
