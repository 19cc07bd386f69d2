"""Results that others published: read from ``OUTPUTS/published.jsonl``, and brought into it from their tables.

They stand beside our own runs on the benchmark board, told apart, and are ranked and averaged with none of them. All that one
source published is hidden or public together: ``PublishedResults`` gives what is public, ``AllPublished`` the rest too.
"""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from leaderboard.results import Damage
from llmuses.errors import DataError
from llmuses.records import PublishedResult, VisibilityLine
from llmuses.store import START, JsonlStore, Sync
from llmuses.visibility import decision

FILE = "published.jsonl"


class PublishedResults:
    """The public results of one outputs folder. Only what was appended since the last look is read; safe for many threads."""

    def __init__(self, outputs: Path):
        self.path = outputs / FILE
        self._store = JsonlStore(self.path, PublishedResult, Sync.ALWAYS)
        self._mutex = threading.Lock()
        self._cursor = START
        self._known: dict[tuple[str, ...], PublishedResult] = {}
        self._decisions: dict[str, VisibilityLine] = {}
        """By the source, the last one."""
        self._list: list[PublishedResult] = []
        self._damaged: list[Damage] = []

    def read(self) -> list[PublishedResult]:
        """Return all results, a later line in the place of an earlier one of the same model, setting and source.

        The same list comes back as long as nothing was added.
        """
        with self._mutex:
            self._look()
            return self._list

    def _look(self) -> None:
        reader = self._store.read(self._cursor)
        found = list(reader)
        if reader.cursor == self._cursor:
            return
        if reader.cursor.inode != self._cursor.inode or reader.cursor.offset < self._cursor.offset:
            self._known, self._decisions, self._damaged = {}, {}, []  # another file, which was read from its start
        self._known.update({place(result): result for result in found})
        self._decisions.update({each.source: each.visibility for each in found if each.visibility is not None})
        self._list = [result for result in self._known.values() if self._shows(result.source)]
        self._cursor = reader.cursor
        self._damaged += [
            Damage(self.path, f"line {line.line} is no result ({line.problem})") for line in reader.broken
        ]

    def _shows(self, source: str) -> bool:
        """Return whether the results of a source are for these readers: here, whether they are public."""
        decided = self._decisions.get(source)
        return decided is None or not decided.hidden

    def damaged(self) -> list[Damage]:
        """Return the lines that could not be read."""
        with self._mutex:
            return list(self._damaged)

    def add(self, results: Iterable[PublishedResult]) -> int:
        """Append results and return how many. Raises StoreError."""
        with self._store as store:
            return store.append_all(results)


class Source(NamedTuple):
    """What a source published, and what was decided last on showing it; None where nobody decided."""

    results: list[PublishedResult]
    decision: VisibilityLine | None

    @property
    def hidden(self) -> bool:
        """Whether it is kept from the public."""
        return self.decision is not None and self.decision.hidden


class AllPublished(PublishedResults):
    """All results, hidden ones too: for commands and the admin room, never for a page."""

    def _shows(self, source: str) -> bool:
        return True

    def sources(self) -> dict[str, Source]:
        """Return the sources by their names, each with its results and how it stands."""
        found: dict[str, Source] = {}
        for result in self.read():
            found.setdefault(result.source, Source([], self._decisions.get(result.source))).results.append(result)
        return found

    def decide(self, source: str, hidden: bool, reason: str, by: str) -> None:
        """Hide all that a source published, or show it again. It is on the disk when this returns. Raises StoreError, and
        KeyError where nothing of that source is there."""
        latest = self.sources()[source].results[-1]
        self.add([msgspec.structs.replace(latest, visibility=decision(hidden, reason, by))])


def place(result: PublishedResult) -> tuple[str, ...]:
    """Return what a result replaces an earlier one by."""
    return result.model, result.dataset, result.setting, result.source


# --- tables of others -----------------------------------------------------------------------------------------------


class Table(NamedTuple):
    """What is the same for all rows of a table: its columns ``dataset`` and ``setting`` win where it has them. ``score`` names the
    column of the score; ``percent`` says that scores are points."""

    dataset: str
    setting: str
    source: str
    score: str = "score"
    metric: str = ""
    percent: bool = False


_TEXTS = ("organisation", "licence", "kind")
_OWN = ("model", "dataset", "setting", "ci_low", "ci_high", "n", "parameters", *_TEXTS)


def read_table(path: Path, table: Table) -> Iterator[PublishedResult]:
    """Yield the results of a CSV file: one row a model, ``model`` and the score's column among its columns.

    ``ci_low``, ``ci_high``, ``n``, ``parameters`` (billions), ``organisation``, ``licence`` and ``kind`` are understood; other
    columns become parts where they hold numbers, and notes where they hold words. Raises DataError, naming the line.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            fields = rows.fieldnames or []
            for name in ("model", table.score):
                if name not in fields:
                    raise DataError(
                        f"{path}: there is no column '{name}', only {', '.join(map(str, fields)) or 'nothing'}."
                    )
            for row in rows:
                try:
                    yield _result(row, table)
                except ValueError as problem:
                    raise DataError(f"{path}:{rows.line_num}: {problem}") from problem
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise DataError(f"cannot read {path}: {problem}") from problem


def _result(row: Mapping[str | None, str | Sequence[str] | None], table: Table) -> PublishedResult:
    cells = {name: value.strip() for name, value in row.items() if name and isinstance(value, str) and value.strip()}
    if not cells.get("model") or table.score not in cells:
        raise ValueError(f"a row needs a model and a number under '{table.score}'")
    scale = 100.0 if table.percent else 1.0
    score = _fraction(cells[table.score], table.score, scale)
    if not cells.get("dataset", table.dataset):
        raise ValueError("which benchmark is it? Name it with --dataset or in a column 'dataset'")
    parts, notes = {}, {}
    for name, text in cells.items():
        if name in _OWN or name == table.score:
            continue
        number = _number(text)
        if number is None:
            notes[name] = text
        else:
            parts[name] = number / scale
    kind = cells.get("kind")
    if kind not in (None, "chat", "base"):
        raise ValueError(f"kind is chat or base, not '{kind}'")
    low, high = (cells.get(name) and _fraction(cells[name], name, scale) for name in ("ci_low", "ci_high"))
    return PublishedResult(
        model=cells["model"],
        dataset=cells.get("dataset", table.dataset),
        setting=cells.get("setting", table.setting),
        score=score,
        source=table.source,
        metric=table.metric or ("" if table.score == "score" else table.score),
        ci95=(low, high) if isinstance(low, float) and isinstance(high, float) else None,
        n=int(cells["n"]) if "n" in cells else None,
        parts=parts,
        notes=notes,
        organisation=cells.get("organisation"),
        licence=cells.get("licence"),
        parameters=_number(cells.get("parameters", "")),
        kind=kind,  # type: ignore[arg-type]  # one of the two, as was looked at above
    )


def _fraction(text: str, name: str, scale: float) -> float:
    number = _number(text)
    if number is None:
        raise ValueError(f"'{text}' under '{name}' is no number")
    if not 0 <= number / scale <= 1:
        raise ValueError(
            f"{text} under '{name}' is no share between 0 and 1" + ("" if scale > 1 else ": --percent takes points")
        )
    return number / scale


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number == number and abs(number) != float("inf") else None
