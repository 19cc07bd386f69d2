"""Answers of real models whose verdicts were published: ours agree with them, label by label."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmuses.metrics.numbers import equal_numbers, read_number

DATA = Path(__file__).parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs the benchmark rows in ../shared/data")


def lines(path: Path) -> Iterator[Any]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def is_right(text: str, target: str) -> bool:
    reading = read_number(text)
    return reading is not None and equal_numbers(reading.value, target)


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_reference_solution_of_gsm8k_is_read_like_a_models_answer(split: str) -> None:
    rows = list(lines(DATA / "gsm8k" / f"{split}.jsonl"))
    assert len(rows) >= 200
    assert [row["answer"] for row in rows if not is_right(row["answer"], row["answer"].rpartition("####")[2])] == []


@pytest.mark.parametrize(
    ("model", "published"),
    [("6b_finetuning", 21.68), ("6b_verification", 39.04), ("175b_finetuning", 34.72), ("175b_verification", 56.25)],
)
def test_openais_models_get_the_label_that_openai_gave_each_of_their_1319_answers(model: str, published: float) -> None:
    rows = list(lines(DATA / "outputs" / "gsm8k" / "openai_example_model_solutions.jsonl.gz"))
    ours = [is_right(row[model]["solution"], row["ground_truth"].rpartition("A: ")[2]) for row in rows]
    assert ours == [row[model]["is_correct"] for row in rows]
    assert round(100 * sum(ours) / 1319, 2) == published


def test_rho_math_differs_from_its_labels_only_where_these_are_wrong() -> None:
    rows = list(lines(DATA / "outputs" / "gsm8k" / "rho-math-1b-v0.1_gsm8k.jsonl.gz"))
    ours = [is_right(row["code"][0], row["gt"]) for row in rows]
    differences = {
        (row["gt"], row["pred"][0]): right for row, right in zip(rows, ours, strict=True) if right != row["score"][0]
    }
    assert differences == {
        # Its script took everything after "The answer is" for the answer, calculation and unit included.
        ("230", "80+150=230"): True,
        ("14", "30-16=14"): True,
        ("5", "5bags"): True,
        # It lets a value pass that is 100 times too large or too small, as if it were a percentage.
        ("2", "0.02"): False,
        ("25", "2500"): False,
        ("300", "3"): False,
    }
    assert round(100 * sum(ours) / len(rows), 1) == 36.2


def test_tora_code_scores_what_exact_comparison_gives() -> None:
    rows = list(lines(DATA / "outputs" / "gsm8k" / "tora-code-34b-v1.0.jsonl.gz"))
    ours = [is_right(row["code"][0], row["gt"]) for row in rows]
    assert round(100 * sum(ours) / len(rows), 2) == 80.52  # 80.67 with the tolerance of its own script


@pytest.mark.parametrize("model", ["qwen-plus", "qwen3-max"])
def test_chat_models_get_the_label_that_evalscope_gave(model: str) -> None:
    for review in lines(DATA / "outputs" / "gsm8k" / "evalscope_reports" / f"{model}_reviews_gsm8k_main.jsonl"):
        score = review["sample_score"]["score"]
        assert is_right(score["prediction"], review["target"]) == (score["value"]["acc"] == 1.0)
