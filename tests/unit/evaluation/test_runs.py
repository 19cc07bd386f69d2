"""A run: exactly what changed is asked, every sample has one line, an error is never a zero in silence."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmuses.errors import DataError, EmptySubsetError, Interrupted, LayoutError, RunLockedError, StoreError
from llmuses.evaluation import Result, Stage, evaluate
from llmuses.records import (
    Ask,
    Loglikelihood,
    Mode,
    Prediction,
    Report,
    Request,
    Response,
    Review,
    Run,
    RunStatus,
    Status,
)
from llmuses.store import JsonlStore, read_json
from tests.support.scripted import ScriptedModel, failure, last_message, rejection


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Return a folder with forty sums in GSM8K's layout."""
    folder = tmp_path / "rows"
    folder.mkdir()
    write_sums(folder, 40)
    (folder / "train.jsonl").write_text(
        "".join(json.dumps({"question": f"{n} + 0?", "answer": f"It stays.\n#### {n}"}) + "\n" for n in range(100, 106))
    )
    return folder


def write_sums(folder: Path, count: int, change: Callable[[int, dict[str, str]], None] = lambda n, row: None) -> None:
    with open(folder / "test.jsonl", "w", encoding="utf-8") as file:
        for number in range(count):
            row = {"question": f"What is {number} + 1?", "answer": f"Add.\n#### {number + 1}"}
            change(number, row)
            file.write(json.dumps(row) + "\n")


def asked_number(ask: Ask) -> int:
    return int(last_message(ask).rsplit("What is ", 1)[1].split(" ")[0])


def right(ask: Ask) -> str:
    return f"The answer is {asked_number(ask) + 1}."


def run(model: ScriptedModel, rows: Path, tmp_path: Path, **changes: Any) -> Result:
    arguments = {"few_shot_num": 2, **changes.pop("dataset_args", {})}
    return evaluate(
        model,
        "gsm8k",
        dataset_args={"gsm8k": {"local_path": str(rows), **arguments}},
        outputs=tmp_path / "outputs",
        **changes,
    )


def predictions(result: Result) -> list[Prediction]:
    return list(JsonlStore(result.folder / "predictions" / "gsm8k.jsonl", Prediction))


def reviews(result: Result) -> list[Review]:
    return list(JsonlStore(result.folder / "reviews" / "gsm8k.jsonl", Review))


def test_the_seconds_of_a_pass_over_two_datasets_are_shared_between_them(tmp_path: Path) -> None:
    class InOnePass(ScriptedModel):
        """Answers everything at once after a second; a request's latency is its share of that."""

        def run(self, requests: Iterable[Request]) -> Iterator[Response]:
            responses = list(super().run(requests))
            time.sleep(1)
            for response in responses:
                response.latency = 1 / len(responses)
                yield response

    def first(ask: Ask) -> list[float]:
        assert isinstance(ask, Loglikelihood)
        return [-float(place) for place in range(len(ask.continuations))]

    model = InOnePass(first, prefers=Mode.LOGPROB)
    result = evaluate(model, ["mmlu", "arc"], limit=2, sample_data=True, outputs=tmp_path)
    states = read_json(result.folder / "run.json", Run).states
    answered = sum(state.answered for state in states.values())
    for state in states.values():
        assert state.seconds == pytest.approx(state.answered / answered, abs=0.01)


def test_a_run_leaves_the_folder_that_is_promised(rows: Path, tmp_path: Path) -> None:
    result = run(ScriptedModel(right), rows, tmp_path, limit=10)
    assert sorted(p.relative_to(result.folder).as_posix() for p in result.folder.rglob("*") if p.is_file()) == [
        "predictions/gsm8k.jsonl",
        "report.html",
        "report.md",
        "reports/gsm8k.json",
        "reviews/gsm8k.jsonl",
        "run.json",
        "run.lock",
    ]
    record = read_json(result.folder / "run.json", Run)
    assert (record.status, record.states["gsm8k"].total, record.pid) == (RunStatus.DONE, 10, None)
    assert record.run_id == result.folder.name
    report = read_json(result.folder / "reports" / "gsm8k.json", Report)
    assert (report.score, report.n, report.bounds, report.mode) == (1.0, 10, None, Mode.GENERATE)
    assert report.ci95 == pytest.approx((0.7225, 1.0), abs=1e-3)
    assert all(line.status is Status.SCORED and line.scores == {"acc": 1.0} for line in reviews(result))


def test_the_same_command_again_asks_nothing(rows: Path, tmp_path: Path) -> None:
    first = run(ScriptedModel(right), rows, tmp_path)
    model = ScriptedModel(right)
    second = run(model, rows, tmp_path)
    assert model.asked == []
    assert second.folder == first.folder
    assert second.reports[0].score == first.reports[0].score
    assert len(predictions(second)) == len(reviews(second)) == 40


def test_a_larger_limit_asks_only_the_rest(rows: Path, tmp_path: Path) -> None:
    run(ScriptedModel(right), rows, tmp_path, limit=15)
    model = ScriptedModel(right)
    result = run(model, rows, tmp_path, limit=25)
    assert len(model.asked) == 10
    assert len(predictions(result)) == 25


def test_a_corrected_row_asks_that_row(rows: Path, tmp_path: Path) -> None:
    run(ScriptedModel(right), rows, tmp_path)
    write_sums(rows, 40, lambda n, row: row.update(question="What is 7 + 1, exactly?") if n == 7 else None)
    model = ScriptedModel(right)
    result = run(model, rows, tmp_path)
    assert [asked_number(ask) for ask in model.asked] == [7]
    lines = [(line.sample_id, line.repeat) for line in predictions(result)]
    assert len(lines) == len(set(lines)) == 40
    assert len(reviews(result)) == 40


def test_a_corrected_target_asks_nothing_and_changes_the_score(rows: Path, tmp_path: Path) -> None:
    run(ScriptedModel(right), rows, tmp_path)
    write_sums(rows, 40, lambda n, row: row.update(answer="Add.\n#### 999") if n == 7 else None)
    model = ScriptedModel(right)
    result = run(model, rows, tmp_path)
    assert model.asked == []
    assert result.reports[0].counts.correct == 39
    assert len(reviews(result)) == 40


def test_a_changed_example_asks_everything_and_another_dataset_nothing(rows: Path, tmp_path: Path) -> None:
    run(ScriptedModel(right), rows, tmp_path)
    model = ScriptedModel(right)
    result = run(model, rows, tmp_path, dataset_args={"few_shot_num": 3})
    assert len(model.asked) == 40
    assert len(predictions(result)) == 40


def test_failed_samples_are_out_of_the_score_with_bounds_and_asked_again(rows: Path, tmp_path: Path) -> None:
    def tired(ask: Ask) -> Any:
        number = asked_number(ask)
        return failure() if number % 4 == 0 else rejection() if number % 4 == 1 else right(ask)

    result = run(ScriptedModel(tired), rows, tmp_path)
    report = result.reports[0]
    assert (report.counts.failed, report.counts.rejected, report.n) == (10, 10, 30)
    assert report.score == pytest.approx(20 / 30)
    assert report.bounds == pytest.approx((20 / 40, 30 / 40))
    assert result.run.status is RunStatus.INCOMPLETE
    assert {r.reason for r in reviews(result) if r.status is Status.FAILED} == {"http_500: the server is tired"}
    model = ScriptedModel(right)
    again = run(model, rows, tmp_path)
    assert len(model.asked) == 10
    assert (again.reports[0].n, again.reports[0].bounds, again.run.status) == (40, None, RunStatus.DONE)
    assert len(predictions(again)) == len(reviews(again)) == 40


def test_a_run_in_which_everything_failed_has_no_score(rows: Path, tmp_path: Path) -> None:
    report = run(ScriptedModel(lambda ask: failure()), rows, tmp_path, limit=5).reports[0]
    assert (report.score, report.n, report.ci95, report.bounds) == (None, 0, None, (0.0, 1.0))


def test_an_answer_without_a_number_is_unparsed_and_wrong(rows: Path, tmp_path: Path) -> None:
    result = run(ScriptedModel(lambda ask: "I would rather not say."), rows, tmp_path, limit=5)
    assert result.reports[0].counts.unparsed == 5
    assert result.run.states["gsm8k"].unparsed == 5, "known while it runs, too"
    assert (result.reports[0].score, result.reports[0].n) == (0.0, 5)


def test_a_fault_of_the_scorer_is_a_failure_with_its_reason(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llmuses.benchmarks.gsm8k import GSM8K

    monkeypatch.setattr(GSM8K, "equal", lambda *_: 1 / 0)
    result = run(ScriptedModel(right), rows, tmp_path, limit=3)
    assert result.reports[0].counts.failed == 3
    assert "ZeroDivisionError" in (reviews(result)[0].reason or "")


def test_repeats_are_asked_each_and_make_one_cluster(rows: Path, tmp_path: Path) -> None:
    once = run(ScriptedModel(lambda ask: right(ask) if asked_number(ask) % 2 else "The answer is 0."), rows, tmp_path)
    model = ScriptedModel(lambda ask: right(ask) if asked_number(ask) % 2 else "The answer is 0.")
    result = run(model, rows, tmp_path, repeats=3)
    assert len(model.asked) == 80, "the first repeat is known from the other run"
    report = result.reports[0]
    assert (report.n, report.score) == (120, pytest.approx(0.5))
    assert report.ci95 == pytest.approx(once.reports[0].ci95, rel=0.02), "asking the same again adds no information"
    lines = {(line.sample_id, line.repeat) for line in predictions(result)}
    assert len(lines) == 120


def test_stages_do_one_step_each(rows: Path, tmp_path: Path) -> None:
    asked = run(ScriptedModel(right), rows, tmp_path, stage=Stage.INFER)
    assert asked.reports == []
    assert len(predictions(asked)) == 40
    assert not (asked.folder / "reviews").exists()
    silent = ScriptedModel(lambda ask: pytest.fail("asked"))
    reviewed = run(silent, rows, tmp_path, stage=Stage.REVIEW)
    assert reviewed.reports[0].score == 1.0
    (reviewed.folder / "reports" / "gsm8k.json").unlink()
    reported = run(silent, rows, tmp_path, stage=Stage.REPORT)
    assert reported.reports[0].n == 40


def test_a_report_over_half_a_run_counts_the_rest_as_failed(rows: Path, tmp_path: Path) -> None:
    class Stopping(ScriptedModel):
        def run(self, requests: Iterable[Request]) -> Iterator[Response]:
            for count, response in enumerate(super().run(requests)):
                if count == 12:
                    raise KeyboardInterrupt
                yield response

    with pytest.raises(Interrupted, match="12 of 40 answers are kept"):
        run(Stopping(right), rows, tmp_path)
    result = run(ScriptedModel(right), rows, tmp_path, stage=Stage.REPORT)
    assert (result.reports[0].n, result.reports[0].counts.failed) == (12, 28)
    assert result.run.status is RunStatus.INCOMPLETE
    model = ScriptedModel(right)
    assert run(model, rows, tmp_path).complete
    assert len(model.asked) == 28


def test_a_shared_store_carries_answers_to_other_folders(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMUSES_WORK_DIR", str(tmp_path / "work"))
    run(ScriptedModel(right), rows, tmp_path / "one", mem_cache=True)
    model = ScriptedModel(right)
    run(model, rows, tmp_path / "two", mem_cache=True)
    assert model.asked == []
    fresh = ScriptedModel(right)
    run(fresh, rows, tmp_path / "three")
    assert len(fresh.asked) == 40


def test_a_folder_in_use_is_refused_in_one_line(rows: Path, tmp_path: Path) -> None:
    class Nested(ScriptedModel):
        def run(self, requests: Iterable[Request]) -> Iterator[Response]:
            with pytest.raises(RunLockedError, match=f"worked on by process {os.getpid()}"):
                run(ScriptedModel(right), rows, tmp_path)
            yield from super().run(requests)

    assert run(Nested(right), rows, tmp_path).complete


def test_missing_rows_are_said_before_anything_is_written(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "blank").mkdir()
    (tmp_path / "blank" / "test.jsonl").write_text("\n")
    cases: list[tuple[Path, type[Exception], str]] = [
        (tmp_path / "nowhere", DataError, "does not exist"),
        (tmp_path / "empty", LayoutError, r"expected test\.jsonl or "),
        (tmp_path / "blank", EmptySubsetError, "holds no row"),
    ]
    for path, kind, words in cases:
        with pytest.raises(kind, match=words):
            run(ScriptedModel(right), path, tmp_path)
    (rows / "test.jsonl").write_text('{"question": "a", "answer": "no number line"}\n')
    with pytest.raises(DataError, match="####"):
        run(ScriptedModel(right), rows, tmp_path)
    assert not (tmp_path / "outputs").exists()


def test_a_model_that_cannot_be_asked_leaves_no_folder(rows: Path, tmp_path: Path) -> None:
    class Away(ScriptedModel):
        def run(self, requests: Iterable[Request]) -> Iterator[Response]:
            raise StoreError("no server there")
            yield

    with pytest.raises(StoreError):
        run(Away(right), rows, tmp_path)
    assert list((tmp_path / "outputs").iterdir()) == []


def test_an_output_folder_that_cannot_be_written_is_one_line(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("a file")
    with pytest.raises(StoreError, match="cannot write in"):
        run(ScriptedModel(right), rows, tmp_path)


_KILLED = """
import sys, os, time
from pathlib import Path
from tests.unit.evaluation.test_runs import right, run, asked_number
from tests.support.scripted import ScriptedModel
log = open(sys.argv[2], "a")
def slow(ask):
    time.sleep(0.0005)
    log.write(f"{asked_number(ask)}\\n"); log.flush()
    return right(ask) if asked_number(ask) % 3 else "no idea"
run(ScriptedModel(slow), Path(sys.argv[1]) / "rows", Path(sys.argv[1]))
"""


def test_a_run_that_is_killed_again_and_again_ends_like_an_undisturbed_one(rows: Path, tmp_path: Path) -> None:
    write_sums(rows, 600)
    chance = random.Random(11)
    command = [sys.executable, "-c", _KILLED, str(tmp_path), str(tmp_path / "asked.log")]
    kills = 0
    for _ in range(8):
        process = subprocess.Popen(command, cwd=Path(__file__).parents[3])
        try:
            process.wait(timeout=0.35 + chance.random() * 0.35)
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
            process.wait()
    subprocess.run(command, cwd=Path(__file__).parents[3], check=True)
    disturbed = run(ScriptedModel(lambda ask: pytest.fail("asked")), rows, tmp_path)
    undisturbed = run(
        ScriptedModel(lambda ask: right(ask) if asked_number(ask) % 3 else "no idea"), rows, tmp_path / "calm"
    )
    assert kills > 0
    lines = [(line.sample_id, line.repeat) for line in predictions(disturbed)]
    assert len(lines) == len(set(lines)) == 600
    one, other = disturbed.reports[0], undisturbed.reports[0]
    assert (one.score, one.n, one.counts, one.ci95, one.subsets) == (
        other.score, other.n, other.counts, other.ci95, other.subsets
    )  # fmt: skip
    asked = (tmp_path / "asked.log").read_text().split()
    assert len(asked) <= 600 + kills, "at most the one in flight at each kill is asked twice"
