"""Many comparisons at once: Holm's correction, and ranks that hold all together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.statistics.intervals import Z95
from llmuses.statistics.multiple import holm, rank_ranges, simultaneous_quantile
from llmuses.statistics.paired import paired_proportions


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [  # statsmodels.stats.multitest.multipletests(p_values, method="holm")
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.2, 0.8, 0.5], [0.6, 1.0, 1.0]),
        ([0.001, 0.001, 0.9, 0.04, 0.013], [0.005, 0.005, 0.9, 0.08, 0.039]),
        ([0.03], [0.03]),
        ([], []),
    ],
)
def test_holms_correction_is_that_of_statsmodels(p_values: list[float], corrected: list[float]) -> None:
    assert holm(p_values) == pytest.approx(corrected)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_a_corrected_p_value_is_never_smaller_and_never_changes_places(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, corrected, strict=True))
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [corrected[index] for index in order] == sorted(corrected)


@pytest.mark.parametrize(
    ("models", "quantile"),
    [(3, 2.3437), (5, 2.7277), (10, 3.1637)],  # scipy.stats.studentized_range.ppf(0.95, models, inf) / sqrt(2)
)
def test_models_that_err_independently_need_tukeys_quantile(models: int, quantile: float) -> None:
    scores = np.random.default_rng(1).normal(size=(models, 40_000))
    assert simultaneous_quantile(scores) == pytest.approx(quantile, rel=0.02)


def test_two_models_are_one_comparison() -> None:
    scores = np.random.default_rng(1).normal(size=(2, 5_000))
    assert simultaneous_quantile(scores) == pytest.approx(Z95, rel=0.02)


def test_twins_are_one_comparison_and_models_that_always_agree_none() -> None:
    first, second = np.random.default_rng(1).normal(size=(2, 5_000))
    assert simultaneous_quantile(np.stack([first, second, second])) == pytest.approx(Z95, rel=0.02)
    assert simultaneous_quantile(np.ones((3, 5_000))) == pytest.approx(Z95, rel=0.001)


def test_few_questions_need_more() -> None:
    scores = np.random.default_rng(1).normal(size=(4, 31))
    assert simultaneous_quantile(scores) > 2.5


def test_fixed_subsets_are_no_likeness_of_models() -> None:
    # Three models that all find one subset hard: without the subsets' means they err independently.
    rng = np.random.default_rng(3)
    strata = np.repeat([0, 1], 10_000)
    scores = rng.normal(size=(3, 20_000)) * np.array([[3.0], [1.0], [0.1]]) + 5 * strata
    assert simultaneous_quantile(scores, strata.tolist()) < simultaneous_quantile(rng.normal(size=(3, 20_000)))


@pytest.mark.parametrize("shape", [(1, 10), (3, 1)])
def test_one_model_or_one_question_gives_no_pair(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least two"):
        simultaneous_quantile(np.zeros(shape))


def test_a_rank_is_as_wide_as_what_is_not_told_apart() -> None:
    nothing = [[False] * 3 for _ in range(3)]
    assert rank_ranges(nothing) == [(1, 3)] * 3
    clear = [[False, True, True], [False, False, True], [False, False, False]]
    assert rank_ranges(clear) == [(1, 1), (2, 2), (3, 3)]
    best_alone = [[False, True, True], [False, False, False], [False, False, False]]
    assert rank_ranges(best_alone) == [(1, 1), (2, 3), (2, 3)]


def test_in_19_of_20_samples_nobody_is_put_ahead_who_is_not() -> None:
    # Four equally good models, and questions that are hard for all of them.
    rng = np.random.default_rng(4)
    wrong, draws, n = 0, 250, 150
    for _ in range(draws):
        ease = rng.beta(2, 1, n)
        scores = (rng.random((4, n)) < ease).astype(float)
        quantile = simultaneous_quantile(scores)
        pairs = [paired_proportions([(scores[i] - scores[j]).tolist()]) for i in range(4) for j in range(i)]
        wrong += any(abs(pair.mean) > quantile * pair.stderr for pair in pairs)
    assert wrong / draws <= 0.08
