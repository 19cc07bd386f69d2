"""``llmuses score`` is killed in the middle: the same command ends like an undisturbed one."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

from tests.end_to_end.commands import only_run, predictions, report, reviews, write_rows
from tests.support.forks import Forked, run

SAMPLES = 2500
LINE = 600
"""About how many bytes a prediction has."""


def test_a_killed_command_is_taken_up_again(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows", SAMPLES)
    answers = tmp_path / "answers.jsonl"
    with open(answers, "w", encoding="utf-8") as file:
        for n in range(SAMPLES):
            file.write(json.dumps({"id": f"main/{n}", "output": f"The answer is {n + 1 + (n % 3 == 0)}."}) + "\n")
    command = [
        sys.executable, "-m", "llmuses", "score", "--dataset", "gsm8k", "--predictions", str(answers),
        "--dataset-args", json.dumps({"gsm8k": {"local_path": str(rows)}}), "--outputs", str(tmp_path / "outputs"),
    ]  # fmt: skip
    for share in (0.1, 0.5):
        process = Forked(command)
        while process.poll() is None and written(tmp_path) < share * SAMPLES:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
    assert run(command).returncode == 0
    folder = only_run(tmp_path / "outputs")
    answered = {(line.sample_id, line.repeat) for line in predictions(folder)}
    assert len(predictions(folder)) == len(answered) == SAMPLES
    assert len(reviews(folder)) == SAMPLES
    assert report(folder).score == sum(n % 3 != 0 for n in range(SAMPLES)) / SAMPLES
    assert report(folder).counts.failed == 0


def written(folder: Path) -> int:
    """Return how many answers are on disk."""
    return sum(path.stat().st_size for path in folder.glob("outputs/*/predictions/gsm8k.jsonl")) // LINE
