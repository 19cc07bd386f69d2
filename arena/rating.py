"""From battle files to ratings: ``rate(paths)`` is what the command ``llmuses rate`` and a notebook call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from arena.battle_files import BattleTable, Selection, Skipped, open_battles
from arena.rating_records import ModelRating, Ratings, Rule, Scale
from arena.ratings.bradley_terry import Fit, chances, cluster_scores, maximise, sandwich, scores_of
from arena.ratings.counts import Floats, Ints, PairCounts
from arena.ratings.davidson import fit_davidson
from arena.ratings.elo import EloSettings, bootstrap_elo, online_elo
from arena.ratings.graph import Place, Standing, restricted, standing
from arena.ratings.ranks import rank_ranges
from llmuses.errors import UnknownNameError, UsageError
from llmuses.statistics.intervals import Z95

_CLUSTERS = {"question": "question_id", "voter": "voter"}


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
        whole = _rated(table, rule, _Part())
        groups = {}
        for value, _ in table.values(rule.by) if rule.by else ():
            groups[value] = _rated(table, rule, _Part(f"{rule.by} = ?", (value,))).models
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
    columns = [_CLUSTERS[rule.cluster]] if rule.cluster != "none" else []
    columns += [rule.by] if rule.by in ("category", "language") else []
    return columns + (["tstamp"] if rule.method == "elo" else [])


class _Part(NamedTuple):
    """Some of the battles: a condition in SQL and its values."""

    where: str = "true"
    values: tuple[str, ...] = ()


class _Rated(NamedTuple):
    models: list[ModelRating]
    ties: float | None
    notes: list[str]


class _Figures(NamedTuple):
    """Ratings on the scale, their 95% intervals and ranges of ranks: shapes (R,), (R, 2), (R, 2) for R rated models."""

    ratings: Floats
    ci95: Floats
    ranks: Ints
    online: Floats | None = None


def _rated(table: BattleTable, rule: Rule, part: _Part) -> _Rated:
    counts = table.counts(part.where, part.values)
    found = standing(counts)
    kept = found.rated
    if len(kept) < 2:
        return _Rated(_lines(table.names, counts, found, None), None, _unrated(table.names, counts, found))
    inner, names, ties = restricted(counts, kept), [table.names[index] for index in kept], None
    if rule.method == "elo":
        figures = _elo(table, rule, part, kept, names)
    elif rule.ties == "davidson" and inner.ties.sum():
        strengths, covariance, ties = fit_davidson(inner)
        figures = _on_scale(Fit(strengths, covariance), names, rule.scale)
    else:
        strengths = maximise(inner)
        scores = (
            scores_of(inner, strengths)
            if rule.cluster == "none"
            else _clustered(table, _CLUSTERS[rule.cluster], part, kept, strengths)
        )
        figures = _on_scale(Fit(strengths, sandwich(inner, strengths, scores)), names, rule.scale)
    return _Rated(_lines(table.names, counts, found, figures), ties, _unrated(table.names, counts, found))


def _clustered(table: BattleTable, column: str, part: _Part, kept: Ints, strengths: Floats) -> Floats:
    """Return the scores' outer products summed by question or by voter; a battle without one is its own cluster."""
    first, second, outcome, cluster = _among(table, part, kept, column)
    residual = np.array([1.0, 0.0, 0.5])[outcome] - chances(strengths, first, second)
    return cluster_scores(len(kept), first, second, residual, np.unique(cluster, return_inverse=True)[1])


def _among(table: BattleTable, part: _Part, kept: Ints, *columns: str) -> tuple[Ints, ...]:
    """Return the battles among the rated models, renumbered: first, second, outcome, and the columns."""
    found = table.arrays(*columns, where=part.where, values=part.values)
    number = np.full(len(table.names), -1)
    number[kept] = np.arange(len(kept))
    first, second = number[found["a"]], number[found["b"]]
    inside = (first >= 0) & (second >= 0)
    rest = (found[name][inside] for name in ("outcome", *columns))
    return (first[inside], second[inside], *rest)


def _elo(table: BattleTable, rule: Rule, part: _Part, kept: Ints, names: list[str]) -> _Figures:
    """Return online Elo in the order of time, with the bootstrap's medians as ratings and its quantiles as intervals."""
    first, second, outcome, tstamp = _among(table, part, kept, "tstamp")
    order = np.argsort(tstamp, kind="stable")
    at = EloSettings(scale=rule.scale.scale, base=rule.scale.base, initial=rule.scale.mean)
    battles = (first[order], second[order], outcome[order].astype(np.int64))
    drawn = bootstrap_elo(len(kept), *battles, at, seed=rule.seed)
    median = np.median(drawn, axis=0)
    shift = _shift(median, names, rule.scale)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    return _Figures(
        median + shift,
        np.stack((low, high), axis=1) + shift,
        rank_ranges(median, np.cov(drawn, rowvar=False)),
        online_elo(len(kept), *battles, at),
    )


def _on_scale(fit: Fit, names: list[str], scale: Scale) -> _Figures:
    factor = scale.scale / math.log(scale.base)
    errors = np.sqrt(np.diag(fit.covariance)) * factor
    ratings = fit.strengths * factor
    ratings = ratings + _shift(ratings, names, scale)
    ci95 = np.stack((ratings - Z95 * errors, ratings + Z95 * errors), axis=1)
    return _Figures(ratings, ci95, rank_ranges(fit.strengths, fit.covariance))


def _shift(ratings: Floats, names: list[str], scale: Scale) -> float:
    """Return what is added to ratings: their mean becomes the scale's, or the anchor's rating what it has to be."""
    if scale.anchor is not None and scale.anchor[0] in names:
        return scale.anchor[1] - float(ratings[names.index(scale.anchor[0])])
    return scale.mean - float(ratings.mean())


def _lines(names: list[str], counts: PairCounts, found: Standing, figures: _Figures | None) -> list[ModelRating]:
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
