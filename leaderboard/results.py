"""Every run below the outputs folder, as the pages see it: read once, read again only where a file changed.

A run is found by its ``run.json``. A file that cannot be read is left out and named in ``damaged()``; the rest stays
readable. All methods may be called from many threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import msgspec

from llmuses.errors import StoreError
from llmuses.records import DatasetPlan, DatasetState, Report, Run, RunStatus
from llmuses.statistics.intervals import wilson
from llmuses.store import read_json

R = TypeVar("R", bound=msgspec.Struct)


class SoFar(NamedTuple):
    """The score of a dataset that is still being asked: an estimate of the final one, since the order is random.

    ``score`` and ``ci95`` (Wilson) are fractions, ``None`` before the first answer; ``n`` of ``total`` are answered.
    """

    score: float | None
    ci95: tuple[float, float] | None
    n: int
    total: int


class Damage(NamedTuple):
    """A file that could not be read, and why, in one line."""

    path: Path
    problem: str


class RunEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One run: its ``run.json``, its folder, and its reports by the dataset's name (finished datasets only).

    ``status`` is the run's own, except that a run said to be running with no process behind it is ``interrupted``.
    """

    run: Run
    folder: Path
    reports: dict[str, Report]
    status: RunStatus

    @property
    def run_id(self) -> str:
        return self.run.run_id

    @property
    def running(self) -> bool:
        """Whether a process is working on this run now."""
        return self.status is RunStatus.RUNNING

    def datasets(self) -> list[str]:
        """Return the names of the datasets that the run asks, in its order, then any other that has a report."""
        names = [plan.dataset for plan in self.run.datasets]
        return names + [name for name in self.reports if name not in names]

    def plan(self, dataset: str) -> DatasetPlan | None:
        """Return how the run asks a dataset."""
        return next((plan for plan in self.run.datasets if plan.dataset == dataset), None)

    def so_far(self, dataset: str) -> SoFar | None:
        """Return the score so far of a dataset that the run has not finished, ``None`` where its report is final."""
        state = self.run.states.get(dataset)
        if state is None or (dataset in self.reports and not self._unfinished(state)):
            return None
        n = max(state.answered - state.failed, 0)
        if n == 0:
            return SoFar(None, None, 0, state.total)
        correct = min(state.correct, n)
        return SoFar(correct / n, wilson(correct, n), n, state.total)

    def _unfinished(self, state: DatasetState) -> bool:
        return self.running and state.answered < state.total

    def predictions(self, dataset: str) -> Path:
        """Return the file of a dataset's predictions, which may not exist yet."""
        return self.folder / "predictions" / f"{dataset}.jsonl"

    def reviews(self, dataset: str) -> Path:
        """Return the file of a dataset's reviews, which may not exist yet."""
        return self.folder / "reviews" / f"{dataset}.jsonl"


class Results:
    """All runs below one outputs folder. The folder may be missing or empty; nothing is ever written."""

    def __init__(self, outputs: Path):
        self.outputs = outputs
        self._runs: _Cache[Run] = _Cache(Run)
        self._reports: _Cache[Report] = _Cache(Report)
        self._damaged: list[Damage] = []
        self._mutex = threading.Lock()

    def runs(self) -> list[RunEntry]:
        """Return every readable run, the one started last first."""
        with self._mutex:
            self._damaged = []
            entries = [entry for folder in self._folders() if (entry := self._entry(folder)) is not None]
        return sorted(entries, key=lambda entry: (entry.run.started, entry.run_id), reverse=True)

    def run(self, run_id: str) -> RunEntry | None:
        """Return the run with this id, ``None`` where there is none. Any text may be given."""
        return next((entry for entry in self.runs() if entry.run_id == run_id), None)

    def damaged(self) -> list[Damage]:
        """Return the files that the last ``runs()`` could not read."""
        with self._mutex:
            return list(self._damaged)

    def _folders(self) -> Iterator[Path]:
        try:
            with os.scandir(self.outputs) as found:
                names = sorted(entry.name for entry in found if entry.is_dir() and not entry.name.startswith("."))
        except FileNotFoundError:
            return
        except OSError as problem:
            self._damaged.append(Damage(self.outputs, problem.strerror or str(problem)))
            return
        yield from (self.outputs / name for name in names)

    def _entry(self, folder: Path) -> RunEntry | None:
        run = self._runs.read(folder / "run.json", self._damaged)
        if run is None:
            return None
        reports = {}
        for path in sorted(_json_files(folder / "reports")):
            if (report := self._reports.read(path, self._damaged)) is not None:
                reports[path.stem] = report
        status = run.status
        if status is RunStatus.RUNNING and not _alive(run.pid):
            status = RunStatus.INTERRUPTED
        return RunEntry(run=run, folder=folder, reports=reports, status=status)


class _Cache(Generic[R]):
    """The records of JSON files, kept as long as a file's time, size and inode stay the same."""

    def __init__(self, record_type: type[R]):
        self._type = record_type
        self._known: dict[Path, tuple[tuple[int, int, int], R | Damage]] = {}

    def read(self, path: Path, damaged: list[Damage]) -> R | None:
        """Return the file's record; ``None`` where there is no file, or a damaged one, which is then noted."""
        try:
            status = path.stat()
        except OSError:
            self._known.pop(path, None)
            return None
        sign = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._known.get(path)
        if known is None or known[0] != sign:
            known = self._known[path] = (sign, self._load(path))
        if isinstance(known[1], Damage):
            damaged.append(known[1])
            return None
        return known[1]

    def _load(self, path: Path) -> R | Damage:
        try:
            return read_json(path, self._type)
        except StoreError as problem:
            return Damage(path, str(problem).removeprefix(f"cannot read {path}: "))


def _json_files(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in os.listdir(folder) if name.endswith(".json") and not name.startswith(".")]
    except OSError:
        return []


def _alive(pid: int | None) -> bool:
    """Return whether a process of this number exists. Another user's process counts: it cannot be asked."""
    if not pid or pid < 1:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
