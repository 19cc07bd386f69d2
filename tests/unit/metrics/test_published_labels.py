"""Answers of real models whose verdicts were published: ours agree with them, label by label."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmuses.metrics.math import boxed_math, read_math
from llmuses.metrics.math_pool import MathPool
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


# --- mathematics -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pool() -> Iterator[MathPool]:
    with MathPool() as pool:
        yield pool


def is_right_in_math(pool: MathPool, text: str, target: str) -> bool:
    reading = read_math(text)
    return reading is not None and pool.compare(target, reading.value).equal


FORMS = [
    "The answer is {}.",
    "The final answer is ${}$. I hope it is correct.",
    "#### {}",
    "So we get $$\\boxed{{{}}}$$",
    "答案是{}。",
    "Answer: {}",
    "The answer is ${}$, since we are done.",
    "so\n\n{}",
]


def test_every_reference_solution_of_math_is_read_like_a_models_answer(pool: MathPool) -> None:
    solutions = [row["solution"] for row in lines(DATA / "math" / "competition_math_test.jsonl")]
    assert len(solutions) == 350
    targets = [boxed_math(solution) or "" for solution in solutions]
    wrong = [s for s, target in zip(solutions, targets, strict=True) if not is_right_in_math(pool, s, target)]
    assert wrong == []
    for form in FORMS:
        for target in targets:
            reading = read_math(form.format(target))
            assert reading is not None, form.format(target)
            assert reading.value == target


def test_rho_math_differs_from_its_labels_on_minerva_math_for_these_reasons(pool: MathPool) -> None:
    rows = list(lines(DATA / "outputs" / "math" / "rho-math-1b-v0.1_minerva_math.jsonl.gz"))
    ours = [is_right_in_math(pool, row["code"][0], boxed_math(row["solution"]) or "") for row in rows]
    differences = {row["idx"]: right for row, right in zip(rows, ours, strict=True) if right != row["score"][0]}
    assert differences == {
        # Its script kept words of the sentence: "72Ihopeitiscorrect", "30Ihopeitiscorrect" for "3 units".
        **dict.fromkeys((37, 107, 174, 182, 243, 329, 337, 374), True),
        # It took the last number of a text for the answer where the last formula holds it: "6" of "-\\frac{\\pi}{6}".
        **dict.fromkeys((20, 53, 146, 384), True),
        # It took away "cm" of the target's unit, which left "15^2".
        467: True,
        # It let 1 pass for "1, -2", and 326.53 for 326.5.
        **dict.fromkeys((25, 399), False),
        # The text breaks off in the middle of a formula; the last digit before that is 3 by chance.
        474: False,
    }
    assert round(100 * sum(ours) / len(rows), 1) == 17.8  # published: 15.8


@pytest.mark.parametrize(("name", "size"), [("numina_cases", 30), ("open_thoughts", 29)])
def test_math_verifys_own_cases_come_out_as_it_expects_them(pool: MathPool, name: str, size: int) -> None:
    rows = list(lines(DATA / "outputs" / "math" / f"math_verify_test_{name}.jsonl"))
    assert len(rows) == size
    differences = []
    for row in rows:
        gold = read_math(row["gold"])
        equal = gold is not None and is_right_in_math(pool, row["pred"], gold.value)
        differences += [row["gold"]] if equal != bool(row["expected"]) else []
    # The box of this target is never closed: nothing is read out of it.
    assert differences == (["\\\\boxed{W(n) = 1 \\\\text{ and } W(n) = -1"] if name == "numina_cases" else [])
