"""What figures come to for people: a line a model, and sentences on models that cannot be rated."""

from __future__ import annotations

import numpy as np

from arena.fitting import Figures
from arena.rating_records import ModelRating
from arena.ratings.counts import PairCounts
from arena.ratings.graph import Place, Standing

_CERTAIN = 1e-9
"""Points: battles that leave no more open than this (all of them ties, drawn again for Elo) show no spread at all, and
no interval can be made of them."""


def lines_of(names: list[str], counts: PairCounts, found: Standing, figures: Figures | None) -> list[ModelRating]:
    """Return one line a model that played: the rated ones by rating, then the others by the share that they won."""
    played, won = counts.played(), counts.won()
    at = {int(model): row for row, model in enumerate(found.rated)} if figures is not None else {}
    lines = []
    for model in np.flatnonzero(played).tolist():
        line = ModelRating(
            model=names[model],
            rating=None,
            ci95=None,
            rank=None,
            battles=round(played[model]),
            won=float(won[model] / played[model]),
            place=found.places[model],
        )
        if figures is not None and model in at:
            row = at[model]
            line.rating = float(figures.ratings[row])
            low, high = figures.ci95[row].tolist()
            line.ci95 = (low, high) if high - low > _CERTAIN else None
            line.rank = (int(figures.ranks[row, 0]), int(figures.ranks[row, 1]))
            line.borrowed = None if figures.borrowed is None else float(figures.borrowed[row])
            line.online = None if figures.online is None else float(figures.online[row])
        lines.append(line)
    return sorted(lines, key=lambda line: (line.rating is None, -(line.rating or 0), -line.won, line.model))


_WHY = {
    Place.ONLY_WON: "won against everybody who is rated: nothing bounds a rating from above",
    Place.ONLY_LOST: "lost against everybody who is rated: nothing bounds a rating from below",
    Place.APART: "met nobody who is rated",
}


def unrated(names: list[str], counts: PairCounts, found: Standing) -> list[str]:
    """Return a sentence for each reason why models that played have no rating."""
    played = counts.played()
    notes = []
    for place, why in _WHY.items():
        members = [names[i] for i, own in enumerate(found.places) if own is place and played[i]]
        if members:
            shown = ", ".join(members[:5]) + (f" and {len(members) - 5} more" if len(members) > 5 else "")
            notes.append(f"no rating for {shown}: {why}.")
    return notes
