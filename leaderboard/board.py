"""The benchmark board as plain data: which models, which columns, which figures, in which order. No HTML here.

Of the runs of a model in one column the one over most samples shows, the newest of them. Scores are fractions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from leaderboard.board_filters import Narrow, read_narrow
from leaderboard.board_rows import Mean, collect
from leaderboard.board_rows import Row as Row
from leaderboard.figures import GROUPS as GROUPS
from leaderboard.figures import Cell, Column
from leaderboard.results import RunEntry
from llmuses.records import PublishedResult
from llmuses.statistics.intervals import Z95

AVERAGE = "avg"
NAME = "name"
SIZE = "size"

EACH = "each"
"""The choice of ``runs`` that gives every run a row of its own."""


class Choice(NamedTuple):
    """What the reader chose: words that must be in a row, columns that are hidden, demo rows and published ones or not, what
    models must be, a row for each run or for each model, runs up to a day only, the order; benchmarks in one language only."""

    words: str = ""
    hidden: frozenset[str] = frozenset()
    demo: bool = True
    sort: str = "-avg"
    published: bool = True
    narrow: Narrow = Narrow()
    each: bool = False
    until: str = ""
    language: str = ""

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """Return the key and whether the order is descending."""
        return self.sort.lstrip("-"), self.sort.startswith("-")


class Board(NamedTuple):
    """The board as chosen: the rows in their order, the columns shown, all columns, how many models there are."""

    rows: list[Row]
    columns: list[Column]
    all_columns: list[Column]
    models: int
    best: dict[str, float]
    choice: Choice
    basis: list[Column]
    """What the average is over: of each benchmark shown the column with most models, as many of them as most models share."""
    everyone: list[Row]
    """The rows of the chosen runs before any filter."""

    @property
    def averaged(self) -> int:
        """How many of the rows have an average."""
        return sum(row.mean is not None for row in self.rows)


def read_choice(query: Mapping[str, str], columns: Iterable[Column]) -> Choice:
    """Return what a query chooses. Whatever it says that does not exist is ignored."""
    columns = list(columns)
    keys = {column.key for column in columns}
    hidden = frozenset(query.get("hide", "").split(",")) & keys
    hidden = hidden if hidden < keys else frozenset()
    spoken = {column.key for column in columns if query.get("language") in column.languages} - hidden
    shown = spoken or keys - hidden
    sort = query.get("sort", "-avg")
    if sort.removeprefix("-") not in shown | {AVERAGE, NAME, SIZE}:
        sort = "-avg"
    return Choice(
        query.get("q", "").strip()[:200],
        hidden,
        query.get("demo") != "0",
        sort,
        query.get("published") != "0",
        read_narrow(query),
        *read_runs(query),
        query["language"] if spoken else "",
    )


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_runs(query: Mapping[str, str]) -> tuple[bool, str]:
    """Return which runs a query chooses: whether each has a row, and the last day (``2026-11-24``, UTC) or nothing."""
    until = query.get("until", "")
    return query.get("runs") == EACH, until if _DAY.fullmatch(until) and _moment(until) is not None else ""


def _moment(day: str) -> float | None:
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def make_board(
    entries: Sequence[RunEntry], query: Mapping[str, str], published: Sequence[PublishedResult] = ()
) -> Board:
    """Return the board over some runs (newest first), and results published elsewhere, as a query chooses it."""
    each, until = read_runs(query)
    if until:
        end = (_moment(until) or 0.0) + 86400
        entries = [entry for entry in entries if entry.run.started < end]
    columns, collected = collect(entries, published, each)
    choice = read_choice(query, columns)
    shown = [
        column
        for column in columns
        if column.key not in choice.hidden and (not choice.language or choice.language in column.languages)
    ]
    counted = [row for row in collected if (choice.demo or not row.demo) and not row.published]
    basis = _basis(counted, shown)
    rows = [msgspec.structs.replace(row, mean=_mean(row, basis)) for row in collected]
    chosen = [row for row in rows if _wanted(row, choice)]
    key, descending = choice.sorted_by
    if key == AVERAGE and basis and not any(row.mean for row in rows if choice.demo or not row.demo):
        fullest = max(basis, key=lambda column: _fullness(counted, column)).key
        choice = choice._replace(sort=f"-{fullest}" if descending else fullest)
    best = {column.key: max((c.score or 0.0 for c in _ranked(chosen, column.key)), default=0.0) for column in shown}
    return Board(order(chosen, choice), shown, columns, len(rows), best, choice, basis, rows)


def order(rows: Iterable[Row], choice: Choice) -> list[Row]:
    """Return rows in the chosen order: ranked ones, then those with a figure that is not ranked, then those without; after
    them, in the same order, what was published elsewhere."""
    named = sorted(rows, key=lambda row: (row.model.lower(), row.identity))
    return [
        *_order([row for row in named if not row.published], choice),
        *_order([row for row in named if row.published], choice),
    ]


def _order(named: list[Row], choice: Choice) -> list[Row]:
    key, descending = choice.sorted_by
    if key == NAME:
        return named[::-1] if descending else named
    if key == SIZE:
        sized = sorted((r for r in named if r.size is not None), key=lambda r: r.size or 0.0, reverse=descending)
        return sized + [row for row in named if row.size is None]

    def place(row: Row) -> tuple[int, float]:
        cell = row.cells.get(key)
        figure = row.mean if key == AVERAGE else cell
        score = None if figure is None else figure.score
        if score is None:
            return 2, -sum(each.ranked for each in row.cells.values()) if key == AVERAGE else 0
        return (0 if key == AVERAGE or (cell and cell.ranked) else 1), -score if descending else score

    return sorted(named, key=place)


def heat(cell: Cell, best: float) -> int:
    """Return the cell's tint from 0 (chance or below) to 6 (the column's best): round(6 t^1.8), t the share between."""
    chance = cell.chance or 0.0
    if not cell.ranked or cell.chancy or cell.score is None or best <= chance:
        return 0
    share = min(1.0, max(0.0, (cell.score - chance) / (best - chance)))
    return round(6 * math.pow(share, 1.8))


# --- averages and filters ----------------------------------------------------------------------------------------


def _basis(rows: Sequence[Row], columns: Sequence[Column]) -> list[Column]:
    fullest: dict[str, Column] = {}
    fullness = {column.key: _fullness(rows, column) for column in columns}
    for column in columns:
        known = fullest.get(column.dataset)
        if known is None or fullness[column.key] > fullness[known.key]:
            fullest[column.dataset] = column
    ours = {key for row in rows for key in row.cells}
    usual = [column for column in columns if fullest[column.dataset] is column and column.key in ours]
    return _shared(rows, sorted(usual, key=lambda column: fullness[column.key], reverse=True), usual)


def _shared(rows: Sequence[Row], fullest_first: Sequence[Column], columns: list[Column]) -> list[Column]:
    """Return the most columns that at least half of the models have, and at least two models where there are two: so a
    benchmark that few were asked takes nobody's average. All of them where no column is shared so.

    A set is grown from each column in turn, the fullest columns first; of the largest sets the one of most models counts.
    """
    have = {column.key: 0 for column in columns}
    for place, row in enumerate(rows):
        for key in have:
            if (cell := row.cells.get(key)) is not None and cell.ranked:
                have[key] |= 1 << place
    anyone = 0
    for models in have.values():
        anyone |= models
    least = max(min(2, anyone.bit_count()), math.ceil(anyone.bit_count() / 2))
    best: tuple[int, int] = (0, 0)
    chosen = {column.key for column in columns}
    for first in fullest_first:
        models, keys = have[first.key], {first.key}
        if models.bit_count() < least:
            continue
        for column in fullest_first:
            both = models & have[column.key]
            if both.bit_count() >= least:
                models = both
                keys.add(column.key)
        if (len(keys), models.bit_count()) > best:
            best, chosen = (len(keys), models.bit_count()), keys
    return [column for column in columns if column.key in chosen]


def _fullness(rows: Sequence[Row], column: Column) -> tuple[int, int]:
    """Return how many models have a final figure in a column, and over how many samples altogether."""
    ranked = list(_ranked(rows, column.key))
    return len(ranked), sum(cell.n for cell in ranked)


def _mean(row: Row, columns: Sequence[Column]) -> Mean | None:
    complete = [cell for column in columns if (cell := row.cells.get(column.key)) is not None and cell.ranked]
    if not complete or len(complete) < len(columns):
        return None
    score = math.fsum(cell.score or 0.0 for cell in complete) / len(complete)
    errors = [(cell.ci95[1] - cell.ci95[0]) / (2 * Z95) for cell in complete if cell.ci95]
    margin = Z95 * math.hypot(*errors) / len(complete)
    return Mean(score, (max(0.0, score - margin), min(1.0, score + margin)))


def _ranked(rows: Iterable[Row], key: str) -> Iterator[Cell]:
    return (cell for row in rows if (cell := row.cells.get(key)) is not None and cell.ranked)


def _wanted(row: Row, choice: Choice) -> bool:
    if not ((choice.demo or not row.demo) and (choice.published or not row.published)):
        return False
    text = " ".join([row.model, row.spec, row.known.organisation or "", *row.runs]).lower()
    return choice.narrow.keeps(row.known) and all(word in text for word in choice.words.lower().split())
