"""From battle files to ratings: ``rate(paths)`` is what the command ``llmuses rate`` and a notebook call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from arena.battle_files import BattleTable, Selection, Skipped, open_battles
from arena.fitting import CLUSTERS, Figures, Part, figures_of
from arena.rating_records import ModelRating, Ratings, Rule
from arena.ratings.counts import PairCounts
from arena.ratings.graph import Place, Standing, standing
from llmuses.errors import UnknownNameError, UsageError


def rate(battles: str | Path | Sequence[str | Path], rule: Rule | None = None) -> Ratings:
    """Return the ratings of the models in one file of battles or several.

    Raises DataError where no line is a battle, UnknownNameError for an anchor that did not play, UsageError for settings
    that exclude each other.
    """
    rule = rule or Rule()
    paths = [battles] if isinstance(battles, str | Path) else list(battles)
    _check(rule)
    selection = Selection(rule.judge, rule.category, rule.language, rule.blind_only)
    with open_battles(paths, selection, _columns(rule)) as table:
        if rule.scale.anchor is not None and rule.scale.anchor[0] not in table.names:
            raise UnknownNameError("model to anchor", rule.scale.anchor[0], table.names)
        whole = _rated(table, rule, Part())
        groups = {}
        for value, _ in table.values(rule.by) if rule.by else ():
            groups[value] = _rated(table, rule, Part(f"{rule.by} = ?", (value,))).models
        return Ratings(
            models=whole.models,
            battles=sum(model.battles for model in whole.models) // 2,
            rule=rule,
            groups=groups,
            ties=whole.ties,
            notes=[*_skipped(table.skipped), *whole.notes],
        )


def _check(rule: Rule) -> None:
    if rule.method == "elo" and (rule.ties != "half" or rule.cluster != "none"):
        raise UsageError("method elo knows neither ties davidson nor clusters: leave them out, or take method bt.")
    if rule.ties == "davidson" and rule.cluster != "none":
        raise UsageError("clusters work with ties half only.")


def _columns(rule: Rule) -> list[str]:
    columns = [CLUSTERS[rule.cluster]] if rule.cluster != "none" else []
    columns += [rule.by] if rule.by in ("category", "language") else []
    return columns + (["tstamp"] if rule.method == "elo" else [])


class _Rated(NamedTuple):
    models: list[ModelRating]
    ties: float | None
    notes: list[str]


def _rated(table: BattleTable, rule: Rule, part: Part) -> _Rated:
    counts = table.counts(part.where, part.values)
    found = standing(counts)
    figures = figures_of(table, rule, part, counts, found.rated) if len(found.rated) > 1 else None
    ties = None if figures is None else figures.ties
    return _Rated(_lines(table.names, counts, found, figures), ties, _unrated(table.names, counts, found))


def _lines(names: list[str], counts: PairCounts, found: Standing, figures: Figures | None) -> list[ModelRating]:
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
            battles=int(played[model]),
            won=float(won[model] / played[model]),
            place=found.places[model],
        )
        if figures is not None and model in at:
            row = at[model]
            line.rating = float(figures.ratings[row])
            line.ci95 = (float(figures.ci95[row, 0]), float(figures.ci95[row, 1]))
            line.rank = (int(figures.ranks[row, 0]), int(figures.ranks[row, 1]))
            line.online = None if figures.online is None else float(figures.online[row])
        lines.append(line)
    return sorted(lines, key=lambda line: (line.rating is None, -(line.rating or 0), -line.won, line.model))


_WHY = {
    Place.ONLY_WON: "won against everybody who is rated: nothing bounds a rating from above",
    Place.ONLY_LOST: "lost against everybody who is rated: nothing bounds a rating from below",
    Place.APART: "met nobody who is rated",
}


def _unrated(names: list[str], counts: PairCounts, found: Standing) -> list[str]:
    played = counts.played()
    notes = []
    for place, why in _WHY.items():
        members = [names[i] for i, own in enumerate(found.places) if own is place and played[i]]
        if members:
            shown = ", ".join(members[:5]) + (f" and {len(members) - 5} more" if len(members) > 5 else "")
            notes.append(f"no rating for {shown}: {why}.")
    return notes


def _skipped(skipped: Skipped) -> list[str]:
    words = {
        "unreadable": "are no battles",
        "no_winner": "name no winner that is known",
        "same_model": "let a model play itself",
        "excluded": "are taken out by exclusion lines",
    }
    return [f"{number:,} lines {words[name]}." for name, number in skipped._asdict().items() if number]
