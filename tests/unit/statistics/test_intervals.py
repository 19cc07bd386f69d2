"""Confidence intervals: known values, properties, and that they cover what they promise to cover."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.statistics.intervals import (
    Interval,
    Stratum,
    cluster_stratum,
    detectable_difference,
    stratified,
    student_t975,
    wilson,
    wilson_from_variance,
)


def right(n: int, total: float) -> Stratum:
    """A stratum of n answers of which so many are right."""
    return Stratum(n, total, total)


# --- known values ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # solved by hand: z² / (n + z²) from the end
        (20, 20, 0.8389, 1.0000),
        (5, 10, 0.2366, 0.7634),
    ],
)
def test_wilsons_interval_has_its_published_values(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilsons_interval_of_none_and_of_all_right_touches_the_end_exactly() -> None:
    assert wilson(0, 7)[0] == 0.0
    assert wilson(7, 7)[1] == 1.0


def test_a_stratified_standard_error_is_cochrans() -> None:
    # Two strata of many scores: s² is p (1 - p) n / (n - 1), the two borrowed scores weigh next to nothing.
    interval = stratified([right(20_000, 16_000), right(10_000, 2_000)])
    expected = math.sqrt((2 / 3) ** 2 * 0.16 / 20_000 + (1 / 3) ** 2 * 0.16 / 10_000)
    assert interval.mean == pytest.approx(0.6)
    assert interval.stderr == pytest.approx(expected, rel=1e-3)
    assert interval.low == pytest.approx(0.6 - 1.96 * expected, abs=2e-5)
    assert interval.high == pytest.approx(0.6 + 1.96 * expected, abs=2e-5)


def test_a_single_stratum_gives_nearly_wilsons_own_interval() -> None:
    interval = stratified([right(200, 130)])
    assert (interval.low, interval.high) == pytest.approx(wilson(130, 200), abs=1e-3)


def test_the_plain_mean_weighs_each_stratum_by_its_size_and_weights_are_relative() -> None:
    strata = [right(10, 9), right(30, 6)]
    assert stratified(strata).mean == pytest.approx(15 / 40)
    assert stratified(strata, [0.5, 0.5]).mean == pytest.approx((0.9 + 0.2) / 2)
    assert stratified(strata, [7, 7]) == pytest.approx(stratified(strata, [0.5, 0.5]))


def test_a_stratum_without_a_score_changes_nothing() -> None:
    strata = [right(10, 9), right(30, 6)]
    assert stratified([*strata, right(0, 0)]) == stratified(strata)
    assert stratified([right(0, 0), *strata], [1, 1, 1]) == stratified(strata, [1, 1])


def test_a_small_stratum_whose_scores_all_agree_does_not_count_as_certain() -> None:
    interval = stratified([right(5, 5), right(1000, 500)], [0.5, 0.5])
    assert interval.stderr > 0.05


def test_strata_that_differ_give_a_smaller_error_than_plain_sampling() -> None:
    strata = [right(500, 475), right(500, 50)]
    assert stratified(strata).stderr < 0.7 * math.sqrt(0.525 * 0.475 / 1000)


@pytest.mark.parametrize(
    ("degrees", "value"),
    [(1, 12.7062), (2, 4.3027), (4, 2.7764), (5, 2.5706), (10, 2.2281), (30, 2.0423), (120, 1.9799), (10**6, 1.95997)],
)
def test_students_t_has_its_table_values(degrees: int, value: float) -> None:
    assert student_t975(degrees) == pytest.approx(value, rel=5e-4)


def test_students_t_of_three_degrees_is_near_its_table_value() -> None:
    assert student_t975(3) == pytest.approx(3.18245, rel=1.3e-3)


def test_students_t_falls_towards_the_normal_distribution() -> None:
    values = [student_t975(degrees) for degrees in range(1, 200)]
    assert values == sorted(values, reverse=True)
    assert values[-1] > 1.9599639
    with pytest.raises(ValueError, match="degree"):
        student_t975(0)


def clustered(totals: Sequence[float], sizes: Sequence[int]) -> Interval:
    return stratified([cluster_stratum(totals, sizes)])


def test_a_clustered_standard_error_is_the_one_worked_out_by_hand() -> None:
    # mean 0.6; residuals 0.8, -1.2, 0.4: G / (G - 1) · 2.24 / 10²
    interval = clustered([2.0, 0.0, 4.0], [2, 2, 6])
    assert interval.mean == pytest.approx(0.6)
    assert interval.stderr == pytest.approx(math.sqrt(3 / 2 * (0.64 + 1.44 + 0.16) / 100))


def test_clusters_of_one_are_independent_scores_with_students_t() -> None:
    scores = [1.0] * 65 + [0.0] * 35
    interval = clustered(scores, [1] * 100)
    assert interval.stderr == pytest.approx(math.sqrt(0.65 * 0.35 / 99))
    assert (interval.low, interval.high) == pytest.approx(wilson(65, 100), abs=3e-3)


def test_answers_that_only_repeat_each_other_count_once() -> None:
    once = clustered([1.0] * 30 + [0.0] * 20, [1] * 50)
    tenfold = clustered([10.0] * 30 + [0.0] * 20, [10] * 50)
    assert tenfold == pytest.approx(once)


def test_a_single_cluster_says_little() -> None:
    interval = clustered([8.0], [10])
    assert interval.mean == pytest.approx(0.8)
    assert interval.high - interval.low > 0.7
    assert interval.stderr == 0.5


@pytest.mark.parametrize("call", [lambda: stratified([]), lambda: stratified([right(0, 0)]), lambda: clustered([], [])])
def test_no_score_has_no_interval(call: object) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match="at least one score"):
        call()


def test_no_trial_and_no_question_are_refused() -> None:
    with pytest.raises(ValueError, match="trial"):
        wilson(0, 0)
    with pytest.raises(ValueError, match="question"):
        detectable_difference(0.5, 0)


# --- properties --------------------------------------------------------------------------------------------


def assert_sound(interval: Interval) -> None:
    mean, stderr, low, high = interval
    assert 0 <= low <= mean <= high <= 1
    assert stderr >= 0
    assert low < high


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_wilsons_bounds_are_inside_and_around_the_share(n: int, share: float) -> None:
    low, high = wilson(share * n, n)
    assert 0 <= low <= share * n / n <= high <= 1


@given(st.integers(1, 500), st.data())
def test_wilsons_bounds_grow_with_the_successes_and_close_in_with_the_trials(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    low, high = wilson(k, n)
    if k < n:
        more = wilson(k + 1, n)
        assert more[0] > low or low == 0
        assert more[1] > high or high == 1
    wide = wilson(10 * k, 10 * n)
    assert wide[1] - wide[0] < high - low
    mirrored = wilson(n - k, n)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 10**6))
def test_any_variance_gives_a_sound_interval(mean: float, variance: float, n: int) -> None:
    mean_, _, low, high = wilson_from_variance(mean, variance, n)
    assert 0 <= low <= mean_ <= high <= 1


scores = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(st.lists(scores, min_size=1, max_size=8), st.data())
def test_any_strata_give_a_sound_interval(groups: list[list[float]], data: st.DataObject) -> None:
    strata = [Stratum(len(group), math.fsum(group), math.fsum(x * x for x in group)) for group in groups]
    assert_sound(stratified(strata))
    weights = data.draw(st.lists(st.floats(0.01, 10), min_size=len(groups), max_size=len(groups)))
    assert_sound(stratified(strata, weights))


@given(st.lists(scores, min_size=1, max_size=8))
def test_any_clusters_give_a_sound_interval(groups: list[list[float]]) -> None:
    assert_sound(clustered([math.fsum(group) for group in groups], [len(group) for group in groups]))


def test_a_detectable_difference_shrinks_with_the_questions_and_is_never_nothing() -> None:
    values = [detectable_difference(0.6, n) for n in (10, 100, 1_000, 14_042)]
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(0.0116, abs=1e-4)
    assert detectable_difference(1.0, 100) > 0
    assert detectable_difference(0.5, 1) == 1.0


def test_a_paired_test_finds_the_detectable_difference_four_times_out_of_five() -> None:
    rng = np.random.default_rng(5)
    n, p = 1000, 0.6
    difference = detectable_difference(p, n)
    disagree = p * (1 - p)
    better, worse = (disagree + difference) / 2, (disagree - difference) / 2
    counts = rng.multinomial(n, [better, worse, 1 - better - worse], size=4000)
    statistic = (counts[:, 0] - counts[:, 1]) / np.sqrt(counts[:, 0] + counts[:, 1])
    assert np.mean(np.abs(statistic) > 1.96) == pytest.approx(0.80, abs=0.03)


# --- coverage: how often the interval holds the truth that the data were drawn from ---------------------------

RNG = np.random.default_rng(20260101)
SUBJECTS = np.concatenate([RNG.integers(100, 300, 45), RNG.integers(300, 1600, 12)])
"""As uneven as the 57 subjects of MMLU."""
ABILITY = np.clip(RNG.normal(0.62, 0.16, 57), 0.15, 0.97)


def coverage(sizes: Sequence[int], chances: Sequence[float], weights: Sequence[float] | None, draws: int) -> float:
    rng = np.random.default_rng(3)
    shares = np.array(sizes) / sum(sizes) if weights is None else np.array(weights) / sum(weights)
    truth = float(shares @ np.array(chances))
    hits = 0
    for totals in rng.binomial(sizes, chances, size=(draws, len(sizes))):
        interval = stratified([right(int(n), float(k)) for n, k in zip(sizes, totals, strict=True)], weights)
        hits += interval.low <= truth <= interval.high
    return hits / draws


@pytest.mark.parametrize("p", [0.25, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("n", [30, 100, 1319])
def test_wilson_covers_a_plain_accuracy(n: int, p: float) -> None:
    # Exact: the chance of each count, summed over the counts whose interval holds p. It swings around 95%, since
    # counts are whole numbers; over neighbouring accuracies it comes to that on average.
    def covered(p: float) -> float:
        log_p, log_q = math.log(p), math.log1p(-p)
        chances = [
            math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * log_p + (n - k) * log_q)
            for k in range(n + 1)
        ]
        return sum(c for k, c in enumerate(chances) if wilson(k, n)[0] <= p <= wilson(k, n)[1])

    near = [covered(p + shift) for shift in np.linspace(-0.02, 0.02, 9)]
    assert 0.94 <= sum(near) / len(near) <= 0.97
    assert min(near) > 0.91


@pytest.mark.parametrize("weights", [None, [1.0] * 57], ids=["weighted by size", "unweighted"])
def test_a_mean_over_57_subjects_is_covered(weights: list[float] | None) -> None:
    assert 0.93 <= coverage(list(SUBJECTS), list(ABILITY), weights, 1200) <= 0.97


@pytest.mark.parametrize("limit", [1, 2, 5, 10])
def test_a_mean_over_57_subjects_is_covered_with_a_few_questions_of_each(limit: int) -> None:
    assert 0.93 <= coverage([limit] * 57, list(ABILITY), None, 1200) <= 0.97


@pytest.mark.parametrize(
    ("sizes", "chances", "weights"),
    [
        ([5, 5, 100, 100], [0.9, 0.5, 0.7, 0.3], [0.25] * 4),
        ([30, 200], [0.95, 0.5], [0.5, 0.5]),
        ([5] * 10 + [300] * 47, list(ABILITY), [1 / 57] * 57),
        ([12] * 8, [0.95, 0.9, 0.5, 0.3, 0.7, 0.8, 0.2, 0.6], None),
    ],
    ids=["two small of four", "two", "ten small of 57", "eight of twelve"],
)
def test_uneven_strata_are_covered(sizes: list[int], chances: list[float], weights: list[float] | None) -> None:
    assert 0.93 <= coverage(sizes, chances, weights, 2000) <= 0.975


def clustered_coverage(groups: int, sizes: Sequence[int], p: float, alike: float, draws: int) -> float:
    """``alike`` is the correlation inside a cluster: each cluster has a beta-distributed chance of its own."""
    rng = np.random.default_rng(9)
    a, b = p * (1 - alike) / alike, (1 - p) * (1 - alike) / alike
    hits = 0
    for _ in range(draws):
        totals = rng.binomial(sizes, rng.beta(a, b, groups))
        interval = clustered([float(total) for total in totals], list(sizes))
        hits += interval.low <= p <= interval.high
    return hits / draws


@pytest.mark.parametrize("alike", [0.1, 0.5])
@pytest.mark.parametrize(("groups", "size"), [(10, 5), (50, 8), (300, 4)])
def test_a_mean_over_clusters_is_covered(groups: int, size: int, alike: float) -> None:
    assert 0.93 <= clustered_coverage(groups, [size] * groups, 0.65, alike, 1500) <= 0.975


def test_a_mean_over_clusters_of_unequal_size_is_covered() -> None:
    sizes = [int(size) for size in np.random.default_rng(4).integers(1, 12, 60)]
    assert 0.93 <= clustered_coverage(60, sizes, 0.7, 0.3, 1500) <= 0.97


def test_taking_clustered_answers_for_independent_ones_would_not_cover() -> None:
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(500):
        total = rng.binomial(8, rng.beta(0.65, 0.35, 50)).sum()
        low, high = wilson(int(total), 400)
        hits += low <= 0.65 <= high
    assert hits / 500 < 0.8
