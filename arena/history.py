"""How ratings came to be what they are: rated again over the battles up to each of some moments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from arena.battle_files import Selection, open_battles
from arena.fitting import figures_of_counts
from arena.rating_lines import lines_of
from arena.rating_records import ModelRating, Rule
from arena.ratings.graph import standing
from llmuses.records import Record


class Moment(Record, kw_only=True, omit_defaults=False):
    """The ratings of all battles up to ``tstamp`` (seconds since 1970)."""

    tstamp: float
    battles: int
    models: list[ModelRating]


def rating_history(
    battles: str | Path | Sequence[str | Path], rule: Rule | None = None, moments: int = 12
) -> list[Moment]:
    """Return the ratings at so many moments, equally far apart, the last one at the last battle; none without times.

    Each moment's ratings are those of Bradley and Terry with ties as the rule has them, over the battles that the rule
    selects; its other fields play no part. Raises DataError as ``rate`` does.
    """
    rule = rule or Rule()
    paths = [battles] if isinstance(battles, str | Path) else list(battles)
    plain = Rule(ties=rule.ties, scale=rule.scale, seed=rule.seed)
    selection = Selection(rule.judge, rule.category, rule.language, rule.blind_only)
    found = []
    with open_battles(paths, selection, ["tstamp"]) as table:
        times = table.arrays("tstamp")["tstamp"]
        times = times[np.isfinite(times) & (times > 0)]
        if len(times) < 2 or times.min() == times.max():
            return []
        for moment in np.linspace(times.min(), times.max(), moments + 1)[1:]:
            counts = table.counts("tstamp > 0 AND tstamp <= ?", [float(moment)])
            place = standing(counts)
            figures = None
            if len(place.rated) > 1:
                names = [table.names[index] for index in place.rated]
                figures = figures_of_counts(counts, place.rated, names, plain)
            models = lines_of(table.names, counts, place, figures)
            found.append(Moment(tstamp=float(moment), battles=round(float(counts.battles)), models=models))
    return found
