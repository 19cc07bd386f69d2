"""The supervisor: what starts when, and what a crash of a server, of a job, or of both leaves behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmuses.jobs import JobLog, JobStatus, Supervisor
from llmuses.jobs.log import open_lock
from llmuses.jobs.progress import runs_of
from llmuses.records import JobEvent, JobLine, RunStatus
from llmuses.store import JsonlStore, try_lock

QUICK = ["list", "benchmarks"]
WRONG = ["eval", "--model", "baseline:random", "--datasets", "no-such-dataset"]


@pytest.fixture
def log(tmp_path: Path) -> JobLog:
    return JobLog(tmp_path / "jobs")


@pytest.fixture
def supervisor(log: JobLog) -> Iterator[Supervisor]:
    own = Supervisor(log)
    yield own
    own.close()
    for job in log.jobs():
        if job.pid and not job.status.ended:
            os.killpg(job.pid, signal.SIGKILL)


def slow(outputs: Path, limit: int = 40, delay: float = 0.2) -> list[str]:
    """Return a job that answers for some seconds."""
    model = ["--model", "baseline:random", "--model-args", f"delay={delay}"]
    return ["eval", *model, "--datasets", "arc", "--sample-data", "--limit", str(limit), "--outputs", str(outputs)]


def events(log: JobLog, job_id: str) -> list[JobEvent]:
    lines = JsonlStore(log.folder / "jobs.jsonl", JobLine)
    return [line.event for line in lines if line.job_id == job_id and line.event is not JobEvent.HEARTBEAT]


def wait_for(true: Callable[[], object], supervisor: Supervisor, seconds: float = 60.0) -> None:
    """Let the supervisor look until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        supervisor.look()
        time.sleep(0.05)


def test_a_job_is_started_and_its_end_and_output_are_kept(log: JobLog, supervisor: Supervisor) -> None:
    job_id = log.submit(QUICK, "a list", "network", "ada")
    wait_for(lambda: log.job(job_id).status.ended, supervisor)
    job = log.job(job_id)
    assert (job.status, job.exit_code, job.attempts) == (JobStatus.DONE, 0, 1)
    output = (log.place(job_id) / "log.txt").read_text()
    assert output.startswith("$ llmuses list benchmarks\n")
    assert "hellaswag" in output
    assert events(log, job_id) == [JobEvent.QUEUED, JobEvent.STARTED, JobEvent.DONE]


def test_a_job_that_cannot_work_fails_with_the_line_that_says_why(log: JobLog, supervisor: Supervisor) -> None:
    job_id = log.submit(WRONG, "a mistake", "network", "ada")
    wait_for(lambda: log.job(job_id).status.ended, supervisor)
    job = log.job(job_id)
    assert (job.status, job.exit_code) == (JobStatus.FAILED, 2)
    assert job.reason.startswith("unknown dataset 'no-such-dataset'")


def test_one_job_on_a_device_at_a_time_in_the_order_of_the_queue(log: JobLog, supervisor: Supervisor) -> None:
    outputs = log.folder.parent
    first, second = (log.submit(slow(outputs, limit), "slow", "cpu", "ada") for limit in (30, 31))
    other = log.submit(slow(outputs, 32), "slow", "cuda:1", "ada")
    supervisor.look()
    status = {job.job_id: job.status for job in log.jobs()}
    assert status == {first: JobStatus.RUNNING, second: JobStatus.QUEUED, other: JobStatus.RUNNING}
    log.cancel(first, "ada")
    wait_for(lambda: log.job(second).status is JobStatus.RUNNING, supervisor)
    assert log.job(first).status is JobStatus.CANCELLED


def test_a_cancelled_job_keeps_its_answers_and_goes_on_from_there(log: JobLog, supervisor: Supervisor) -> None:
    outputs = log.folder.parent
    job_id = log.submit(slow(outputs, limit=8), "slow", "network", "ada")

    def answered() -> int:
        return sum(state.answered for run in runs_of(outputs, job_id) for state in run.states.values())

    wait_for(lambda: answered() >= 2, supervisor)
    log.cancel(job_id, "ada")
    wait_for(lambda: log.job(job_id).status.ended, supervisor)
    assert log.job(job_id).status is JobStatus.CANCELLED
    (run,) = runs_of(outputs, job_id)
    assert run.status is RunStatus.INTERRUPTED
    assert answered() >= 2
    log.resume(job_id, "ada")
    wait_for(lambda: log.job(job_id).status.ended, supervisor)
    assert log.job(job_id).status is JobStatus.DONE
    (run,) = runs_of(outputs, job_id)
    assert run.status is RunStatus.DONE


def test_a_job_whose_processes_were_all_killed_is_queued_again_by_itself(log: JobLog, supervisor: Supervisor) -> None:
    job_id = log.submit(slow(log.folder.parent, limit=5), "slow", "network", "ada")
    wait_for(lambda: log.job(job_id).pid, supervisor)
    child = log.job(job_id).pid
    assert child is not None
    watcher = int(Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(watcher, signal.SIGKILL)
    os.killpg(child, signal.SIGKILL)
    wait_for(lambda: log.job(job_id).status.ended, supervisor)
    assert log.job(job_id).status is JobStatus.DONE
    assert events(log, job_id) == [
        JobEvent.QUEUED, JobEvent.STARTED, JobEvent.INTERRUPTED, JobEvent.STARTED, JobEvent.DONE,
    ]  # fmt: skip


def test_a_job_that_lost_only_its_watcher_is_not_started_beside_itself(log: JobLog, supervisor: Supervisor) -> None:
    outputs = log.folder.parent
    job_id = log.submit(slow(outputs, limit=5), "slow", "network", "ada")
    wait_for(lambda: log.job(job_id).pid, supervisor)
    child = log.job(job_id).pid
    assert child is not None
    os.kill(int(Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[1]), signal.SIGKILL)
    supervisor.look()
    assert log.job(job_id).status is JobStatus.RUNNING
    wait_for(lambda: log.job(job_id).status.ended, supervisor)
    assert log.job(job_id).status is JobStatus.DONE
    predictions = (next(outputs.glob("*/predictions/arc.jsonl"))).read_text().splitlines()
    assert len(predictions) == 10  # five of each of the two subsets


def test_a_job_whose_process_was_killed_for_its_memory_has_failed(log: JobLog, supervisor: Supervisor) -> None:
    job_id = log.submit(slow(log.folder.parent), "slow", "network", "ada")
    wait_for(lambda: log.job(job_id).pid, supervisor)
    child = log.job(job_id).pid
    assert child is not None
    os.killpg(child, signal.SIGKILL)
    wait_for(lambda: log.job(job_id).status.ended, supervisor)
    assert log.job(job_id).status is JobStatus.FAILED
    assert "SIGKILL" in log.job(job_id).reason


def test_a_start_that_was_written_down_and_never_happened_is_made_up_for(log: JobLog, supervisor: Supervisor) -> None:
    job_id = log.submit(QUICK, "a list", "network", "ada")
    log.say(job_id, JobEvent.STARTED)
    wait_for(lambda: log.job(job_id).status.ended, supervisor)
    assert log.job(job_id).status is JobStatus.DONE


def test_of_two_supervisors_one_acts_and_the_other_takes_over(log: JobLog, supervisor: Supervisor) -> None:
    supervisor.look()
    other = Supervisor(JobLog(log.folder))
    job_id = log.submit(QUICK, "a list", "network", "ada")
    other.look()
    assert log.job(job_id).status is JobStatus.QUEUED
    supervisor.close()
    wait_for(lambda: log.job(job_id).status.ended, other)
    other.close()
    assert events(log, job_id) == [JobEvent.QUEUED, JobEvent.STARTED, JobEvent.DONE]


def test_a_held_job_is_not_started(log: JobLog, supervisor: Supervisor) -> None:
    job_id = log.submit(QUICK, "a list", "network", "ada")
    with open_lock(log.place(job_id) / "lock") as lock:
        assert try_lock(lock)
        supervisor.look()
        assert log.job(job_id).status is JobStatus.QUEUED
