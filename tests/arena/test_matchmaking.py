"""Matchmaking: which pair plays next, with what chance, and that ratings stay right under it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.matchmaking import Active, Fewest, Match, Matchmaker, Policy, State, Uniform, pairs, policy_named, state_of
from arena.ratings.counts import Floats, PairCounts, count_pairs
from llmuses.errors import UnknownNameError, UsageError
from tests.arena.ratings.arenas import draw_strengths, play
from tests.simulations.playing import Goal, Played, Z, separable, until

POLICIES: list[Policy] = [Uniform(), Fewest(), Active()]


def nothing(models: int) -> PairCounts:
    none = np.array([], np.int64)
    return count_pairs(models, none, none, none)


def chance_of(policy: Policy, state: State, one: int, two: int) -> float:
    first, second = pairs(len(state.strengths))
    found: Floats = policy.probabilities(state)[(first == min(one, two)) & (second == max(one, two))]
    return float(found[0])


# --- what every policy keeps ---------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@given(st.integers(2, 9), st.integers(0, 200), st.integers(0, 10_000), st.integers(0, 3))
@settings(max_examples=40)
def test_probabilities_are_those_of_all_pairs_that_may_play_and_none_is_rarer_than_a_tenth_of_its_share(
    policy: Policy, models: int, battles: int, seed: int, paused: int
) -> None:
    rng = np.random.default_rng(seed)
    counts = play(rng, draw_strengths(rng, models), battles, 0.2).counts() if battles else nothing(models)
    playing = np.ones(models, dtype=bool)
    playing[rng.permutation(models)[: min(paused, models - 2)]] = False
    probabilities = policy.probabilities(state_of(counts, playing))
    first, second = pairs(models)
    allowed = playing[first] & playing[second]
    assert probabilities.shape == (models * (models - 1) // 2,)
    assert probabilities.sum() == pytest.approx(1)
    assert (probabilities[~allowed] == 0).all()
    assert (probabilities[allowed] >= 0.1 / allowed.sum() - 1e-12).all(), "weights by probability are at most ten"


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_the_probability_that_is_written_down_is_how_often_the_pair_is_drawn(policy: Policy) -> None:
    rng = np.random.default_rng(1)
    counts = play(rng, draw_strengths(rng, 5), 60, 0.2).counts()
    expected = policy.probabilities(state_of(counts))
    drawn = np.zeros(len(expected))
    left = 0
    first, second = pairs(5)
    for _ in range(500):
        maker = Matchmaker(policy, counts, rng)
        match = maker.choose()
        place = np.flatnonzero((first == min(match[:2])) & (second == max(match[:2])))[0]
        assert match.probability == pytest.approx(expected[place])
        drawn[place] += 1
        left += match.first < match.second
    assert drawn / 500 == pytest.approx(expected, abs=0.07)
    assert 0.42 < left / 500 < 0.58, "either model stands left as often"


def test_matches_that_are_under_way_count_as_played() -> None:
    maker = Matchmaker(Fewest(floor=0.001), nothing(6), np.random.default_rng(4))
    matches = [maker.choose() for _ in range(15)]
    assert len({frozenset(match[:2]) for match in matches}) == 15, "each pair once before any a second time"
    maker.learn(nothing(6), waiting=matches[:14])
    last = maker.choose()
    assert set(last[:2]) == set(matches[14][:2])


def test_a_battle_to_come_lowers_the_variance_as_its_result_will() -> None:
    rng = np.random.default_rng(8)
    arena = play(rng, draw_strengths(rng, 5), 400)
    state = state_of(arena.counts())
    expected = state
    for _ in range(30):
        expected = expected.after(1, 3)
    more = count_pairs(
        5, np.append(arena.first, [1] * 30), np.append(arena.second, [3] * 30), np.append(arena.outcome, [0, 1] * 15)
    )
    assert expected.met[1, 3] == expected.met[3, 1] == state.met[1, 3] + 30
    assert np.diag(expected.covariance) == pytest.approx(np.diag(state_of(more).covariance), rel=0.05)


# --- each policy ---------------------------------------------------------------------------------------------


def test_uniform_knows_no_favourites() -> None:
    counts = count_pairs(4, np.array([0] * 50), np.array([1] * 50), np.array([0] * 50))
    assert Uniform().probabilities(state_of(counts)) == pytest.approx(np.full(6, 1 / 6))


def test_fewest_takes_the_pairs_that_met_least_often() -> None:
    counts = count_pairs(3, np.array([0, 0, 0]), np.array([1, 1, 2]), np.array([0, 1, 0]))
    state = state_of(counts)
    assert chance_of(Fewest(), state, 1, 2) == pytest.approx(0.9 + 0.1 / 3)
    assert chance_of(Fewest(), state, 0, 1) == chance_of(Fewest(), state, 0, 2) == pytest.approx(0.1 / 3)


def test_active_plays_a_new_model_against_those_it_may_be_close_to() -> None:
    rng = np.random.default_rng(3)
    strengths = np.linspace(-3, 3, 10)
    old = play(rng, strengths[:9], 20_000)
    met = np.array([4] * 20), np.array([9] * 20), np.array([0, 1] * 10)  # the tenth model does as well as the fifth
    counts = count_pairs(10, *(np.append(own, new) for own, new in zip(old[1:], met, strict=True)))
    state = state_of(counts)
    of_new = sum(chance_of(Active(), state, 9, other) for other in range(9))
    assert of_new > 0.85
    assert chance_of(Active(), state, 9, 5) > 3 * chance_of(Active(), state, 9, 0)


def test_active_plays_those_at_the_top_that_are_not_told_apart_yet() -> None:
    rng = np.random.default_rng(5)
    strengths = np.array([2.0, 2.0, 1.0, 1.0, 0.0, -0.5, -1.0, -2.0])
    state = state_of(play(rng, strengths, 12_000).counts())
    policy = Active(top=3)
    assert chance_of(policy, state, 0, 1) + chance_of(policy, state, 2, 3) > 0.8
    assert len(policy.open_questions(state)) == 2


def test_where_nothing_is_open_active_plays_all_alike() -> None:
    rng = np.random.default_rng(5)
    state = state_of(play(rng, np.array([1.5, 0.5, -0.5, -1.5]), 40_000).counts())
    assert len(Active(top=2).open_questions(state)) == 0
    assert Active(top=2).probabilities(state) == pytest.approx(np.full(6, 1 / 6))


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_an_arena_in_which_nobody_has_played_can_begin(policy: Policy) -> None:
    maker = Matchmaker(policy, nothing(4), np.random.default_rng(0))
    assert all(isinstance(maker.choose(), Match) for _ in range(20))


# --- settings ------------------------------------------------------------------------------------------------


def test_a_config_names_a_policy_and_its_options() -> None:
    assert policy_named("uniform") == Uniform()
    assert policy_named("active", top=3, floor=0.2) == Active(top=3, floor=0.2)
    with pytest.raises(UnknownNameError, match="did you mean 'active'"):
        policy_named("activ")
    for wrong in ({"tops": 3}, {"floor": 0}, {"floor": "low"}):
        with pytest.raises(UsageError, match="policy active"):
            policy_named("active", **wrong)
    with pytest.raises(UsageError, match="two models"):
        state_of(nothing(3), np.array([True, False, False]))


# --- what it is for ------------------------------------------------------------------------------------------


def test_a_newcomer_needs_far_fewer_battles_than_under_uniform_play() -> None:
    rng = np.random.default_rng(2)
    before = Played(draw_strengths(rng, 25), rng)
    old = ((before.first < 24) & (before.second < 24)).astype(np.float64)
    before.add_at(old / old.sum(), 24_000)
    goal = Goal(newcomer=24)
    uniform = until(goal, before.copy(np.random.default_rng(1)), Uniform(), 500, 40_000)
    active = until(goal, before.copy(np.random.default_rng(1)), Active(), 100, 40_000)
    assert active <= 0.3 * uniform


def test_the_top_needs_fewer_battles_than_under_uniform_play() -> None:
    needed = {"uniform": 0, "active": 0}
    for seed in range(3):
        strengths = separable(np.random.default_rng(seed), 12, top=3, gap=30)
        for policy in (Uniform(), Active(top=3)):
            played = Played(strengths, np.random.default_rng((seed, 1)))
            played.add_at(np.full(66, 1 / 66), 240)
            needed[policy.name] += until(Goal(top=3), played, policy, 200, 30_000)
    assert needed["active"] <= 0.7 * needed["uniform"]


def test_intervals_cover_as_well_where_the_battles_were_chosen_by_their_results() -> None:
    rng = np.random.default_rng(77)
    inside, arenas, models = 0, 150, 8
    for _ in range(arenas):
        played = Played(draw_strengths(rng, models), rng)
        played.add_at(np.full(28, 1 / 28), 400)
        for _ in range(8):
            played.add_at(Active(top=3).probabilities(state_of(played.counts())), 100)
        strengths, covariance = played.fit()
        inside += int((np.abs(strengths - played.strengths) <= Z * np.sqrt(np.diag(covariance))).sum())
    assert 0.93 <= inside / (arenas * models) <= 0.97
