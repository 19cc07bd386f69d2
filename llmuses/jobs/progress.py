"""How far a job has come: the runs that carry its id."""

from __future__ import annotations

from pathlib import Path

from llmuses.errors import StoreError
from llmuses.records import Run
from llmuses.store import read_json


def runs_of(outputs: Path, job_id: str) -> list[Run]:
    """Return the runs that a job made or took up last, in the order of their start."""
    found = []
    for path in outputs.glob("*/run.json"):
        try:
            run = read_json(path, Run)
        except StoreError:
            continue
        if run.job == job_id:
            found.append(run)
    return sorted(found, key=lambda run: run.started)
