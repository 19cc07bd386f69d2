"""Confidence intervals for a mean of scores in [0, 1]. Pure functions, each with its source."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

Z95 = 1.959963984540054
"""The 97.5% point of the standard normal distribution."""


_Z80 = 0.8416212335729143
"""The 80% point: the power that a detectable difference is found with."""


class Stratum(NamedTuple):
    """One fixed subset of a dataset: how many scores, their sum, the sum of their squares.

    ``widening`` is by how much the interval, not the standard error, is wider than the normal distribution has it.
    """

    n: int
    total: float
    squares: float
    widening: float = 1.0


class Interval(NamedTuple):
    """A mean, its standard error, and its 95% confidence interval; all fractions."""

    mean: float
    stderr: float
    low: float
    high: float


def wilson(successes: float, n: float, z: float = Z95) -> tuple[float, float]:
    """Return Wilson's score interval for a proportion of ``successes`` in ``n`` independent trials.

    ``n`` may be fractional (an effective sample size). Raises ValueError for n <= 0.
    Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22.
    """
    if n <= 0:
        raise ValueError("an interval needs at least one trial")
    p = min(1.0, max(0.0, successes / n))
    centre = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At p = 0 and 1 the bound is exact; rounding must not push it past.
    low = 0.0 if p <= 0 else max(0.0, (centre - half) / scale)
    high = 1.0 if p >= 1 else min(1.0, (centre + half) / scale)
    return min(low, p), max(high, p)


def wilson_from_variance(mean: float, variance: float, n: float) -> Interval:
    """Return Wilson's interval on the effective sample size that a design's variance of the mean stands for.

    The effective size is p(1 - p) / variance: what simple random sampling would have needed for that variance. It is
    kept at 1 or above; where all scores are equal, so that the variance is estimated as zero, it is ``n``.
    Source: Franco, Little, Louis & Slud (2019), "Comparative study of confidence intervals for proportions in complex
    sample surveys", J. Survey Statistics and Methodology 7(3), the modified Wilson interval.
    """
    binomial = mean * (1 - mean)
    effective = binomial / variance if variance > 0 and binomial > 0 else float(n)
    effective = max(effective, 1.0)
    low, high = wilson(mean * effective, effective)
    return Interval(mean, math.sqrt(max(variance, 0.0)), min(low, mean), max(high, mean))


def stratified(strata: Sequence[Stratum], weights: Sequence[float] | None = None) -> Interval:
    """Return the interval of a weighted mean over fixed strata, such as the subjects of MMLU.

    ``weights`` are relative; without them each stratum weighs by its size, which gives the plain mean. Strata without
    a score are left out. The variance is the sum of w² s² / n, with s² the variance of the scores inside a stratum; it
    is smaller than the binomial one, since which subjects there are is not left to chance.
    Source: Cochran (1977), Sampling Techniques, 3rd ed., section 5.4. Raises ValueError where there is no score.
    """
    shares = [stratum.n for stratum in strata] if weights is None else weights
    filled = [(stratum, share) for stratum, share in zip(strata, shares, strict=True) if stratum.n > 0]
    whole = sum(share for _, share in filled)
    if whole <= 0:
        raise ValueError("an interval needs at least one score with a weight")
    n = sum(stratum.n for stratum, _ in filled)
    total, squares = sum(s.total for s, _ in filled), sum(s.squares for s, _ in filled)
    pooled = _squared_deviations(Stratum(n, total, squares)) / (n - 1) if n > 1 else 0.25
    mean = sum(share / whole * stratum.total / stratum.n for stratum, share in filled)
    parts = [((share / whole) ** 2 * _variance(s, pooled) / s.n, s.widening) for s, share in filled]
    effective = 1 / sum((share / whole) ** 2 / stratum.n for stratum, share in filled)
    widened = sum(variance * widening * widening for variance, widening in parts)
    interval = wilson_from_variance(min(1.0, max(0.0, mean)), widened, effective)
    return interval._replace(stderr=math.sqrt(sum(variance for variance, _ in parts)))


def _variance(stratum: Stratum, pooled: float) -> float:
    """Return a stratum's variance of scores, with that of all scores pooled counted in like two more scores.

    The scores of a small stratum often all agree; their own variance of 0 would make it count as certain. As Agresti
    & Coull (1998), "Approximate is better than exact", The American Statistician 52, do for a single proportion.
    """
    return (_squared_deviations(stratum) + 2 * pooled) / (stratum.n + 1)


def _squared_deviations(stratum: Stratum) -> float:
    return max(0.0, stratum.squares - stratum.total * stratum.total / stratum.n)


def cluster_stratum(totals: Sequence[float], sizes: Sequence[int]) -> Stratum:
    """Return scores that come in clusters (a shared passage, repeats of one question) as a stratum for ``stratified``.

    ``totals`` and ``sizes`` hold each cluster's sum of scores and number of scores. Each cluster becomes one
    pseudo-value: the mean of all scores plus the cluster's residual, scaled. The mean of these is the plain mean of the
    scores, and their sample variance over their number is the cluster-robust variance of it, with G / (G - 1). Student's
    t with G - 1 degrees of freedom widens the interval.
    Source: Cochran (1977), section 9A; Cameron & Miller (2015), "A practitioner's guide to cluster-robust inference",
    J. Human Resources 50(2), sections II and VI.
    """
    filled = [(total, size) for total, size in zip(totals, sizes, strict=True) if size > 0]
    n = sum(size for _, size in filled)
    if n == 0:
        return Stratum(0, 0.0, 0.0)
    mean = sum(total for total, _ in filled) / n
    values = [mean + (total - mean * size) * len(filled) / n for total, size in filled]
    widening = student_t975(len(values) - 1) / Z95 if len(values) > 1 else 1.0
    return Stratum(len(values), sum(values), sum(value * value for value in values), widening)


def student_t975(degrees: int) -> float:
    """Return the 97.5% point of Student's t, within 0.13% for 3 degrees of freedom and 0.04% from 4 on.

    Source: the Cornish-Fisher expansion, Abramowitz & Stegun (1964), 26.7.5; exact values for 1 and 2 degrees. Raises
    ValueError below 1.
    """
    if degrees < 1:
        raise ValueError("Student's t needs at least one degree of freedom")
    if degrees < 3:
        return {1: 12.706204736, 2: 4.302652730}[degrees]
    z, d = Z95, degrees
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    fourth = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + first / d + second / d**2 + third / d**3 + fourth / d**4


def detectable_difference(p: float, n: int) -> float:
    """Return the smallest true difference between two models that a paired test on ``n`` questions finds.

    With 80% power at the two-sided 5% level. Two models near accuracy ``p`` that erred independently would disagree on
    2 p (1 - p) of the questions; real ones share hard questions, and half of that is taken. Source: Connor (1987),
    "Sample size for testing differences in proportions for the paired-sample design", Biometrics 43, solved for the
    difference, which is taken as small beside the disagreement. Raises ValueError for n <= 0.
    """
    if n <= 0:
        raise ValueError("a difference needs at least one question")
    discordant = max(p * (1 - p), 1 / (4 * n))
    return min(1.0, (Z95 + _Z80) * math.sqrt(discordant / n))
