"""The jobs log: what each line makes of a job, whoever writes it and in whatever order."""

from __future__ import annotations

import json
import multiprocessing
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.cli import main
from llmuses.errors import UnknownNameError, UsageError
from llmuses.jobs import Job, JobLog, JobStatus
from llmuses.jobs.log import open_lock
from llmuses.records import JobEvent, JobLine
from llmuses.store import try_lock

COMMAND = ["eval", "--model", "baseline:random", "--datasets", "arc", "--sample-data"]


@pytest.fixture
def log(tmp_path: Path) -> JobLog:
    return JobLog(tmp_path / "jobs")


def submit(log: JobLog, device: str = "network") -> str:
    return log.submit(COMMAND, "ARC of a baseline", device, "ada")


def test_a_job_keeps_what_it_was_queued_with(log: JobLog) -> None:
    before = time.time()
    job = log.job(submit(log))
    assert (job.job_id, job.title, job.command, job.device, job.by) == (
        "j-0001", "ARC of a baseline", COMMAND, "network", "ada",
    )  # fmt: skip
    assert job.status is JobStatus.QUEUED
    assert before <= job.queued <= time.time()


def test_ids_are_given_out_once_to_many_processes(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        ids = pool.starmap(_submitted, [(tmp_path / "jobs",)] * 24)
    assert sorted(ids) == [f"j-{number:04d}" for number in range(1, 25)]


def _submitted(folder: Path) -> str:
    return submit(JobLog(folder))


STORIES = [
    ([JobEvent.STARTED], JobStatus.RUNNING),
    ([JobEvent.STARTED, JobEvent.HEARTBEAT], JobStatus.RUNNING),
    ([JobEvent.STARTED, JobEvent.DONE], JobStatus.DONE),
    ([JobEvent.STARTED, JobEvent.FAILED], JobStatus.FAILED),
    ([JobEvent.STARTED, JobEvent.CANCEL], JobStatus.STOPPING),
    ([JobEvent.STARTED, JobEvent.CANCEL, JobEvent.CANCELLED], JobStatus.CANCELLED),
    ([JobEvent.STARTED, JobEvent.CANCEL, JobEvent.DONE], JobStatus.DONE),
    ([JobEvent.CANCELLED], JobStatus.CANCELLED),
    ([JobEvent.STARTED, JobEvent.INTERRUPTED], JobStatus.QUEUED),
    ([JobEvent.STARTED, JobEvent.INTERRUPTED, JobEvent.STARTED, JobEvent.DONE], JobStatus.DONE),
    ([JobEvent.STARTED, JobEvent.CANCEL, JobEvent.INTERRUPTED], JobStatus.CANCELLED),
    ([JobEvent.STARTED, JobEvent.FAILED, JobEvent.QUEUED], JobStatus.QUEUED),
    # what cannot follow changes nothing
    ([JobEvent.STARTED, JobEvent.QUEUED], JobStatus.RUNNING),
    ([JobEvent.HEARTBEAT], JobStatus.QUEUED),
    ([JobEvent.CANCEL], JobStatus.QUEUED),
    ([JobEvent.INTERRUPTED], JobStatus.QUEUED),
    ([JobEvent.STARTED, JobEvent.DONE, JobEvent.FAILED], JobStatus.DONE),
    ([JobEvent.STARTED, JobEvent.DONE, JobEvent.STARTED], JobStatus.DONE),
    ([JobEvent.STARTED, JobEvent.DONE, JobEvent.CANCEL], JobStatus.DONE),
    ([JobEvent.STARTED, JobEvent.DONE, JobEvent.INTERRUPTED], JobStatus.DONE),
]


@pytest.mark.parametrize(("events", "status"), STORIES)
def test_what_happened_says_how_a_job_stands(log: JobLog, events: list[JobEvent], status: JobStatus) -> None:
    job_id = submit(log)
    for event in events:
        log.say(job_id, event)
    assert log.job(job_id).status is status


@given(st.lists(st.sampled_from(JobEvent)))
def test_whatever_is_written_a_job_ends_only_once_until_it_is_queued_again(events: list[JobEvent]) -> None:
    job = Job(job_id="j-0001", title="", command=[], device="cpu", by="", queued=0.0)
    ends = 0
    for number, event in enumerate(events):
        before = job.status
        job.apply(JobLine(job_id="j-0001", event=event, tstamp=float(number)))
        ends += job.status.ended and not before.ended
        if before.ended and event is not JobEvent.QUEUED:
            assert job.status is before
        assert (job.ended is not None) == job.status.ended
        assert not (job.status.works and job.attempts == 0)
    assert ends <= 1 + sum(event is JobEvent.QUEUED for event in events)


def test_lines_of_a_job_that_was_never_queued_are_passed_over(log: JobLog) -> None:
    log.say("j-0007", JobEvent.DONE)
    assert log.jobs() == []
    assert submit(log) == "j-0001"


def test_a_torn_line_costs_nothing(log: JobLog) -> None:
    first = submit(log)
    with open(log.folder / "jobs.jsonl", "ab") as file:
        file.write(b'{"job_id":"j-0001","event":"do')
    assert log.job(first).status is JobStatus.QUEUED
    log.say(first, JobEvent.STARTED)
    assert JobLog(log.folder).job(first).status is JobStatus.RUNNING


class TestCancel:
    def test_a_waiting_job_is_cancelled_at_once(self, log: JobLog) -> None:
        job_id = submit(log)
        log.cancel(job_id, "ada")
        assert log.job(job_id).status is JobStatus.CANCELLED

    def test_a_job_at_work_is_asked_to_end(self, log: JobLog) -> None:
        job_id = submit(log)
        with open_lock(log.place(job_id) / "lock") as lock:
            assert try_lock(lock)
            log.say(job_id, JobEvent.STARTED)
            log.cancel(job_id, "ada")
            assert log.job(job_id).status is JobStatus.STOPPING

    def test_what_has_ended_cannot_be_cancelled(self, log: JobLog) -> None:
        job_id = submit(log)
        log.cancel(job_id, "ada")
        with pytest.raises(UsageError, match="j-0001 has ended already"):
            log.cancel(job_id, "ada")

    def test_an_unknown_job_is_named(self, log: JobLog) -> None:
        submit(log)
        with pytest.raises(UnknownNameError, match="j-0009"):
            log.cancel("j-0009", "ada")


class TestResume:
    def test_a_job_that_ended_waits_again(self, log: JobLog) -> None:
        job_id = submit(log)
        log.cancel(job_id, "ada")
        log.resume(job_id, "bob")
        job = log.job(job_id)
        assert (job.status, job.ended, job.exit_code) == (JobStatus.QUEUED, None, None)

    def test_one_that_has_not_ended_is_left_alone(self, log: JobLog) -> None:
        job_id = submit(log)
        with pytest.raises(UsageError, match="has not ended: it is queued"):
            log.resume(job_id, "bob")


def test_a_clone_does_the_same_under_a_number_of_its_own(log: JobLog) -> None:
    job_id = submit(log, "cuda:1")
    copy = log.job(log.clone(job_id, "bob"))
    assert (copy.job_id, copy.command, copy.device, copy.by, copy.clone_of) == (
        "j-0002",
        COMMAND,
        "cuda:1",
        "bob",
        job_id,
    )


def test_the_command_line_lists_jobs_newest_first(log: JobLog, capsys: pytest.CaptureFixture[str]) -> None:
    submit(log)
    log.cancel(log.clone("j-0001", "bob"), "bob")
    assert main(["list", "jobs", "--outputs", str(log.folder.parent), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["job"], row["status"], row["by"]) for row in rows] == [
        ("j-0002", "cancelled", "bob"),
        ("j-0001", "queued", "ada"),
    ]
    assert rows[1]["command"] == "llmuses eval --model baseline:random --datasets arc --sample-data"
