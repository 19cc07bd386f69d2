"""Finding the runs that are named, and reading what they answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import msgspec

from llmuses.errors import StoreError, UnknownNameError, UsageError
from llmuses.records import Report, Run, Status
from llmuses.store import JsonlStore, read_json


class KnownRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run on disk with the reports that are about the rows it asks now."""

    run: Run
    folder: Path
    reports: dict[str, Report]


class Question(msgspec.Struct):
    """What became of one question in one run.

    ``score`` is the mean of the main score over the repeats that did not fail, None where all did; ``right_or_wrong``
    says that it was answered once and is 0 or 1.
    """

    subset: str
    score: float | None = None
    right_or_wrong: bool = False
    unparsed: int = 0
    rejected: int = 0
    truncated: int = 0
    failed: int = 0


class _Line(msgspec.Struct):
    """As much of a review as is compared."""

    sample_id: str
    subset: str
    status: Status
    repeat: int = 0
    scores: dict[str, float] = {}
    truncated: bool = False


def find_run(name: str, outputs: Path) -> KnownRun:
    """Return the run that a folder or an id below ``outputs`` names.

    Raises UsageError or UnknownNameError where there is none, StoreError where it cannot be read.
    """
    folder = run_folder(name, outputs)
    run = read_json(folder / "run.json", Run)
    reports = {}
    for path in sorted((folder / "reports").glob("*.json")):
        report = read_json(path, Report)
        state = run.states.get(report.dataset)
        if state is not None and state.sha256 == report.dataset_sha256 and run.model_identity == report.model_identity:
            reports[report.dataset] = report
    return KnownRun(run=run, folder=folder, reports=reports)


def run_folder(name: str, outputs: Path) -> Path:
    """Return the folder of the run that a folder or an id below ``outputs`` names. Raises UsageError or UnknownNameError."""
    for folder in (Path(name), outputs / name):
        if (folder / "run.json").is_file():
            return folder
    known = sorted(path.parent.name for path in outputs.glob("*/run.json"))
    if known:
        raise UnknownNameError(f"run below {outputs}", name, known)
    raise UsageError(f"there is no run '{name}': name a run's folder, or --outputs and the id of a run below it.")


def read_questions(run: KnownRun, dataset: str) -> Mapping[str, Question]:
    """Return what became of each question of a dataset, by its id. Raises StoreError where no review is there."""
    path = run.folder / "reviews" / f"{dataset}.jsonl"
    if not path.is_file():
        raise StoreError(f"{path} is missing: the run's command with --stage review scores the answers again.")
    latest = {(line.sample_id, line.repeat): line for line in JsonlStore(path, _Line)}
    lines: dict[str, list[_Line]] = defaultdict(list)
    for (sample_id, _), line in latest.items():
        lines[sample_id].append(line)
    return {sample_id: _question(each) for sample_id, each in lines.items()}


def _question(repeats: list[_Line]) -> Question:
    status = [line.status for line in repeats]
    scores = [next(iter(line.scores.values())) for line in repeats if line.status is not Status.FAILED]
    return Question(
        subset=repeats[0].subset,
        score=sum(scores) / len(scores) if scores else None,
        right_or_wrong=len(scores) == 1 and scores[0] in (0.0, 1.0),
        unparsed=status.count(Status.UNPARSED),
        rejected=status.count(Status.REJECTED),
        truncated=sum(line.truncated for line in repeats),
        failed=status.count(Status.FAILED),
    )
