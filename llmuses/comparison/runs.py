"""Finding the runs that are named, and reading what they answered."""

from __future__ import annotations

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
    """What became of one question in one run: the main score of each repeat that did not fail, and counts."""

    subset: str
    scores: dict[int, float]
    unparsed: int = 0
    rejected: int = 0
    truncated: int = 0
    failed: int = 0

    @property
    def score(self) -> float:
        """Return the mean over what was answered."""
        return sum(self.scores.values()) / len(self.scores)


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
    places = [folder for folder in (Path(name), outputs / name) if (folder / "run.json").is_file()]
    if not places:
        known = sorted(path.parent.name for path in outputs.glob("*/run.json"))
        if known:
            raise UnknownNameError(f"run below {outputs}", name, known)
        raise UsageError(f"there is no run '{name}': name a run's folder, or --outputs and the id of a run below it.")
    folder = places[0]
    run = read_json(folder / "run.json", Run)
    reports = {}
    for path in sorted((folder / "reports").glob("*.json")):
        report = read_json(path, Report)
        state = run.states.get(report.dataset)
        if state is not None and state.sha256 == report.dataset_sha256 and run.model_identity == report.model_identity:
            reports[report.dataset] = report
    return KnownRun(run=run, folder=folder, reports=reports)


def read_questions(run: KnownRun, dataset: str) -> Mapping[str, Question]:
    """Return what became of each question of a dataset, by its id. Raises StoreError where no review is there."""
    path = run.folder / "reviews" / f"{dataset}.jsonl"
    if not path.is_file():
        raise StoreError(f"{path} is missing: the run's command with --stage review scores the answers again.")
    lines = {(line.sample_id, line.repeat): line for line in JsonlStore(path, _Line)}
    questions: dict[str, Question] = {}
    for (sample_id, repeat), line in lines.items():
        question = questions.setdefault(sample_id, Question(line.subset, {}))
        question.truncated += line.truncated
        if line.status is Status.FAILED:
            question.failed += 1
            continue
        question.unparsed += line.status is Status.UNPARSED
        question.rejected += line.status is Status.REJECTED
        question.scores[repeat] = next(iter(line.scores.values()))
    return questions
