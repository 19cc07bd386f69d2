"""Running the commands as a user does: each in a process of its own, over rows that a test writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from llmuses.records import Prediction, Report, Review
from llmuses.store import JsonlStore, read_json

ROOT = Path(__file__).parents[2]


def write_rows(folder: Path, count: int, first: str = "What is") -> Path:
    """Write ``count`` sums in GSM8K's layout, without examples, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "test.jsonl", "w", encoding="utf-8") as file:
        for n in range(count):
            file.write(json.dumps({"question": f"{first} {n} + 1?", "answer": f"Add one.\n#### {n + 1}"}) + "\n")
    return folder


def eval_command(base_url: str, rows: Path, outputs: Path, *more: str, timeout: int = 60) -> list[str]:
    """Return the command that evaluates a served model on such rows; ``timeout`` is the seconds that an answer may take."""
    dataset_args = json.dumps({"gsm8k": {"local_path": str(rows), "few_shot_num": 0}})
    return [
        sys.executable, str(ROOT / "run.py"), "--model", "openai:mock", "--model-args",
        f"base_url={base_url},max_concurrency=16,max_retries=1,timeout={timeout}", "--datasets", "gsm8k",
        "--dataset-args", dataset_args, "--outputs", str(outputs), *more,
    ]  # fmt: skip


def run_from_nothing(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, by an interpreter that starts, and return what it printed."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **environment})


def only_run(outputs: Path) -> Path:
    """Return the folder of the only run below ``outputs``."""
    (folder,) = (path.parent for path in outputs.glob("*/run.json"))
    return folder


def predictions(folder: Path) -> list[Prediction]:
    """Return the predictions of a run on GSM8K."""
    return list(JsonlStore(folder / "predictions" / "gsm8k.jsonl", Prediction))


def reviews(folder: Path) -> list[Review]:
    """Return the reviews of a run on GSM8K."""
    return list(JsonlStore(folder / "reviews" / "gsm8k.jsonl", Review))


def report(folder: Path) -> Report:
    """Return the report of a run on GSM8K."""
    return read_json(folder / "reports" / "gsm8k.json", Report)
