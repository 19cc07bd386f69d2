"""The jobs log: what happened to every job, one line each, and what follows from it.

Two locks keep the log true. A job's own lock is held by the process that watches it and by the process that does its
work: whoever gets it knows that nobody works on the job. The lock of the folder is held for the moment in which a number
is given out.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import IO

import msgspec

from llmuses.errors import StoreError, UnknownNameError, UsageError
from llmuses.records import JobEvent, JobLine
from llmuses.store import START, Cursor, JsonlStore, Sync, try_lock


class JobStatus(StrEnum):
    """How a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self in (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)

    @property
    def works(self) -> bool:
        """Whether processes are at work on it, as far as the log knows."""
        return self in (JobStatus.RUNNING, JobStatus.STOPPING)


class Job(msgspec.Struct, kw_only=True):
    """One job as its lines describe it. Times are seconds since 1970; ``attempts`` counts its starts.

    ``exit_code`` 1 of a job that is done says that something was not reached: samples failed, a score was too low.
    """

    job_id: str
    title: str
    command: list[str]
    device: str
    by: str
    queued: float
    clone_of: str | None = None
    status: JobStatus = JobStatus.QUEUED
    started: float | None = None
    ended: float | None = None
    alive: float | None = None
    attempts: int = 0
    exit_code: int | None = None
    reason: str = ""
    pid: int | None = None

    def apply(self, line: JobLine) -> None:
        """Take in what happened next. A line that cannot follow on the job's status changes nothing."""
        event, now, status = line.event, line.tstamp, self.status
        if event is JobEvent.HEARTBEAT and status.works:
            self.alive, self.pid = now, line.pid or self.pid
        elif event is JobEvent.STARTED and status is JobStatus.QUEUED:
            self.status, self.started, self.alive = JobStatus.RUNNING, now, now
            self.attempts += 1
        elif event is JobEvent.CANCEL and status is JobStatus.RUNNING:
            self.status = JobStatus.STOPPING
        elif event is JobEvent.INTERRUPTED and status.works:
            # Who was asked to end and died has done what was asked.
            self.status = JobStatus.QUEUED if status is JobStatus.RUNNING else JobStatus.CANCELLED
            self.ended = now if self.status.ended else None
            self.reason, self.pid = line.reason, None
        elif event is JobEvent.QUEUED and status.ended:
            self.status, self.ended, self.exit_code, self.reason, self.pid = JobStatus.QUEUED, None, None, "", None
        elif event in _ENDS and not status.ended:
            self.status, self.ended, self.alive = _ENDS[event], now, now
            self.exit_code, self.reason, self.pid = line.exit_code, line.reason, None


_ENDS = {
    JobEvent.DONE: JobStatus.DONE,
    JobEvent.FAILED: JobStatus.FAILED,
    JobEvent.CANCELLED: JobStatus.CANCELLED,
}


def _here(command: list[str], folder: Path) -> list[str]:
    """Return a job's command for the folder that the log is in now: it may have been written in another, and restored."""
    here, outputs = list(command), folder.parent
    for place, (name, value) in enumerate(pairwise(command), 1):
        path = Path(value)
        if name == "--outputs" and path.resolve() != outputs.resolve():
            here[place] = str(outputs)
        elif name == "-c" and path.parent.name == folder.name and (folder / path.name).exists():
            here[place] = str((folder / path.name).resolve())
    return here


class JobLog:
    """The jobs below one folder. Safe for many threads and processes; each reads what is new whenever it looks."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._store = JsonlStore(folder / "jobs.jsonl", JobLine, Sync.ALWAYS)
        self._cursor: Cursor = START
        self._jobs: dict[str, Job] = {}
        self._mutex = threading.Lock()

    def jobs(self) -> list[Job]:
        """Return all jobs as they stand now, in the order in which they were first queued."""
        with self._mutex:
            reader = self._store.read(self._cursor)
            for line in reader:
                self._take(line)
            self._cursor = reader.cursor
            return [msgspec.structs.replace(job) for job in self._jobs.values()]

    def job(self, job_id: str) -> Job:
        """Return one job as it stands now. Raises UnknownNameError."""
        found = {job.job_id: job for job in self.jobs()}
        if job_id not in found:
            raise UnknownNameError("job", job_id, found)
        return found[job_id]

    def _take(self, line: JobLine) -> None:
        if line.job_id in self._jobs:
            self._jobs[line.job_id].apply(line)
        elif line.event is JobEvent.QUEUED and line.command is not None:
            self._jobs[line.job_id] = Job(
                job_id=line.job_id,
                title=line.title or " ".join(line.command),
                command=_here(line.command, self.folder),
                device=line.device or "cpu",
                by=line.by,
                queued=line.tstamp,
                clone_of=line.clone_of,
            )

    # -- what people ask for

    def submit(self, command: Sequence[str], title: str, device: str, by: str, clone_of: str | None = None) -> str:
        """Queue a job and return its id. ``command`` is what would stand after ``llmuses``."""
        with self._numbering():
            number = 1 + max((int(job.job_id.removeprefix("j-")) for job in self.jobs()), default=0)
            job_id = f"j-{number:04d}"
            self.say(
                job_id, JobEvent.QUEUED, title=title, command=list(command), device=device, by=by, clone_of=clone_of
            )
        return job_id

    def cancel(self, job_id: str, by: str) -> None:
        """Have a job stopped; one that waits is cancelled at once. Raises UsageError where it has ended."""
        job = self.job(job_id)
        if job.status.ended:
            raise UsageError(f"{job_id} has ended already ({job.status.value}).")
        with self.held(job_id) as lock:
            if lock is not None and not self.job(job_id).status.ended:
                self.say(job_id, JobEvent.CANCELLED, by=by)
                return
        self.say(job_id, JobEvent.CANCEL, by=by)

    def resume(self, job_id: str, by: str) -> None:
        """Queue a job that has ended once more: what it answered stays. Raises UsageError where it has not ended."""
        job = self.job(job_id)
        if not job.status.ended:
            raise UsageError(f"{job_id} has not ended: it is {job.status.value}.")
        self.say(job_id, JobEvent.QUEUED, by=by)

    def clone(self, job_id: str, by: str) -> str:
        """Queue a new job that does the same, and return its id."""
        job = self.job(job_id)
        return self.submit(job.command, job.title, job.device, by, clone_of=job_id)

    # -- what the processes behind it use

    def say(
        self,
        job_id: str,
        event: JobEvent,
        *,
        by: str = "",
        reason: str = "",
        title: str | None = None,
        command: list[str] | None = None,
        device: str | None = None,
        clone_of: str | None = None,
        exit_code: int | None = None,
        pid: int | None = None,
    ) -> None:
        """Add a line; when this returns it is on disk."""
        self._store.append(
            JobLine(
                job_id=job_id,
                event=event,
                title=title,
                command=command,
                device=device,
                clone_of=clone_of,
                by=by,
                reason=reason,
                exit_code=exit_code,
                pid=pid,
                tstamp=time.time(),
            )
        )

    def place(self, job_id: str) -> Path:
        """Return the folder of one job: its lock and its output, ``log.txt``."""
        return self.folder / job_id

    @contextlib.contextmanager
    def held(self, job_id: str) -> Iterator[IO[str] | None]:
        """Give a job's lock for a moment, ``None`` where a process works on the job."""
        lock = open_lock(self.place(job_id) / "lock")
        try:
            yield lock if try_lock(lock) else None
        finally:
            lock.close()

    @contextlib.contextmanager
    def _numbering(self) -> Iterator[None]:
        with open_lock(self.folder / "numbers.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def close(self) -> None:
        """Let go of the file. The log can be used again afterwards."""
        self._store.close()


def open_lock(path: Path) -> IO[str]:
    """Return a lock file, not locked yet. Raises StoreError where it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644), "r+")
    except OSError as problem:
        raise StoreError(f"cannot write {path}: {problem.strerror or problem}") from problem
