"""Intervals cover what they say, under uniform play and under play that follows the ratings; small runs of the simulation."""

from __future__ import annotations

import numpy as np
import pytest

from arena.ratings.bradley_terry import cluster_scores
from tests.arena.ratings.arenas import draw_strengths, play
from tests.simulations.coverage import simulate


@pytest.mark.parametrize(("active", "taste"), [(False, 0.8), (True, 0.0)])
def test_intervals_cover_and_ranges_of_ranks_hold(active: bool, taste: float) -> None:
    found = simulate(30, active, taste)
    assert 0.91 <= found.clustered <= 0.98
    assert found.ranks >= 0.93


@pytest.mark.parametrize("size", [1, 2, 5, 16, 17, 60])
def test_clusters_of_any_size_are_added_up_alike(size: int) -> None:
    rng = np.random.default_rng(size)
    arena = play(rng, draw_strengths(rng, 7), 960)
    residual = rng.normal(size=960)
    number = rng.permutation(960) // size
    g = np.zeros((number.max() + 1, 7))
    np.add.at(g, (number, arena.first), residual)
    np.add.at(g, (number, arena.second), -residual)
    expected = g.T @ g * (len(g) / (len(g) - 1))
    codes = rng.integers(0, 1 << 62, len(g))[number]
    assert cluster_scores(7, arena.first, arena.second, residual, codes) == pytest.approx(expected)
