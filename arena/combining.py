"""People's votes and a judge's verdicts rated together (see ``arena.ratings.ppi``), out of the lines of battle files.

Which lines are of one battle: ``arena.same_battle``. Several votes, or verdicts with sides swapped, count as their mean. The
judge's other battles are those that no person decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.battle_files import BattleTable, Derived
from arena.fitting import Figures, on_scale
from arena.rating_records import Rule
from arena.ratings.bradley_terry import Fit
from arena.ratings.counts import Floats, Ints, PairCounts
from arena.ratings.graph import Standing, standing
from arena.ratings.ppi import Labelled, Unlabelled, fit_ppi
from arena.same_battle import SAME_BATTLE, SameBattle
from llmuses.errors import DataError, UnknownNameError, UsageError
from llmuses.records import HUMAN
from llmuses.statistics.chi_squared import chi_squared_tail

COLUMNS = ("judge", "question_id", "category", "language")
DERIVED = {
    **SAME_BATTLE,
    "chance": Derived("coalesce({pair_probability}, 0)", ("pair_probability",), "DOUBLE"),
    "category_kind": Derived("hash(coalesce({category}, ''))", ("category",)),
    "language_kind": Derived("hash(coalesce({language}, ''))", ("language",)),
}
_MIXES = ("category", "language")


class Combined(NamedTuple):
    """What people and a judge come to together; ``counts`` are by people where they voted, by the judge elsewhere."""

    counts: PairCounts
    standing: Standing
    figures: Figures | None
    trust: float | None
    notes: list[str]


class _Side(NamedTuple):
    """One side's battles, each once, of shape (B,): the lower and the higher index, what the lower one won, and the rest.
    ``kinds`` says by numbers of which category and language a battle is, shape (B, 2)."""

    key: NDArray[np.uint64]
    low: Ints
    high: Ints
    points: Floats
    probability: Floats
    question: NDArray[np.uint64]
    row: Ints
    kinds: NDArray[np.uint64]

    def of(self, chosen: NDArray[Any]) -> _Side:
        """Return some of the battles, by a mask or by their places."""
        return _Side(*(column[chosen] for column in self))


def combine(table: BattleTable, rule: Rule) -> Combined:
    """Return the figures of people's and one judge's battles together.

    Raises UsageError where it is not clear which judge is meant, DataError where people and judge cannot be put together:
    no battle that both decided, no ``pair_probability``, other kinds of prompts.
    """
    judge = _judge(table, rule)
    same = SameBattle(table)
    people, machine = _side(same, HUMAN), _side(same, judge)
    both, of_people, of_judge = np.intersect1d(people.key, machine.key, assume_unique=True, return_indices=True)
    alone = np.ones(len(machine.key), np.bool_)
    alone[of_judge] = False
    if not len(both) or not alone.any():
        raise DataError(
            f"people and {judge} cannot be rated together: there must be battles that both decided (the same models and "
            f"comparison_id or battle_id, {len(both):,} found) and others that only the judge did ({alone.sum():,} found)."
        )
    shared, other = people.of(of_people), machine.of(alone)
    _check_mix(table, machine.of(of_judge), other, judge)
    found = standing(_counts(table, shared))
    counts = _counts(table, shared, other)
    notes = _left_out(len(people.key) - len(both), judge)
    if len(found.rated) < 2:
        return Combined(counts, found, None, None, notes)
    kept = found.rated
    labelled, more = _labelled(table, shared, machine.of(of_judge), other, kept), _unlabelled(table, other, kept)
    try:
        fit = fit_ppi(len(kept), labelled, more)
    except ValueError as problem:
        raise DataError(f"people and {judge} cannot be rated together: {problem}.") from problem
    names = [table.names[index] for index in kept]
    return Combined(counts, found, on_scale(Fit(fit.strengths, fit.covariance), names, rule.scale), fit.trust, notes)


def _judge(table: BattleTable, rule: Rule) -> str:
    judges = [name for name, _ in table.values("judge") if name != HUMAN]
    if rule.judge is not None and rule.judge not in judges:
        raise UnknownNameError("judge to combine with people", rule.judge, judges)
    if rule.judge is None and len(judges) != 1:
        found = f"the battles name {len(judges)}" + (f" ({', '.join(judges[:5])})" if judges else "")
        raise UsageError(f"--combine ppi needs one judge beside people: {found}. --judge NAME chooses one.")
    return rule.judge or judges[0]


def _side(same: SameBattle, judge: str) -> _Side:
    kinds = tuple(f"{column}_kind" for column in _MIXES)
    found = same.verdicts(judge, "chance", "question_id", *kinds)
    low, high = np.minimum(found.first, found.second), np.maximum(found.first, found.second)
    unique, place, inverse, times = np.unique(found.key, return_index=True, return_inverse=True, return_counts=True)
    mean = np.bincount(inverse, found.low_points) / times
    chance, question, *of_kind = (column[place] for column in found.more.values())
    return _Side(unique, low[place], high[place], mean, chance, question, found.row[place], np.stack(of_kind, axis=1))


def _counts(table: BattleTable, *sides: _Side) -> PairCounts:
    low, high, points = (np.concatenate([side[index] for side in sides]) for index in (1, 2, 3))
    return PairCounts(len(table.names), low, high, points, 1 - points, np.zeros(len(low)))


def _inside(table: BattleTable, side: _Side, kept: Ints) -> tuple[NDArray[np.bool_], Ints, Ints]:
    """Return which battles are among the models ``kept``, and both models' places in it for those that are."""
    number = np.full(len(table.names), -1)
    number[kept] = np.arange(len(kept))
    low, high = number[side.low], number[side.high]
    inside = (low >= 0) & (high >= 0)
    return inside, low[inside], high[inside]


def _labelled(table: BattleTable, people: _Side, judge: _Side, other: _Side, kept: Ints) -> Labelled:
    """Return the battles that both decided, weighted by the share of their pair in the judge's other battles over the
    chance that the pair had; weights have mean one."""
    inside, low, high = _inside(table, people, kept)
    _, other_low, other_high = _inside(table, other, kept)
    chance = people.probability[inside]
    wrong = int((~(chance > 0)).sum())
    if wrong:
        raise DataError(
            f"people's votes cannot be weighted: {wrong:,} of {len(chance):,} battles have no pair_probability, the chance "
            "that matchmaking had of choosing their pair. Without it people's mix of pairs cannot be put right."
        )
    size = len(kept)
    share = np.bincount(other_low * size + other_high, minlength=size * size) / max(1, len(other_low))
    weight = share[low * size + high] / chance
    if not weight.sum():
        raise DataError("people and the judge share no pair of models: there is nothing to weigh people's votes by.")
    return Labelled(low, high, people.points[inside], judge.points[inside], weight / weight.mean())


def _unlabelled(table: BattleTable, other: _Side, kept: Ints) -> Unlabelled:
    inside, low, high = _inside(table, other, kept)
    return Unlabelled(low, high, other.points[inside])


def _left_out(number: int, judge: str) -> list[str]:
    return [f"{number:,} battles that people decided are left out: {judge} did not decide them."] if number else []


_LEVEL, _DISTANCE = 0.001, 0.03
"""Mixes differ where chance explains it less often than this, and where this share would have to move."""


def _check_mix(table: BattleTable, people: _Side, other: _Side, judge: str) -> None:
    """Raise DataError where people were shown other kinds of prompts than the judge, by category or language.

    ``people`` are the judge's lines of the battles that people decided too: votes need not say what kind they are of. Each
    question is counted once a side. The test is Pearson's for two samples.
    """
    sides = [side.of(np.unique(side.question, return_index=True)[1]) for side in (people, other)]
    rows = np.concatenate([side.row for side in sides])
    for number, column in enumerate(_MIXES):
        kinds = np.concatenate([side.kinds[:, number] for side in sides])
        every = np.unique(kinds)
        place = np.searchsorted(every, kinds)
        mine, theirs = (np.bincount(part, minlength=len(every)) for part in np.split(place, [len(sides[0].row)]))
        gap = mine / mine.sum() - theirs / theirs.sum()
        if np.abs(gap).sum() / 2 < _DISTANCE or mix_tail(mine, theirs) >= _LEVEL:
            continue
        worst = int(np.argmax(np.abs(gap)))
        row = int(rows[np.argmax(place == worst)])
        ((name,),) = table.texts(column, where=f"rowid = {row}")
        raise DataError(
            f"people and {judge} were asked other kinds of questions: {column} {name or 'missing'} is "
            f"{mine[worst] / mine.sum():.0%} of people's and {theirs[worst] / theirs.sum():.0%} of the judge's other ones. "
            f"Rate them together inside one {column} (--{column} NAME)."
        )


def mix_tail(mine: Sequence[int] | Ints, theirs: Sequence[int] | Ints) -> float:
    """Return how often chance alone makes two counts of kinds differ so much: Pearson's test of homogeneity.

    Kinds of which fewer than five are expected on a side are one kind together. Source: Pearson (1911), "On the
    probability that two independent distributions of frequency are really samples from the same population",
    Biometrika 8.
    """
    table = np.array([mine, theirs], np.float64)
    total = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    rare = expected.min(axis=0) < 5
    if rare.any():
        table = np.column_stack((table[:, ~rare], table[:, rare].sum(axis=1)))
        expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
        table, expected = table[:, expected.min(axis=0) > 0], expected[:, expected.min(axis=0) > 0]
    freedom = table.shape[1] - 1
    if freedom < 1:
        return 1.0
    return chi_squared_tail(float(((table - expected) ** 2 / expected).sum()), freedom)
