"""The third step: ratings of the record, and the table as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from arena.pipeline.answers import write_lines
from arena.pipeline.config import Metric
from arena.pipeline.report_records import ArenaReport
from arena.rating import rate
from arena.rating_records import Ratings, Rule
from llmuses.errors import UsageError
from llmuses.judge.templates import JudgeMode
from llmuses.records import Battle

_SUITED: dict[JudgeMode, tuple[Metric, ...]] = {
    JudgeMode.PAIRWISE: ("bt", "elo", "pairwise"),
    JudgeMode.BASELINE: ("pairwise", "bt", "elo"),
    JudgeMode.SINGLE: ("score",),
}


def metrics_of(named: Sequence[Metric], mode: JudgeMode) -> list[Metric]:
    """Return what is computed: what the config names, else Bradley-Terry of all pairs, win rates against a baseline, or mean
    scores. Raises UsageError for a metric that the judge's mode gives nothing for."""
    for metric in named:
        if metric not in _SUITED[mode]:
            raise UsageError(f"metrics: '{metric}' cannot be had in mode {mode}, only {', '.join(_SUITED[mode])}.")
    return list(named) or [_SUITED[mode][0]]


def ratings_of(battles: Path | Sequence[Battle], metrics: Sequence[Metric]) -> dict[str, Ratings]:
    """Return the ratings of a record, or of battles in memory, by each metric that is a rating.

    Bradley-Terry's intervals have the question as their unit; online Elo's are over resampled orders.
    """
    rules: dict[str, Rule] = {"bt": Rule(method="bt", cluster="question"), "elo": Rule(method="elo")}
    chosen = {metric: rules[metric] for metric in metrics if metric in rules}
    if isinstance(battles, Path):
        return {metric: rate(battles, rule) for metric, rule in chosen.items()}
    if not battles:
        return {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "battles.jsonl"
        write_lines(path, [msgspec.json.encode(battle) for battle in battles])
        return {metric: rate(path, rule) for metric, rule in chosen.items()}


def write_csv(path: Path, report: ArenaReport) -> None:
    """Write a report's figures as CSV: one line a metric and model. Raises StoreError."""
    said = io.StringIO(newline="")
    table = csv.writer(said, lineterminator="\n")
    table.writerow(["metric", "model", "value", "low", "high", "n", "wins", "losses", "ties", "missing"])
    metric = "score" if report.mode == "single" else "win_rate"
    for row in report.rows:
        low, high = row.ci95 or ("", "")
        value = "" if row.value is None else row.value
        table.writerow([metric, row.model, value, low, high, row.n, row.wins, row.losses, row.ties, row.missing])
    for name, ratings in report.ratings.items():
        for model in ratings.models:
            low, high = model.ci95 or ("", "")
            rating = "" if model.rating is None else model.rating
            table.writerow([name, model.model, rating, low, high, model.battles, "", "", "", ""])
    write_lines(path, said.getvalue().encode().rstrip(b"\n").split(b"\n"))
