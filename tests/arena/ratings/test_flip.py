"""How few votes would put another model first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from arena.ratings.bradley_terry import maximise
from arena.ratings.counts import LOSS, WIN, PairCounts, count_pairs
from arena.ratings.flip import flip
from arena.ratings.graph import standing
from tests.arena.ratings.arenas import draw_strengths, play


def of_two(wins: int, losses: int) -> PairCounts:
    number = wins + losses
    return count_pairs(
        2, np.zeros(number, np.int64), np.ones(number, np.int64), np.array([WIN] * wins + [LOSS] * losses)
    )


def test_between_two_models_as_many_votes_flip_as_the_lead_is_and_one_more() -> None:
    counts = of_two(60, 40)
    found = flip(counts, maximise(counts))
    assert (found.leader, found.without, found.by) == (0, 1, 1)
    assert found.removed == found.added == 21


@given(st.integers(3, 7), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_votes_added_flip_the_first_place_and_one_fewer_do_not(models: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = play(rng, draw_strengths(rng, models, 60), 400, 0.2).counts()
    assume(len(standing(counts).rated) == models)
    found = flip(counts, maximise(counts))
    for more, leads in ((found.added, False), (found.added - 1, True)):
        added = PairCounts(
            models,
            np.append(counts.first, found.by),
            np.append(counts.second, found.leader),
            np.append(counts.wins, float(more)),
            np.append(counts.losses, 0.0),
            np.append(counts.ties, 0.0),
        )
        assert (int(np.argmax(maximise(added))) == found.leader) == leads
    assert found.removed is not None and 1 <= found.removed <= 400
    assert found.without != found.leader


def test_the_votes_to_take_away_are_the_fewest_that_a_search_finds() -> None:
    """Three models, few votes: every way of taking votes away from the first is tried."""
    first = np.array([0] * 12 + [1] * 8 + [0] * 10)
    second = np.array([1] * 12 + [2] * 8 + [2] * 10)
    outcome = np.array([WIN] * 7 + [LOSS] * 5 + [WIN] * 5 + [LOSS] * 3 + [WIN] * 6 + [LOSS] * 4)
    counts = count_pairs(3, first, second, outcome)
    found = flip(counts, maximise(counts))
    fewest = min(
        own + other + back
        for own in range(7)
        for other in range(6)
        for back in range(4)
        if _leader(counts, own, other, back) not in (None, 0)
    )
    assert found.leader == 0
    assert found.removed == fewest


def _leader(counts: PairCounts, own: int, other: int, back: int) -> int | None:
    """Return who leads without so many wins of the first over the second and the third, and of the third over the second."""
    pairs = list(zip(counts.first.tolist(), counts.second.tolist(), strict=True))
    wins, losses = counts.wins.copy(), counts.losses.copy()
    wins[pairs.index((0, 1))] -= own
    wins[pairs.index((0, 2))] -= other
    losses[pairs.index((1, 2))] -= back
    try:
        return int(np.argmax(maximise(counts._replace(wins=wins, losses=losses))))
    except (ValueError, np.linalg.LinAlgError):
        return None


def test_a_clear_first_place_needs_many_votes_and_one_model_is_no_race() -> None:
    counts = of_two(900, 100)
    assert flip(counts, maximise(counts)).added == 801
    with pytest.raises(ValueError, match="no other"):
        flip(PairCounts(1, *(np.array([], np.int64),) * 2, *(np.array([]),) * 3), np.zeros(1))
