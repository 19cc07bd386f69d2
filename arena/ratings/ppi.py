"""People and a judge rated together: prediction-powered Bradley-Terry.

The judge's votes on many battles make the estimate narrow, people's votes on some of the same battles take the judge's
bias out of it. Minimised is

    (1/n) Σ w ℓ(person) + λ [ (1/N) Σ ℓ(judge, other battles) − (1/n) Σ w ℓ(judge, the same battles) ]

with ℓ the Bradley-Terry loss. Source: Angelopoulos, Duchi & Zrnic (2023), "PPI++: efficient prediction-powered
inference", arXiv:2311.01453; the weights w, target share over sampling probability of a battle's pair, make people's
battles stand for the mix of pairs that the judge saw: arXiv:2508.10149.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from arena.ratings.bradley_terry import chances
from arena.ratings.counts import Floats, Ints, pair_matrix


class Labelled(NamedTuple):
    """Battles that a person and the judge decided, all of shape (n,): models' indices, what the first one won (1, 0, ½) by
    the person and by the judge, and the weight."""

    first: Ints
    second: Ints
    human: Floats
    judge: Floats
    weight: Floats


class Unlabelled(NamedTuple):
    """Other battles that only the judge decided, all of shape (N,)."""

    first: Ints
    second: Ints
    judge: Floats


class PpiFit(NamedTuple):
    """Strengths that sum to zero, shape (K,), their covariance, shape (K, K), and λ, how far the judge was trusted."""

    strengths: Floats
    covariance: Floats
    trust: float


def fit_ppi(models: int, people: Labelled, more: Unlabelled, trust: float | None = None) -> PpiFit:
    """Return strengths and covariance; ``trust`` is λ, tuned where it is not given.

    With λ = 0 it is people's votes alone, weighted. Raises ValueError where the votes bound no finite rating.
    """
    if trust is None:
        trust = _tuned(models, people, more, _solve(models, people, more, 0.0))
    strengths = _solve(models, people, more, trust)
    bread = _inverse(_hessian(models, people, more, strengths, trust))
    filling = _covariance(models, people.first, people.second, _residual(people, strengths, trust))
    filling += trust**2 * _covariance(models, more.first, more.second, more.judge - _chances(more, strengths))
    centre = np.eye(models) - 1 / models
    return PpiFit(strengths, np.asarray(centre @ bread @ filling @ bread @ centre, np.float64), trust)


def _chances(battles: Labelled | Unlabelled, strengths: Floats) -> Floats:
    return chances(strengths, battles.first, battles.second)


def _residual(people: Labelled, strengths: Floats, trust: float) -> Floats:
    """Return each labelled battle's part in the gradient, along the difference of its two models."""
    p = _chances(people, strengths)
    return people.weight * ((people.human - p) - trust * (people.judge - p))


def _solve(models: int, people: Labelled, more: Unlabelled, trust: float) -> Floats:
    """Return the strengths at which the gradient is zero, by Newton's method with halved steps on its length."""
    strengths = np.zeros(models)
    gradient = _gradient(models, people, more, strengths, trust)
    for _ in range(100):
        step = _inverse(_hessian(models, people, more, strengths, trust)) @ gradient
        if np.abs(step).max() < 1e-9:
            return np.asarray(strengths - strengths.mean(), np.float64)
        for _ in range(30):
            further = _gradient(models, people, more, strengths + step, trust)
            if further @ further <= gradient @ gradient:
                break
            step = step / 2
        strengths, gradient = strengths + step, further
        if np.abs(strengths).max() > 50:
            break
    raise ValueError("the votes bound no finite rating")


def _gradient(models: int, people: Labelled, more: Unlabelled, strengths: Floats, trust: float) -> Floats:
    own = _sum(models, people.first, people.second, _residual(people, strengths, trust)) / len(people.first)
    others = _sum(models, more.first, more.second, more.judge - _chances(more, strengths)) / len(more.first)
    return np.asarray(own + trust * others, np.float64)


def _sum(models: int, first: Ints, second: Ints, along: Floats) -> Floats:
    return np.asarray(np.bincount(first, along, models) - np.bincount(second, along, models), np.float64)


def _hessian(models: int, people: Labelled, more: Unlabelled, strengths: Floats, trust: float) -> Floats:
    p, q = _chances(people, strengths), _chances(more, strengths)
    own = pair_matrix(models, people.first, people.second, people.weight * p * (1 - p)) / len(p)
    others = pair_matrix(models, more.first, more.second, q * (1 - q)) / len(q)
    return np.asarray((1 - trust) * own + trust * others, np.float64)


def _inverse(matrix: Floats) -> Floats:
    """Return the inverse with the strengths' sum, which nothing decides, held at zero."""
    return np.asarray(np.linalg.inv(matrix + np.trace(matrix) / len(matrix) ** 2), np.float64)


def _covariance(models: int, first: Ints, second: Ints, along: Floats, other: Floats | None = None) -> Floats:
    """Return the covariance of the mean of battles' gradients, or of two kinds of gradient of the same battles."""
    n = len(first)
    other = along if other is None else other
    squares = pair_matrix(models, first, second, along * other) / n
    means = _sum(models, first, second, along) / n, _sum(models, first, second, other) / n
    return np.asarray((squares - np.outer(*means)) / n, np.float64)


def _tuned(models: int, people: Labelled, more: Unlabelled, strengths: Floats) -> float:
    """Return the λ of the least total variance, in [0, 1].

    Source: PPI++, section 4 (proposition 2): tr(H⁻¹ Cov(person, judge) H⁻¹) over (1 + n/N) tr(H⁻¹ Cov(judge) H⁻¹).
    """
    bread = _inverse(_hessian(models, people, more, strengths, 0.0))
    p = _chances(people, strengths)
    by_people, by_judge = people.weight * (people.human - p), people.weight * (people.judge - p)
    both = _covariance(models, people.first, people.second, by_people, by_judge)
    alone = _covariance(models, people.first, people.second, by_judge)
    alone += _covariance(models, more.first, more.second, more.judge - _chances(more, strengths))
    least = np.trace(bread @ alone @ bread)
    return float(np.clip(np.trace(bread @ both @ bread) / least, 0.0, 1.0)) if least > 0 else 0.0
