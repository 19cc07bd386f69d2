"""Categories that borrow from the overall rating: when they do, how much, and what that gains."""

from __future__ import annotations

import numpy as np
import pytest

from arena.ratings.bradley_terry import Fit, fit, scores_of
from arena.ratings.counts import Floats, PairCounts, count_pairs
from arena.ratings.pooled import PooledFit, chosen_variances, fit_pooled
from tests.arena.ratings.arenas import draw_strengths, play
from tests.simulations.categories import CATEGORIES, added, draw_categories, simulate

Z = 1.959963984540054
POINTS = 400 / np.log(10)


def pooled(parts: list[PairCounts], seed: int = 0) -> tuple[list[PooledFit], float]:
    overall: Fit = fit(added(parts))

    def scores(number: int, strengths: Floats) -> Floats:
        return scores_of(parts[number], strengths)

    return fit_pooled(parts, overall, scores, seed)


def parts_of(seed: int, deviation: float, votes: int) -> tuple[Floats, list[PairCounts]]:
    rng = np.random.default_rng(seed)
    truth = draw_categories(rng, deviation)
    return truth, [play(rng, own, votes, ties=0.2).counts() for own in truth]


def test_categories_that_do_not_differ_are_the_overall_rating() -> None:
    _, parts = parts_of(3, 0, 800)
    fits, spread = pooled(parts)
    assert spread == 0
    for own in fits:
        assert own.strengths == pytest.approx(fit(added(parts)).strengths)
        assert own.borrowed.tolist() == [1.0] * len(own.strengths)


def test_categories_that_differ_widely_with_many_votes_stand_on_their_own() -> None:
    _, parts = parts_of(4, 200, 8000)
    fits, spread = pooled(parts)
    assert spread * POINTS == pytest.approx(200, rel=0.4)
    for own, part in zip(fits, parts, strict=True):
        assert own.borrowed.max() < 0.1
        assert np.median(np.abs(own.strengths - fit(part).strengths)) < 0.05


def test_a_category_with_few_votes_borrows_more_than_one_with_many() -> None:
    rng = np.random.default_rng(5)
    truth = draw_categories(rng, 60)
    parts = [play(rng, own, votes, ties=0.2).counts() for own, votes in zip(truth, [100, *[1600] * 7], strict=True)]
    few, *many = pooled(parts)[0]
    assert few.borrowed.mean() > 2 * max(own.borrowed.mean() for own in many)
    assert 0 < few.borrowed.min() <= few.borrowed.max() <= 1


def test_a_model_that_never_played_in_a_category_has_its_overall_rating_there() -> None:
    rng = np.random.default_rng(6)
    truth = draw_strengths(rng, 6)
    some = play(rng, truth, 2000)
    without = (some.first != 5) & (some.second != 5)
    parts = [
        count_pairs(6, some.first[without], some.second[without], some.outcome[without]),
        play(rng, rng.permutation(truth), 2000).counts(),
    ]
    here, there = pooled(parts)[0]
    assert here.borrowed[5] == pytest.approx(1)
    assert here.borrowed[:5].max() < 0.4 > there.borrowed.max()
    assert here.covariance[5, 5] > 5 * here.covariance[0, 0], "what it would do here is known from elsewhere only"


def test_a_model_that_lost_nothing_in_a_category_stays_finite() -> None:
    rng = np.random.default_rng(7)
    _, parts = parts_of(7, 60, 800)
    won = play(rng, draw_strengths(rng, 20), 30)
    parts[0] = count_pairs(20, np.zeros(19, np.int64), np.arange(1, 20), np.zeros(19, np.int64))
    assert won.first.size
    fits, _ = pooled(parts)
    assert np.abs(fits[0].strengths).max() < 5


def test_the_same_seed_chooses_the_same_and_order_of_pairs_does_not_matter_to_the_fit() -> None:
    _, parts = parts_of(8, 60, 400)
    assert chosen_variances(parts, 1) == chosen_variances(parts, 1)
    turned = [PairCounts(p.models, p.second, p.first, p.losses, p.wins, p.ties) for p in parts]
    assert pooled(turned)[0][0].strengths == pytest.approx(pooled(parts)[0][0].strengths, abs=0.15)


def test_sums_of_weights_are_pooled_like_counts() -> None:
    _, parts = parts_of(9, 100, 3000)
    halved = [p._replace(wins=p.wins * 0.5, losses=p.losses * 0.5, ties=p.ties * 0.5) for p in parts]
    for one, two in zip(pooled(parts)[0], pooled(halved)[0], strict=True):
        assert one.strengths == pytest.approx(two.strengths, abs=0.2)


@pytest.mark.parametrize(("deviation", "votes"), [(0, 1600), (30, 100), (60, 400)])
def test_pooling_is_never_much_worse_than_the_better_of_apart_and_together(deviation: float, votes: int) -> None:
    errors = simulate(deviation, votes, arenas=8)
    assert errors.pooled <= 1.05 * min(errors.apart, errors.together)
    if votes == 100:
        assert errors.pooled <= 0.45 * errors.apart


def test_intervals_of_categories_cover_what_they_say() -> None:
    inside = []
    for seed in range(12):
        truth, parts = parts_of(100 + seed, 60, 600)
        for own, strengths in zip(pooled(parts)[0], truth, strict=True):
            error = np.sqrt(np.diag(own.covariance))
            inside.append(np.abs(own.strengths - strengths) <= Z * error)
    assert 0.92 <= np.mean(inside) <= 0.98
    assert len(inside) == 12 * CATEGORIES
