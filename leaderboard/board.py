"""The benchmark board as plain data: which models, which columns, which figures, in which order. No HTML here.

Of the runs of a model in one column the one over most samples shows, the newest of them. Scores are fractions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from leaderboard.figures import Cell, Column, Kind, all_columns, cells
from leaderboard.results import RunEntry
from llmuses.settings import model_entries
from llmuses.statistics.intervals import Z95

GROUPS = ("knowledge", "reasoning", "maths", "code", "instructions", "own")
"""The groups of columns in their order; others come last."""

AVERAGE = "avg"
NAME = "name"
SIZE = "size"


class Mean(NamedTuple):
    """The mean over the fullest column of each benchmark, with its interval from those of the columns, which are independent samples."""

    score: float
    ci95: tuple[float, float]


class Row(msgspec.Struct, kw_only=True):
    """One model. ``backend`` is set where two rows have the same name. ``size`` is billions of parameters."""

    model: str
    identity: str
    spec: str
    cells: dict[str, Cell]
    runs: list[str]
    demo: bool
    size: float | None = None
    backend: str | None = None
    mean: Mean | None = None

    @property
    def running(self) -> bool:
        """Whether a figure of this row still grows."""
        return any(cell.kind is Kind.RUNNING for cell in self.cells.values())

    def figure(self, key: str) -> tuple[float, tuple[float, float]] | None:
        """Return score and interval under a column's key or ``avg``, ``None`` where there is no figure."""
        if key == AVERAGE:
            return None if self.mean is None else (self.mean.score, self.mean.ci95)
        cell = self.cells.get(key)
        return None if cell is None or cell.score is None or cell.ci95 is None else (cell.score, cell.ci95)


class Choice(NamedTuple):
    """What the reader chose: words that must be in a row, columns that are hidden, demo rows or not, the order."""

    words: str = ""
    hidden: frozenset[str] = frozenset()
    demo: bool = True
    sort: str = "-avg"

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
    """What the average is over: of each benchmark shown, the column with most models."""

    @property
    def averaged(self) -> int:
        """How many of the rows have an average."""
        return sum(row.mean is not None for row in self.rows)


def read_choice(query: Mapping[str, str], columns: Iterable[Column]) -> Choice:
    """Return what a query chooses. Whatever it says that does not exist is ignored."""
    keys = {column.key for column in columns}
    hidden = frozenset(query.get("hide", "").split(",")) & keys
    sort = query.get("sort", "-avg")
    if sort.removeprefix("-") not in keys - hidden | {AVERAGE, NAME, SIZE}:
        sort = "-avg"
    return Choice(
        query.get("q", "").strip()[:200], hidden if hidden < keys else frozenset(), query.get("demo") != "0", sort
    )


def make_board(entries: Sequence[RunEntry], query: Mapping[str, str]) -> Board:
    """Return the board over some runs (newest first) as a query chooses it."""
    columns, rows = _collect(entries)
    choice = read_choice(query, columns)
    shown = [column for column in columns if column.key not in choice.hidden]
    counted = [row for row in rows if choice.demo or not row.demo]
    basis = _basis(counted, shown)
    for row in rows:
        row.mean = _mean(row, basis)
    chosen = [row for row in rows if _wanted(row, choice)]
    key, descending = choice.sorted_by
    if key == AVERAGE and basis and not any(row.mean for row in counted):
        fullest = max(basis, key=lambda column: _fullness(counted, column)).key
        choice = choice._replace(sort=f"-{fullest}" if descending else fullest)
    best = {column.key: max((c.score or 0.0 for c in _ranked(chosen, column.key)), default=0.0) for column in shown}
    return Board(order(chosen, choice), shown, columns, len(rows), best, choice, basis)


def order(rows: Iterable[Row], choice: Choice) -> list[Row]:
    """Return rows in the chosen order: ranked ones, then those with a figure that is not ranked, then those without."""
    key, descending = choice.sorted_by
    named = sorted(rows, key=lambda row: (row.model.lower(), row.identity))
    if key == NAME:
        return named[::-1] if descending else named
    if key == SIZE:
        sized = sorted((r for r in named if r.size is not None), key=lambda r: r.size or 0.0, reverse=descending)
        return sized + [row for row in named if row.size is None]

    def place(row: Row) -> tuple[int, float]:
        figure = row.figure(key)
        cell = row.cells.get(key)
        if figure is None:
            return 2, -sum(each.ranked for each in row.cells.values()) if key == AVERAGE else 0
        return (0 if key == AVERAGE or (cell and cell.ranked) else 1), -figure[0] if descending else figure[0]

    return sorted(named, key=place)


def heat(cell: Cell, best: float) -> int:
    """Return the cell's tint from 0 (chance or below) to 6 (the column's best): round(6 t^1.8), t the share between."""
    chance = cell.chance or 0.0
    if not cell.ranked or cell.chancy or cell.score is None or best <= chance:
        return 0
    share = min(1.0, max(0.0, (cell.score - chance) / (best - chance)))
    return round(6 * math.pow(share, 1.8))


# --- from runs to rows -----------------------------------------------------------------------------------------


def _collect(entries: Sequence[RunEntry]) -> tuple[list[Column], list[Row]]:
    columns = all_columns(entries)
    rows: dict[tuple[str, str], Row] = {}
    for entry in entries:
        for column, cell in cells(entry):
            key = columns[column.place].key
            row = rows.setdefault((entry.run.model, entry.run.model_identity), _row(entry))
            if entry.run_id not in row.runs:
                row.runs.append(entry.run_id)
            known = row.cells.get(key)
            if known is None or cell.weight > known.weight:  # the newest comes first
                row.cells[key] = cell
    demos = {entry.run_id for entry in entries if entry.run.demo}
    for row in rows.values():
        row.demo = all(cell.run_id in demos for cell in row.cells.values())
    _tell_apart(list(rows.values()))
    return sorted(columns.values(), key=_column_order), list(rows.values())


def _row(entry: RunEntry) -> Row:
    run = entry.run
    return Row(
        model=run.model,
        identity=run.model_identity,
        spec=run.model_spec,
        cells={},
        runs=[],
        demo=run.demo,
        size=_size(entry),
    )


def _size(entry: RunEntry) -> float | None:
    for name in (entry.run.model_spec, entry.run.model):
        known = model_entries().get(name)
        if known is not None and known.parameters is not None:
            return known.parameters
    counted = entry.run.model_details.get("parameters")
    return counted / 1e9 if isinstance(counted, int | float) and counted > 0 else None


def _tell_apart(rows: Sequence[Row]) -> None:
    names = [row.model for row in rows]
    for row in rows:
        if names.count(row.model) > 1:
            backend, colon, _ = row.spec.partition(":")
            row.backend = backend if colon else "transformers"


def _column_order(column: Column) -> tuple[int, str, str, str]:
    place = GROUPS.index(column.group) if column.group in GROUPS else len(GROUPS)
    return place, column.title.lower(), column.setting, column.source


def _basis(rows: Sequence[Row], columns: Sequence[Column]) -> list[Column]:
    fullest: dict[str, Column] = {}
    for column in columns:
        known = fullest.get(column.dataset)
        if known is None or _fullness(rows, column) > _fullness(rows, known):
            fullest[column.dataset] = column
    return [column for column in columns if fullest[column.dataset] is column]


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
    text = " ".join([row.model, row.spec, *row.runs]).lower()
    return (choice.demo or not row.demo) and all(word in text for word in choice.words.lower().split())
