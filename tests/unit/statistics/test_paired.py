"""Two models on the same questions: values that other programs give, what must always hold, and simulated coverage."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.statistics.bootstrap import paired_bootstrap
from llmuses.statistics.paired import (
    Difference,
    between_strata,
    detectable_paired,
    mcnemar,
    paired_proportions,
)


def questions(won: int, lost: int, alike: int) -> list[float]:
    return [1.0] * won + [-1.0] * lost + [0.0] * alike


# --- values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("won", "lost", "p_value"),
    [  # scipy.stats.binomtest(won, won + lost).pvalue less scipy.stats.binom.pmf(won, won + lost, 0.5)
        (5, 0, 0.03125),
        (10, 5, 0.21011352539062492),
        (3, 12, 0.02127075195312501),
        (6, 6, 0.8872070312499999),  # 1 - pmf / 2
        (40, 60, 0.04604406692934291),
        (480, 520, 0.20610731083295378),
        (7000, 6800, 0.08866713001510673),
        (1, 0, 0.5),
        (0, 0, 1.0),
    ],
)
def test_mcnemars_mid_p_value_is_that_of_the_binomial_distribution(won: int, lost: int, p_value: float) -> None:
    assert mcnemar(won, lost) == pytest.approx(p_value, rel=1e-8)


def test_mcnemars_p_value_goes_down_to_nothing_without_failing() -> None:
    assert 0 <= mcnemar(20_000, 100) < 1e-300
    with pytest.raises(ValueError, match="0 or more"):
        mcnemar(-1, 3)


def test_the_interval_of_a_difference_is_the_one_worked_out_by_hand() -> None:
    # Bonett & Price: shares (12 + 1) / 102 and (4 + 1) / 102
    won, lost = 13 / 102, 5 / 102
    stderr = math.sqrt((won + lost - (won - lost) ** 2) / 102)
    difference = paired_proportions([questions(12, 4, 84)])
    assert difference.mean == pytest.approx(0.08)
    assert difference.stderr == pytest.approx(stderr)
    assert difference.low == pytest.approx(won - lost - 1.959964 * stderr)
    assert difference.high == pytest.approx(won - lost + 1.959964 * stderr)


def test_models_that_agree_on_everything_are_not_certainly_equal() -> None:
    few, many = paired_proportions([questions(0, 0, 20)]), paired_proportions([questions(0, 0, 2000)])
    assert few.mean == many.mean == 0
    assert few.high == -few.low > 0.1
    assert 0 < many.high < 0.003


def test_what_lies_between_fixed_subsets_is_no_error() -> None:
    strata = [questions(60, 10, 130), questions(10, 60, 130)]
    apart, together = paired_proportions(strata), paired_proportions([strata[0] + strata[1]])
    assert apart.mean == together.mean == 0
    assert apart.stderr < 0.95 * together.stderr


def test_subsets_that_do_not_differ_change_nearly_nothing() -> None:
    strata = [questions(10, 10, 80), questions(10, 10, 80)]
    assert paired_proportions(strata) == pytest.approx(paired_proportions([strata[0] + strata[1]]))


# scipy.stats.ttest_1samp gives p = 0.0729 and the interval [-0.0167, 0.3417] for these; BCa [0.0125, 0.325]
REPEATED = [0.25, -0.5, 0, 0.75, 0.25, 0, 0, 0.5, -0.25, 0.25, 1, 0, 0.25, -0.25, 0.5, 0.25, 0, 0.25, 0.5, -0.5]


def test_the_bootstrap_agrees_with_students_t_where_scores_are_ordinary() -> None:
    difference, p_value = paired_bootstrap([REPEATED])
    assert difference.mean == pytest.approx(0.1625)
    assert difference.stderr == pytest.approx(0.08559966490342673)
    assert p_value == pytest.approx(0.0729, abs=0.015)
    assert difference.low == pytest.approx(-0.0167, abs=0.012)
    assert difference.high == pytest.approx(0.3417, abs=0.012)


def test_the_same_seed_gives_the_same_figures_and_another_one_nearly_the_same() -> None:
    assert paired_bootstrap([REPEATED]) == paired_bootstrap([REPEATED], seed=0)
    first, second = paired_bootstrap([REPEATED], seed=1), paired_bootstrap([REPEATED], seed=2)
    assert first != second
    assert first.p_value == pytest.approx(second.p_value, abs=0.015)


def test_the_order_of_the_strata_says_nothing_about_the_mean() -> None:
    rng = np.random.default_rng(2)
    strata = [rng.normal(0.1 * k, 0.2, 40).clip(-1, 1).tolist() for k in range(3)]
    forward, backward = paired_bootstrap(strata), paired_bootstrap(strata[::-1])
    assert forward.difference.mean == pytest.approx(backward.difference.mean)
    assert forward.difference.stderr == pytest.approx(backward.difference.stderr)
    together = paired_bootstrap([[value for stratum in strata for value in stratum]])
    assert forward.difference.stderr < together.difference.stderr


def test_differences_that_are_all_the_same_leave_nothing_to_draw_from() -> None:
    alike, one = paired_bootstrap([[0.0] * 30]), paired_bootstrap([[0.5]])
    assert (alike.difference.mean, alike.p_value) == (0, 1)
    assert alike.difference.low < 0 < alike.difference.high
    assert one.p_value > 0.05
    assert paired_bootstrap([[0.2] * 100]).p_value < 0.001


@pytest.mark.parametrize("call", [paired_proportions, paired_bootstrap])
def test_no_question_has_no_difference(call: object) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match="at least one question"):
        call([[], []])


def test_a_detectable_difference_follows_from_how_often_the_models_disagreed() -> None:
    # 2.80 standard errors; of ten comparisons each has a tenth of the level: 2.81 + 0.84
    assert detectable_paired(0.01) == pytest.approx(0.02802, abs=1e-5)
    assert detectable_paired(0.01, 10) == pytest.approx(0.03649, abs=1e-5)
    assert detectable_paired(0.9) == 1.0


def test_a_paired_test_finds_the_detectable_difference_four_times_out_of_five() -> None:
    rng = np.random.default_rng(5)
    n, disagree = 800, 0.2
    difference = detectable_paired(math.sqrt(disagree / n))
    chances = [(disagree + difference) / 2, (disagree - difference) / 2, 1 - disagree]
    found = [mcnemar(int(won), int(lost)) < 0.05 for won, lost, _ in rng.multinomial(n, chances, size=2000)]
    assert np.mean(found) == pytest.approx(0.80, abs=0.03)


# --- properties --------------------------------------------------------------------------------------------


def assert_sound(difference: Difference) -> None:
    mean, stderr, low, high = difference
    assert -1 <= low <= mean <= high <= 1
    assert stderr >= 0
    assert low < high


outcomes = st.lists(st.sampled_from([-1.0, 0.0, 0.0, 1.0]), min_size=1, max_size=15)
values = st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=1, max_size=15)


@given(st.lists(outcomes, min_size=1, max_size=6))
def test_any_outcomes_give_a_sound_interval_and_exchanged_models_the_mirrored_one(strata: list[list[float]]) -> None:
    difference = paired_proportions(strata)
    assert_sound(difference)
    mirrored = paired_proportions([[-value for value in stratum] for stratum in strata])
    assert (mirrored.low, mirrored.high) == pytest.approx((-difference.high, -difference.low))
    assert between_strata(strata) >= 0


@given(st.lists(values, min_size=1, max_size=5))
def test_any_scores_give_a_sound_bootstrap_whose_interval_and_p_value_agree(strata: list[list[float]]) -> None:
    (mean, stderr, low, high), p_value = paired_bootstrap(strata, resamples=199)
    assert -1 <= low <= mean <= high <= 1
    assert stderr >= 0
    assert 0 < p_value <= 1
    flat = [value for stratum in strata for value in stratum]
    if max(flat) > min(flat) and p_value < 0.045:
        assert not low < 0 < high


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_p_value_is_one_whoever_is_named_first_and_falls_with_the_lead(won: int, lost: int) -> None:
    p_value = mcnemar(won, lost)
    assert 0 < p_value <= 1
    assert p_value == mcnemar(lost, won)
    if won >= lost and won > 0:
        assert mcnemar(won + 1, lost) < p_value


# --- coverage ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("won", "lost"), [(0.1, 0.1), (0.2, 0.1), (0.3, 0.05), (0.25, 0.25)])
@pytest.mark.parametrize("n", [30, 100, 1319])
def test_a_difference_of_two_accuracies_is_covered_and_its_test_keeps_the_level(
    n: int, won: float, lost: float
) -> None:
    rng = np.random.default_rng(11)
    hits, found, draws = 0, 0, 1500
    for wins, losses, alike in rng.multinomial(n, [won, lost, 1 - won - lost], size=draws):
        a, b = int(wins), int(losses)
        difference = paired_proportions([questions(a, b, int(alike))]) if n < 500 else _fast(a, b, n)
        hits += difference.low <= won - lost <= difference.high
        found += mcnemar(a, b) < 0.05
    assert 0.93 <= hits / draws <= 0.975
    if won == lost:
        assert 0.025 <= found / draws <= 0.065


def _fast(won: int, lost: int, n: int) -> Difference:
    """Return ``paired_proportions`` of one stratum from its counts, which it is checked against."""
    a, b = (won + 1) / (n + 2), (lost + 1) / (n + 2)
    stderr = math.sqrt((a + b - (a - b) ** 2) / (n + 2))
    return Difference((won - lost) / n, stderr, a - b - 1.959964 * stderr, a - b + 1.959964 * stderr)


def test_the_counts_alone_give_the_same_interval() -> None:
    assert _fast(130, 90, 1319) == pytest.approx(paired_proportions([questions(130, 90, 1099)]))


@pytest.mark.parametrize(
    "sizes",
    [[1] * 57, [5] * 57, [20] * 57, [5] * 10 + [60] * 10],
    ids=["57 of 1", "57 of 5", "57 of 20", "ten of 5, ten of 60"],
)
def test_a_difference_over_fixed_subsets_is_covered(sizes: Sequence[int]) -> None:
    rng = np.random.default_rng(12)
    base = rng.normal(0.25, 0.05, len(sizes)).clip(0.05, 0.4)
    tilt = rng.normal(0, 0.5, len(sizes)).clip(-0.9, 0.9)  # each subset favours one of the two
    won, lost = base * (1 + tilt), base * (1 - tilt)
    truth = float(np.average(won - lost, weights=sizes))
    hits, draws = 0, 400
    for _ in range(draws):
        counts = [rng.multinomial(n, [w, k, 1 - w - k]) for n, w, k in zip(sizes, won, lost, strict=True)]
        difference = paired_proportions([questions(*map(int, each)) for each in counts])
        hits += difference.low <= truth <= difference.high
    assert 0.93 <= hits / draws <= 0.985


def repeated(rng: np.random.Generator, n: int, repeats: int) -> list[float]:
    """Return the differences of two equally good models, the mean of several answers to each question."""
    first = rng.beta(0.6, 0.4, n)
    second = np.clip(first + rng.normal(0, 0.15, n), 0, 1)
    exchanged = rng.random(n) < 0.5
    a, b = np.where(exchanged, second, first), np.where(exchanged, first, second)
    return [float(value) for value in (rng.binomial(repeats, a) - rng.binomial(repeats, b)) / repeats]


@pytest.mark.parametrize("n", [20, 100])
def test_a_difference_with_repeats_is_covered(n: int) -> None:
    rng = np.random.default_rng(13)
    drawn = [paired_bootstrap([repeated(rng, n, 4)], resamples=499, seed=seed) for seed in range(800)]
    assert 0.93 <= np.mean([each.difference.low <= 0 <= each.difference.high for each in drawn]) <= 0.97
    assert 0.03 <= np.mean([each.p_value < 0.05 for each in drawn]) <= 0.07


def test_taking_repeats_for_questions_of_their_own_would_not_cover() -> None:
    rng = np.random.default_rng(14)
    hits = 0
    for _ in range(300):
        a, b = rng.beta(0.3, 0.2, (2, 50))
        answers = (rng.random((8, 50)) < a).astype(float) - (rng.random((8, 50)) < b)
        difference = paired_proportions([answers.ravel().tolist()])
        hits += difference.low <= 0 <= difference.high
    assert hits / 300 < 0.8


@pytest.mark.parametrize("n", [10, 60])
def test_a_difference_of_graded_scores_is_covered(n: int) -> None:
    rng = np.random.default_rng(15)
    truth = 0.5 / 2.5 - 0.7 / 2.7
    drawn = [
        paired_bootstrap([(rng.beta(0.5, 2, n) - rng.beta(0.7, 2, n)).tolist()], resamples=499, seed=seed).difference
        for seed in range(800)
    ]
    assert 0.93 <= np.mean([each.low <= truth <= each.high for each in drawn]) <= 0.985
