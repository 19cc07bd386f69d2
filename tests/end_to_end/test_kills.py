"""Kill -9 at twenty random moments: the run resumes, ends like an undisturbed one, and pays for nothing twice."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

from llmuses.records import Report
from tests.end_to_end.commands import (
    eval_command,
    only_run,
    predictions,
    report,
    reviews,
    run_from_nothing,
    write_rows,
)
from tests.support.forks import Forked, run
from tests.support.servers import mock_openai

SAMPLES = 600
KILLS = 20
IN_FLIGHT = 16


def comparable(result: Report) -> tuple[object, ...]:
    return result.score, result.n, result.stderr, result.ci95, result.counts, result.subsets, result.fingerprint


def test_a_run_killed_at_twenty_random_moments(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows", SAMPLES)
    chance = random.Random(3)
    with mock_openai(latency="0.25") as server:
        command = eval_command(server.base_url, rows, tmp_path / "outputs")
        for kill in range(KILLS):
            wanted = server.requests() + (
                kill % 4 and chance.randrange(40)
            )  # every fourth dies before it asks anything
            process = Forked(command)
            while server.requests() < wanted and process.poll() is None:
                time.sleep(0.01)
            time.sleep(chance.random() * 0.03)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL, "the run ended before it was killed often enough"
        assert run(command).returncode == 0
        asked = server.stats().asked
        repeated_after_answer = run(command)
        assert server.stats().requests == sum(asked.values()), "a finished run asks nothing"
        assert repeated_after_answer.returncode == 0
    with mock_openai() as calm:
        undisturbed = eval_command(calm.base_url, rows, tmp_path / "calm")
        assert run_from_nothing(undisturbed).returncode == 0
    folder = only_run(tmp_path / "outputs")
    answered = [(line.sample_id, line.repeat) for line in predictions(folder)]
    assert len(answered) == len(set(answered)) == SAMPLES
    assert len(reviews(folder)) == SAMPLES
    assert comparable(report(folder)) == comparable(report(only_run(tmp_path / "calm")))
    assert sum(asked.values()) <= SAMPLES + KILLS * IN_FLIGHT, "only what was in flight at a kill is asked again"
    assert len(asked) == SAMPLES


def test_exactly_what_changed_is_asked(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows", 60)
    with mock_openai() as server:

        def asked_by(*more: str) -> int:
            before = server.stats().requests
            assert run(eval_command(server.base_url, rows, tmp_path / "outputs", *more)).returncode == 0
            return server.stats().requests - before

        assert asked_by("--limit", "40") == 40
        assert asked_by("--limit", "40") == 0
        assert asked_by("--limit", "60") == 20, "a larger limit asks the rest"
        lines = (rows / "test.jsonl").read_text().splitlines()
        lines[7] = json.dumps({"question": "What is seven + 1?", "answer": "Add one.\n#### 8"})
        (rows / "test.jsonl").write_text("\n".join(lines) + "\n")
        assert asked_by("--limit", "60") == 1, "a corrected row is asked again, alone"
        lines[9] = json.dumps({"question": "What is 9 + 1?", "answer": "Ten.\n#### 10.0"})
        (rows / "test.jsonl").write_text("\n".join(lines) + "\n")
        assert asked_by("--limit", "60") == 0, "a corrected answer is scored again and not asked"
        assert asked_by("--limit", "60", "--generation-config", "max_tokens=99") == 60
        write_rows(rows, 60, first="How much is")
        assert asked_by("--limit", "60") == 60, "a changed prompt asks everything"


def test_ctrl_c_and_sigterm_end_cleanly(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows", 400)
    with mock_openai(latency="0.2") as server:
        command = eval_command(server.base_url, rows, tmp_path / "outputs")
        for stop in (signal.SIGINT, signal.SIGTERM):
            before = server.requests()
            process = Forked(command)
            while server.requests() < before + 40:
                time.sleep(0.02)
            process.send_signal(stop)
            _, said = process.communicate()
            assert process.returncode == 1
            assert said.startswith("llmuses: stopped: ") and said.count("\n") == 1
            assert "answers are kept" in said
        assert run(command).returncode == 0
    answered = [line.sample_id for line in predictions(only_run(tmp_path / "outputs"))]
    assert len(answered) == len(set(answered)) == 400
