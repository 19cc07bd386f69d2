"""The tail of the chi-squared distribution."""

from __future__ import annotations

import math


def chi_squared_tail(statistic: float, freedom: int) -> float:
    """Return the chance of a larger value under the chi-squared distribution with ``freedom`` degrees, to about 0.001.

    Its cube root is close to normal. Source: Wilson & Hilferty (1931), "The distribution of chi-square", PNAS 17(12).
    Raises ValueError for less than one degree.
    """
    if freedom < 1:
        raise ValueError("the chi-squared distribution needs at least one degree of freedom")
    spread = 2 / (9 * freedom)
    z = ((max(statistic, 0.0) / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return math.erfc(z / math.sqrt(2)) / 2
