"""A comparison of models as something to take away: one record a benchmark and model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from leaderboard.board import make_board
from leaderboard.compare_html import probability, signed
from leaderboard.comparing import Comparer, Versus, chosen, named
from leaderboard.results import Runs
from leaderboard.sheets import Sheet
from llmuses.i18n import points
from llmuses.markup import margin

FIELDS = (
    "dataset", "setting", "model", "baseline", "score", "baseline_score", "difference", "ci_low", "ci_high", "n", "won", "lost",
    "tied", "test", "p", "p_corrected", "detectable", "refused", "run", "baseline_run",
)  # fmt: skip


def compare_sheet(results: Runs, comparer: Comparer, query: Mapping[str, str]) -> Sheet | None:
    """Return what the page of the same address shows, ``None`` where fewer than two models can be compared."""
    entries = results.runs()
    board = make_board(entries, {})
    rows = named(board)
    names = chosen(rows, query)
    if len(names) < 2:
        return None
    found = comparer.versus(board, entries, names)
    records = list(_records(found, names))
    cells = [
        (
            f"{record['dataset']} {record['setting']}",
            record["model"],
            points(record["baseline_score"]),
            signed(record["difference"]),
            margin((record["ci_low"], record["ci_high"])),
            probability(record["p_corrected"]),
        )
        for record in records
        if record["difference"] is not None
    ]
    about = f"Paired differences to {names[0]} in points, 95% intervals; p corrected for {len(found.pairs)} comparisons (Holm)"
    return Sheet(
        caption=about,
        fields=FIELDS,
        records=records,
        head={"baseline": names[0], "models": names[1:], "comparisons": len(found.pairs)},
        headers=("benchmark", "model", "baseline", "difference", "±", "p"),
        cells=cells,
        names=frozenset({0, 1}),
    )


def _records(found: Versus, names: list[str]) -> Iterator[dict[str, Any]]:
    for block in found.blocks:
        for place, line in enumerate(block.lines, 1):
            pair = line.pair
            if pair is None and line.refusal is None:
                continue
            record: dict[str, Any] = dict.fromkeys(FIELDS)
            record |= {
                "dataset": block.column.dataset,
                "setting": block.column.setting,
                "model": names[place],
                "baseline": names[0],
                "baseline_run": block.cell.run_id,
            }
            if pair is None:
                assert line.refusal is not None
                parts = ", ".join(part.name for part in line.refusal.parts)
                record |= {"refused": f"{line.refusal.reason}: {parts}".rstrip(": "), "run": line.refusal.first}
            else:
                record |= {
                    "score": pair.sides[0].score,
                    "baseline_score": pair.sides[1].score,
                    "difference": pair.difference,
                    "ci_low": pair.ci95[0],
                    "ci_high": pair.ci95[1],
                    "n": pair.n,
                    "won": pair.won,
                    "lost": pair.lost,
                    "tied": pair.tied,
                    "test": pair.method,
                    "p": pair.p_value,
                    "p_corrected": pair.p_corrected,
                    "detectable": pair.detectable,
                    "run": pair.first,
                }
            yield record
