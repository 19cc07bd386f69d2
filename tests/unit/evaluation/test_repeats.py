"""Asking each question several times: mean, spread, pass@k, in the report and in what people read."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from pathlib import Path

import pytest

from llmuses import compare
from llmuses.benchmarks.gsm8k import GSM8K
from llmuses.console import console, print_result
from llmuses.evaluation import Result, evaluate
from llmuses.records import Ask, Report
from llmuses.statistics.pass_at_k import pass_at_k
from llmuses.store import read_json
from tests.support.scripted import ScriptedModel, failure, last_message

RIGHT = [0, 1, 2, 4, 4, 3, 0, 2]
"""How many of the four answers to each question are right: its first ones."""


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    folder = tmp_path / "rows"
    folder.mkdir()
    lines = [{"question": f"What is {n} + 1?", "answer": f"#### {n + 1}"} for n in range(len(RIGHT))]
    (folder / "test.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return folder


def solver(fails: int = 0) -> ScriptedModel:
    """Return a model that gets the first answers to a question right, ``fails`` of all asks failing at first."""
    asked: Counter[int] = Counter()
    broken = iter([True] * fails)

    def answer(ask: Ask) -> str:
        number = int(last_message(ask).rsplit("What is ", 1)[1].split(" ")[0])
        asked[number] += 1
        if next(broken, False):
            return failure()  # type: ignore[return-value]
        return f"The answer is {number + 1 if asked[number] <= RIGHT[number] else 999}."

    return ScriptedModel(answer, identity=f"solver-{fails}")


def run(rows: Path, tmp_path: Path, repeats: int = 4, fails: int = 0) -> Result:
    args = {"gsm8k": {"local_path": str(rows), "few_shot_num": 0}}
    return evaluate(solver(fails), "gsm8k", dataset_args=args, repeats=repeats, outputs=tmp_path / "outputs")


def test_the_report_has_the_mean_and_how_much_single_repeats_vary(rows: Path, tmp_path: Path) -> None:
    (report,) = run(rows, tmp_path).reports
    each = [sum(right > repeat for right in RIGHT) / len(RIGHT) for repeat in range(4)]
    assert report.score == pytest.approx(sum(RIGHT) / 32)
    assert report.repeat_scores == pytest.approx(each)
    assert report.repeat_sd == pytest.approx(statistics.stdev(each))
    assert report.metric == "acc" and report.metrics == {}


def test_a_benchmark_with_pass_at_k_reports_it_as_far_as_the_repeats_go(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GSM8K, "pass_at", (1, 2, 4, 8))
    result = run(rows, tmp_path)
    (report,) = result.reports
    assert report.metric == "pass@1"
    assert list(report.metrics) == ["pass@2", "pass@4"]
    assert report.score == pytest.approx(sum(RIGHT) / 32)
    assert report.metrics["pass@2"].score == pytest.approx(sum(pass_at_k(4, c, 2) for c in RIGHT) / 8)
    assert report.metrics["pass@4"].score == pytest.approx(6 / 8)
    low, high = report.metrics["pass@4"].ci95 or (1, 0)
    assert low < 6 / 8 < high
    assert read_json(result.folder / "reports" / "gsm8k.json", Report).metrics == report.metrics


def test_asked_once_there_is_pass_at_1_and_no_spread(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GSM8K, "pass_at", (1, 2, 4, 8))
    (report,) = run(rows, tmp_path, repeats=1).reports
    assert (report.metric, report.metrics) == ("pass@1", {})
    assert (report.repeat_scores, report.repeat_sd) == ([], None)


def test_an_answer_that_failed_is_missing_in_its_repeat_and_bounded(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GSM8K, "pass_at", (1, 4))
    (report,) = run(rows, tmp_path, fails=2).reports
    assert report.counts.failed == 2
    assert len(report.repeat_scores) == 4
    fourth = report.metrics["pass@4"]
    assert fourth.n == 4 * 6
    assert fourth.bounds is not None and fourth.bounds[0] <= fourth.bounds[1]


def test_people_read_of_the_spread_and_of_pass_at_k(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(GSM8K, "pass_at", (1, 2))
    monkeypatch.setenv("LLMUSES_LANG", "en")
    result = run(rows, tmp_path)
    print_result(console(), result)
    printed = capsys.readouterr().out
    assert "asked 4 times; each time alone it scores 25.0 to 75.0" in printed
    assert "pass@2" in printed and "detectable" in printed
    for name in ("report.md", "report.html"):
        written = (result.folder / name).read_text("utf-8")
        assert "each repeat alone scores 25.0 to 75.0" in written
        assert "pass@2" in written
        assert "has to differ by about" in written


def test_a_narrow_terminal_says_the_same_in_lines(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    monkeypatch.setattr(GSM8K, "pass_at", (1, 2))
    print_result(Console(width=70), run(rows, tmp_path))
    printed = capsys.readouterr().out
    assert "pass@1" in printed and "pass@2" in printed
    assert "detectable difference to a second model" in printed
    assert "…" not in printed


def test_runs_with_repeats_are_compared_by_questions(rows: Path, tmp_path: Path) -> None:
    args = {"gsm8k": {"local_path": str(rows), "few_shot_num": 0}}
    other = evaluate("baseline:random", "gsm8k", dataset_args=args, repeats=4, outputs=tmp_path / "outputs")
    (pair,) = compare([run(rows, tmp_path), other]).datasets[0].pairs
    assert (pair.n, pair.method) == (8, "bootstrap")
    assert pair.difference == pytest.approx(sum(RIGHT) / 32 - (other.reports[0].score or 0))
