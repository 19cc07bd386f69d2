"""pass@k: the values of its definition, and that it is unbiased and its interval covers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.statistics.intervals import cluster_stratum, stratified
from llmuses.statistics.pass_at_k import pass_at_k


@pytest.mark.parametrize(
    ("n", "correct", "k", "value"),
    [  # 1 - C(n - c, k) / C(n, k) with exact binomial coefficients
        (1, 1, 1, 1.0),
        (10, 3, 1, 0.3),
        (10, 3, 5, 0.9166666666666666),
        (5, 0, 5, 0.0),
        (20, 20, 10, 1.0),
        (100, 50, 10, 0.9994065803274141),
        (200, 13, 100, 0.9999194971988055),
        (1000, 1, 10, 0.01),
    ],
)
def test_it_has_the_values_of_its_definition(n: int, correct: int, k: int, value: float) -> None:
    assert pass_at_k(n, correct, k) == pytest.approx(value, rel=1e-12)


def test_many_answers_overflow_nothing() -> None:
    assert pass_at_k(100_000, 1, 50_000) == pytest.approx(0.5)
    assert 0 < pass_at_k(100_000, 99, 1) < 1e-3


@pytest.mark.parametrize(("n", "correct", "k"), [(4, 2, 5), (4, 2, 0), (4, 5, 1), (4, -1, 1), (0, 0, 1)])
def test_what_cannot_be_is_refused(n: int, correct: int, k: int) -> None:
    with pytest.raises(ValueError):
        pass_at_k(n, correct, k)


@given(st.integers(1, 60), st.data())
def test_it_grows_with_what_is_right_and_with_the_tries(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, n))
    correct = data.draw(st.integers(0, n))
    value = pass_at_k(n, correct, k)
    assert 0 <= value <= 1
    assert value == pytest.approx(1 - math.comb(n - correct, k) / math.comb(n, k), abs=1e-12)
    if correct < n:
        assert pass_at_k(n, correct + 1, k) >= value
    if k < n:
        assert pass_at_k(n, correct, k + 1) >= value


@given(st.integers(1, 60), st.data())
def test_pass_at_1_is_the_share_of_right_answers(n: int, data: st.DataObject) -> None:
    correct = data.draw(st.integers(0, n))
    assert pass_at_k(n, correct, 1) == pytest.approx(correct / n)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_over_all_outcomes_its_mean_is_the_chance_that_one_of_k_is_right(k: int) -> None:
    n, p = 12, 0.17
    mean = sum(math.comb(n, c) * p**c * (1 - p) ** (n - c) * pass_at_k(n, c, k) for c in range(n + 1))
    assert mean == pytest.approx(1 - (1 - p) ** k)


@pytest.mark.parametrize(("questions", "n", "k"), [(40, 10, 5), (164, 10, 1), (164, 20, 10), (500, 4, 2)])
def test_its_mean_over_questions_is_covered(questions: int, n: int, k: int) -> None:
    # Each question has a chance of its own: some are nearly always solved, some nearly never.
    rng = np.random.default_rng(6)
    table = [pass_at_k(n, correct, k) for correct in range(n + 1)]
    a, b, draws, hits = 0.7, 0.9, 1200, 0
    truth = 1 - math.prod((b + i) / (a + b + i) for i in range(k))
    for counts in rng.binomial(n, rng.beta(a, b, (draws, questions))):
        values = [table[count] for count in counts]
        interval = stratified([cluster_stratum(values, [1] * questions)])
        hits += interval.low <= truth <= interval.high
    assert 0.93 <= hits / draws <= 0.97
