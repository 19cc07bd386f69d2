"""Davidson's model: ties as an outcome of their own, likelier the closer two models are.

A beats B, loses, ties in the proportion π_A : π_B : ν √(π_A π_B), π = exp(θ). Source: Davidson (1970), "On extending the
Bradley-Terry model to accommodate ties in paired comparison experiments", J. American Statistical Association 65(329).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from arena.ratings.counts import Floats, PairCounts, pair_matrix
from arena.ratings.newton import climb


class DavidsonFit(NamedTuple):
    """Strengths that sum to zero, shape (K,), their covariance, shape (K, K), and ν, how common ties are."""

    strengths: Floats
    covariance: Floats
    ties: float


def fit_davidson(counts: PairCounts, squared: PairCounts | None = None) -> DavidsonFit:
    """Return strengths and sandwich covariance by Newton's method with halved steps.

    Where battles are weighed ``counts`` are sums of weights and ``squared`` sums of their squares, which the variance of
    weighted scores goes with. The battles need a tie among them and must link all models (see ``graph.standing``). Raises ValueError where the
    maximum is not finite.
    """
    if not counts.ties.sum():
        raise ValueError("Davidson's model needs ties; there are none")

    def newton(at: Floats) -> Floats:
        gradient, hessian = _derivatives(counts, at)
        return np.asarray(np.linalg.solve(_regular(hessian), gradient), np.float64)

    start = np.zeros(counts.models + 1)
    start[-1] = np.log(2 * counts.ties.sum() / (counts.battles - counts.ties.sum() + 1))
    at = climb(start, lambda there: _log_likelihood(counts, there), newton)
    return _fitted(counts if squared is None else squared, at, _derivatives(counts, at)[1])


def outcome_chances(counts: PairCounts, at: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the chances that the first of each pair wins, loses, ties, each of shape (P,); ``at`` is θ and log ν."""
    half = (at[counts.first] - at[counts.second]) / 2
    logits = np.stack((half, -half, np.full(len(half), at[-1])))
    logits -= logits.max(axis=0)
    shares = np.exp(logits)
    win, loss, tie = shares / shares.sum(axis=0)
    return win, loss, tie


def _log_likelihood(counts: PairCounts, at: Floats) -> float:
    win, loss, tie = (np.log(np.maximum(p, 1e-300)) for p in outcome_chances(counts, at))
    return float(counts.wins @ win + counts.losses @ loss + counts.ties @ tie)


def _derivatives(counts: PairCounts, at: Floats) -> tuple[Floats, Floats]:
    """Return the gradient, shape (K + 1,), and the negative Hessian, shape (K + 1, K + 1).

    Each battle is a draw from three outcomes whose logits are linear in the parameters: x/2, −x/2 and log ν with
    x = θ_A − θ_B. The Hessian is the covariance of that linear statistic.
    """
    models, n = counts.models, counts.total
    win, loss, tie = outcome_chances(counts, at)
    by_gap = (counts.wins - counts.losses - n * (win - loss)) / 2
    gradient = np.zeros(models + 1)
    gradient[:-1] = np.bincount(counts.first, by_gap, models) - np.bincount(counts.second, by_gap, models)
    gradient[-1] = (counts.ties - n * tie).sum()
    gap_gap = n * (win + loss - (win - loss) ** 2) / 4
    gap_tie = -n * (win - loss) * tie / 2
    return gradient, _bordered(counts, gap_gap, gap_tie, float((n * tie * (1 - tie)).sum()))


def _bordered(counts: PairCounts, gap_gap: Floats, gap_tie: Floats, corner: float) -> Floats:
    models = counts.models
    matrix = np.zeros((models + 1, models + 1))
    matrix[:-1, :-1] = pair_matrix(models, counts.first, counts.second, gap_gap)
    border = np.bincount(counts.first, gap_tie, models) - np.bincount(counts.second, gap_tie, models)
    matrix[:-1, -1] = matrix[-1, :-1] = border
    matrix[-1, -1] = corner
    return matrix


def _fitted(squared: PairCounts, at: Floats, hessian: Floats) -> DavidsonFit:
    """Return the fit with H⁻¹ S H⁻¹, S the sum of the outer products of the battles' gradients (White 1982).

    To S the model's own variance is added where a model of the pair only tied, as for Bradley-Terry.
    """
    win, loss, tie = outcome_chances(squared, at)
    numbers = (squared.wins, squared.losses, squared.ties)
    gaps = [(signed - (win - loss)) / 2 for signed in (1.0, -1.0, 0.0)]
    tied = [seen - tie for seen in (0.0, 0.0, 1.0)]
    gap_gap = sum((n * g * g for n, g in zip(numbers, gaps, strict=True)), np.zeros(len(win)))
    own = squared.total * (win + loss - (win - loss) ** 2) / 4
    gap_gap = gap_gap + np.where(squared.without_spread(), own, 0.0)
    gap_tie = sum((n * g * t for n, g, t in zip(numbers, gaps, tied, strict=True)), np.zeros(len(win)))
    corner = sum(float((n * t * t).sum()) for n, t in zip(numbers, tied, strict=True))
    bread = np.linalg.inv(_regular(hessian))
    scores = _bordered(squared, gap_gap, gap_tie, corner)
    centre = np.eye(squared.models) - 1 / squared.models
    covariance = centre @ (bread @ scores @ bread)[:-1, :-1] @ centre
    return DavidsonFit(at[:-1] - at[:-1].mean(), covariance, float(np.exp(at[-1])))


def _regular(hessian: Floats) -> Floats:
    """Return the Hessian with the strengths' sum, which nothing decides, held at zero."""
    regular = hessian.copy()
    models = len(hessian) - 1
    regular[:-1, :-1] += np.trace(hessian[:-1, :-1]) / models**2
    return regular
