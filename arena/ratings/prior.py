"""Bradley-Terry with a normal prior: finite for whatever battles there are, even none.

For matchmaking and for weights, which need strengths before the battles bound any; a board is rated without a prior.
"""

from __future__ import annotations

import numpy as np

from arena.ratings.bradley_terry import Fit, chances, information
from arena.ratings.counts import Floats, PairCounts

_STRIDE = 2.0
"""The longest step that is taken at once: far from the maximum Newton's own can be far too long."""


def fit_with_prior(counts: PairCounts, variance: float, start: Floats | None = None) -> Fit:
    """Return the strengths of highest posterior density and their posterior's covariance (Laplace's approximation).

    ``variance`` of each strength's normal prior is in squared natural logarithms of odds. Source: Bishop (2006), Pattern
    Recognition and Machine Learning, section 4.4.
    """
    models, pull = counts.models, 1 / variance
    strengths = np.zeros(models) if start is None else start.copy()
    won = counts.wins + counts.ties / 2
    for _ in range(100):
        p = chances(strengths, counts.first, counts.second)
        residual = won - counts.total * p
        gradient = np.bincount(counts.first, residual, models) - np.bincount(counts.second, residual, models)
        hessian = information(counts, p) + pull * np.eye(models)
        step = np.linalg.solve(hessian, gradient - pull * strengths)
        strengths = strengths + step * min(1.0, _STRIDE / max(float(np.abs(step).max()), 1e-300))
        if np.abs(step).max() < 1e-8:
            break
    return Fit(np.asarray(strengths, np.float64), np.asarray(np.linalg.inv(hessian), np.float64))
