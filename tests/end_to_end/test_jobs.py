"""Jobs survive the server: killed again and again, with jobs waiting and jobs at work, it loses and repeats nothing."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from llmuses.jobs import JobLog, JobStatus
from llmuses.jobs.progress import runs_of
from llmuses.records import JobEvent, JobLine, Report
from llmuses.store import JsonlStore, read_json
from tests.end_to_end.commands import eval_command, report, write_rows
from tests.support.forks import Forked, run
from tests.support.servers import mock_openai

_ENDS = (JobEvent.DONE, JobEvent.FAILED, JobEvent.CANCELLED)
_SAME = ("score", "n", "stderr", "ci95", "counts", "subsets")

ROWS = 112
"""Questions of a job: seven rounds of half a second, so that two jobs are at work at each kill."""


def _serving(folder: Path) -> Forked:
    server = Forked([sys.executable, "-m", "tests.support.jobs_server", str(folder)])
    assert server.first_line() == "up\n"
    return server


def test_two_jobs_at_work_and_three_waiting_outlive_twenty_kills_of_the_server(tmp_path: Path) -> None:
    rows = [write_rows(tmp_path / f"rows{number}", ROWS, f"Job {number}: what is") for number in range(5)]
    log = JobLog(tmp_path / "outputs" / "jobs")
    with mock_openai(latency="0.5") as mock:
        commands = [["eval", *eval_command(mock.base_url, each, tmp_path / "outputs")[2:]] for each in rows]
        jobs = [log.submit(command, "sums", "network", "ada") for command in commands]
        _kill_again_and_again(log, random.Random(5), kills=20)
        asked = mock.stats().asked
    assert {job.status for job in log.jobs()} == {JobStatus.DONE}
    lines = list(JsonlStore(log.folder / "jobs.jsonl", JobLine))
    assert Counter(line.job_id for line in lines if line.event in _ENDS) == Counter(jobs)
    assert len(asked) == 5 * ROWS
    assert set(asked.values()) == {1}
    with mock_openai() as mock:
        for job_id, each in zip(jobs, rows, strict=True):
            calm = tmp_path / "calm" / job_id
            assert run(eval_command(mock.base_url, each, calm)).returncode == 0
            (found,) = runs_of(tmp_path / "outputs", job_id)
            reported = read_json(tmp_path / "outputs" / found.run_id / "reports" / "gsm8k.json", Report)
            undisturbed = report(next(calm.glob("*/run.json")).parent)
            assert [getattr(reported, name) for name in _SAME] == [getattr(undisturbed, name) for name in _SAME]


def _kill_again_and_again(log: JobLog, chance: random.Random, kills: int) -> None:
    """Serve until all jobs have ended, killing the server at random moments."""
    end = time.monotonic() + 280
    while not all(job.status.ended for job in log.jobs()):
        assert time.monotonic() < end
        server = _serving(log.folder)
        if kills:
            time.sleep(chance.uniform(0.0, 0.4))
            kills -= 1
        else:
            while not all(job.status.ended for job in log.jobs()) and time.monotonic() < end:
                time.sleep(0.1)
        server.send_signal(signal.SIGKILL)
        server.wait()
    assert kills <= 10, "most kills came while jobs were at work"
