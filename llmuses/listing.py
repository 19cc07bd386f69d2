"""What ``llmuses list`` lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmuses.benchmarks import benchmark_names, get_benchmark
from llmuses.errors import StoreError
from llmuses.i18n import points
from llmuses.records import Report, Run
from llmuses.settings import model_entries
from llmuses.store import read_json


def benchmarks() -> list[dict[str, Any]]:
    """Return a row for each benchmark."""
    rows = []
    for benchmark in map(get_benchmark, benchmark_names()):
        rows.append(
            {
                "name": benchmark.name,
                "title": benchmark.title,
                "group": benchmark.group,
                "languages": ", ".join(benchmark.languages),
                "subsets": len(benchmark.subsets),
                "few-shot": benchmark.few_shot,
                "modes": ", ".join(benchmark.modes),
                "modelscope": benchmark.hub.modelscope if benchmark.hub else "",
                "huggingface": benchmark.hub.huggingface if benchmark.hub else "",
                "licence": benchmark.licence,
                "paper": benchmark.paper,
                "homepage": benchmark.homepage,
            }
        )
    return rows


def models() -> list[dict[str, Any]]:
    """Return a row for each model of models.yaml, and the built-in baselines."""
    from llmuses.models.baseline import BASELINES

    rows = [
        {
            "name": name,
            "model": entry.model,
            "organisation": entry.organisation or "",
            "billions": entry.parameters or "",
            "licence": entry.licence or "",
            "homepage": entry.homepage or "",
        }
        for name, entry in model_entries().items()
    ]
    built_in = {"model": "built in", "organisation": "", "billions": "", "licence": "", "homepage": ""}
    rows += [{"name": f"baseline:{player}", **built_in} for player in sorted(BASELINES)]
    return rows


def runs(outputs: Path) -> list[dict[str, Any]]:
    """Return a row for each run below a folder, newest first."""
    found = []
    for path in outputs.glob("*/run.json"):
        try:
            run = read_json(path, Run)
            reports = [read_json(report, Report) for report in sorted(path.parent.glob("reports/*.json"))]
        except StoreError:
            continue
        scores = ", ".join(f"{report.dataset} {points(report.score)}" for report in reports)
        row = {"run": run.run_id, "model": run.model, "status": run.status.value, "scores": scores}
        found.append((run.started, row))
    return [row for _, row in sorted(found, key=lambda pair: pair[0], reverse=True)]


def print_rows(rows: list[dict[str, Any]]) -> None:
    """Print rows as a table; a line that says so where there is none."""
    from rich.table import Table

    from llmuses.console import console

    if not rows:
        console().print("Nothing there yet.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console().print(table)
