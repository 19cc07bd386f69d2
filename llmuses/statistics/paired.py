"""Two models on the same questions: the difference of their means, its interval, and whether it may be chance.

Pure functions, each with its source. Scores are fractions, a difference is that of two scores.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

from llmuses.statistics.intervals import Z95


class Difference(NamedTuple):
    """The difference of two means over the same questions, its standard error, and its 95% interval; in [-1, 1]."""

    mean: float
    stderr: float
    low: float
    high: float


def paired_proportions(strata: Sequence[Sequence[float]], z: float = Z95) -> Difference:
    """Return the difference of two shares of right answers with its interval, ``z`` standard errors to each side.

    ``strata`` holds the differences of the questions (1 won, -1 lost, 0 alike), one list for each fixed subset; the
    mean weighs every question the same. One more question won and one more lost are counted in, so that models that
    nearly always agree do not count as certainly equal.
    Source: Bonett & Price (2012), "Adjusted Wald confidence interval for a difference of binomial proportions based on
    paired data", J. Educational and Behavioral Statistics 37(4); with more than one stratum less what lies between
    these, as Cochran (1977), Sampling Techniques, section 5.4. Raises ValueError where there is no question.
    """
    n = sum(map(len, strata))
    if n == 0:
        raise ValueError("a difference needs at least one question")
    mean = math.fsum(value for stratum in strata for value in stratum) / n
    centre = mean * n / (n + 2)
    squares = math.fsum(value * value for stratum in strata for value in stratum) + 2 - (n + 2) * centre * centre
    stderr = math.sqrt(max(squares - between_strata(strata), 0.0)) / (n + 2)
    low, high = centre - z * stderr, centre + z * stderr
    return Difference(mean, stderr, max(-1.0, min(low, mean)), min(1.0, max(high, mean)))


def between_strata(strata: Sequence[Sequence[float]]) -> float:
    """Return the sum of squares between the strata's means beyond what chance inside them would make it; 0 or more.

    It is no part of the error where the strata are fixed. Source: the analysis of variance in one way, such as
    Cochran (1977), section 5.5.
    """
    filled = [stratum for stratum in strata if len(stratum) > 0]
    n = sum(map(len, filled))
    if len(filled) < 2 or n <= len(filled):
        return 0.0
    mean = math.fsum(value for stratum in filled for value in stratum) / n
    means = [math.fsum(stratum) / len(stratum) for stratum in filled]
    between = sum(len(stratum) * (own - mean) ** 2 for stratum, own in zip(filled, means, strict=True))
    within = sum((value - own) ** 2 for stratum, own in zip(filled, means, strict=True) for value in stratum)
    return max(0.0, between - (len(filled) - 1) * within / (n - len(filled)))


def paired_error(strata: Sequence[Sequence[float]]) -> float:
    """Return the standard error of the mean of differences of any scores, less what lies between fixed subsets.

    Source: Cochran (1977), section 5.4. Raises ValueError for fewer than two questions.
    """
    values = [value for stratum in strata for value in stratum]
    n = len(values)
    if n < 2:
        raise ValueError("a standard error needs at least two questions")
    mean = math.fsum(values) / n
    squares = math.fsum((value - mean) ** 2 for value in values) - between_strata(strata)
    return math.sqrt(max(squares, 0.0) / (n - 1) / n)


def mcnemar(won: int, lost: int) -> float:
    """Return the two-sided mid-p value of McNemar's test on ``won`` and ``lost`` questions; ties say nothing.

    Under the hypothesis that the models are equally good, a question on which they differ is won with chance 1/2. The
    mid-p value counts what was observed by half: it keeps the 5% level where the exact test stays far under it.
    Source: Fagerland, Lydersen & Laake (2013), "The McNemar test for binary matched-pairs data: mid-p and asymptotic
    are better than exact conditional", BMC Medical Research Methodology 13:91. Raises ValueError for a number below 0.
    """
    if won < 0 or lost < 0:
        raise ValueError("a number of questions is 0 or more")
    if won == lost == 0:
        return 1.0
    n, fewer = won + lost, min(won, lost)
    logs = math.lgamma(n + 1) - math.lgamma(fewer + 1) - math.lgamma(n - fewer + 1) - n * math.log(2)
    point = math.exp(logs)
    if won == lost:
        return 1 - point / 2
    below, term = 0.0, point
    for count in range(fewer, 0, -1):
        term *= count / (n - count + 1)
        below += term
        if term < 1e-17 * below:
            break
    return min(1.0, 2 * below + point)


def detectable_paired(stderr: float, comparisons: int = 1) -> float:
    """Return the smallest true difference that a paired test with this standard error finds with 80% power.

    At the two-sided 5% level, shared by so many comparisons as are made at once (Bonferroni). The standard error holds
    how often the two models were observed to disagree. Source: Connor (1987), "Sample size for testing differences in
    proportions for the paired-sample design", Biometrics 43, solved for the difference.
    """
    normal = NormalDist()
    return min(1.0, (normal.inv_cdf(1 - 0.025 / comparisons) + normal.inv_cdf(0.8)) * stderr)
