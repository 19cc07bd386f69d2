"""The folder of a run: its lock, its run.json, its stores."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from pathlib import Path
from typing import IO

from llmuses.errors import StoreError
from llmuses.inference import Predictions, superseded
from llmuses.keeping.mark import check_format
from llmuses.records import Report, Review, Run
from llmuses.store import JsonlStore, Sync, lock_folder, read_json, write_json


class RunFolder:
    """``OUTPUTS/RUN_ID/``, locked while a process works in it.

    Use as a context manager: entering creates the folder and takes the lock. Raises RunLockedError where another
    process holds it, StoreError where nothing can be written.
    """

    def __init__(self, path: Path):
        self.path = path
        self.predictions = Predictions(path / "predictions")
        self.verdicts = Predictions(path / "verdicts")
        """What judge models said of the answers."""
        self._reviews: dict[str, JsonlStore[Review]] = {}
        self._lock: IO[str] | None = None
        self._saved = 0.0
        self._created = False
        self._saving = threading.Lock()
        self._later: threading.Timer | None = None

    def __enter__(self) -> RunFolder:
        self._created = not self.path.exists()
        check_format(self.path.parent)
        self._lock = lock_folder(self.path, "run.lock", f"run {self.path.name}")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with self._saving:
            if self._later is not None:
                self._later.cancel()
                self._later = None
        self.predictions.close()
        self.verdicts.close()
        for store in self._reviews.values():
            store.close()
        if kind is not None and self._created and not any(self.path.glob("predictions/*")):
            shutil.rmtree(self.path, ignore_errors=True)  # this start made it, and nothing came of it
        if self._lock:
            self._lock.close()

    def reviews(self, dataset: str) -> JsonlStore[Review]:
        """Return the store of one dataset's reviews."""
        if dataset not in self._reviews:
            self._reviews[dataset] = JsonlStore(self.path / "reviews" / f"{dataset}.jsonl", Review, Sync.NEVER)
        return self._reviews[dataset]

    def read_run(self) -> Run | None:
        """Return what run.json holds, None where there is none yet. Raises StoreError where it cannot be read."""
        if not (self.path / "run.json").exists():
            return None
        try:
            return read_json(self.path / "run.json", Run)
        except StoreError as problem:
            raise StoreError(
                f"{problem}; move run.json away, and the answers beside it are taken up again."
            ) from problem

    def save_run(self, run: Run, at_most_every: float = 0.0) -> None:
        """Write run.json; with ``at_most_every`` at once or after as many seconds, whatever comes first by then."""
        with self._saving:
            wait = at_most_every - (time.monotonic() - self._saved)
            if wait > 0:
                if self._later is None:  # a burst of answers may be the last news for minutes: it is written, too
                    self._later = threading.Timer(wait, self._save_later, [run])
                    self._later.daemon = True
                    self._later.start()
                return
            self._save(run)

    def _save_later(self, run: Run) -> None:
        with self._saving, contextlib.suppress(StoreError):  # the run itself meets the error at its next append
            if self._later is not None:
                self._save(run)

    def _save(self, run: Run) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self._saved = time.monotonic()
        run.updated = time.time()
        write_json(self.path / "run.json", run)

    def save_report(self, report: Report) -> None:
        """Write ``reports/DATASET.json``."""
        write_json(self.path / "reports" / f"{report.dataset}.json", report)


def earlier_answers(outputs: Path, run: Run) -> list[Path]:
    """Return the files that may hold answers for this run: of other runs of the same model, and what was set aside."""
    files = []
    for other in sorted(outputs.glob("*/run.json")):
        own = other.parent.name == run.run_id
        if not own:
            try:
                known = read_json(other, Run)
            except StoreError:
                continue  # another program's file, or a damaged one: nothing to share
            if known.model_identity != run.model_identity:
                continue
        for plan in run.datasets:
            path = other.parent / "predictions" / f"{plan.dataset}.jsonl"
            files += [superseded(path)] if own else [superseded(path), path]
    return files
