"""A server that misbehaves for a third of the requests: the run ends, and every sample says what became of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from llmuses.records import Status
from tests.end_to_end.commands import eval_command, only_run, predictions, report, reviews, write_rows
from tests.support.forks import Forked, run
from tests.support.servers import mock_openai

PASSING = {"429": "http_429", "500": "http_500", "half": None, "garbage": None, "hang": "timeout"}


def test_every_sample_is_scored_rejected_or_failed_with_its_reason(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows", 150)
    faults = "429=0.05,500=0.05,half=0.06,garbage=0.06,hang=0.05,content_filter=0.03,context_length=0.03"
    with mock_openai(faults=faults, retry_after="0.05") as server:
        done = run(eval_command(server.base_url, rows, tmp_path / "outputs", timeout=1))
    folder = only_run(tmp_path / "outputs")
    lines, result = reviews(folder), report(folder)
    assert done.returncode == 1, done.stderr
    assert len(lines) == len(predictions(folder)) == 150
    failed = [line for line in lines if line.status is Status.FAILED]
    rejected = [line for line in lines if line.status is Status.REJECTED]
    assert failed and rejected
    assert all(line.reason for line in failed + rejected)
    assert len({(line.reason or "").split(":")[0] for line in failed}) >= 4, "the reasons differ"
    counts = result.counts
    assert (counts.failed, counts.rejected) == (len(failed), len(rejected))
    assert result.n == 150 - len(failed)
    right = sum(line.scores.get("acc", 0) for line in lines)
    assert result.score == pytest.approx(right / result.n)
    assert result.bounds == pytest.approx((right / 150, (right + len(failed)) / 150))
    assert f"{len(failed)} failed; with all of them" in done.stdout


def test_faults_that_pass_leave_no_trace_in_the_score(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows", 100)
    with mock_openai(faults="429=0.1,500=0.1,half=0.1,garbage=0.05", fault_tries=1, retry_after="0.05") as server:
        done = run(eval_command(server.base_url, rows, tmp_path / "outputs"))
        faults = server.stats().faults
    folder = only_run(tmp_path / "outputs")
    assert done.returncode == 0, done.stderr
    assert sum(faults.values()) > 10
    assert report(folder).counts.failed == 0
    assert any(line.response.attempts == 2 for line in predictions(folder))


def test_what_failed_is_asked_again_by_the_same_command(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows", 80)
    with mock_openai(faults="500=0.3", fault_tries=2) as server:
        command = eval_command(server.base_url, rows, tmp_path / "outputs")
        assert run(command).returncode == 1
        before = server.stats().requests
        failed = report(only_run(tmp_path / "outputs")).counts.failed
        assert run(command).returncode == 0
        assert server.stats().requests - before == failed > 0
    assert len(predictions(only_run(tmp_path / "outputs"))) == 80


def test_a_server_that_vanishes_leaves_failed_samples_soon_and_what_was_answered(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows", 1200)
    with mock_openai(latency="0.1") as server:
        command = eval_command(server.base_url, rows, tmp_path / "outputs")
        process = Forked(command)
        while server.requests() < 100:
            time.sleep(0.02)
        server.kill()
        said, _ = process.communicate()
    folder = only_run(tmp_path / "outputs")
    counts = report(folder).counts
    assert process.returncode == 1
    assert "failed; with all of them" in said
    assert counts.scored >= 50 and counts.scored + counts.failed == 1200
    assert {(line.reason or "").split(":")[0] for line in reviews(folder) if line.status is Status.FAILED} <= {
        "unreachable",
        "disconnected",
        "cut_off",
    }
