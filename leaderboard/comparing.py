"""Models beside each other as plain data: paired differences on every benchmark that two of them were asked alike.

Runs are compared by ``llmuses.comparison``, which refuses results of different things. Nothing here is HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaderboard.board import Board, Row
from leaderboard.figures import Cell, Column
from leaderboard.kept import Kept, sign
from leaderboard.results import RunEntry
from llmuses.comparison.compare import compare_two, correct
from llmuses.comparison.result import Pair, Refusal
from llmuses.comparison.runs import KnownRun, read_questions
from llmuses.errors import LlmusesError

PLACES = ("a", "b", "c", "d")
"""The parameters of a query that choose models; the first is the baseline."""


class Outcome(StrEnum):
    """What became of a question in two runs: who did better, or whether both were right or both wrong alike."""

    FIRST = "first"
    SECOND = "second"
    RIGHT = "right"
    WRONG = "wrong"


class Paired(NamedTuple):
    """The questions that two runs both answered: their ids in the first run's order, and what became of each [n].

    ``binary`` says that each answer is right or wrong; else a question is ``first`` where the first scored more, and
    ``wrong`` where both scored the same and less than 1.
    """

    ids: list[str]
    outcome: NDArray[np.int8]
    binary: bool

    def select(self, *outcomes: Outcome) -> NDArray[np.intp]:
        """Return the positions of the questions with one of these outcomes."""
        return np.flatnonzero(np.isin(self.outcome, [_CODES[each] for each in outcomes]))

    def number(self, outcome: Outcome) -> int:
        """Return how many questions have an outcome."""
        return int(np.count_nonzero(self.outcome == _CODES[outcome]))


_CODES = {outcome: code for code, outcome in enumerate(Outcome)}


class Line(NamedTuple):
    """A model against the baseline in one column: their comparison, why there is none, or neither where it was not run."""

    row: Row
    pair: Pair | None = None
    refusal: Refusal | None = None
    problem: str | None = None


class Block(NamedTuple):
    """One column: the baseline's figure, and a line for each other model."""

    column: Column
    cell: Cell
    lines: list[Line]


class Versus(NamedTuple):
    """The chosen models under their names in addresses, the baseline first, and a block for each column."""

    models: list[tuple[str, Row]]
    blocks: list[Block]

    @property
    def pairs(self) -> list[Pair]:
        """Return all comparisons of the page."""
        return [line.pair for block in self.blocks for line in block.lines if line.pair is not None]


def named(board: Board) -> dict[str, Row]:
    """Return the models of a board under the names that addresses call them by: its own, where two share it its SPEC."""
    names = [row.model for row in board.rows]
    specs = [row.spec for row in board.rows]
    found: dict[str, Row] = {}
    for row in board.rows:
        name = row.model if names.count(row.model) == 1 else row.spec if specs.count(row.spec) == 1 else row.identity
        found.setdefault(name, row)
    return found


def chosen(rows: Mapping[str, Row], query: Mapping[str, str]) -> list[str]:
    """Return the models that a query names, each once; the board's first two where it names none, baselines last."""
    wished = [query[place] for place in PLACES if query.get(place) in rows]
    able = sorted((name for name, row in rows.items() if _reported(row)), key=lambda name: rows[name].demo)
    return list(dict.fromkeys(wished)) or able[:2]


def _reported(row: Row) -> dict[str, Cell]:
    return {key: cell for key, cell in row.cells.items() if cell.report is not None and cell.run_id}


class Comparer:
    """Compares what stands on a board, and keeps what it found for as long as the files stay the same."""

    def __init__(self) -> None:
        self._pairs = Kept(4096)
        self._samples = Kept(16)

    def versus(self, board: Board, entries: Sequence[RunEntry], names: Sequence[str]) -> Versus:
        """Return the comparison of some models of a board, p-values corrected for all of them together."""
        rows = named(board)
        runs = {entry.run_id: entry for entry in entries}
        models = [(name, rows[name]) for name in names]
        if not models:
            return Versus([], [])
        base, others = models[0][1], [row for _, row in models[1:]]
        blocks = []
        for column in board.all_columns:
            cell = _reported(base).get(column.key)
            if cell is None or cell.run_id not in runs:
                continue
            lines = [self._line(board, runs, column, base, row) for row in others]
            if any(line.pair or line.refusal or line.problem for line in lines):
                blocks.append(Block(column, cell, lines))
        found = Versus(models, blocks)
        correct(found.pairs)
        return found

    def _line(self, board: Board, runs: Mapping[str, RunEntry], column: Column, base: Row, row: Row) -> Line:
        ours, theirs = _reported(base), _reported(row)
        cell = theirs.get(column.key)
        if cell is None:
            same = [each.key for each in board.all_columns if each.dataset == column.dataset]
            if any(key in ours and key in theirs for key in same):
                return Line(row)  # they are compared in another column of this benchmark
            cell = next((theirs[key] for key in same if key in theirs), None)
        if cell is None or cell.run_id not in runs:
            return Line(row)
        try:
            found = self.pair(column.dataset, runs[cell.run_id], runs[ours[column.key].run_id])
        except LlmusesError as problem:
            return Line(row, problem=str(problem))
        return Line(row, pair=found) if isinstance(found, Pair) else Line(row, refusal=found)

    def pair(self, dataset: str, first: RunEntry, second: RunEntry) -> Pair | Refusal:
        """Return two runs' comparison on a dataset, p-values not corrected. Raises StoreError for missing reviews."""
        return _copied(self._pairs.get(_key(dataset, first, second), lambda: self._pair(dataset, first, second)))

    def _pair(self, dataset: str, first: RunEntry, second: RunEntry) -> Pair | Refusal:
        return compare_two(dataset, _known(first), _known(second))

    def samples(self, dataset: str, first: RunEntry, second: RunEntry) -> Paired:
        """Return the questions that two runs both answered. Raises StoreError for missing reviews."""
        return self._samples.get(_key(dataset, first, second), lambda: _paired(dataset, first, second))


def _copied(found: Pair | Refusal) -> Pair | Refusal:
    """Return a pair of one's own: what is kept is corrected anew for each page."""
    import copy

    return copy.copy(found)


def _key(dataset: str, first: RunEntry, second: RunEntry) -> tuple[object, ...]:
    parts = [(entry.reviews(dataset), sign(entry.reviews(dataset))) for entry in (first, second)]
    reports = [entry.reports[dataset].fingerprint if dataset in entry.reports else "" for entry in (first, second)]
    return dataset, *parts, *reports


def _known(entry: RunEntry) -> KnownRun:
    return KnownRun(run=entry.run, folder=entry.folder, reports=entry.reports)


def _paired(dataset: str, first: RunEntry, second: RunEntry) -> Paired:
    one, two = (read_questions(_known(entry), dataset) for entry in (first, second))
    ids, codes, binary = [], [], True
    for sample_id, question in one.items():
        other = two.get(sample_id)
        if other is None or question.score is None or other.score is None:
            continue
        ids.append(sample_id)
        codes.append(_CODES[_outcome(question.score, other.score)])
        binary = binary and question.right_or_wrong and other.right_or_wrong
    return Paired(ids, np.array(codes, np.int8), binary)


def _outcome(first: float, second: float) -> Outcome:
    if first != second:
        return Outcome.FIRST if first > second else Outcome.SECOND
    return Outcome.RIGHT if first >= 1 else Outcome.WRONG
