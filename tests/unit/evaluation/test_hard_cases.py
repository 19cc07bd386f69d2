"""What two runs at once, a changed model, a changed scorer, damaged files and careless classes may not do to a number."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from llmuses.benchmarks import Benchmark
from llmuses.benchmarks.base import Judgement
from llmuses.benchmarks.generation import Generation
from llmuses.benchmarks.rows import Row
from llmuses.console import console, print_result
from llmuses.errors import CutShortError, DataError, Interrupted, StoreError, UsageError
from llmuses.evaluation import Result, Stage, evaluate
from llmuses.evaluation.aggregate import Aggregate, alike
from llmuses.evaluation.plan import generation_config
from llmuses.inference import Item, Predictions, infer
from llmuses.metrics.reading import Reading
from llmuses.records import (
    Generate,
    GenerationConfig,
    Message,
    Mode,
    Prediction,
    Request,
    Response,
    Review,
    RunStatus,
    Sample,
    Status,
)
from llmuses.store import JsonlStore
from tests.support.scripted import ScriptedModel, failure, last_message


class Echoes(Generation):
    """Rows of question and answer; the answer is whatever was written."""

    name = "echoes"
    title = "Echoes"
    group = "own"
    paper = homepage = "https://example.org"
    licence = "Apache-2.0"
    files = ("test.jsonl",)
    subsets: ClassVar[tuple[str, ...]] = ("main",)

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        name = str(row.get("id", index))
        return Sample(sample_id=f"{subset}/{name}", subset=subset, question=row["question"], target=row["answer"])

    def question(self, sample: Sample) -> str:
        return sample.question

    def example_answer(self, sample: Sample) -> str:
        return sample.target

    def read(self, text: str, sample: Sample) -> Reading | None:
        return Reading(text, (0, len(text)), "whole") if text else None

    def equal(self, reading: Reading, sample: Sample) -> bool:
        return reading.value == sample.target


def write(folder: Path, rows: Iterable[dict[str, Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write(tmp_path / "rows", ({"question": f"q{n}", "answer": f"q{n}"} for n in range(6)))


def echo(identity: str = "echo") -> ScriptedModel:
    return ScriptedModel(last_message, identity=identity)


def run(model: ScriptedModel, rows: Path, tmp_path: Path, benchmark: Benchmark | None = None, **more: Any) -> Result:
    benchmark = benchmark or Echoes()
    args = {benchmark.name: {"local_path": str(rows), **more.pop("args", {})}}
    return evaluate(model, [benchmark], dataset_args=args, outputs=tmp_path / "outputs", **more)


def predictions(result: Result) -> list[Prediction]:
    return list(JsonlStore(result.folder / "predictions" / "echoes.jsonl", Prediction))


def reviews(result: Result) -> list[Review]:
    return list(JsonlStore(result.folder / "reviews" / "echoes.jsonl", Review))


class Dying(ScriptedModel):
    """Answers some requests and then meets what a test wants."""

    def __init__(self, after: int, problem: BaseException):
        super().__init__(last_message, identity="echo")
        self._after, self._problem = after, problem

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        for count, response in enumerate(super().run(requests)):
            if count == self._after:
                raise self._problem
            yield response


def item(name: str) -> Item:
    sample = Sample(sample_id=name, subset="main", question=name, target=name)
    return Item("echoes", sample, 0, Generate(messages=(Message("user", name),)))


def test_an_answer_is_copied_under_its_own_key_although_the_other_file_was_replaced_meanwhile(tmp_path: Path) -> None:
    items = [item(f"q{n}") for n in range(6)]
    other = Predictions(tmp_path / "other")
    list(infer(echo(), items, other))
    path = tmp_path / "other" / "echoes.jsonl"
    model = echo()
    answers = infer(model, items, Predictions(tmp_path / "new"), reuse=[path])
    first = next(answers)
    other.of("echoes").keep_only({0}, tmp_path / "aside.jsonl")
    pairs = [first, *answers]
    assert [prediction.response.text for _, prediction in pairs] == [f"q{n}" for n in range(6)]
    assert model.asked == []


def test_a_new_scorer_scores_everything_again_although_it_was_killed_in_the_middle(rows: Path, tmp_path: Path) -> None:
    class Stricter(Echoes):
        version = 2

        def equal(self, reading: Reading, sample: Sample) -> bool:
            return False

    class Stopping(Stricter):
        seen: ClassVar[list[str]] = []

        def equal(self, reading: Reading, sample: Sample) -> bool:
            self.seen.append(sample.sample_id)
            if len(self.seen) > 2:
                raise KeyboardInterrupt
            return False

    assert run(echo(), rows, tmp_path).reports[0].score == 1.0
    with pytest.raises(Interrupted):
        run(echo(), rows, tmp_path, Stopping())
    result = run(echo(), rows, tmp_path, Stricter())
    assert result.reports[0].score == 0.0
    assert len(reviews(result)) == 6


def test_two_models_of_one_name_have_a_run_each_and_answers_are_found_again(rows: Path, tmp_path: Path) -> None:
    first = run(echo("at one server"), rows, tmp_path)
    assert run(echo("at another"), rows, tmp_path).folder != first.folder
    again = echo("at one server")
    assert run(again, rows, tmp_path).folder == first.folder
    assert again.asked == []


def test_what_was_set_aside_is_found_when_it_is_wanted_again(rows: Path, tmp_path: Path) -> None:
    run(echo(), rows, tmp_path)
    write(rows, ({"question": f"other {n}", "answer": f"q{n}"} for n in range(6)))
    run(echo(), rows, tmp_path)
    write(rows, ({"question": f"q{n}", "answer": f"q{n}"} for n in range(6)))
    model = echo()
    assert run(model, rows, tmp_path).reports[0].score == 1.0
    assert model.asked == []


def test_an_id_that_stands_twice_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    rows = write(
        tmp_path / "rows", [{"id": 1, "question": "a", "answer": "a"}, {"id": 1, "question": "b", "answer": "b"}]
    )
    with pytest.raises(DataError, match="'main/1' stands there twice"):
        run(echo(), rows, tmp_path)
    assert not (tmp_path / "outputs").exists()


def test_equal_questions_under_ids_of_their_own_are_two_samples(tmp_path: Path) -> None:
    rows = write(tmp_path / "rows", [{"question": "same", "answer": "same"}] * 3)
    for _ in range(2):
        result = run(echo(), rows, tmp_path)
        assert (result.reports[0].n, len(predictions(result)), len(reviews(result))) == (3, 3, 3)


def test_a_subset_named_twice_is_asked_once(rows: Path, tmp_path: Path) -> None:
    assert run(echo(), rows, tmp_path, args={"subset_list": ["main", "main"]}).reports[0].n == 6


def test_answers_without_reviews_have_no_score_yet(rows: Path, tmp_path: Path) -> None:
    result = run(echo(), rows, tmp_path, stage=Stage.INFER)
    state = result.run.states["echoes"]
    assert (state.answered, state.reviewed, result.reports) == (6, 0, [])


def test_bounds_of_an_unweighted_average_weigh_each_subset_alike() -> None:
    aggregate = Aggregate(("acc",))

    def add(subset: str, status: Status, score: float, count: int) -> None:
        for number in range(count):
            scores = {} if status is Status.FAILED else {"acc": score}
            aggregate.add(
                Review(key="k", sample_id=str(number), subset=subset, status=status, target="t", scores=scores)
            )

    add("a", Status.SCORED, 1.0, 90)
    add("b", Status.SCORED, 0.0, 1)
    add("b", Status.FAILED, 0.0, 9)
    add("c", Status.FAILED, 0.0, 4)
    assert aggregate.estimate("acc", ["a", "b"], alike).bounds == pytest.approx((0.5, 0.95))
    assert aggregate.estimate("acc", weigh=alike).bounds == pytest.approx((1 / 3, (1 + 0.9 + 1) / 3))
    assert aggregate.estimate("acc").bounds == pytest.approx((90 / 104, 103 / 104))


def test_repeats_do_not_make_a_smaller_difference_detectable(rows: Path, tmp_path: Path) -> None:
    model = ScriptedModel(lambda ask: last_message(ask) if "1" in last_message(ask) else "no")
    once = run(model, rows, tmp_path).reports[0]
    five = run(model, rows, tmp_path, repeats=5).reports[0]
    assert five.n == 30
    assert five.detectable == pytest.approx(once.detectable)


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: b"garbage\n",
        lambda line: line.replace(b'"text":"q', b'"text":"\xff'),
        lambda line: line.replace(b'"repeat"', b'"re').replace(b'"ask"', b'"asked"'),
    ],
)
def test_a_damaged_line_is_named_set_aside_and_asked_again(
    rows: Path, tmp_path: Path, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    path = run(echo(), rows, tmp_path).folder / "predictions" / "echoes.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = damage(lines[2])
    path.write_bytes(b"".join(lines))
    model = echo()
    result = run(model, rows, tmp_path)
    assert len(model.asked) == 1
    assert result.complete and len(predictions(result)) == 6
    assert "echoes.jsonl" in caplog.text and "skipped" in caplog.text


def test_stages_that_ask_nothing_keep_failures_and_their_reasons(rows: Path, tmp_path: Path) -> None:
    model = ScriptedModel(lambda ask: failure() if "1" in last_message(ask) else last_message(ask), identity="echo")
    run(model, rows, tmp_path)
    for stage in (Stage.REPORT, Stage.REVIEW):
        result = run(model, rows, tmp_path, stage=stage)
        assert len(predictions(result)) == len(reviews(result)) == 6
        assert [line.reason for line in reviews(result) if line.status is Status.FAILED] == [
            "http_500: the server is tired"
        ]


def test_a_careless_scorer_fails_its_samples_with_a_reason(rows: Path, tmp_path: Path) -> None:
    class Careless(Echoes):
        def judge(self, sample: Sample, response: Response, mode: Mode) -> Judgement:
            return Judgement("x", {} if sample.target == "q1" else {"accuracy": 1.0})

    result = run(echo(), rows, tmp_path, Careless())
    assert result.reports[0].counts.failed == 6
    assert {line.reason for line in reviews(result)} == {"scoring failed: it gave no score for 'acc'"}


@pytest.mark.parametrize(("given", "said"), [(70, "70"), (-0.5, "-0.5"), (float("nan"), "nan"), (float("inf"), "inf")])
def test_a_score_that_is_no_share_of_one_fails_its_sample_with_a_reason(
    rows: Path, tmp_path: Path, given: float, said: str
) -> None:
    class Careless(Echoes):
        def judge(self, sample: Sample, response: Response, mode: Mode) -> Judgement:
            return Judgement("x", {"acc": given if sample.target == "q1" else 1.0 + 1e-12})

    result = run(echo(), rows, tmp_path, Careless())
    assert (result.reports[0].counts.failed, result.reports[0].score) == (1, 1.0)
    assert {line.reason for line in reviews(result)} == {
        None,
        f"scoring failed: it gave {said} for 'acc', no number from 0 to 1",
    }


@pytest.mark.parametrize(
    "change",
    [{"scores": {"acc": 5.0}}, {"scores": {}}, {"scores": {"acc": None}}, {"status": "passed"}, {"subset": "other"}],
    ids=str,
)
@pytest.mark.parametrize("stage", [Stage.ALL, Stage.REPORT])
def test_a_review_that_was_spoilt_by_hand_is_made_again(
    rows: Path, tmp_path: Path, change: dict[str, Any], stage: Stage
) -> None:
    first = run(echo(), rows, tmp_path)
    path = first.folder / "reviews" / "echoes.jsonl"
    lines = path.read_text().splitlines()
    lines[2] = json.dumps(json.loads(lines[2]) | change)
    path.write_text("\n".join(lines + lines[3:4]) + "\n")
    model = echo()
    again = run(model, rows, tmp_path, stage=stage)
    assert not model.asked
    assert again.reports[0].counts == first.reports[0].counts
    assert (again.reports[0].score, len(reviews(again))) == (1.0, 6)


def test_a_clock_that_is_set_back_makes_no_negative_times(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = time.time, iter(range(10**6))
    monkeypatch.setattr("time.time", lambda: real() - 60 * next(calls))
    result = run(echo(), rows, tmp_path)
    assert result.complete
    assert result.run.seconds >= 0 and result.run.states["echoes"].seconds >= 0


def test_an_empty_stop_takes_the_benchmarks_own_away_and_never_ends_an_answer_before_it_begins() -> None:
    own = GenerationConfig(stop=("\nQ:",))
    assert generation_config(own, {"stop": ""}).stop == ()
    with pytest.raises(UsageError, match="empty text in stop"):
        generation_config(own, {"stop": ["\n\n", ""]})


def test_answers_of_several_models_under_one_name_are_said(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Routed(ScriptedModel):
        def run(self, requests: Iterable[Request]) -> Iterator[Response]:
            for n, response in enumerate(super().run(requests)):
                response.served_model = f"small-{n % 2}\x1b[2J"
                yield response

    print_result(console(), run(Routed(last_message), rows, tmp_path))
    assert "echoes: the server says that several models answered: small-0[2J, small-1[2J." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("reasoning", "finish_reason", "reason"),
    [
        (None, "stop", "the answer is empty"),
        ("Hm.", "stop", "the answer is empty: the model only thought"),
        ("Hm.", "length", "the answer is empty: the model only thought, until its length was used up"),
    ],
)
def test_an_empty_answer_is_unparsed_and_says_where_it_went(
    rows: Path, tmp_path: Path, reasoning: str | None, finish_reason: str, reason: str
) -> None:
    class Silent(ScriptedModel):
        def run(self, requests: Iterable[Request]) -> Iterator[Response]:
            for request in requests:
                yield Response(key=request.key, text="", reasoning=reasoning, finish_reason=finish_reason)

    result = run(Silent(last_message), rows, tmp_path)
    assert result.reports[0].counts.unparsed == 6
    assert {line.reason for line in reviews(result)} == {reason}


def test_empty_lines_between_answers_are_no_damage(
    rows: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = run(echo(), rows, tmp_path).folder / "predictions" / "echoes.jsonl"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n\n"))
    model = echo()
    assert run(model, rows, tmp_path).complete
    assert not model.asked
    assert "skipped" not in caplog.text


def test_rows_of_a_benchmark_on_no_hub_must_be_given(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="give its rows as local_path"):
        evaluate(echo(), Echoes(), outputs=tmp_path / "outputs")


@pytest.mark.parametrize("name", ["a/b", "..", "a b"])
def test_a_benchmark_s_name_must_be_a_file_name(rows: Path, tmp_path: Path, name: str) -> None:
    careless = type("Careless", (Echoes,), {"name": name})
    with pytest.raises(UsageError, match="is no file name"):
        run(echo(), rows, tmp_path, careless())


def test_two_benchmarks_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two benchmarks are called 'echoes'"):
        evaluate(echo(), [Echoes(), Echoes()], outputs=tmp_path)


def test_a_full_disk_says_what_is_kept(rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    written = []

    def full(fd: int, data: Any) -> int:
        if b'"ask"' in bytes(data):
            written.append(fd)
            if len(written) > 3:
                raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(CutShortError, match=r"No space left on device: 3 of 6 answers are kept in"):
        run(echo(), rows, tmp_path)
    monkeypatch.undo()
    model = echo()
    assert run(model, rows, tmp_path).complete
    assert len(model.asked) == 3


def test_half_a_surrogate_pair_in_an_answer_ends_nothing(rows: Path, tmp_path: Path) -> None:
    result = run(ScriptedModel(lambda ask: "half \ud83d a pair"), rows, tmp_path)
    assert [line.response.text for line in predictions(result)] == ["half \\ud83d a pair"] * 6


def test_an_error_while_reporting_leaves_no_running_run(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise StoreError("no report today")

    monkeypatch.setattr("llmuses.evaluation.work.write_reports", broken)
    with pytest.raises(CutShortError, match="no report today: 6 of 6 answers are kept"):
        run(echo(), rows, tmp_path)
    monkeypatch.undo()
    assert run(echo(), rows, tmp_path).run.status is RunStatus.DONE


def test_a_folder_that_was_there_before_is_never_removed(rows: Path, tmp_path: Path) -> None:
    folder = run(echo(), rows, tmp_path).folder
    for name in ("run.json", "predictions/echoes.jsonl"):
        (folder / name).unlink()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(StoreError):
        run(Dying(0, StoreError("away")), rows, tmp_path)
    assert (folder / "notes.txt").read_text() == "mine"


def test_an_error_in_the_middle_says_what_is_kept_and_how_to_go_on(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(CutShortError, match=r"^away: 2 of 6 answers are kept in .* goes on from there\.$"):
        run(Dying(2, StoreError("away.")), rows, tmp_path)


def test_a_run_json_that_cannot_be_read_says_what_to_do(rows: Path, tmp_path: Path) -> None:
    folder = run(echo(), rows, tmp_path).folder
    (folder / "run.json").write_text("{")
    with pytest.raises(StoreError, match=r"move run\.json away"):
        run(echo(), rows, tmp_path)


def test_an_aside_file_that_was_torn_is_mended_before_more_is_set_aside(tmp_path: Path) -> None:
    class Line(msgspec.Struct):
        name: str

    store = JsonlStore(tmp_path / "lines.jsonl", Line)
    store.append_all([Line("a"), Line("b")])
    (tmp_path / "aside.jsonl").write_bytes(b'{"name":"old"}\n{"name":"to')
    store.keep_only({0}, tmp_path / "aside.jsonl")
    assert [line.name for line in JsonlStore(tmp_path / "aside.jsonl", Line)] == ["old", "b"]


def test_model_arguments_mean_the_same_typed_or_from_a_file(tmp_path: Path) -> None:
    typed, from_file = (
        evaluate("baseline:random", "gsm8k", model_args={"seed": seed}, sample_data=True, limit=2, outputs=tmp_path)
        for seed in ("3", 3)
    )
    assert typed.folder == from_file.folder


def test_a_burst_of_answers_is_in_the_record_although_nothing_follows_it(rows: Path, tmp_path: Path) -> None:
    class Pausing(ScriptedModel):
        def run(self, requests: Iterable[Request]) -> Iterator[Response]:
            yield from super().run(requests)
            deadline = time.monotonic() + 10
            while _answered(tmp_path) < 6 and time.monotonic() < deadline:
                time.sleep(0.05)
            self.seen = _answered(tmp_path)

    model = Pausing(last_message)
    run(model, rows, tmp_path)
    assert model.seen == 6, "run.json lagged behind while the model was silent"


def _answered(tmp_path: Path) -> int:
    (path,) = tmp_path.glob("outputs/*/run.json")
    answered: int = json.loads(path.read_bytes())["states"]["echoes"].get("answered", 0)
    return answered


# --- a class of one's own that is not quite right ----------------------------------------------------------


class _NoName(Echoes):
    name = ""


class _OneText(Echoes):
    files = "test.jsonl"  # type: ignore[assignment]


class _OddGroup(Echoes):
    group = "geography"


class _NumberAsTarget(Echoes):
    def sample(self, row: Row, subset: str, index: int) -> Sample:
        return Sample(sample_id=f"{subset}/{index}", subset=subset, question=row["question"], target=8.0)  # type: ignore[arg-type]


class _ReadsBadly(Echoes):
    def read(self, text: str, sample: Sample) -> Reading | None:
        raise RuntimeError("no such column")


@pytest.mark.parametrize(
    ("benchmark", "said"),
    [
        (_NoName(), "_NoName has no name"),
        (_OneText(), "files must be a tuple of texts"),
        (_OddGroup(), "group of the benchmark _OddGroup 'geography'"),
        (_NumberAsTarget(), r"test.jsonl:1: .*its target is float 8.0, not a text"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_class_that_is_not_quite_right_is_told_so(
    benchmark: Benchmark, said: str, rows: Path, tmp_path: Path
) -> None:
    args = {benchmark.name: {"local_path": str(rows)}} if benchmark.name else {}
    with pytest.raises((UsageError, DataError), match=said):
        evaluate(echo(), benchmark, dataset_args=args, outputs=tmp_path / "outputs")


def test_a_scorer_that_fails_everywhere_is_named_in_the_report(rows: Path, tmp_path: Path) -> None:
    result = run(echo(), rows, tmp_path, _ReadsBadly())
    assert result.reports[0].failures == {"scoring failed: RuntimeError: no such column": 6}
    said = (result.folder / "report.md").read_text()
    assert "none of the 6 answers of Echoes could be scored" in said
    assert "6 failed: scoring failed: RuntimeError: no such column" in said


# --- what outside programs rely on -------------------------------------------------------------------------


def test_every_line_holds_the_names_that_outside_programs_read(rows: Path, tmp_path: Path) -> None:
    model = ScriptedModel(lambda ask: failure() if last_message(ask) == "q1" else last_message(ask))
    result = run(model, rows, tmp_path)
    for line in (result.folder / "reviews" / "echoes.jsonl").read_text().splitlines():
        names = {"sample_id", "subset", "repeat", "key", "status", "reason", "extracted", "target", "scores"}
        assert names <= json.loads(line).keys()
    for line in (result.folder / "predictions" / "echoes.jsonl").read_text().splitlines():
        assert {"key", "sample_id", "subset", "repeat", "ask", "response"} <= json.loads(line).keys()


def test_the_order_of_asking_is_no_difference_between_scores(rows: Path, tmp_path: Path) -> None:
    first, second, fewer = (
        run(echo(), rows, tmp_path, seed=seed, limit=n) for seed, n in ((0, None), (3, None), (0, 4))
    )
    assert first.run.states["echoes"].order.sha256 != second.run.states["echoes"].order.sha256
    assert first.reports[0].fingerprint == second.reports[0].fingerprint
    assert first.reports[0].fingerprint != fewer.reports[0].fingerprint
