"""A model's page as something to take away: one record a figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from leaderboard.arena_board_ratings import PATIENT, Desk
from leaderboard.model import Model, find_model
from leaderboard.model_parts import half, whole
from leaderboard.ready import Busy, Ready
from leaderboard.results import Runs
from leaderboard.sheets import Sheet
from llmuses.i18n import points
from llmuses.markup import margin

FIELDS = ("kind", "name", "setting", "value", "ci_low", "ci_high", "n", "place", "of", "run")


def model_sheet(results: Runs, desk: Desk, query: Mapping[str, str]) -> Sheet | None:
    """Return the figures of the model that a query names, ``None`` where nothing is known of it. Scores are fractions."""
    name = query.get("name", "")[:300]
    try:
        model = find_model(name, results.runs(), Ready(desk, PATIENT), query) if name else None
    except Busy:
        return None
    if model is None or model.busy:
        return None
    records = list(_records(model))
    cells = [
        (record["kind"], record["name"], record["setting"] or "", *_shown(record), str(record["n"]))
        for record in records
        if record["value"] is not None
    ]
    head: dict[str, Any] = {"model": model.name, **model.known._asdict()}
    head["register"] = [
        {
            "arena": event.arena,
            "event": event.line.event.value,
            "tstamp": event.line.tstamp,
            "variant_of": event.line.variant_of,
        }
        for event in model.events
    ]
    return Sheet(
        caption=f"Figures of {model.name}: ratings as they are, shares and scores in points; ± is the 95% interval.",
        fields=FIELDS,
        records=records,
        head=head,
        headers=("kind", "name", "setting", "value", "±", "n"),
        cells=cells,
        names=frozenset({0, 1, 2}),
    )


def _shown(record: Mapping[str, Any]) -> tuple[str, str]:
    """Return a figure and half the width of its interval as the page writes them."""
    low, high = record["ci_low"], record["ci_high"]
    ci95 = None if low is None or high is None else (low, high)
    if record["kind"].startswith("rating"):
        return whole(record["value"]), half(ci95).removeprefix("±")
    return points(record["value"]), margin(ci95).removeprefix("±")


def _records(model: Model) -> Iterator[dict[str, Any]]:
    def record(**values: Any) -> dict[str, Any]:
        return {**dict.fromkeys(FIELDS), **values}

    if (figures := model.arena) is not None:
        lines = [("rating", figures.source.title, figures.line)]
        lines += [(f"rating by {group.kind}", group.name, group.line) for group in figures.groups]
        for kind, name, line in lines:
            low, high = line.ci95 or (None, None)
            yield record(kind=kind, name=name, value=line.rating, ci_low=low, ci_high=high, n=line.battles)
        for met in figures.met:
            low, high = met.ci95
            yield record(kind="won against", name=met.model, value=met.share, ci_low=low, ci_high=high, n=met.n)
    for each in model.benchmarks:
        low, high = each.cell.ci95 or (None, None)
        yield record(
            kind="score",
            name=each.column.dataset,
            setting=each.column.setting,
            value=each.cell.score,
            ci_low=low,
            ci_high=high,
            n=each.cell.n,
            place=each.place,
            of=each.of,
            run=each.cell.run_id,
        )
