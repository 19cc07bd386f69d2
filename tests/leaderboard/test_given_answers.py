"""Answers that came from a file, on the pages: they are shown as what they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from leaderboard.figures import cells
from leaderboard.results import Results
from llmuses import evaluate, score
from llmuses.settings import REGISTRY
from tests.leaderboard.test_browse import look


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """Return a folder with one run that was asked and one over given answers, which lacks the last one."""
    rows = (REGISTRY / "data" / "gsm8k" / "test.jsonl").read_text("utf-8").splitlines()
    lines = [{"id": f"main/{n}", "output": json.loads(row)["answer"]} for n, row in enumerate(rows)]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines[:-1]), "utf-8")
    score("gsm8k", path, sample_data=True, outputs=tmp_path / "outputs", name="their-model")
    evaluate("baseline:random", "gsm8k", sample_data=True, outputs=tmp_path / "outputs")
    return tmp_path / "outputs"


def given_run(outputs: Path) -> str:
    return next(entry.run_id for entry in Results(outputs).runs() if entry.run.model == "their-model")


def test_given_answers_have_a_column_apart_from_those_that_were_asked_for(outputs: Path) -> None:
    places = {entry.run.model: column for entry in Results(outputs).runs() for column, _ in cells(entry)}
    assert places["their-model"].setting == "given answers, sample set"
    assert places["their-model"].place != places["baseline:random"].place
    assert places["their-model"].data == places["baseline:random"].data


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["answers read from a file (id and output)", "The file held no answer for some samples."]),
        ("zh", ["从文件读取的回答（id and output）", "文件中没有某些样本的回答。"]),
    ],
)
def test_a_run_over_given_answers_says_so_and_claims_no_sampling(outputs: Path, lang: str, words: list[str]) -> None:
    text = look(outputs, lang, run=given_run(outputs)).text
    assert all(part in text for part in words)
    assert "temperature" not in text and "max_tokens" not in text


def test_a_sample_without_an_answer_is_not_said_to_be_asked_again(outputs: Path) -> None:
    (entry,) = [entry for entry in Results(outputs).runs() if entry.run.model == "their-model"]
    last = entry.run.states["gsm8k"].total - 1
    text = look(outputs, run=entry.run_id, dataset="gsm8k", sample=f"main/{last}").text
    assert "no prediction in the file" in text and "It is not in the score." in text
    assert "asks it again" not in text
