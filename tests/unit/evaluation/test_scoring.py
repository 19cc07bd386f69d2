"""Answers scored on threads, and by a judge model: in a second pass that resumes and never asks twice."""

from __future__ import annotations

import importlib
import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from llmuses.benchmarks.base import Judgement, Scorer
from llmuses.errors import CutShortError, ModelError, UsageError
from llmuses.evaluation import Result, Stage, evaluate
from llmuses.models import Model
from llmuses.records import DatasetPlan, Generate, Message, Request, Response, Review, RunStatus, Sample, Status
from llmuses.store import JsonlStore
from tests.support.scripted import ScriptedModel, failure, last_message
from tests.unit.evaluation.test_hard_cases import Echoes, echo, write


class Slow(Echoes):
    """Each answer takes a while to score, in another process so to speak."""

    name = "slow"
    waits = True
    at_once: ClassVar[list[int]] = []

    @contextmanager
    def scorer(self, plan: DatasetPlan) -> Iterator[Scorer]:
        running, lock = [0], threading.Lock()

        def score(sample: Sample, response: Response) -> Judgement:
            with lock:
                running[0] += 1
                self.at_once.append(running[0])
            time.sleep(0.02)
            with lock:
                running[0] -= 1
            if "boom" in (response.text or ""):
                raise RuntimeError("the other process died")
            return self.judge(sample, response, plan)

        yield score


class Judged(Echoes):
    """A judge model says whether an answer is right; an empty one is wrong without asking it."""

    name = "judged"

    def needs_judge(self, plan: DatasetPlan) -> bool:
        return True

    def judge_ask(self, sample: Sample, response: Response, plan: DatasetPlan) -> tuple[Message, ...] | None:
        if not response.text:
            return None
        return (Message("user", f"Is {response.text} the same as {sample.target}?"),)

    def read_verdict(self, sample: Sample, response: Response, verdict: str, plan: DatasetPlan) -> Judgement:
        if verdict not in ("yes", "no"):
            return Judgement(None, {"acc": 0.0}, reason="the verdict cannot be read")
        return Judgement(response.text, {"acc": float(verdict == "yes")}, rule="judge")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write(tmp_path / "rows", ({"question": f"q{n}", "answer": f"q{n}"} for n in range(6)))


def run(model: ScriptedModel, benchmark: Echoes, rows: Path, tmp_path: Path, **more: Any) -> Result:
    args = {benchmark.name: {"local_path": str(rows), **more.pop("args", {})}}
    return evaluate(model, benchmark, dataset_args=args, outputs=tmp_path / "outputs", **more)


def reviews(result: Result, name: str) -> dict[str, Review]:
    found = list(JsonlStore(result.folder / "reviews" / f"{name}.jsonl", Review))
    assert len({review.sample_id for review in found}) == len(found), "one review for each sample"
    return {review.sample_id: review for review in found}


# --- on threads --------------------------------------------------------------------------------------------


def test_answers_are_scored_on_several_threads_at_once_and_all_are_counted(rows: Path, tmp_path: Path) -> None:
    Slow.at_once.clear()
    result = run(echo(), Slow(), rows, tmp_path)
    assert result.reports[0].score == 1.0
    assert len(reviews(result, "slow")) == 6
    assert max(Slow.at_once) > 1


def test_a_scorer_that_dies_fails_its_sample_and_no_other(tmp_path: Path) -> None:
    rows = write(tmp_path / "rows", [{"question": q, "answer": q} for q in ("a", "boom", "c")])
    result = run(echo(), Slow(), rows, tmp_path)
    assert result.reports[0].counts.failed == 1
    assert result.reports[0].score == 1.0
    assert result.run.status is RunStatus.INCOMPLETE
    (failed,) = [review for review in reviews(result, "slow").values() if review.status is Status.FAILED]
    assert failed.reason == "scoring failed: RuntimeError: the other process died"


def test_a_scorer_that_cannot_be_opened_is_said_before_anything_is_asked(rows: Path, tmp_path: Path) -> None:
    class Closed(Echoes):
        name = "closed"

        @contextmanager
        def scorer(self, plan: DatasetPlan) -> Iterator[Scorer]:
            raise UsageError("there is no sandbox here")
            yield

    model = echo()
    with pytest.raises(UsageError, match="no sandbox"):
        run(model, Closed(), rows, tmp_path)
    assert model.asked == []
    assert not (tmp_path / "outputs").exists()


# --- by a judge --------------------------------------------------------------------------------------------


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> ScriptedModel:
    """Stands for the model that ``judge: openai:strict`` names. Its script is changed by a test."""

    def says(ask: Any) -> Any:
        assert isinstance(ask, Generate)
        answer, target = last_message(ask).removeprefix("Is ").rstrip("?").split(" the same as ")
        return "yes" if answer == target else "no"

    model = ScriptedModel(says, identity="strict-1")

    def load(spec: str, **args: Any) -> Model:
        assert (spec, args) == ("openai:strict", {"base_url": "http://x", "api_key": "sk-1"})
        return model

    evaluate_module = importlib.import_module("llmuses.evaluation.evaluate")
    monkeypatch.setattr(evaluate_module, "load_model", load)
    monkeypatch.setattr(evaluate_module, "check_model", lambda spec, **args: None)
    return model


ARGS = {"judge": "openai:strict", "judge_args": {"base_url": "http://x", "api_key": "sk-1"}}


def wrong_once(ask: Any) -> str:
    text = last_message(ask)
    return "" if text == "q2" else "no idea" if text == "q1" else text


def test_a_judge_scores_each_answer_and_its_words_are_kept(rows: Path, tmp_path: Path, judge: ScriptedModel) -> None:
    result = run(ScriptedModel(wrong_once), Judged(), rows, tmp_path, args=ARGS)
    report = result.reports[0]
    assert (report.score, report.n, report.counts.unparsed) == (4 / 6, 6, 1)
    assert report.setting == "0-shot, judged by openai:strict"
    assert len(judge.asked) == 5, "the empty answer needs no judge"
    found = reviews(result, "judged")
    assert found["main/1"].verdict == {"judge": "scripted", "text": "no"}
    assert found["main/2"].verdict is None
    assert "sk-1" not in (result.folder / "run.json").read_text()


def test_a_verdict_is_paid_for_once(rows: Path, tmp_path: Path, judge: ScriptedModel) -> None:
    model = ScriptedModel(wrong_once)
    first = run(model, Judged(), rows, tmp_path, args=ARGS)
    again = run(model, Judged(), rows, tmp_path, args=ARGS)
    assert (len(judge.asked), len(model.asked)) == (5, 6)
    assert again.reports[0].score == first.reports[0].score
    assert len(reviews(again, "judged")) == 6
    assert not (again.folder / "reviews" / "judged.superseded.jsonl").exists()
    run(model, Judged(), rows, tmp_path, args=ARGS, stage=Stage.REVIEW)
    assert len(judge.asked) == 5
    assert run(model, Judged(), rows, tmp_path, args=ARGS, stage=Stage.REPORT).reports[0].n == 6
    assert len(judge.asked) == 5


def test_a_verdict_that_did_not_come_is_no_zero_and_is_asked_for_again(
    rows: Path, tmp_path: Path, judge: ScriptedModel
) -> None:
    says = judge._answer
    judge._answer = lambda ask: failure() if "q3" in last_message(ask) else says(ask)
    model = ScriptedModel(wrong_once)
    first = run(model, Judged(), rows, tmp_path, args=ARGS)
    assert (first.reports[0].n, first.reports[0].counts.failed) == (5, 1)
    assert first.reports[0].bounds == (3 / 6, 4 / 6)
    assert reviews(first, "judged")["main/3"].reason == "the judge gave no verdict: http_500: the server is tired"
    judge._answer = says
    second = run(model, Judged(), rows, tmp_path, args=ARGS)
    assert (second.reports[0].n, second.reports[0].counts.failed) == (6, 0)
    assert len(judge.asked) == 6
    assert len(model.asked) == 6


def test_a_verdict_that_cannot_be_read_is_unparsed_and_counted(
    rows: Path, tmp_path: Path, judge: ScriptedModel
) -> None:
    judge._answer = lambda ask: "as an AI model"
    report = run(ScriptedModel(wrong_once), Judged(), rows, tmp_path, args=ARGS).reports[0]
    assert (report.score, report.n, report.counts.unparsed, report.counts.failed) == (0.0, 6, 6, 0)


def test_a_judge_that_only_thinks_until_its_length_is_used_up_makes_no_zero(
    rows: Path, tmp_path: Path, judge: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge._answer = lambda ask: (
        "" if "q3" in last_message(ask) else "I think that" if "q4" in last_message(ask) else "yes"
    )
    run_whole = judge.run

    def cut(requests: Iterable[Request]) -> Iterator[Response]:
        for response in run_whole(requests):
            response.finish_reason = "stop" if response.text == "yes" else "length"
            yield response

    monkeypatch.setattr(judge, "run", cut)
    result = run(ScriptedModel(last_message), Judged(), rows, tmp_path, args=ARGS)
    report = result.reports[0]
    assert (report.score, report.n, report.counts.unparsed, report.counts.failed) == (1.0, 4, 0, 2)
    assert "judge_generation" in (reviews(result, "judged")["main/3"].reason or "")


def test_an_answer_that_changed_is_judged_again_and_only_that_one(
    rows: Path, tmp_path: Path, judge: ScriptedModel
) -> None:
    first = run(ScriptedModel(wrong_once), Judged(), rows, tmp_path, args=ARGS)
    lines = (first.folder / "predictions" / "judged.jsonl").read_text().splitlines()
    changed = [line.replace('"text":"no idea"', '"text":"q1"') for line in lines]
    assert changed != lines
    (first.folder / "predictions" / "judged.jsonl").write_text("\n".join(changed) + "\n")
    second = run(ScriptedModel(wrong_once), Judged(), rows, tmp_path, args=ARGS)
    assert second.reports[0].score == 5 / 6
    assert len(judge.asked) == 6
    verdicts = (second.folder / "verdicts" / "judged.jsonl").read_text().splitlines()
    assert len(verdicts) == 5, "the verdict on the earlier answer is set aside"


def test_a_judge_that_breaks_off_leaves_the_answers_and_its_verdicts(
    rows: Path, tmp_path: Path, judge: ScriptedModel
) -> None:
    says, model = judge._answer, ScriptedModel(wrong_once)

    def tired(ask: Any) -> Any:
        if len(judge.asked) > 3:
            raise ModelError("the judge has gone")
        return says(ask)

    judge._answer = tired
    with pytest.raises(CutShortError, match="the judge has gone: 6 of 6 answers are kept"):
        run(model, Judged(), rows, tmp_path, args=ARGS)
    judge._answer = says
    result = run(model, Judged(), rows, tmp_path, args=ARGS)
    assert result.reports[0].n == 6
    assert len(model.asked) == 6
    assert len(judge.asked) == 6, "three verdicts were kept, the fourth call broke, two more and it again"


def test_a_judge_is_named_where_it_is_needed_and_nowhere_else(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'judged: a model judges these answers; name it: .*"judge": "openai:MODEL"'):
        run(echo(), Judged(), rows, tmp_path)
    with pytest.raises(UsageError, match="echoes: no model judges these answers"):
        run(echo(), Echoes(), rows, tmp_path, args=ARGS)


# --- the user's own extraction -----------------------------------------------------------------------------


def test_a_users_own_expression_narrows_what_is_read(rows: Path, tmp_path: Path) -> None:
    model = ScriptedModel(lambda ask: f"first <q9> then <{last_message(ask)}>")
    result = run(model, Echoes(), rows, tmp_path, args={"extract": "<(.*?)>"})
    assert result.reports[0].score == 1.0
    assert result.reports[0].setting == "0-shot, own extraction"
    review = reviews(result, "echoes")["main/4"]
    assert (review.extracted, review.rule) == ("q4", "own:whole")
    text = json.loads((result.folder / "predictions" / "echoes.jsonl").read_text().splitlines()[0])["response"]["text"]
    assert review.span is not None
    assert text[slice(*review.span)].startswith("q")


@pytest.mark.parametrize("extract", ["(", "no_such_module:read", "json:no_such_function", "json:__name__"])
def test_an_extraction_that_cannot_be_used_is_said_before_anything_is_asked(
    extract: str, rows: Path, tmp_path: Path
) -> None:
    model = echo()
    with pytest.raises(UsageError, match="extract"):
        run(model, Echoes(), rows, tmp_path, args={"extract": extract})
    assert model.asked == []
