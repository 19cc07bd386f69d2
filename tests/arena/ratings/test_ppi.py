"""People and a judge together: what the estimate is in special cases, that it covers, and what it gains."""

from __future__ import annotations

import numpy as np
import pytest

from arena.ratings.bradley_terry import fit
from arena.ratings.counts import PairCounts
from arena.ratings.ppi import Labelled, Unlabelled, fit_ppi
from tests.simulations.people_and_judge import MODELS, Votes, draw_votes, draw_world, simulate


@pytest.fixture(scope="module")
def votes() -> Votes:
    rng = np.random.default_rng(1)
    return draw_votes(rng, draw_world(rng))


def by_hand(battles: Labelled | Unlabelled, points: np.ndarray, weight: np.ndarray | float = 1.0) -> PairCounts:
    none = np.zeros(len(points))
    return PairCounts(MODELS, battles.first, battles.second, weight * points, weight * (1 - points), none)


def test_without_trust_it_is_peoples_votes_weighted(votes: Votes) -> None:
    found = fit_ppi(MODELS, votes.people, votes.more, 0.0)
    alone = fit(by_hand(votes.people, votes.people.human, votes.people.weight))
    assert found.strengths == pytest.approx(alone.strengths, abs=1e-7)
    assert found.trust == 0


def test_a_judge_that_always_says_what_people_say_is_trusted_fully(votes: Votes) -> None:
    people = votes.people._replace(judge=votes.people.human, weight=np.ones(len(votes.people.human)))
    n, more = len(people.human), len(votes.more.judge)
    found = fit_ppi(MODELS, people, votes.more)
    assert found.trust == pytest.approx(more / (n + more), abs=0.1), "people's own battles count too"
    whole = fit_ppi(MODELS, people, votes.more, 1.0)
    assert whole.strengths == pytest.approx(fit(by_hand(votes.more, votes.more.judge)).strengths, abs=1e-7)


def test_a_judge_that_tosses_a_coin_is_hardly_trusted_and_costs_nothing(votes: Votes) -> None:
    rng = np.random.default_rng(2)
    people = votes.people._replace(judge=rng.integers(0, 2, len(votes.people.judge)).astype(float))
    more = votes.more._replace(judge=rng.integers(0, 2, len(votes.more.judge)).astype(float))
    found, alone = fit_ppi(MODELS, people, more), fit_ppi(MODELS, people, more, 0.0)
    assert found.trust < 0.1
    assert np.trace(found.covariance) <= 1.01 * np.trace(alone.covariance)


def test_a_judges_constant_bias_is_taken_out(votes: Votes) -> None:
    """Whoever the judge favours, it does so on both kinds of battles."""
    rng = np.random.default_rng(3)
    world = draw_world(rng, bias=300)
    many = draw_votes(rng, world, labelled=40_000, more=80_000)
    found = fit_ppi(MODELS, many.people, many.more)
    assert found.strengths == pytest.approx(world.truth, abs=0.08)
    assert np.abs(fit(by_hand(many.more, many.more.judge)).strengths - world.truth).max() > 0.5


def test_names_and_sides_do_not_matter(votes: Votes) -> None:
    order = np.random.default_rng(4).permutation(MODELS)
    people, more = votes.people, votes.more
    turned = Labelled(order[people.second], order[people.first], 1 - people.human, 1 - people.judge, people.weight)
    others = Unlabelled(order[more.second], order[more.first], 1 - more.judge)
    one, two = fit_ppi(MODELS, people, more), fit_ppi(MODELS, turned, others)
    assert two.strengths[order] == pytest.approx(one.strengths, abs=1e-7)
    assert np.diag(two.covariance)[order] == pytest.approx(np.diag(one.covariance))
    assert one.strengths.sum() == pytest.approx(0)


def test_votes_that_bound_nothing_are_refused(votes: Votes) -> None:
    people = votes.people._replace(human=(votes.people.first < votes.people.second).astype(float))
    with pytest.raises(ValueError, match="no finite rating"):
        fit_ppi(MODELS, people, votes.more, 0.0)


def test_intervals_cover_under_another_policy_with_a_biased_judge_and_are_narrower_than_peoples_alone() -> None:
    found = simulate(30)
    assert 0.92 <= found["people and judge"].covered <= 0.98
    assert found["people and judge"].width < 0.9 * found["people alone"].width
    assert found["judge taken as people"].covered < 0.4
