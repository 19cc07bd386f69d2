"""Many comparisons at once: corrected p-values, and ranks from simultaneous intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from llmuses.statistics.intervals import student_t975

Floats = npt.NDArray[np.float64]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for there being several, in the same order: each at least as large, none above 1.

    The chance that any true hypothesis is rejected stays under the level, whatever depends on what.
    Source: Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian J. of Statistics 6(2).
    """
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for done, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - done) * p_values[index]))
        corrected[index] = largest
    return corrected


def simultaneous_quantile(scores: Floats, strata: Sequence[int] | None = None, *, seed: int = 0) -> float:
    """Return how many standard errors wide, to each side, intervals of all pairs' differences are to hold all at once.

    ``scores`` has a row for each of two or more models and a column for each question; ``strata`` numbers the fixed
    subset of each column. The 95% point of the largest |t| among all pairs, from 20,000 draws of the multivariate t
    distribution with the correlation that the models' scores have; at most Bonferroni's, since answers to the same
    questions are alike.
    Source: Hothorn, Bretz & Westfall (2008), "Simultaneous inference in general parametric models", Biometrical J. 50(3).
    Raises ValueError for fewer than two models or questions.
    """
    models, n = scores.shape
    if models < 2 or n < 2:
        raise ValueError("pairs need at least two models and two questions")
    centred = scores - scores.mean(axis=1, keepdims=True)
    if strata is not None and n >= 2 * len(set(strata)):
        labels = np.unique(np.asarray(strata), return_inverse=True)[1]
        sizes = np.bincount(labels)
        means = np.stack([np.bincount(labels, weights=row) / sizes for row in scores])
        centred = scores - means[:, labels]
    first, second = np.triu_indices(models, 1)
    covariance = centred @ centred.T
    variances = covariance[first, first] + covariance[second, second] - 2 * covariance[first, second]
    known = variances > 1e-12 * n  # models that always agree are no comparison
    first, second, spread = first[known], second[known], np.sqrt(variances[known])
    if not len(first):
        return student_t975(n - 1)
    rng = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    largest = np.empty(20_000)
    step = max(1, (1 << 21) // len(first))
    for start in range(0, len(largest), step):
        drawn = rng.standard_normal((min(step, len(largest) - start), models)) @ root.T
        ratios = np.abs(drawn[:, first] - drawn[:, second]) / spread
        largest[start : start + len(ratios)] = ratios.max(axis=1)
    largest /= np.sqrt(rng.chisquare(n - 1, size=len(largest)) / (n - 1))
    return float(np.quantile(largest, 0.95))


def rank_ranges(ahead: Sequence[Sequence[bool]]) -> list[tuple[int, int]]:
    """Return the best and the worst rank that each model may have, from 1.

    ``ahead[i][j]`` says that model i is better than j by simultaneous intervals of all differences; then with 95%
    confidence all ranges hold the true ranks at once. Source: Mogstad, Romano, Shaikh & Wilhelm (2024), "Inference for
    ranks with applications to mobility across neighbourhoods and academic achievement across countries", Review of
    Economic Studies 91(1).
    """
    models = range(len(ahead))
    better = [sum(ahead[j][i] for j in models) for i in models]
    worse = [sum(ahead[i][j] for j in models) for i in models]
    return [(1 + better[i], len(ahead) - worse[i]) for i in models]
