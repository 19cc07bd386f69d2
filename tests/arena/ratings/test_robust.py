"""Weights against manipulation: what a script can move, and what honest voters lose."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.ratings.bradley_terry import maximise
from arena.ratings.counts import LOSS, TIE, WIN, Floats, Ints, count_pairs
from arena.ratings.loyalty import Votes, partial, tilts
from arena.ratings.prior import fit_with_prior
from arena.ratings.robust import Limits, robust_weights
from tests.arena.ratings.arenas import draw_strengths, play
from tests.simulations.attacked import Aim, Attacked, attack, honest_votes

POINTS = 400 / np.log(10)


def rated(votes: Votes, weight: Floats | None = None) -> Floats:
    counts = count_pairs(votes.models, votes.first, votes.second, votes.outcome, weight)
    return maximise(counts) * POINTS


@pytest.fixture(scope="module")
def honest() -> Attacked:
    return honest_votes(np.random.default_rng(0), models=16, number=8000)


@pytest.fixture(scope="module")
def alone(honest: Attacked) -> Floats:
    """The ratings of honest votes under the same defences."""
    return rated(honest.votes, robust_weights(honest.votes).weight)


def test_honest_voters_with_tastes_of_their_own_keep_their_weight(honest: Attacked) -> None:
    found = robust_weights(honest.votes)
    assert found.weight.mean() >= 0.98
    assert found.crowds == []
    assert len(found.tilts.voter) == 0


@pytest.mark.parametrize("accounts", [1, 80])
@pytest.mark.parametrize("aim", ["for the target", "against its rivals"])
def test_a_script_moves_nobody_by_more_than_five_points(
    aim: Aim, accounts: int, honest: Attacked, alone: Floats
) -> None:
    arena = attack(np.random.default_rng(1), honest, aim, accounts, number=200)
    found = robust_weights(arena.votes)
    aimed = [arena.target] if aim == "for the target" else list(arena.rivals)
    plain = (rated(arena.votes) - rated(honest.votes))[aimed]
    moved = rated(arena.votes, found.weight) - alone
    assert np.abs(plain).min() > 15, "without the defences the script would matter"
    assert abs(moved[arena.target]) <= 5
    assert abs(moved[arena.rivals].mean()) <= 5
    assert found.weight[: arena.honest].mean() >= 0.98
    assert found.weight[arena.honest :].mean() <= 0.25


def test_a_crowd_is_said_to_be_one_with_what_it_is_for(honest: Attacked) -> None:
    arena = attack(np.random.default_rng(1), honest, "for the target", 80, number=200)
    (crowd,) = robust_weights(arena.votes).crowds
    assert crowd.aims == ((arena.target, 1),)
    assert 50 <= crowd.voters <= 90
    arena = attack(np.random.default_rng(1), honest, "against its rivals", 80, number=200)
    (crowd,) = robust_weights(arena.votes).crowds
    assert set(crowd.aims) == {(int(rival), -1) for rival in arena.rivals}


def test_a_new_model_that_is_shown_to_everybody_for_a_while_makes_nobody_suspicious(honest: Attacked) -> None:
    """As matchmaking does it: a third of the voters see the same model in nearly all of their battles."""
    rng = np.random.default_rng(6)
    votes, strengths = honest.votes, honest.strengths
    new = int(np.argsort(-strengths)[1])
    put = (votes.voter % 3 == 0) & (votes.second != new) & (rng.random(len(votes.first)) < 0.9)
    first = np.where(put, new, votes.first)
    taste = rng.normal(0, 0.35, (int(votes.voter.max()) + 1, votes.models))
    gap = strengths[first] - strengths[votes.second] + taste[votes.voter, first] - taste[votes.voter, votes.second]
    outcome = np.where(rng.random(len(gap)) < 1 / (1 + np.exp(-gap)), WIN, LOSS)
    shown = votes._replace(first=first, outcome=outcome)
    found = robust_weights(shown)
    assert found.crowd.mean() >= 0.99
    assert found.weight.mean() >= 0.97
    assert abs((rated(shown, found.weight) - rated(shown))[new]) <= 3


# --- one rule at a time --------------------------------------------------------------------------------------


def some_votes(models: int, voter: Ints, first: Ints, second: Ints, outcome: Ints) -> Votes:
    return Votes(models, first, second, outcome, voter, np.arange(len(voter)))


def test_no_voter_weighs_more_than_the_limit_in_one_models_battles() -> None:
    rng = np.random.default_rng(2)
    arena = play(rng, np.zeros(6), 900)
    voter = np.where(np.arange(900) < 300, 0, np.arange(900))
    votes = some_votes(6, voter, arena.first, arena.second, arena.outcome)
    weight = robust_weights(votes, Limits(voter_votes=10, voter_share=0)).capped
    for model in range(6):
        own = ((votes.first == model) | (votes.second == model)) & (voter == 0)
        assert weight[own].sum() <= 10 + 1e-9
    assert (weight[300:] == 1).all()
    assert (robust_weights(votes, Limits(voter_votes=10, voter_share=1)).capped == 1).all()


def test_a_prompt_that_is_asked_far_more_often_than_others_weighs_as_much_as_the_limit() -> None:
    arena = play(np.random.default_rng(2), np.zeros(6), 900)
    prompt = np.where(np.arange(900) < 300, 0, np.arange(900))
    votes = Votes(6, arena.first, arena.second, arena.outcome, np.arange(900), prompt)
    found = robust_weights(votes)
    assert found.repeated[:300].sum() == pytest.approx(20)
    assert (found.repeated[300:] == 1).all()


def test_where_a_few_prompts_are_all_there_is_none_is_repeated_too_often() -> None:
    arena = play(np.random.default_rng(2), np.zeros(6), 900)
    votes = Votes(6, arena.first, arena.second, arena.outcome, np.arange(900), np.arange(900) % 10)
    assert (robust_weights(votes).repeated == 1).all()


def test_a_voter_with_a_tilt_is_told_by_its_likelihood_ratio() -> None:
    first, second = np.zeros(12, np.int64), np.ones(12, np.int64)
    votes = some_votes(2, np.repeat([0, 1], 6), first, second, np.array([WIN] * 6 + [WIN, LOSS] * 3))
    found = tilts(votes, np.zeros(2))
    of = {(int(v), int(m)): n for n, (v, m) in enumerate(zip(found.voter, found.model, strict=True))}
    assert found.p_value[of[0, 0]] == pytest.approx(2 * 0.5**6, rel=1e-2), "six heads, on either side"
    assert found.tilt[of[0, 0]] > 5
    assert found.tilt[of[0, 1]] < -5
    assert found.p_value[of[1, 0]] == pytest.approx(1)
    assert found.tilt[of[1, 0]] == pytest.approx(0, abs=1e-5)
    assert found.votes[of[1, 0]] == 6


def test_the_test_holds_its_level_over_all_voters() -> None:
    """Honest voters who vote as the strengths foretell: in at most one arena of a hundred is anybody taken for partial."""
    rng = np.random.default_rng(9)
    caught = 0
    for _ in range(60):
        arena = play(rng, draw_strengths(rng, 6), 1500, 0.2)
        voter = np.minimum(rng.geometric(0.05, 1500), 60)
        found = tilts(some_votes(6, voter, arena.first, arena.second, arena.outcome), arena.strengths)
        caught += bool(partial(found, 61, level=0.05).any())
    assert caught <= 6


@given(st.integers(2, 6), st.integers(1, 80), st.integers(1, 30), st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_weights_lie_between_nothing_and_one_and_depend_on_no_order_or_side(
    models: int, number: int, voters: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    arena = play(rng, draw_strengths(rng, models), number, 0.2)
    voter = np.unique(rng.integers(0, voters, number), return_inverse=True)[1]
    votes = some_votes(models, voter, arena.first, arena.second, arena.outcome)
    found = robust_weights(votes).weight
    assert found.shape == (number,)
    assert ((found >= 0) & (found <= 1)).all()
    order = rng.permutation(number)
    swapped = np.where(arena.outcome == TIE, TIE, 1 - arena.outcome)
    mirrored = some_votes(models, voter[order], arena.second[order], arena.first[order], swapped[order])
    assert robust_weights(mirrored).weight == pytest.approx(found[order], abs=1e-6)


def test_no_votes_have_no_weights() -> None:
    none = np.array([], np.int64)
    with pytest.raises(ValueError, match="no votes"):
        robust_weights(Votes(3, none, none, none, none, none))


def test_a_prior_keeps_strengths_finite_and_gives_way_to_votes() -> None:
    only_won = count_pairs(3, np.array([0] * 9), np.array([1] * 9), np.array([WIN] * 9))
    strengths, covariance = fit_with_prior(only_won, 3.0)
    assert strengths[0] > 0.5 > -0.5 > strengths[1]
    assert strengths[2] == pytest.approx(0)
    assert covariance[2, 2] == pytest.approx(3.0)
    counts = play(np.random.default_rng(3), draw_strengths(np.random.default_rng(1), 8), 40_000).counts()
    found = fit_with_prior(counts, 1e6)
    assert found.strengths - found.strengths.mean() == pytest.approx(maximise(counts), abs=1e-4)
