"""Which lines of battle files are of one battle, so that people's votes and judges' verdicts can be held against each other.

Two lines are of one battle where their models and ``comparison_id`` are the same. A line without one has that of the lines
with its ``battle_id`` and models; where these have none either, ``battle_id`` says it, and ``question_id`` where a line has
neither. A ``battle_id`` is never held against a ``comparison_id``, nor either against a ``question_id``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.battle_files import BattleTable, Derived
from arena.ratings.counts import Floats, Ints

Codes = NDArray[np.uint64]

SAME_BATTLE = {
    "compared": Derived(
        "CASE WHEN {comparison_id} IS NULL THEN 0::UBIGINT ELSE hash({comparison_id}, 'comparison') END",
        ("comparison_id",),
    ),
    "named": Derived(
        "CASE WHEN {battle_id} IS NULL THEN 0::UBIGINT ELSE hash({battle_id}, 'battle') END", ("battle_id",)
    ),
    "asked": Derived(
        """CASE WHEN {comparison_id} IS NOT NULL OR {battle_id} IS NOT NULL THEN 0::UBIGINT
            WHEN nullif({question_id}, '') IS NOT NULL THEN hash({question_id}, 'question') ELSE hash(uuid()) END""",
        ("comparison_id", "battle_id", "question_id"),
    ),
}
"""What a table of battles must be opened with for this. 0 stands for an id that is missing, or not asked for."""

_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class Verdicts(NamedTuple):
    """One judge's verdicts, or people's votes, each of shape (N,). ``key`` says which battle, ``low_points`` what the model
    with the lower place won (1, 0, ½), ``points`` what the first one did; ``row`` is the table's."""

    key: Codes
    first: Ints
    second: Ints
    points: Floats
    low_points: Floats
    row: Ints
    more: dict[str, NDArray[Any]]

    def of(self, chosen: NDArray[Any]) -> Verdicts:
        """Return some of them, by a mask or by their places."""
        key, first, second, points, low_points, row = (column[chosen] for column in self[:-1])
        more = {name: column[chosen] for name, column in self.more.items()}
        return Verdicts(key, first, second, points, low_points, row, more)


class SameBattle:
    """A table whose lines are known by the battle that they are of."""

    def __init__(self, table: BattleTable):
        self._table = table
        found = table.arrays("row", *SAME_BATTLE)
        pair = _pair(found, len(table.names)) * _SPREAD  # one id with other models is another battle
        compared, named = (np.where(found[name] == 0, 0, found[name] ^ pair) for name in ("compared", "named"))
        compared = _inherited(compared, named)
        key = np.where(compared != 0, compared, np.where(named != 0, named, found["asked"] ^ pair))
        self._keys = np.zeros(int(found["row"].max(initial=-1)) + 1, np.uint64)
        self._keys[found["row"]] = key

    def verdicts(self, judge: str, *columns: str) -> Verdicts:
        """Return what a judge (``human``: people) decided, with these columns of the table as ``more``."""
        found = self._table.arrays("row", *columns, where="judge = ?", values=(judge,))
        first, second = found["a"].astype(np.int64), found["b"].astype(np.int64)
        points = np.array([1.0, 0.0, 0.5])[found["outcome"]]
        low_points = np.where(first < second, points, 1 - points)
        more = {name: found[name] for name in columns}
        return Verdicts(self._keys[found["row"]], first, second, points, low_points, found["row"], more)


def _pair(found: dict[str, NDArray[Any]], models: int) -> Codes:
    first, second = found["a"].astype(np.uint64), found["b"].astype(np.uint64)
    return np.asarray(np.minimum(first, second) * np.uint64(models) + np.maximum(first, second), np.uint64)


def _inherited(compared: Codes, named: Codes) -> Codes:
    """Return ``compared`` with what is missing taken from the lines with the same name, where these agree."""
    lacking = (compared == 0) & (named != 0)
    telling = (compared != 0) & (named != 0)
    if not lacking.any() or not telling.any():
        return compared
    names, place = np.unique(named[telling], return_inverse=True)
    lowest, highest = np.full(len(names), np.iinfo(np.uint64).max), np.zeros(len(names), np.uint64)
    np.minimum.at(lowest, place, compared[telling])
    np.maximum.at(highest, place, compared[telling])
    said = np.where(lowest == highest, highest, 0)
    at = np.minimum(np.searchsorted(names, named), len(names) - 1)
    return np.where(lacking & (names[at] == named), said[at], compared)
