"""The benchmark board as something to take away: one line a figure, with all that it takes to check it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leaderboard.board import Board, Row
from leaderboard.figures import Cell, Column, Kind
from leaderboard.sheets import Sheet
from llmuses.i18n import points
from llmuses.markup import margin

FIELDS = (
    "model", "spec", "dataset", "setting", "data", "mode", "metric", "score", "ci_low", "ci_high", "n", "unparsed", "rejected",
    "failed", "truncated", "chance", "ranked", "state", "demo", "run", "part", "source", "organisation", "licence", "size",
    "kind",
)  # fmt: skip


def figures(board: Board) -> Iterator[dict[str, Any]]:
    """Yield one flat record for each figure of the board, in the board's order. Scores are fractions.

    What was published elsewhere comes with its ``source``, and its other figures follow, each under its ``part``.
    """
    for row in board.rows:
        for column in board.columns:
            cell = row.cells.get(column.key)
            if cell is None:
                continue
            record = _figure(row, column, cell)
            yield record
            if cell.published is not None:
                for part, score in cell.published.parts.items():
                    yield {
                        **record,
                        "part": part,
                        "metric": None,
                        "score": score,
                        "ci_low": None,
                        "ci_high": None,
                        "n": None,
                    }


def _figure(row: Row, column: Column, cell: Cell) -> dict[str, Any]:
    report = cell.report
    counts = report.counts if report else None
    low, high = cell.ci95 or (None, None)
    elsewhere = cell.published
    return {
        "model": row.model,
        "spec": row.spec,
        "dataset": column.dataset,
        "setting": column.setting,
        "data": column.data if elsewhere is None else None,
        "mode": report.mode.value if report else None,
        "metric": report.metric if report else elsewhere.metric or None if elsewhere else None,
        "score": cell.score,
        "ci_low": low,
        "ci_high": high,
        "n": cell.n if elsewhere is None else elsewhere.n,
        "unparsed": counts.unparsed if counts else None,
        "rejected": counts.rejected if counts else None,
        "failed": counts.failed if counts else None,
        "truncated": counts.truncated if counts else None,
        "chance": column.chance,
        "ranked": cell.ranked,
        "state": cell.kind.value,
        "demo": row.demo,
        "run": cell.run_id or None,
        "part": None,
        "source": row.published or None,
        "organisation": row.known.organisation,
        "licence": row.known.licence,
        "size": row.known.size,
        "kind": row.known.kind,
    }


def sheet(board: Board) -> Sheet:
    """Return the board as a sheet: the averages and the columns that they are over stand in its head."""
    averages = [
        {"model": row.model, "spec": row.spec, "score": row.mean.score, "ci95": row.mean.ci95}
        for row in board.rows
        if row.mean is not None
    ]
    averaged = board.averaged > 0
    return Sheet(
        caption=caption(board),
        fields=FIELDS,
        records=list(figures(board)),
        head={
            "columns": [column._asdict() for column in board.columns],
            "averaged_over": [column.key for column in board.basis],
            "averages": averages,
        },
        headers=("Model", *(["Average"] if averaged else []), *(_title(column) for column in board.columns)),
        cells=[_cells(row, board, averaged) for row in board.rows],
    )


def caption(board: Board) -> str:
    """Return what the board is of, in a sentence."""
    words = f"{len(board.rows)} models on {len(board.columns)} benchmarks, in points; ± is the 95% interval."
    if any(not cell.ranked and cell.kind is not Kind.PUBLISHED for row in board.rows for cell in row.cells.values()):
        words += " An asterisk marks what is incomplete or still running."
    if any(row.published for row in board.rows):
        words += " A dagger marks what was published elsewhere and not run here."
    return words


def _title(column: Column) -> str:
    return f"{column.title} {column.setting}" + (f" ({column.source})" if column.source else "")


def _cells(row: Row, board: Board, averaged: bool) -> list[str]:
    mean = [] if not averaged else ["–" if row.mean is None else f"{points(row.mean.score)} {margin(row.mean.ci95)}"]
    return [row.model, *mean, *(_cell(row.cells.get(column.key)) for column in board.columns)]


def _cell(cell: Cell | None) -> str:
    if cell is None or cell.score is None:
        return "–"
    mark = "" if cell.ranked else "†" if cell.published else "*"
    return f"{points(cell.score)} {margin(cell.ci95)}".strip() + mark
