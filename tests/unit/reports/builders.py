"""Runs and reports as an evaluation hands them over, made by hand so that a test says only what it is about."""

from __future__ import annotations

from typing import Any

import msgspec

from llmuses.records import (
    Counts,
    DatasetPlan,
    Estimate,
    GenerationConfig,
    Mode,
    Report,
    Run,
    RunStatus,
    Totals,
)
from llmuses.statistics.intervals import Stratum, stratified

SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def _bounds(right: float, n: int, failed: int) -> tuple[float, float] | None:
    return (right / (n + failed), (right + failed) / (n + failed)) if failed else None


def estimate(correct: int, n: int, **counts: int) -> Estimate:
    """Return the estimate of ``n`` counted answers; ``counts`` names those that are not plainly right or wrong."""
    read = n - counts.get("unparsed", 0) - counts.get("rejected", 0)
    tally = Counts(scored=read, correct=correct, **counts)
    if n == 0:
        return Estimate(score=None, n=0, stderr=None, ci95=None, counts=tally, bounds=_bounds(0.0, 0, tally.failed))
    found = stratified([Stratum(n, correct, correct)])
    return Estimate(
        score=found.mean,
        n=n,
        stderr=found.stderr,
        ci95=(found.low, found.high),
        counts=tally,
        bounds=_bounds(found.mean * n, n, tally.failed),
    )


def report(dataset: str = "mmlu", of: Estimate | None = None, **changes: Any) -> Report:
    """Return a report of one dataset, 698 of 1,000 correct unless said otherwise."""
    values: dict[str, Any] = {
        **msgspec.structs.asdict(of or estimate(698, 1000)),
        "dataset": dataset,
        "title": dataset.upper(),
        "group": "knowledge",
        "mode": Mode.GENERATE,
        "metric": "acc",
        "setting": "5-shot",
        "few_shot": 5,
        "chance": 0.25,
        "model": "a-model",
        "model_identity": "openai:a-model",
        "subsets": {},
        "categories": {},
        "averages": {},
        "dataset_sha256": SHA,
        "fingerprint": "1f2e3d4c5b6a7988",
        "totals": Totals(),
        **changes,
    }
    return Report(**values)


def plan(dataset: str = "mmlu", **changes: Any) -> DatasetPlan:
    """Return how a dataset is asked: five worked examples, written answers, from ModelScope."""
    values: dict[str, Any] = {
        "dataset": dataset,
        "mode": Mode.GENERATE,
        "few_shot": 5,
        "few_shot_as": "text",
        "subsets": [],
        "split": "test",
        "local_path": None,
        "hub": "modelscope",
        "sample_data": False,
        "generation": GenerationConfig(max_tokens=512),
        **changes,
    }
    return DatasetPlan(**values)


def run(*datasets: DatasetPlan, **changes: Any) -> Run:
    """Return a finished run of ``a-model``."""
    values: dict[str, Any] = {
        "run_id": "a-model-mmlu-0badcafe",
        "plan_hash": "0badcafe" * 8,
        "model": "a-model",
        "model_spec": "openai:a-model",
        "model_identity": "openai:a-model@http://localhost:8000/v1",
        "model_args": {},
        "model_details": {},
        "datasets": list(datasets) or [plan()],
        "limit": None,
        "repeats": 1,
        "seed": 7,
        "status": RunStatus.DONE,
        "versions": {"llmuses": "0.1.0"},
        "command": "llmuses eval --model openai:a-model --datasets mmlu",
        "started": 1_790_000_000.0,
        "seconds": 4200.0,
        **changes,
    }
    return Run(**values)
