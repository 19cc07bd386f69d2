"""Who wins how often against whom: as the ratings predict it, and as it was seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from arena.battle_files import Selection, open_battles
from arena.rating import rate
from arena.rating_records import Ratings, Rule
from arena.ratings.counts import Floats, PairCounts
from llmuses.records import Record

if TYPE_CHECKING:
    import pandas as pd


class WinRates(Record, kw_only=True, omit_defaults=False):
    """Square tables over the rated models, the strongest first: entry (i, j) is the share that i wins against j, a tie as
    half a win. ``observed`` is None where they never met, both are None on the diagonal; ``battles`` says how often."""

    models: list[str]
    predicted: list[list[float | None]]
    observed: list[list[float | None]]
    battles: list[list[int]]

    def frame(self, which: str = "predicted") -> pd.DataFrame:
        """Return ``predicted``, ``observed`` or ``battles`` as a table with the models as rows and columns."""
        import pandas as pd

        tables: dict[str, list[list[Any]]] = {
            "predicted": self.predicted,
            "observed": self.observed,
            "battles": self.battles,
        }
        return pd.DataFrame(tables[which], index=self.models, columns=self.models)


def win_rates(battles: str | Path | Sequence[str | Path], rule: Rule | None = None) -> WinRates:
    """Return the win rates of the models that can be rated, in the battles that the rule takes. Raises as ``rate`` does."""
    rule = rule or Rule()
    paths = [battles] if isinstance(battles, str | Path) else list(battles)
    ratings = rate(paths, rule)
    judge = None if rule.combine == "ppi" else rule.judge
    selection = Selection(judge, rule.category, rule.language, rule.blind_only or rule.robust)
    with open_battles(paths, selection) as table:
        return win_rates_of(ratings, table.names, table.counts())


def win_rates_of(ratings: Ratings, names: Sequence[str], counts: PairCounts) -> WinRates:
    """Return the win rates of the rated models from counts of their battles; ``names`` are those of the counts."""
    rated = [model.model for model in ratings.models if model.rating is not None]
    place = np.array([rated.index(name) if name in rated else -1 for name in names], np.int64)
    first, second = place[counts.first], place[counts.second]
    inside = (first >= 0) & (second >= 0)
    first, second = first[inside], second[inside]
    won, met = np.zeros((2, len(rated), len(rated)))
    np.add.at(won, (first, second), (counts.wins + counts.ties / 2)[inside])
    np.add.at(won, (second, first), (counts.losses + counts.ties / 2)[inside])
    np.add.at(met, (first, second), counts.total[inside])
    met = met + met.T
    share = np.divide(won, met, out=np.full_like(won, np.nan), where=met > 0)
    return WinRates(
        models=rated,
        predicted=_listed(predicted(ratings)),
        observed=_listed(share),
        battles=[[int(number) for number in row] for row in met],
    )


def predicted(ratings: Ratings) -> Floats:
    """Return the share that each rated model wins against each other under the model of the ratings, shape (R, R).

    With Davidson's ν half of the ties are counted in.
    """
    strengths = np.array([model.rating for model in ratings.models if model.rating is not None])
    scale = ratings.rule.scale
    half = (strengths[:, None] - strengths[None, :]) * np.log(scale.base) / scale.scale / 2
    up, down, tie = np.exp(half), np.exp(-half), ratings.ties or 0.0
    return np.asarray((up + tie / 2) / (up + down + tie), np.float64)


def _listed(table: Floats) -> list[list[float | None]]:
    return [
        [None if row == column or np.isnan(value) else float(value) for column, value in enumerate(values)]
        for row, values in enumerate(table)
    ]
