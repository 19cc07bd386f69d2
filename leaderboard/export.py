"""The board as CSV and JSON: one line a figure, with all that it takes to check it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import msgspec

from leaderboard.board import Board, Row
from leaderboard.figures import Cell, Column

FIELDS = (
    "model", "spec", "dataset", "setting", "data", "mode", "metric", "score", "ci_low", "ci_high", "n", "unparsed", "rejected",
    "failed", "truncated", "chance", "ranked", "state", "demo", "run",
)  # fmt: skip


def figures(board: Board) -> Iterator[dict[str, Any]]:
    """Yield one flat record for each figure of the board, in the board's order. Scores are fractions."""
    for row in board.rows:
        for column in board.columns:
            cell = row.cells.get(column.key)
            if cell is not None:
                yield _figure(row, column, cell)


def _figure(row: Row, column: Column, cell: Cell) -> dict[str, Any]:
    report = cell.report
    counts = report.counts if report else None
    low, high = cell.ci95 or (None, None)
    return {
        "model": row.model,
        "spec": row.spec,
        "dataset": column.dataset,
        "setting": column.setting,
        "data": column.data,
        "mode": report.mode.value if report else None,
        "metric": report.metric if report else None,
        "score": cell.score,
        "ci_low": low,
        "ci_high": high,
        "n": cell.n,
        "unparsed": counts.unparsed if counts else None,
        "rejected": counts.rejected if counts else None,
        "failed": counts.failed if counts else None,
        "truncated": counts.truncated if counts else None,
        "chance": column.chance,
        "ranked": cell.ranked,
        "state": cell.kind.value,
        "demo": row.demo,
        "run": cell.run_id,
    }


def to_csv(board: Board) -> str:
    """Return the figures as CSV with a header.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
    writer.writeheader()
    for figure in figures(board):
        writer.writerow({name: _harmless(value) for name, value in figure.items()})
    return out.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def to_json(board: Board) -> bytes:
    """Return the figures as JSON, with the averages and the columns that they are over beside them."""
    averages = [
        {"model": row.model, "spec": row.spec, "score": row.mean.score, "ci95": row.mean.ci95}
        for row in board.rows
        if row.mean is not None
    ]
    columns = [column._asdict() for column in board.columns]
    record = {
        "columns": columns,
        "averaged_over": [column.key for column in board.basis],
        "averages": averages,
        "figures": list(figures(board)),
    }
    return msgspec.json.format(msgspec.json.encode(record), indent=2)
