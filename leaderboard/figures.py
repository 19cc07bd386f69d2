"""The figures of runs and the columns that they stand in: one benchmark, asked and scored in one way, on one set of rows.

Scores are fractions.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import PurePath
from typing import NamedTuple, TypeVar

import msgspec

from leaderboard.results import RunEntry, SoFar
from llmuses.benchmarks import Benchmark
from llmuses.benchmarks.own_class import known_benchmark
from llmuses.evaluation.identity import fingerprint, identity, same_thing
from llmuses.evaluation.report import setting
from llmuses.records import OwnClass, PublishedResult, Report, RunStatus

V = TypeVar("V")

GROUPS = ("knowledge", "reasoning", "maths", "code", "instructions", "own")
"""The groups of columns in their order; others come last."""

NOTABLE = 0.01
"""From this share on, unparsed, rejected and truncated answers get their mark."""


class Kind(StrEnum):
    """What a figure is: final, over samples of which some failed, published elsewhere, growing, stopped half-way, answered
    but not scored."""

    SCORED = "scored"
    INCOMPLETE = "incomplete"
    PUBLISHED = "published"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    UNSCORED = "unscored"


class Column(NamedTuple):
    """One benchmark, asked and scored in one way. ``chance`` is a fraction, ``None`` where nobody knows it.

    ``data`` is the fingerprint of the rows; ``identity`` holds all that its scores have in common, part by part, and is
    empty where a report of an older version does not say it. ``source`` names what tells the column from others of the
    same benchmark and setting: the rows, or how answers are sampled or scored.
    """

    key: str
    dataset: str
    title: str
    group: str
    setting: str
    chance: float | None
    data: str
    identity: dict[str, str]
    source: str = ""
    languages: tuple[str, ...] = ()

    @property
    def head(self) -> str:
        """What stands at the head of the column."""
        return f"{self.dataset} {self.setting}"

    @property
    def place(self) -> tuple[str, str]:
        """What must be equal for two figures to stand in one column."""
        return self.head, _fingerprint(tuple(self.identity.items())) if self.identity else self.data


@lru_cache(4096)
def _fingerprint(parts: tuple[tuple[str, str], ...]) -> str:
    """Return an identity's fingerprint; a board asks for that of each figure, and there are few different ones."""
    return fingerprint(dict(parts))


class Cell(msgspec.Struct, frozen=True, kw_only=True, dict=True):
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
    published: PublishedResult | None = None

    def once(self, what: str, make: Callable[[], V]) -> V:
        """Return what ``make`` makes of this figure, made once and kept with it."""
        kept: dict[str, V] = self.__dict__
        if what not in kept:
            kept[what] = make()
        return kept[what]

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


def cells(entry: RunEntry) -> list[tuple[Column, Cell]]:
    """Return the figures of a run with the columns that they stand in, made once for each state of a run."""
    return entry.once("figures", lambda: list(_cells(entry)))


def _cells(entry: RunEntry) -> Iterator[tuple[Column, Cell]]:
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
            known = known_benchmark(dataset, entry.plan(dataset))
            yield Column(*head, same_thing(report.identity), languages=_languages(known)), _cell(entry, report)


def all_columns(entries: Iterable[RunEntry]) -> dict[tuple[str, str], Column]:
    """Return every column of some runs by its ``place``, with keys of their own and told apart by what differs."""
    columns: dict[tuple[str, str], Column] = {}
    names: dict[tuple[str, str], str] = {}
    for entry in entries:
        for column, _ in cells(entry):
            place = column.place
            if place not in columns:
                columns[place] = column
                names[place] = _data_name(entry, column)
    heads: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for place in columns:
        heads[place[0]].append(place)
    for places in heads.values():
        if len(places) > 1:
            found = [columns[place] for place in places]
            sources = _sources(found, [names[place] for place in places])
            for place, column, source in zip(places, found, sources, strict=True):
                alone = [each.data for each in found].count(column.data) == 1
                short = (column.data if alone else place[1])[:_DIGITS]
                columns[place] = column._replace(key=f"{column.key}-{short}".rstrip("-"), source=source)
    return columns


_DIGITS = 6
"""So many digits of a fingerprint are shown."""

_UNSAID = ("benchmark", "rows", "subsets", "prompts")
"""Parts that say nothing to people, or that the rows' name says."""


def _sources(columns: Sequence[Column], names: Sequence[str]) -> list[str]:
    """Return what tells each of some columns under one head from the others: the rows' name, the settings that differ."""
    rows = {column.data for column in columns}
    parts = {name for column in columns for name in column.identity if name not in _UNSAID}
    said = []
    for column, name in zip(columns, names, strict=True):
        others = {other.data for other, its in zip(columns, names, strict=True) if its == name}
        words = [name if len(others) == 1 else column.data[:_DIGITS]] if len(rows) > 1 else []
        for part in sorted(parts):
            values = [each.identity.get(part, "").split(", ") for each in columns]
            own = column.identity.get(part, "").split(", ")
            words += [_setting_of(part, word) for word in own if word and not all(word in each for each in values)]
        said.append(", ".join(words))
    return [
        words if words and said.count(words) == 1 else ", ".join(filter(None, [words, column.place[1][:_DIGITS]]))
        for words, column in zip(said, columns, strict=True)
    ]


def _setting_of(part: str, value: str) -> str:
    return value if part in ("generation", "judge", "judge_settings") else f"{part.replace('_', ' ')} {value}"


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
    known = known_benchmark(dataset, plan)
    if known is None:
        return None
    words = setting(plan, state.borrowed_shots)
    parts = same_thing(identity(plan, state, known, entry.run))
    head = (_key(dataset, words), dataset, known.title, known.group, words)
    return Column(*head, state.chance, state.sha256, parts, languages=_languages(known))


def _languages(known: Benchmark | OwnClass | None) -> tuple[str, ...]:
    return known.languages if known else ()


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


def published_column(result: PublishedResult) -> Column:
    """Return the column of a result published elsewhere, where none of our runs has one like it."""
    known = known_benchmark(result.dataset)
    title, group = (known.title, known.group) if known else (result.dataset, "")
    key = _key(result.dataset, f"{result.setting} published")
    return Column(key, result.dataset, title, group, result.setting, None, "", {}, languages=_languages(known))
