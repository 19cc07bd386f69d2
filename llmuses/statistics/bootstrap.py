"""The paired bootstrap: for differences of scores that are not just right or wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from llmuses.statistics.paired import Difference, mcnemar, paired_error, paired_proportions

Floats = npt.NDArray[np.float64]

_CELLS = 1 << 21
"""So many draws are held in memory at once."""


class Bootstrap(NamedTuple):
    """A difference with its interval, and the two-sided p-value of there being none."""

    difference: Difference
    p_value: float


def paired_bootstrap(strata: Sequence[Sequence[float]], *, resamples: int = 9_999, seed: int = 0) -> Bootstrap:
    """Return the mean difference of two models over the same questions by the studentised bootstrap.

    ``strata`` holds the differences of the questions' scores, in [-1, 1], one list for each fixed subset; where a
    question was asked several times its score is the mean, so that questions, which are independent, are drawn. Every
    resample draws as many differences from what is left of them without the strata's means, and its mean over its own
    standard error is compared with that of the data; the interval is symmetric and leaves out 0 where p < 0.05. The
    same seed gives the same figures. Where all differences are the same, there is nothing to draw from: they are then
    taken as questions won, lost or alike.
    Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, sections 12.5 and 16.4; symmetric as Hall
    (1988), "On symmetric bootstrap confidence intervals", J. Royal Statistical Society B 50(1). Raises ValueError where
    there is no question.
    """
    filled = [np.asarray(stratum, dtype=np.float64) for stratum in strata if len(stratum) > 0]
    n = sum(map(len, filled))
    if n < 2 * len(filled) or all(np.ptp(stratum) == 0 for stratum in filled):
        filled = [np.concatenate(filled)] if filled else []  # nothing is known of the chance inside a subset
    values: Floats = np.concatenate(filled) if filled else np.zeros(0)
    if n == 0 or np.ptp(values) == 0:
        difference = paired_proportions([values.tolist()])
        lead = round(n * abs(difference.mean))
        return Bootstrap(difference, mcnemar(lead, 0) if difference.mean else 1.0)
    mean = float(values.mean())
    stderr = paired_error([stratum.tolist() for stratum in filled])
    drawn = _ratios(np.concatenate([stratum - stratum.mean() for stratum in filled]), resamples, seed)
    quantile = float(np.sort(drawn)[min(resamples, math.ceil(0.95 * (resamples + 1))) - 1])
    p_value = (1 + int((drawn >= abs(mean) / stderr).sum())) / (resamples + 1)
    reach = quantile * stderr
    return Bootstrap(Difference(mean, stderr, max(-1.0, mean - reach), min(1.0, mean + reach)), p_value)


def _ratios(residuals: Floats, resamples: int, seed: int) -> Floats:
    """Return |mean| over standard error of so many resamples of residuals, whose mean is 0."""
    rng = np.random.default_rng(seed)
    n = len(residuals)
    ratios = np.empty(resamples)
    step = max(1, _CELLS // n)
    for start in range(0, resamples, step):
        drawn = residuals[rng.integers(0, n, size=(min(step, resamples - start), n), dtype=np.uint32)]
        means = drawn.mean(axis=1)
        errors = drawn.std(axis=1, ddof=1) / math.sqrt(n)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios[start : start + len(means)] = np.where(means == 0, 0.0, np.abs(means) / errors)
    return ratios
