"""``llmuses score`` as people type it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmuses.cli import main
from llmuses.records import Report, Run
from llmuses.store import read_json

SAMPLE_SET = ["score", "--dataset", "gsm8k", "--sample-data", "--predictions"]


@pytest.fixture(autouse=True)
def a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMUSES_WORK_DIR", str(tmp_path / "work"))
    monkeypatch.delenv("LLMUSES_OUTPUTS", raising=False)


def answers(count: int, path: str = "answers.jsonl") -> str:
    """Write the reference solutions of the first rows of the sample set as answers, and return the file."""
    from llmuses.settings import REGISTRY

    rows = (REGISTRY / "data" / "gsm8k" / "test.jsonl").read_text("utf-8").splitlines()
    with open(path, "w", encoding="utf-8") as file:
        for number, row in enumerate(rows[:count]):
            file.write(json.dumps({"id": f"main/{number}", "output": json.loads(row)["answer"]}) + "\n")
    return path


def size() -> int:
    return sum(1 for _ in open(answers(10_000, "all.jsonl"), encoding="utf-8"))


def reports() -> list[Report]:
    return [read_json(path, Report) for path in Path("outputs").glob("*/reports/gsm8k.json")]


def test_a_file_of_answers_comes_to_a_table_and_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    n = size()
    assert main([*SAMPLE_SET, answers(n), "--name", "reference"]) == 0
    said = capsys.readouterr().out
    assert f"{n} answers of reference (id and output) for {n} expected: gsm8k" in said
    assert "given answers" in said and "100.0" in said and "report.md" in said
    (report,) = reports()
    assert (report.score, report.n, report.model) == (1.0, n, "reference")
    (run,) = (read_json(path, Run) for path in Path("outputs").glob("*/run.json"))
    assert run.command.startswith("llmuses score --dataset gsm8k")


def test_a_sample_without_an_answer_ends_with_1_and_no_word_of_asking_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SAMPLE_SET, answers(size() - 2)]) == 1
    said = capsys.readouterr().out
    assert "gsm8k: 2 failed; with all of them" in said and "goes on with them" not in said


@pytest.mark.parametrize(("threshold", "code"), [("gsm8k=0.9", 0), ("gsm8k=1", 0)])
def test_a_score_that_reaches_its_threshold_ends_with_0(threshold: str, code: int) -> None:
    assert main([*SAMPLE_SET, answers(size()), "--fail-under", threshold]) == code


def test_a_score_under_its_threshold_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    path = answers(size())
    Path(path).write_text(Path(path).read_text().replace("####", "#### 9"))
    assert main([*SAMPLE_SET, path, "--fail-under", "gsm8k=0.5"]) == 1
    assert "is under 0.5" in capsys.readouterr().err


def test_a_torn_file_is_said_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(answers(size()))
    path.write_bytes(path.read_bytes()[:-9])
    assert main([*SAMPLE_SET, str(path)]) == 1
    assert "answers.jsonl: its last line is cut off and was left out." in capsys.readouterr().out


BAD = {
    "no file": (["score", "--dataset", "gsm8k", "--sample-data"], "--predictions"),
    "a file that is not there": ([*SAMPLE_SET, "x.jsonl"], "cannot read x.jsonl"),
    "a folder": ([*SAMPLE_SET, "."], "cannot read .: Is a directory"),
    "an unknown dataset": (["score", "--dataset", "gsm9k", "--predictions", "good.jsonl"], "did you mean 'gsm8k'?"),
    "an unknown format": ([*SAMPLE_SET, "rows.jsonl"], "none that is understood: id and output, such as"),
    "unknown ids": ([*SAMPLE_SET, "strange.jsonl"], "its ids are like 'main/"),
    "rows that are not there": (
        [
            "score",
            "--dataset",
            "gsm8k",
            "--predictions",
            "good.jsonl",
            "--dataset-args",
            '{"gsm8k": {"local_path": "x"}}',
        ],
        "does not exist",
    ),
    "an unknown dataset argument": (
        [*SAMPLE_SET, "good.jsonl", "--dataset-args", '{"gsm8k": {"fewshot": 1}}'],
        "unknown argument for dataset gsm8k",
    ),
    "arguments of another dataset": ([*SAMPLE_SET, "good.jsonl", "--dataset-args", '{"mmlu": {}}'], "known: gsm8k."),
    "a threshold of another dataset": ([*SAMPLE_SET, "good.jsonl", "--fail-under", "mmlu=0.5"], "unknown dataset"),
    "a threshold in points": ([*SAMPLE_SET, "good.jsonl", "--fail-under", "gsm8k=50"], "between 0 and 1"),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_and_nothing_is_written(
    case: tuple[list[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, said = case
    answers(2, "good.jsonl")
    Path("rows.jsonl").write_text('{"question": "What?", "answer": "That."}\n')
    Path("strange.jsonl").write_text('{"id": "0001", "output": "4"}\n')
    assert main(arguments) == 2
    problem = capsys.readouterr().err
    assert said in problem and problem.count("\n") == 1
    assert not Path("outputs").exists()
