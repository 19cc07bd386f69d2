"""Ranks as ranges, from simultaneous intervals of all differences of strengths."""

from __future__ import annotations

import numpy as np

from arena.ratings.counts import Floats, Ints

_DRAWS, _BLOCK = 1000, 250


def critical_value(covariance: Floats, level: float = 0.95, seed: int = 0) -> float:
    """Return how many standard errors wide intervals of all pairwise differences must be to hold all at once.

    The quantile of max |z| over all pairs, by drawing from the normal distribution with this covariance, shape (K, K).
    Source: Hothorn, Bretz & Westfall (2008), "Simultaneous inference in general parametric models", Biometrical J.
    50(3). For two models it is the normal distribution's own 1.96.
    """
    models = len(covariance)
    if models < 2:
        return 0.0
    values, vectors = np.linalg.eigh(covariance)
    root = np.asarray(vectors * np.sqrt(np.maximum(values, 0)), np.float32)
    errors = np.asarray(difference_errors(covariance), np.float32)
    scale = np.divide(1, errors, out=np.zeros_like(errors), where=errors > 0)
    generator = np.random.default_rng(seed)
    largest = np.zeros(_DRAWS, np.float32)
    room = np.empty((models, _BLOCK), np.float32)
    for begin in range(0, _DRAWS, _BLOCK):
        drawn = root @ generator.standard_normal((models, _BLOCK), dtype=np.float32)
        here = largest[begin : begin + _BLOCK]
        for model in range(models - 1):  # with all that come after it
            gap = room[model + 1 :]
            np.subtract(drawn[model + 1 :], drawn[model], out=gap)
            np.abs(gap, out=gap)
            gap *= scale[model, model + 1 :, None]
            np.maximum(here, gap.max(axis=0), out=here)
    return float(np.quantile(largest, level))


def difference_errors(covariance: Floats) -> Floats:
    """Return the standard errors of all differences of strengths, shape (K, K)."""
    own = np.diag(covariance)
    return np.sqrt(np.maximum(own[:, None] + own[None, :] - 2 * covariance, 0))


def rank_ranges(strengths: Floats, covariance: Floats, level: float = 0.95) -> Ints:
    """Return each model's best and worst rank that the battles allow, all at once, shape (K, 2), from 1.

    The best is one more than the models that are certainly stronger, the worst K less those certainly weaker. Source:
    Mogstad, Romano, Shaikh & Wilhelm (2024), "Inference for ranks with applications to mobility across neighbourhoods
    and academic achievement across countries", Review of Economic Studies 91(1).
    """
    reach = critical_value(covariance, level) * difference_errors(covariance)
    gap = strengths[None, :] - strengths[:, None]
    stronger, weaker = (gap > reach).sum(axis=1), (-gap > reach).sum(axis=1)
    return np.stack((1 + stronger, len(strengths) - weaker), axis=1).astype(np.int64)
