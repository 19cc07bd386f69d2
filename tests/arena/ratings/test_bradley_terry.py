"""Bradley-Terry: what its maximum has to satisfy, its errors, and that its intervals cover."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.ratings.bradley_terry import chances, cluster_scores, fit, log_likelihood, maximise, sandwich
from arena.ratings.counts import LOSS, TIE, WIN, PairCounts, count_pairs
from arena.ratings.graph import Place, restricted, standing
from arena.ratings.ranks import critical_value, rank_ranges
from tests.arena.ratings.arenas import decide, draw_strengths, play

Z = 1.959963984540054


def counts_of(models: int, *battles: tuple[int, int, int]) -> PairCounts:
    first, second, outcome = np.array(battles, np.int64).T
    return count_pairs(models, first, second, outcome)


# --- counting ----------------------------------------------------------------------------------------------


def test_a_pair_is_counted_in_one_order_and_seen_from_its_first_model() -> None:
    counts = counts_of(3, (2, 0, WIN), (0, 2, WIN), (0, 2, TIE), (2, 0, LOSS), (1, 2, LOSS))
    assert list(zip(counts.first, counts.second, strict=True)) == [(0, 2), (1, 2)]
    assert counts.wins.tolist() == [2, 0]
    assert counts.losses.tolist() == [1, 1]
    assert counts.ties.tolist() == [1, 0]
    assert counts.played().tolist() == [4, 1, 5]
    assert counts.won().tolist() == [2.5, 0, 2.5]


@given(st.permutations([(0, 1, WIN), (0, 1, LOSS), (1, 2, WIN), (2, 1, TIE), (0, 1, WIN)]))
def test_who_can_be_rated_hangs_on_no_order_of_battles_that_are_not_added_up(
    battles: list[tuple[int, int, int]],
) -> None:
    first, second, outcome = np.array(battles, np.int64).T
    counts = PairCounts(3, first, second, *(np.array(outcome == said, np.float64) for said in (WIN, LOSS, TIE)))
    assert standing(counts).rated.tolist() == [0, 1, 2]


def test_a_model_that_plays_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="itself"):
        counts_of(2, (1, 1, WIN))


battles_of_four = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([WIN, LOSS, TIE])).filter(lambda b: b[0] != b[1]),
    min_size=1,
    max_size=60,
)


@given(battles_of_four)
def test_how_a_battle_is_written_down_does_not_matter(battles: list[tuple[int, int, int]]) -> None:
    mirrored = [(b, a, {WIN: LOSS, LOSS: WIN, TIE: TIE}[outcome]) for a, b, outcome in reversed(battles)]
    one, two = counts_of(4, *battles), counts_of(4, *mirrored)
    for left, right in zip(one, two, strict=True):
        assert np.array_equal(left, right)


# --- the maximum -------------------------------------------------------------------------------------------


def test_two_models_are_apart_by_the_logarithm_of_their_odds() -> None:
    battles = [(0, 1, WIN)] * 30 + [(0, 1, LOSS)] * 10
    strengths, covariance = fit(counts_of(2, *battles))
    assert strengths[0] - strengths[1] == pytest.approx(math.log(3))
    # The variance of a log odds is 1/30 + 1/10; the sandwich is the same where the model holds exactly.
    error = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert error == pytest.approx(1 / 30 + 1 / 10)


def test_a_tie_is_half_a_win_for_each() -> None:
    with_ties = fit(counts_of(2, *[(0, 1, WIN)] * 20, *[(0, 1, TIE)] * 20, *[(0, 1, LOSS)] * 10))
    without = fit(counts_of(2, *[(0, 1, WIN)] * 30, *[(0, 1, LOSS)] * 20))
    assert with_ties.strengths == pytest.approx(without.strengths)
    assert with_ties.covariance[0, 0] < without.covariance[0, 0], "ties are less spread than wins and losses"


@given(battles_of_four)
def test_at_the_maximum_every_model_won_as_much_as_was_expected(battles: list[tuple[int, int, int]]) -> None:
    counts = counts_of(4, *battles)
    rated = standing(counts).rated
    if len(rated) < 2:
        return
    counts = restricted(counts, rated)
    strengths = maximise(counts)
    p = chances(strengths, counts.first, counts.second)
    expected = np.bincount(counts.first, counts.total * p, counts.models)
    expected += np.bincount(counts.second, counts.total * (1 - p), counts.models)
    assert counts.won() == pytest.approx(expected, abs=1e-6)
    assert strengths.sum() == pytest.approx(0, abs=1e-9)
    for nudge in np.eye(len(strengths)) * 0.01:
        assert log_likelihood(counts, strengths) >= log_likelihood(counts, strengths + nudge) - 1e-12


def test_beginning_elsewhere_ends_in_the_same_place() -> None:
    counts = play(np.random.default_rng(3), draw_strengths(np.random.default_rng(1), 12), 2000, 0.2).counts()
    start = np.random.default_rng(5).normal(0, 3, 12)
    assert maximise(counts, start) == pytest.approx(maximise(counts), abs=1e-8)


def test_battles_that_bound_nothing_are_refused() -> None:
    with pytest.raises((ValueError, np.linalg.LinAlgError)):
        maximise(counts_of(2, *[(0, 1, WIN)] * 5))


# --- who can be rated --------------------------------------------------------------------------------------


def test_who_only_won_only_lost_or_met_nobody_has_no_rating() -> None:
    counts = counts_of(
        7, (0, 1, WIN), (1, 0, WIN), (1, 2, TIE), (3, 0, WIN), (4, 2, LOSS), (5, 6, WIN), (6, 5, WIN)
    )  # fmt: skip
    found = standing(counts)
    assert found.places == [
        Place.RATED, Place.RATED, Place.RATED, Place.ONLY_WON, Place.ONLY_LOST, Place.APART, Place.APART
    ]  # fmt: skip
    assert found.rated.tolist() == [0, 1, 2]
    assert found.groups == 2
    assert restricted(counts, found.rated).battles == 3


def test_a_model_that_no_battle_names_is_apart() -> None:
    found = standing(counts_of(3, (0, 1, TIE)))
    assert found.places == [Place.RATED, Place.RATED, Place.APART]


def test_a_model_above_one_that_only_won_only_won_too() -> None:
    found = standing(counts_of(4, (0, 1, TIE), (2, 0, WIN), (3, 2, WIN)))
    assert found.places[2:] == [Place.ONLY_WON, Place.ONLY_WON]


# --- clusters ----------------------------------------------------------------------------------------------


@given(st.integers(2, 6), st.integers(1, 60), st.integers(0, 10_000))
def test_cluster_sums_are_those_of_the_dense_product(models: int, battles: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    arena = play(rng, np.zeros(models), battles)
    cluster = np.unique(rng.integers(0, 1 + seed % battles, battles), return_inverse=True)[1]
    residual = rng.normal(size=battles)
    dense = np.zeros((cluster.max() + 1, models))
    np.add.at(dense, (cluster, arena.first), residual)
    np.add.at(dense, (cluster, arena.second), -residual)
    number = len(dense)
    expected = dense.T @ dense * number / max(1, number - 1)
    assert cluster_scores(models, arena.first, arena.second, residual, cluster) == pytest.approx(expected, abs=1e-9)


def test_many_small_clusters_are_added_up_like_few_large_ones() -> None:
    rng = np.random.default_rng(0)
    arena = play(rng, np.zeros(50), 4000)
    residual = rng.normal(size=4000)
    scores = cluster_scores(50, arena.first, arena.second, residual, np.arange(4000))
    assert np.trace(scores) == pytest.approx(2 * (residual**2).sum() * 4000 / 3999)
    assert scores.sum(axis=1) == pytest.approx(np.zeros(50), abs=1e-9)


# --- intervals ---------------------------------------------------------------------------------------------


def test_intervals_cover_the_truth_and_rank_ranges_hold_together() -> None:
    rng = np.random.default_rng(20260)
    inside, ranks_hold, arenas, models = 0, 0, 500, 12
    for _ in range(arenas):
        arena = play(rng, draw_strengths(rng, models), 1500, ties=0.25)
        strengths, covariance = fit(arena.counts())
        errors = np.sqrt(np.diag(covariance))
        inside += int((np.abs(strengths - arena.strengths) <= Z * errors).sum())
        truth = 1 + (arena.strengths[None, :] > arena.strengths[:, None]).sum(axis=1)
        ranges = rank_ranges(strengths, covariance)
        ranks_hold += bool(((ranges[:, 0] <= truth) & (truth <= ranges[:, 1])).all())
    assert 0.93 <= inside / (arenas * models) <= 0.97
    assert ranks_hold / arenas >= 0.95


def test_votes_that_hang_together_need_clustered_errors() -> None:
    """Five voters a question who mostly agree: intervals per battle are too narrow, those by question cover."""
    rng = np.random.default_rng(7)
    plain = clustered = 0
    arenas, models, questions, voters = 200, 8, 300, 5
    for _ in range(arenas):
        truth = draw_strengths(rng, models)
        one = play(rng, truth, questions)
        first, second = np.repeat(one.first, voters), np.repeat(one.second, voters)
        again = decide(rng, truth[first] - truth[second])
        outcome = np.where(rng.random(len(first)) < 0.8, np.repeat(one.outcome, voters), again)
        counts = count_pairs(models, first, second, outcome)
        strengths, covariance = fit(counts)
        residual = np.array([1.0, 0.0, 0.5])[outcome] - chances(strengths, first, second)
        question = np.repeat(np.arange(questions), voters)
        wide = sandwich(counts, strengths, cluster_scores(models, first, second, residual, question))
        off = np.abs(strengths - truth)
        plain += int((off <= Z * np.sqrt(np.diag(covariance))).sum())
        clustered += int((off <= Z * np.sqrt(np.diag(wide))).sum())
    assert plain / (arenas * models) < 0.85
    assert 0.93 <= clustered / (arenas * models) <= 0.97


def test_two_models_need_no_wider_intervals_than_one_difference() -> None:
    assert critical_value(np.array([[0.25, -0.25], [-0.25, 0.25]])) == pytest.approx(1.96, abs=0.1)
    assert critical_value(np.eye(1)) == 0
    assert 2.4 < critical_value(np.eye(5) - 1 / 5) < 2.95  # Tukey's range for five alike: 2.73


def test_ranks_are_exact_where_nothing_is_uncertain_and_open_where_all_is() -> None:
    strengths = np.array([0.0, 2.0, -1.0])
    assert rank_ranges(strengths, np.eye(3) * 1e-9).tolist() == [[2, 2], [1, 1], [3, 3]]
    assert rank_ranges(strengths, np.eye(3) * 1e3).tolist() == [[1, 3]] * 3
