"""``python -m llmuses.jobs.watch FOLDER JOB LOCK``: does one job's command and says how it ended.

The lock came open from the supervisor and goes on to the command: as long as one of the two lives, nobody else starts the
job.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from llmuses.jobs.environment import job_environment
from llmuses.jobs.log import JobLog, JobStatus
from llmuses.jobs.progress import runs_of
from llmuses.records import JobEvent, RunStatus
from llmuses.settings import JOB

HEARTBEAT = 30.0
"""Seconds between two signs of life."""

_LOOK = 0.5
"""Seconds between two looks whether somebody asked for the end."""

_PATIENCE = 20.0
"""Seconds that a command gets to end by itself: what is in flight may be worth waiting for."""


def watch(log: JobLog, job_id: str, lock: int) -> None:
    """Run a job's command to its end, or until somebody cancels it; the log says which."""
    job = log.job(job_id)
    path = log.place(job_id) / "log.txt"
    with open(path, "ab") as output:
        output.write(f"$ llmuses {' '.join(job.command)}\n".encode())
        output.flush()
        try:
            child = subprocess.Popen(
                (sys.executable, "-m", "llmuses", *job.command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(lock,),
                start_new_session=True,
                env=job_environment(None, **{JOB: job_id}),
            )
        except OSError as problem:
            log.say(job_id, JobEvent.FAILED, reason=f"it could not be started: {problem}")
            return
    log.say(job_id, JobEvent.HEARTBEAT, pid=child.pid)
    cancelled = _ended_by_wish(log, job_id, child)
    _say_the_end(log, job_id, child.returncode, cancelled, path)


def _ended_by_wish(log: JobLog, job_id: str, child: subprocess.Popen[bytes]) -> bool:
    """Wait until the command has ended; return whether that was asked for."""
    signs = _gentler_first()
    next_sign, next_beat = 0.0, time.monotonic() + HEARTBEAT
    asked = False
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_LOOK)
            return asked
        now = time.monotonic()
        asked = asked or log.job(job_id).status is JobStatus.STOPPING
        if asked and now >= next_sign:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, next(signs))
            next_sign = now + _PATIENCE
        if now >= next_beat:
            log.say(job_id, JobEvent.HEARTBEAT)
            next_beat = now + HEARTBEAT


def _gentler_first() -> Iterator[signal.Signals]:
    yield signal.SIGTERM
    while True:
        yield signal.SIGKILL


def _say_the_end(log: JobLog, job_id: str, code: int, cancelled: bool, output: Path) -> None:
    if cancelled:
        log.say(job_id, JobEvent.CANCELLED, exit_code=code)
    elif code == 0 or (code == 1 and not _cut_short(log, job_id)):
        log.say(job_id, JobEvent.DONE, exit_code=code)
    elif code < 0:
        name = signal.Signals(-code).name
        why = f"it was killed ({name}); with SIGKILL that is mostly for want of memory"
        log.say(job_id, JobEvent.FAILED, exit_code=code, reason=why)
    else:
        log.say(job_id, JobEvent.FAILED, exit_code=code, reason=_last_line(output))


def _cut_short(log: JobLog, job_id: str) -> bool:
    """Return whether a run of the job stopped in its middle: more is open than samples that failed."""
    runs = runs_of(log.folder.parent, job_id)
    return any(run.status in (RunStatus.INTERRUPTED, RunStatus.RUNNING) for run in runs)


def _last_line(output: Path) -> str:
    with open(output, "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("llmuses: ")[:500] if lines else ""


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    watch(JobLog(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3]))
