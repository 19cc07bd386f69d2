"""How few votes would flip the first place of a board."""

from __future__ import annotations

from collections.abc import Sequence

from arena.fitting import Figures, points_of
from arena.rating_records import FirstPlace, Scale
from arena.ratings.bradley_terry import maximise
from arena.ratings.counts import PairCounts
from arena.ratings.flip import flip
from arena.ratings.graph import Standing, restricted


def first_place(
    counts: PairCounts, names: Sequence[str], found: Standing, figures: Figures, scale: Scale
) -> FirstPlace:
    """Return how few votes would put another model first, by Bradley-Terry with ties as half-wins.

    Where battles are weighed a vote is one of full weight.
    """
    inner = restricted(counts, found.rated)
    start = (figures.ratings - figures.ratings.mean()) / points_of(scale)
    own = flip(inner, maximise(inner, start))
    names = [names[index] for index in found.rated]
    return FirstPlace(
        model=names[own.leader],
        removed=own.removed,
        without=None if own.without is None else names[own.without],
        added=own.added,
        by=names[own.by],
    )
