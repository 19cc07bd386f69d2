"""The figures of runs and the columns that they stand in: a benchmark under one setting on one set of rows.

Scores are fractions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import PurePath
from typing import NamedTuple

import msgspec

from leaderboard.results import RunEntry, SoFar
from llmuses.benchmarks import get_benchmark
from llmuses.errors import UnknownNameError
from llmuses.evaluation.report import setting
from llmuses.records import Report, RunStatus

NOTABLE = 0.01
"""From this share on, unparsed, rejected and truncated answers get their mark."""


class Kind(StrEnum):
    """What a figure is: final, over samples of which some failed, growing, stopped half-way, answered but not scored."""

    SCORED = "scored"
    INCOMPLETE = "incomplete"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    UNSCORED = "unscored"


class Column(NamedTuple):
    """One benchmark under one setting on one set of rows. ``chance`` is a fraction, ``None`` where nobody knows it.

    ``data`` is the fingerprint of the rows. ``source`` names them where benchmark and setting do not tell the column
    from another one.
    """

    key: str
    dataset: str
    title: str
    group: str
    setting: str
    chance: float | None
    data: str
    source: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """What must be equal for two figures to stand in one column."""
        return f"{self.dataset} {self.setting}", self.data


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: a run's score on a column. ``n`` of ``total`` are in the score."""

    run_id: str
    dataset: str
    kind: Kind
    score: float | None
    ci95: tuple[float, float] | None
    n: int
    total: int
    chance: float | None
    bounds: tuple[float, float] | None = None
    unread: bool = False
    truncated: bool = False
    report: Report | None = None

    @property
    def weight(self) -> tuple[bool, int]:
        """The figure of the greatest weight shows: a report before a score so far, then the one over most samples."""
        return self.report is not None, self.total

    @property
    def chancy(self) -> bool:
        """Whether the score is no better than chance: its interval reaches down to it."""
        return self.ci95 is not None and self.chance is not None and self.ci95[0] <= self.chance

    @property
    def ranked(self) -> bool:
        """Whether the figure is final and complete: others are shown, but not ranked and not averaged."""
        return self.kind is Kind.SCORED and self.score is not None


def cells(entry: RunEntry) -> Iterator[tuple[Column, Cell]]:
    """Yield the figures of a run with the columns that they stand in."""
    for dataset in entry.datasets():
        report = entry.reports.get(dataset)
        so_far = entry.so_far(dataset)
        if so_far is not None:
            column = _column_of_plan(entry, dataset)
            if column is not None:
                yield column, _unfinished_cell(entry, dataset, so_far, column)
        elif report is not None:
            key = _key(dataset, report.setting)
            head = (key, dataset, report.title, report.group, report.setting, report.chance, report.dataset_sha256)
            yield Column(*head), _cell(entry, report)


def all_columns(entries: Iterable[RunEntry]) -> dict[tuple[str, str], Column]:
    """Return every column of some runs by its ``place``, with keys of their own and told apart by the data's name."""
    columns: dict[tuple[str, str], Column] = {}
    names: dict[tuple[str, str], str] = {}
    for entry in entries:
        for column, _ in cells(entry):
            if column.place not in columns:
                columns[column.place] = column
                names[column.place] = _data_name(entry, column)
    heads = Counter(head for head, _ in columns)
    named = Counter((head, names[head, data]) for head, data in columns)
    for (head, data), column in columns.items():
        if heads[head] > 1:
            short = data[:_DIGITS]
            source = names[head, data] if named[head, names[head, data]] == 1 else short
            columns[head, data] = column._replace(key=f"{column.key}-{short}".rstrip("-"), source=source)
    return columns


_DIGITS = 6
"""So many digits of a fingerprint are shown."""


def _data_name(entry: RunEntry, column: Column) -> str:
    """Return what people call a column's rows: the local file or folder, else the hub, else the fingerprint's start."""
    plan = entry.plan(column.dataset)
    if plan is not None and plan.local_path:
        return PurePath(plan.local_path).name or plan.local_path
    return column.data[:_DIGITS] if plan is None or plan.sample_data else plan.hub


def _key(dataset: str, words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{dataset} {words}".lower()).strip("-")


def _column_of_plan(entry: RunEntry, dataset: str) -> Column | None:
    plan = entry.plan(dataset)
    state = entry.run.states.get(dataset)
    if plan is None or state is None:
        return None
    try:
        benchmark = get_benchmark(dataset)
    except UnknownNameError:
        return None
    words = setting(plan, state.borrowed_shots)
    return Column(_key(dataset, words), dataset, benchmark.title, benchmark.group, words, state.chance, state.sha256)


def _cell(entry: RunEntry, report: Report) -> Cell:
    counts = report.counts
    return Cell(
        run_id=entry.run_id,
        dataset=report.dataset,
        kind=Kind.SCORED if report.complete else Kind.INCOMPLETE,
        score=report.score,
        ci95=report.ci95,
        n=report.n,
        total=report.n + counts.failed,
        chance=report.chance,
        bounds=report.bounds,
        unread=report.n > 0 and counts.unparsed + counts.rejected >= NOTABLE * report.n,
        truncated=report.n > 0 and counts.truncated >= NOTABLE * report.n,
        report=report,
    )


_UNFINISHED = {RunStatus.RUNNING: Kind.RUNNING, RunStatus.INTERRUPTED: Kind.INTERRUPTED}
"""A run that ended and left no report of its own asked for answers only."""


def _unfinished_cell(entry: RunEntry, dataset: str, so_far: SoFar, column: Column) -> Cell:
    return Cell(
        run_id=entry.run_id,
        dataset=dataset,
        kind=_UNFINISHED.get(entry.status, Kind.UNSCORED),
        score=so_far.score,
        ci95=so_far.ci95,
        n=so_far.n,
        total=so_far.total,
        chance=column.chance,
    )
