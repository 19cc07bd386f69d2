"""Starts what is queued, one job on a device at a time, and finds what a crash left behind.

Any number of servers may run a supervisor on one folder: the one that holds its lock acts, the others wait for their
turn. What it starts is no child that ends with it: a job goes on when the server is killed, and is found again by its
lock.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from llmuses.errors import LlmusesError
from llmuses.jobs.devices import SLOTS, overlap
from llmuses.jobs.environment import job_environment
from llmuses.jobs.log import Job, JobLog, JobStatus, open_lock
from llmuses.records import JobEvent
from llmuses.store import try_lock

_log = logging.getLogger(__name__)

_PAUSE = 0.5
"""Seconds between two looks at the log."""


class Supervisor:
    """Looks after the jobs of one log, from a thread of its own.

    ``slots`` is how many jobs a device takes at a time; ``reachable`` returns the networks that jobs may call beside the
    public internet, None where nothing is forbidden; ``kept_back`` are variables of the environment that they do not get.
    """

    def __init__(
        self,
        log: JobLog,
        slots: Mapping[str, int] = SLOTS,
        reachable: Callable[[], Sequence[str] | None] = lambda: None,
        kept_back: Sequence[str] = (),
    ):
        self.log = log
        self.reachable = reachable
        self._kept_back = kept_back
        self._slots = slots
        self._lock: IO[str] | None = None
        self._children: list[subprocess.Popen[bytes]] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look. May be called once."""
        self._thread = threading.Thread(target=self._watch, name="jobs", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking; jobs that run go on."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                self.look()
            except LlmusesError as problem:  # a full disk, say: it may pass, and the log lost nothing
                _log.error("jobs: %s", problem)
            self._stop.wait(_PAUSE)

    def look(self) -> None:
        """Do what there is to do now: nothing where another supervisor acts on the folder."""
        self._children = [child for child in self._children if child.poll() is None]
        if not self._acts():
            return
        for job in self.log.jobs():
            if job.status.works:
                self._check(job)
        jobs = self.log.jobs()
        busy = Counter(job.device for job in jobs if job.status.works)
        for job in jobs:
            if job.status is JobStatus.QUEUED and self._free(job.device, busy) and self._begin(job):
                busy[job.device] += 1

    def _acts(self) -> bool:
        if self._lock is None:
            lock = open_lock(self.log.folder / "supervisor.lock")
            if not try_lock(lock):
                lock.close()
                return False
            lock.seek(0)
            lock.truncate()
            lock.write(str(os.getpid()))
            lock.flush()
            self._lock = lock
        return True

    def holder(self) -> int | None:
        """Return the process that acts on the folder, None where none does: nothing is started then. Raises StoreError."""
        if self._lock is not None:
            alive = self._thread is not None and self._thread.is_alive()
            return os.getpid() if alive else None
        with open_lock(self.log.folder / "supervisor.lock") as lock:
            if try_lock(lock):
                return None
            said = lock.read().strip()
        return int(said) if said.isdigit() else None

    def _check(self, job: Job) -> None:
        """Queue a job again whose processes are gone without having said how it ended."""
        with self.log.held(job.job_id) as lock:
            if lock is not None and self.log.job(job.job_id).status.works:
                self.log.say(job.job_id, JobEvent.INTERRUPTED, reason="its process died")

    def _free(self, device: str, busy: Mapping[str, int]) -> bool:
        return sum(number for other, number in busy.items() if overlap(device, other)) < self._slots.get(device, 1)

    def _begin(self, job: Job) -> bool:
        """Start a job's process and return whether it runs. The process takes the job's lock over."""
        with self.log.held(job.job_id) as lock:
            if lock is None or self.log.job(job.job_id).status is not JobStatus.QUEUED:
                return False
            self.log.say(job.job_id, JobEvent.STARTED)
            os.set_inheritable(lock.fileno(), True)
            command = (sys.executable, "-m", "llmuses.jobs.watch", str(self.log.folder), job.job_id, str(lock.fileno()))
            try:
                child = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=(lock.fileno(),),
                    start_new_session=True,
                    env=job_environment(self.reachable(), self._kept_back),
                )
            except OSError as problem:
                self.log.say(job.job_id, JobEvent.FAILED, reason=f"it could not be started: {problem}")
                return False
            self._children.append(child)
            return True
