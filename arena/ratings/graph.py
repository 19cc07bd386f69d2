"""Who can be compared with whom: the graph of battles, and where a rating would have to be infinite."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.ratings.counts import Ints, PairCounts


class Place(StrEnum):
    """Why a model has a rating, or none.

    ``rated``: it belongs to the largest group inside which everybody is linked by wins and losses to everybody.
    ``only_won``, ``only_lost``: nothing bounds its rating from above, or from below. ``apart``: it is linked to the
    rated ones by no battle, or through models without a rating only.
    """

    RATED = "rated"
    ONLY_WON = "only_won"
    ONLY_LOST = "only_lost"
    APART = "apart"


class Standing(NamedTuple):
    """Which models can be rated: ``places`` has one entry a model, ``rated`` their indices, ``groups`` counts the
    groups of models that no battle links."""

    places: list[Place]
    rated: Ints
    groups: int


def standing(counts: PairCounts) -> Standing:
    """Return which models the battles allow to be rated on one scale.

    A finite maximum of the Bradley-Terry likelihood exists exactly where, however the models are cut in two, each half
    won or tied against the other: where the graph of "did not lose to" is strongly connected. Source: Ford (1957),
    "Solution of a ranking problem from binary comparisons", American Mathematical Monthly 64(8), assumption A.
    """
    held = counts.ties > 0
    up = np.zeros((counts.models, counts.models), dtype=bool)  # up[i, j]: j won or tied against i at least once
    won, lost = (counts.wins > 0) | held, (counts.losses > 0) | held
    up[counts.second[won], counts.first[won]] = True  # by places, not by |=: a pair may be there several times
    up[counts.first[lost], counts.second[lost]] = True
    above = _reach(up)
    strong = above & above.T
    linked = _reach(up | up.T)
    inside = strong @ counts.played()
    core = int(np.lexsort((inside, strong.sum(axis=1)))[-1])  # the most models, then the most battles
    rated = np.flatnonzero(strong[core])
    places = [Place.APART] * counts.models
    for model in range(counts.models):
        if strong[core, model]:
            places[model] = Place.RATED
        elif above[core, model]:
            places[model] = Place.ONLY_WON
        elif above[model, core]:
            places[model] = Place.ONLY_LOST
    firsts = linked.argmax(axis=1) == np.arange(counts.models)  # of each group its first member
    return Standing(places, rated.astype(np.int64), int(firsts.sum()))


def _reach(edges: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return who can be reached from whom in any number of steps, oneself included, shape (K, K)."""
    reached = edges | np.eye(len(edges), dtype=bool)
    while True:
        further = (reached.astype(np.float32) @ reached.astype(np.float32)) > 0
        if np.array_equal(further, reached):
            return reached
        reached = further


def restricted(counts: PairCounts, kept: Ints) -> PairCounts:
    """Return the counts among some models, renumbered in the order of ``kept``."""
    number = np.full(counts.models, -1)
    number[kept] = np.arange(len(kept))
    first, second = number[counts.first], number[counts.second]
    inside = (first >= 0) & (second >= 0)
    return PairCounts(
        len(kept), first[inside], second[inside], counts.wins[inside], counts.losses[inside], counts.ties[inside]
    )
