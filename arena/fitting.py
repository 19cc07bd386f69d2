"""From the battles of a table to figures on the scale: ratings, 95% intervals, ranges of ranks, by each way of rating."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from arena.battle_files import BattleTable, Derived
from arena.rating_records import Rule, Scale, StyleEffect
from arena.ratings.bradley_terry import Fit, cluster_scores, maximise, sandwich, scores_of
from arena.ratings.counts import Floats, Ints, PairCounts
from arena.ratings.davidson import fit_davidson
from arena.ratings.elo import EloSettings, bootstrap_elo, online_elo
from arena.ratings.graph import restricted
from arena.ratings.pooled import fit_pooled
from arena.ratings.ranks import rank_ranges
from arena.ratings.style import fit_styled
from arena.texts import STYLES
from llmuses.errors import DataError
from llmuses.statistics.intervals import Z95

CLUSTERS = {
    kind: {
        "cluster": Derived(f"CASE WHEN {{{column}}} IS NULL THEN hash(uuid()) ELSE hash({{{column}}}) END", (column,))
    }
    for kind, column in (("question", "question_id"), ("voter", "voter"))
}
"""What hangs together, as numbers: a battle without a question or voter is its own cluster."""


class Part(NamedTuple):
    """Some of the battles: a condition in SQL and its values."""

    where: str = "true"
    values: tuple[str, ...] = ()


class Figures(NamedTuple):
    """Ratings on the scale, their 95% intervals and ranges of ranks: shapes (R,), (R, 2), (R, 2) for R rated models.

    ``online`` is Elo in the order of time and ``borrowed`` the share that comes from the overall rating, both of shape
    (R,); ``ties`` is Davidson's ν.
    """

    ratings: Floats
    ci95: Floats
    ranks: Ints
    online: Floats | None = None
    ties: float | None = None
    borrowed: Floats | None = None
    style: list[StyleEffect] | None = None


class Pooled(NamedTuple):
    """The figures of parts of the battles that borrow from the whole, with each part's counts and the models that it
    rates; ``spread`` is how many points, as a standard deviation, strengths differ between parts."""

    counts: list[PairCounts]
    rated: list[Ints]
    figures: list[Figures]
    spread: float


def figures_of(table: BattleTable, rule: Rule, part: Part, counts: PairCounts, kept: Ints) -> Figures:
    """Return the figures of the models ``kept``, which the battles link, from a part's battles and their counts."""
    names = [table.names[index] for index in kept]
    if rule.method == "elo":
        return _elo(table, rule, part, kept, names)
    if rule.style:
        return _styled(table, rule, part, kept, names)
    if rule.cluster == "none":
        squared = table.counts(part.where, part.values, power=2) if table.weighed else None
        return figures_of_counts(counts, kept, names, rule, squared)
    inner = restricted(counts, kept)
    strengths = maximise(inner)
    scores = scores_among(table, rule, part, kept, inner, strengths)
    return on_scale(Fit(strengths, sandwich(inner, strengths, scores)), names, rule.scale)


def figures_of_counts(
    counts: PairCounts, kept: Ints, names: Sequence[str], rule: Rule, squared: PairCounts | None = None
) -> Figures:
    """Return the figures with errors per battle of the models ``kept``, called ``names``, from counts alone.

    ``squared`` are the sums of squared weights where battles are weighed.
    """
    inner = restricted(counts, kept)
    squares = None if squared is None else restricted(squared, kept)
    if rule.ties == "davidson" and 0 < inner.ties.sum() < inner.battles:  # of nothing but ties it learns no strength
        strengths, covariance, ties = fit_davidson(inner, squares)
        return on_scale(Fit(strengths, covariance), names, rule.scale)._replace(ties=ties)
    strengths = maximise(inner)
    scores = scores_of(inner if squares is None else squares, strengths)
    return on_scale(Fit(strengths, sandwich(inner, strengths, scores)), names, rule.scale)


def pooled_figures(table: BattleTable, rule: Rule, parts: Sequence[Part], kept: Ints) -> Pooled:
    """Return the figures of categories or languages, partially pooled towards those of all battles.

    Ratings are centred as the overall ones are, over all models ``kept``, so that a category in which only strong models
    played says so. A part rates the models that played in it.
    """
    whole = restricted(table.counts(), kept)
    overall = maximise(whole)
    above = Fit(overall, sandwich(whole, overall, scores_among(table, rule, Part(), kept, whole, overall)))
    counts = [table.counts(part.where, part.values) for part in parts]
    inner = [restricted(own, kept) for own in counts]

    def scores(number: int, strengths: Floats) -> Floats:
        return scores_among(table, rule, parts[number], kept, inner[number], strengths)

    fits, spread = fit_pooled(inner, above, scores, rule.seed)
    names, figures, rated = [table.names[index] for index in kept], [], []
    for own, found in zip(inner, fits, strict=True):
        played = np.flatnonzero(own.played())
        every = on_scale(Fit(found.strengths, found.covariance), names, rule.scale)
        ranks = rank_ranges(found.strengths[played], found.covariance[np.ix_(played, played)])
        figures.append(Figures(every.ratings[played], every.ci95[played], ranks, borrowed=found.borrowed[played]))
        rated.append(kept[played])
    return Pooled(counts, rated, figures, spread * points_of(rule.scale))


def scores_among(
    table: BattleTable, rule: Rule, part: Part, kept: Ints, inner: PairCounts, strengths: Floats
) -> Floats:
    """Return the scores' outer products, summed by battle, question or voter as the rule has it, shape (R, R).

    ``inner`` are the counts among the models ``kept``.
    """
    if rule.cluster == "none":
        squared = restricted(table.counts(part.where, part.values, power=2), kept) if table.weighed else inner
        return scores_of(squared, strengths)
    first, second, outcome, weight, cluster = among(table, part, kept, "weight", "cluster")
    gap = strengths[:, None] - strengths[None, :]
    residual = weight * (np.array([1.0, 0.0, 0.5])[outcome] - (1 / (1 + np.exp(-gap)))[first, second])
    return cluster_scores(len(kept), first, second, residual, cluster)


def among(table: BattleTable, part: Part, kept: Ints, *columns: str) -> tuple[Ints, ...]:
    """Return the battles among the models ``kept``, renumbered: first, second, outcome, and the columns."""
    found = table.arrays(*columns, where=part.where, values=part.values)
    number = np.full(len(table.names), -1)
    number[kept] = np.arange(len(kept))
    first, second = number[found["a"]], number[found["b"]]
    inside = (first >= 0) & (second >= 0)
    rest = (found[name][inside] for name in ("outcome", *columns))
    return (first[inside], second[inside], *rest)


def _styled(table: BattleTable, rule: Rule, part: Part, kept: Ints, names: Sequence[str]) -> Figures:
    """Return the figures with style accounted for. Battles of which an output is missing are left out.

    Raises DataError where too few are left.
    """
    first, second, outcome, weight, *columns = among(
        table, part, kept, "weight", *(f"style_{style}" for style in STYLES)
    )
    x = np.stack(columns, axis=1)
    told = ~np.isnan(x).any(axis=1)
    first, second, x = first[told], second[told], x[told]
    points = np.array([1.0, 0.0, 0.5])[outcome[told]]
    sd = x.std(axis=0) if len(x) else np.zeros(x.shape[1])
    varied = np.flatnonzero(sd > 0)
    try:
        found = fit_styled(len(kept), first, second, points, x[:, varied] / sd[varied], weight[told].astype(np.float64))
    except (ValueError, np.linalg.LinAlgError) as problem:
        raise DataError(
            f"style cannot be accounted for: the {len(first):,} battles with both output_a and output_b bound no rating."
        ) from problem
    factor, effects = points_of(rule.scale), []
    for place, style in enumerate(varied):
        worth = float(found.coefficients[place]) * factor
        reach = Z95 * math.sqrt(found.coefficient_covariance[place, place]) * factor
        effects.append(
            StyleEffect(name=STYLES[style], points=worth, ci95=(worth - reach, worth + reach), sd=float(sd[style]))
        )
    return on_scale(Fit(found.strengths, found.covariance), names, rule.scale)._replace(style=effects)


def _elo(table: BattleTable, rule: Rule, part: Part, kept: Ints, names: Sequence[str]) -> Figures:
    """Return online Elo in the order of time, with the bootstrap's medians as ratings and its quantiles as intervals."""
    first, second, outcome, tstamp = among(table, part, kept, "tstamp")
    order = np.argsort(tstamp, kind="stable")
    at = EloSettings(scale=rule.scale.scale, base=rule.scale.base, initial=rule.scale.mean)
    battles = (first[order], second[order], outcome[order].astype(np.int64))
    drawn = bootstrap_elo(len(kept), *battles, at, seed=rule.seed)
    median = np.median(drawn, axis=0)
    moved = shift(median, names, rule.scale)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    return Figures(
        median + moved,
        np.stack((low, high), axis=1) + moved,
        rank_ranges(median, np.cov(drawn, rowvar=False)),
        online_elo(len(kept), *battles, at),
    )


def on_scale(fit: Fit, names: Sequence[str], scale: Scale) -> Figures:
    """Return a fit's figures: strengths and standard errors in the scale's points."""
    factor = points_of(scale)
    errors = np.sqrt(np.diag(fit.covariance)) * factor
    ratings = fit.strengths * factor
    ratings = ratings + shift(ratings, names, scale)
    ci95 = np.stack((ratings - Z95 * errors, ratings + Z95 * errors), axis=1)
    return Figures(ratings, ci95, rank_ranges(fit.strengths, fit.covariance))


def points_of(scale: Scale) -> float:
    """Return how many points of the scale one natural logarithm of odds is."""
    return scale.scale / math.log(scale.base)


def shift(ratings: Floats, names: Sequence[str], scale: Scale) -> float:
    """Return what is added to ratings: their mean becomes the scale's, or the anchor's rating what it has to be."""
    if scale.anchor is not None and scale.anchor[0] in names:
        return scale.anchor[1] - float(ratings[list(names).index(scale.anchor[0])])
    return scale.mean - float(ratings.mean())
