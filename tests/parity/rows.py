"""The rows as the hub's data sets have them, which is what lm-evaluation-harness's tasks expect.

They are read here without llmuses: how it reads its rows is part of what is compared.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.parity.tasks import CEVAL, MMLU

Rows = list[dict[str, Any]]


def write_rows(data: Path, folder: Path) -> None:
    """Write ``folder/TASK/SPLIT.jsonl`` for each task of the harness, from the rows in ``data``."""
    for task, splits in hub_rows(data):
        place = folder / task
        place.mkdir(parents=True, exist_ok=True)
        for split, rows in splits.items():
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (place / f"{split}.jsonl").write_text("".join(lines), "utf-8")


def hub_rows(data: Path) -> Iterable[tuple[str, Mapping[str, Rows]]]:
    """Yield each task of the harness with its rows by split."""
    for subject in MMLU:
        splits = {split: _mmlu(data / "mmlu/data" / split / f"{subject}_{split}.csv") for split in ("dev", "test")}
        yield f"mmlu_{subject}", splits
    for subject in CEVAL:
        splits = {split: _ceval(data / "ceval" / split / f"{subject}_{split}.csv") for split in ("dev", "val")}
        yield f"ceval-valid_{subject}", splits
    yield "arc_challenge", {"test": _jsonl(data / "arc/ARC-Challenge/test.hf.jsonl")}
    hellaswag = _jsonl(data / "hellaswag/hellaswag_val.jsonl")
    yield "hellaswag", {"validation": [{**row, "label": str(row["label"])} for row in hellaswag]}
    truthful = {"validation": _jsonl(data / "truthful_qa/multiple_choice.hf.jsonl")}
    yield "truthfulqa_mc1", truthful
    yield "truthfulqa_mc2", truthful
    yield "gsm8k", {split: _jsonl(data / "gsm8k" / f"{split}.jsonl") for split in ("train", "test")}


def _mmlu(path: Path) -> Rows:
    with open(path, encoding="utf-8", newline="") as file:
        return [
            {"question": question, "choices": choices, "answer": "ABCD".index(answer)}
            for question, *choices, answer in csv.reader(file)
        ]


def _ceval(path: Path) -> Rows:
    # Not left to the data set's own reader, which takes "None" and "1.0" for no text.
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _jsonl(path: Path) -> Rows:
    with open(path, encoding="utf-8") as file:  # not splitlines(), which also cuts where a text has a rare separator
        return [json.loads(line) for line in file]
