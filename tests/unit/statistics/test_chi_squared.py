"""The chi-squared distribution's tail, beside exact values."""

from __future__ import annotations

import math

import pytest

from llmuses.statistics.chi_squared import chi_squared_tail


@pytest.mark.parametrize(
    ("statistic", "freedom", "tail"),
    [(3.841, 1, 0.05), (5.991, 2, 0.05), (16.919, 9, 0.05), (13.816, 2, 0.001), (10.828, 1, 0.001), (4.351, 5, 0.5)],
)
def test_table_values_are_met(statistic: float, freedom: int, tail: float) -> None:
    assert chi_squared_tail(statistic, freedom) == pytest.approx(tail, abs=0.003)


def test_two_degrees_are_the_exponential_distribution() -> None:
    for statistic in (0.5, 1.0, 3.0, 8.0):
        assert chi_squared_tail(statistic, 2) == pytest.approx(math.exp(-statistic / 2), abs=0.006)


def test_a_tail_needs_a_degree_of_freedom() -> None:
    with pytest.raises(ValueError):
        chi_squared_tail(1.0, 0)
