"""The rows and columns of the benchmark board: all figures of all runs, and results published elsewhere, before any choice.

They are collected once for each state of the outputs folder; a board only chooses among them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from leaderboard.figures import GROUPS, Cell, Column, Kind, all_columns, cells, published_column
from leaderboard.known_models import Known, Models
from leaderboard.results import RunEntry
from llmuses.records import PublishedResult


class Mean(NamedTuple):
    """The mean over the columns that most models share, with its interval from those of the columns, which are independent samples."""

    score: float
    ci95: tuple[float, float]


class Row(msgspec.Struct, kw_only=True, frozen=True):
    """One model, or one run of it, or what one source published of it. ``backend`` is set where two rows have the same name,
    ``started`` where the row is one run's. ``size`` is billions of parameters."""

    model: str
    identity: str
    spec: str
    cells: dict[str, Cell]
    runs: list[str]
    demo: bool
    known: Known = Known()
    backend: str | None = None
    mean: Mean | None = None
    published: str = ""
    """The source, where others published it."""
    started: float | None = None

    @property
    def size(self) -> float | None:
        """Return the model's size in billions of parameters."""
        return self.known.size

    @property
    def running(self) -> bool:
        """Whether a figure of this row still grows."""
        return any(cell.kind is Kind.RUNNING for cell in self.cells.values())

    def figure(self, key: str) -> tuple[float, tuple[float, float]] | None:
        """Return score and interval under a column's key or ``avg``, ``None`` where there is no figure."""
        if key == "avg":
            return None if self.mean is None else (self.mean.score, self.mean.ci95)
        cell = self.cells.get(key)
        return None if cell is None or cell.score is None or cell.ci95 is None else (cell.score, cell.ci95)


class _Collected(NamedTuple):
    entries: Sequence[RunEntry]
    published: Sequence[PublishedResult]
    each: bool
    columns: list[Column]
    rows: list[Row]


_KEPT = 4
_kept: list[_Collected] = []
_mutex = threading.Lock()


def collect(
    entries: Sequence[RunEntry], published: Sequence[PublishedResult] = (), each: bool = False
) -> tuple[list[Column], list[Row]]:
    """Return all columns in their order, and a row for each model (or for ``each`` run), and for each published source.

    What was collected is kept for as long as the same lists are asked for again.
    """
    with _mutex:
        for known in _kept:
            if known.entries is entries and known.published is published and known.each is each:
                return known.columns, known.rows
    made = _Collected(entries, published, each, *_collect(entries, published, each))
    with _mutex:
        _kept.insert(0, made)
        del _kept[_KEPT:]
    return made.columns, made.rows


def _collect(
    entries: Sequence[RunEntry], published: Sequence[PublishedResult], each: bool
) -> tuple[list[Column], list[Row]]:
    columns = all_columns(entries)
    models = Models()
    rows: dict[tuple[str, ...], Row] = {}
    for entry in entries:
        who = (entry.run.model, entry.run.model_identity, entry.run_id if each else "")
        for column, cell in cells(entry):
            key = columns[column.place].key
            row = rows.get(who) or rows.setdefault(who, _row(entry, models, each))
            if entry.run_id not in row.runs:
                row.runs.append(entry.run_id)
            known = row.cells.get(key)
            if known is None or cell.weight > known.weight:  # the newest comes first
                row.cells[key] = cell
    demos = {entry.run_id for entry in entries if entry.run.demo}
    ours = [
        msgspec.structs.replace(row, demo=all(cell.run_id in demos for cell in row.cells.values()))
        for row in rows.values()
    ]
    theirs, more = _published(published, list(columns.values()), models)
    return sorted([*columns.values(), *more], key=_column_order), [*_told_apart(ours), *theirs]


def _row(entry: RunEntry, models: Models, each: bool) -> Row:
    run = entry.run
    return Row(
        model=run.model,
        identity=run.model_identity,
        spec=run.model_spec,
        cells={},
        runs=[],
        demo=run.demo,
        known=models.known(run.model, run.model_spec, run.model_details),
        started=run.started if each else None,
    )


def _published(
    results: Sequence[PublishedResult], columns: Sequence[Column], models: Models
) -> tuple[list[Row], list[Column]]:
    """Return a row for each model and source, and the columns that none of our runs has.

    A result stands in our column of its benchmark and setting where there is one such column; where several are told apart
    by what the publisher does not say, it stands in a column of its own.
    """
    ours: dict[str, list[Column]] = {}
    for column in columns:
        ours.setdefault(column.head, []).append(column)
    own: dict[str, Column] = {}
    rows: dict[tuple[str, str], Row] = {}
    for result in results:
        head = f"{result.dataset} {result.setting}".strip()
        same = ours.get(head, [])
        column = same[0] if len(same) == 1 else own.setdefault(head, published_column(result))
        row = rows.setdefault((result.model, result.source), _published_row(result, models))
        row.cells[column.key] = Cell(
            run_id="",
            dataset=result.dataset,
            kind=Kind.PUBLISHED,
            score=result.score,
            ci95=result.ci95,
            n=result.n or 0,
            total=result.n or 0,
            chance=column.chance,
            published=result,
        )
    return list(rows.values()), list(own.values())


def _published_row(result: PublishedResult, models: Models) -> Row:
    known = models.known(result.model)
    return Row(
        model=result.model.rpartition("/")[2] or result.model,
        identity=f"{result.model} {result.source}",
        spec=result.model,
        cells={},
        runs=[],
        demo=False,
        known=Known(
            result.organisation or known.organisation,
            result.licence or known.licence,
            known.size if result.parameters is None else result.parameters,
            result.kind or known.kind,
        ),
        published=result.source,
    )


def _told_apart(rows: Sequence[Row]) -> list[Row]:
    counted: dict[str, set[str]] = {}
    for row in rows:
        counted.setdefault(row.model, set()).add(row.identity)
    return [
        msgspec.structs.replace(row, backend=_backend(row.spec)) if len(counted[row.model]) > 1 else row for row in rows
    ]


def _backend(spec: str) -> str:
    backend, colon, _ = spec.partition(":")
    return backend if colon else "transformers"


def _column_order(column: Column) -> tuple[int, str, str, str]:
    place = GROUPS.index(column.group) if column.group in GROUPS else len(GROUPS)
    return place, column.title.lower(), column.setting, column.source
