"""What ``llmuses list`` lists."""

from __future__ import annotations

import inspect
import logging
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmuses.benchmarks import Benchmark, benchmark_names
from llmuses.benchmarks.own_class import benchmark_of, check_class, own_class
from llmuses.errors import LlmusesError, StoreError
from llmuses.i18n import points, terminal_language, text
from llmuses.markup import margin
from llmuses.records import Report, Run
from llmuses.settings import jobs_dir, model_entries
from llmuses.store import read_json
from llmuses.visibility import standing

_log = logging.getLogger(__name__)


def benchmarks(names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return a row for each benchmark with everything that is known of it: for those named, a class of one's own among them,
    else for all of ours. Raises UnknownNameError, or UsageError for a class that cannot be used."""
    return [_described(benchmark) for benchmark in _named(names or benchmark_names())]


def _named(names: Sequence[str]) -> list[Benchmark]:
    found = [benchmark_of(name) for name in names]
    for benchmark in found:
        check_class(benchmark)
    return found


def brief(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return as much of the benchmarks' rows as fits a terminal."""
    shown = ("name", "group", "languages", "subsets", "split", "few-shot", "modes", "metrics", "licence")
    return [{column: row[column] for column in shown} for row in rows]


def _described(benchmark: Benchmark) -> dict[str, Any]:
    metrics = {metric: None for mode in benchmark.modes for metric in benchmark.metrics[mode]}
    if benchmark.pass_at:
        metrics = {"pass@1": None}
    own = own_class(benchmark)
    about = inspect.getdoc(benchmark) if own else text(terminal_language(), f"catalogue.about.{benchmark.name}")
    return {
        "name": benchmark.name,
        "title": benchmark.title,
        "about": " ".join((about or "").split("\n\n")[0].split()),
        "group": benchmark.group,
        "languages": ", ".join(benchmark.languages),
        "subsets": len(benchmark.subsets),
        "split": benchmark.split,
        "few-shot": benchmark.few_shot,
        "few-shot split": benchmark.few_shot_split if benchmark.few_shot else "",
        "modes": ", ".join(benchmark.modes),
        "variants": ", ".join(benchmark.variants),
        "metrics": ", ".join(metrics),
        "modelscope": benchmark.hub.modelscope if benchmark.hub else "",
        "huggingface": benchmark.hub.huggingface if benchmark.hub else "",
        "licence": benchmark.licence,
        "samples may be shown": "yes" if benchmark.publish_samples else "no",
        "paper": benchmark.paper,
        "homepage": benchmark.homepage,
    } | ({"file": own.file, "sha256": own.sha256} if own else {})


def print_benchmark(name: str) -> None:
    """Print what is known of one benchmark, and a prompt of each of its forms. Raises as ``benchmarks``."""
    from llmuses.console import console
    from llmuses.evaluation.dry_run import text_of
    from llmuses.evaluation.example import example_prompt, forms

    (benchmark,) = _named([name])
    out = console()
    for label, value in _described(benchmark).items():
        if value != "":
            out.print(f"{label:21}{value}", highlight=False, soft_wrap=True)
    if own_class(benchmark):
        out.print("A dry run shows what it asks: llmuses eval --dry-run", highlight=False)
        return
    for form in forms(benchmark):
        out.rule(f"{form.mode} {form.variant}".strip(), align="left")
        try:
            out.print(text_of(example_prompt(name, form).ask), highlight=False, markup=False, soft_wrap=True)
        except LlmusesError as problem:
            out.print(str(problem), highlight=False, markup=False)


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
    """Return a row for each run below a folder, newest first. One that cannot be read is left out, with a line in the log."""
    found = []
    for path in outputs.glob("*/run.json"):
        try:
            run = read_json(path, Run)
            reports = [read_json(report, Report) for report in sorted(path.parent.glob("reports/*.json"))]
        except StoreError as problem:
            _log.warning("%s: left out, %s", path.parent.name, problem)
            continue
        scores = ", ".join(f"{one.dataset} {points(one.score)} {margin(one.ci95)}".rstrip() for one in reports)
        stands = standing(path.parent)
        row = {
            "run": run.run_id,
            "model": run.model,
            "status": run.status.value,
            "hidden": "yes" if stands is not None and stands.hidden else "",
            "scores": scores,
        }
        found.append((run.started, row))
    return [row for _, row in sorted(found, key=lambda pair: pair[0], reverse=True)]


def jobs(outputs: Path) -> list[dict[str, Any]]:
    """Return a row for each job of the admin room over a folder of runs, newest first."""
    from llmuses.jobs import JobLog

    return [
        {
            "job": job.job_id,
            "status": job.status.value,
            "device": job.device,
            "by": job.by,
            "command": shlex.join(["llmuses", *job.command]),
            "reason": job.reason,
        }
        for job in reversed(JobLog(jobs_dir(outputs)).jobs())
    ]


def print_rows(rows: list[dict[str, Any]]) -> None:
    """Print rows as a table, without a column ``hidden`` where nothing is; a line that says so where there is no row."""
    from rich.table import Table

    from llmuses.console import console

    if not rows:
        console().print("Nothing there yet.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = [name for name in rows[0] if name != "hidden" or any(row["hidden"] for row in rows)]
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(str(row[name]) for name in columns))
    console().print(table)
