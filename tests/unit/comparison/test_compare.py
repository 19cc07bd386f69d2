"""Runs beside each other: what is compared, what is refused, and that what differs is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from llmuses import compare, evaluate
from llmuses.benchmarks.gsm8k import GSM8K
from llmuses.comparison.compare import compare_two, correct
from llmuses.comparison.pairing import measured, right_or_wrong, shared
from llmuses.comparison.result import Comparison, Pair
from llmuses.comparison.runs import Question, _Line, _question, find_run
from llmuses.errors import StoreError, UnknownNameError, UsageError
from llmuses.evaluation.runner import Result
from llmuses.records import Generate, Report, Status
from llmuses.settings import REGISTRY
from llmuses.statistics.multiple import holm
from llmuses.statistics.paired import detectable_paired, mcnemar
from llmuses.store import read_json, write_json
from tests.support.fake_runs import FakeDataset, FakeRun
from tests.support.scripted import ScriptedModel, failure


def fakes(outputs: Path, **models: FakeDataset) -> list[Path]:
    return [FakeRun(name, {"gsm8k": dataset}).write(outputs) for name, dataset in models.items()]


def only_pair(found: Comparison) -> Pair:
    (dataset,) = found.datasets
    assert not dataset.refusals
    (pair,) = dataset.pairs
    return pair


# --- figures -----------------------------------------------------------------------------------------------


def test_a_pair_has_its_difference_its_test_and_its_counts(tmp_path: Path) -> None:
    # The fakes' wrong answers are nested: whatever the better one gets wrong, the other one does as well.
    runs = fakes(
        tmp_path, better=FakeDataset(n=200, wrong=30, unparsed=5), worse=FakeDataset(n=200, wrong=60, truncated=4)
    )
    pair = only_pair(compare(runs))
    assert (pair.n, pair.won, pair.lost, pair.tied) == (200, 25, 0, 175)
    assert pair.difference == pytest.approx(0.125)
    assert [side.score for side in pair.sides] == pytest.approx([0.825, 0.7])
    assert pair.ci95[0] < pair.difference < pair.ci95[1]
    assert pair.method == "mcnemar"
    assert pair.p_value == pair.p_corrected == mcnemar(25, 0)
    assert pair.detectable == detectable_paired(pair.stderr)
    assert [side.unparsed for side in pair.sides] == [5, 0]
    assert [side.truncated for side in pair.sides] == [0, 4]


def test_the_other_way_round_the_signs_change_and_nothing_else(tmp_path: Path) -> None:
    runs = fakes(tmp_path, a=FakeDataset(n=60, wrong=20), b=FakeDataset(n=60, wrong=31))
    there, back = only_pair(compare(runs)), only_pair(compare(runs[::-1]))
    assert back.difference == -there.difference
    assert back.ci95 == pytest.approx((-there.ci95[1], -there.ci95[0]))
    assert (back.won, back.lost, back.p_value) == (there.lost, there.won, there.p_value)


def test_samples_that_failed_in_either_are_left_out_and_counted(tmp_path: Path) -> None:
    runs = fakes(tmp_path, a=FakeDataset(n=50, wrong=10, failed=4), b=FakeDataset(n=50, wrong=10))
    pair = only_pair(compare(runs))
    assert (pair.n, pair.left_out) == (46, 4)
    assert [side.failed for side in pair.sides] == [4, 0]
    assert pair.won + pair.lost + pair.tied == 46


def test_several_runs_are_compared_two_by_two_and_corrected_together(tmp_path: Path) -> None:
    sizes = {"a": 10, "b": 25, "c": 27, "d": 60}
    found = compare(fakes(tmp_path, **{name: FakeDataset(n=120, wrong=wrong) for name, wrong in sizes.items()}))
    (dataset,) = found.datasets
    assert found.comparisons == len(dataset.pairs) == 6
    assert [pair.p_corrected for pair in dataset.pairs] == holm([pair.p_value for pair in dataset.pairs])
    assert all(pair.detectable == detectable_paired(pair.stderr, 6) for pair in dataset.pairs)
    assert [(rank.run, rank.best, rank.worst) for rank in dataset.ranks] == [
        ("a-gsm8k", 1, 1),
        ("b-gsm8k", 2, 3),
        ("c-gsm8k", 2, 3),
        ("d-gsm8k", 4, 4),
    ]


def test_against_a_baseline_each_run_is_compared_once(tmp_path: Path) -> None:
    names = [path.name for path in fakes(tmp_path, **{name: FakeDataset(n=40, wrong=8) for name in "abc"})]
    found = compare(names, baseline="b-gsm8k", outputs=tmp_path)
    assert [(pair.first, pair.second) for pair in found.datasets[0].pairs] == [
        ("a-gsm8k", "b-gsm8k"),
        ("c-gsm8k", "b-gsm8k"),
    ]
    assert found.baseline == "b-gsm8k"
    assert compare(["a-gsm8k"], baseline="b-gsm8k", outputs=tmp_path).comparisons == 1


def test_each_dataset_that_two_runs_share_is_compared(tmp_path: Path) -> None:
    both = {"gsm8k": FakeDataset(n=30, wrong=5), "mmlu": FakeDataset(n=40, wrong=9)}
    runs = [
        FakeRun("a", both).write(tmp_path),
        FakeRun("b", both).write(tmp_path),
        FakeRun("c", {"gsm8k": FakeDataset(n=30, wrong=15), "arc": FakeDataset(n=10)}).write(tmp_path),
    ]
    found = compare(runs)
    assert {each.dataset: len(each.pairs) for each in found.datasets} == {"gsm8k": 3, "mmlu": 1}
    assert [each.dataset for each in compare(runs, datasets=["mmlu"]).datasets] == ["mmlu"]
    with pytest.raises(UsageError, match="only one of these runs has a report of arc"):
        compare(runs, datasets=["arc"])
    with pytest.raises(UnknownNameError, match="did you mean 'mmlu'"):
        compare(runs, datasets=["mmul"])


def test_two_runs_of_one_model_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    runs = [FakeRun("m", {"gsm8k": FakeDataset(n=9, wrong=1)}, run_id=name).write(tmp_path) for name in ("one", "two")]
    assert [run.label for run in compare(runs).runs] == ["one", "two"]
    assert [run.label for run in compare(fakes(tmp_path, x=FakeDataset(), y=FakeDataset())).runs] == ["x", "y"]


# --- repeats, graded scores ----------------------------------------------------------------------------------


def run(outputs: Path, model: Any, dataset: Any = "gsm8k", **settings: Any) -> Result:
    return evaluate(model, dataset, **{"sample_data": True, "limit": 12, "outputs": outputs, **settings})


def test_repeats_of_a_question_are_one_question(tmp_path: Path) -> None:
    pair = only_pair(compare([run(tmp_path, f"baseline:{name}", repeats=4) for name in ("random", "majority")]))
    assert pair.n == 12
    found = compare([run(tmp_path, f"baseline:{name}", "mmlu", repeats=3, limit=2) for name in ("random", "majority")])
    pair = only_pair(found)
    assert pair.method == "bootstrap"
    assert pair.n == pair.won + pair.lost + pair.tied
    scores = [read_json(Path(each.folder) / "reports" / "mmlu.json", Report).score for each in found.runs]
    assert [side.score for side in pair.sides] == pytest.approx(scores)
    assert pair.difference == pytest.approx((scores[0] or 0) - (scores[1] or 0))


def questions(*scores: Sequence[float]) -> dict[str, Question]:
    lines = ([_Line("", "main", Status.SCORED, n, {"acc": x}) for n, x in enumerate(each)] for each in scores)
    return {f"main/{place}": _question(each) for place, each in enumerate(lines)}


def test_only_scores_that_are_right_or_wrong_once_are_counted_as_such() -> None:
    assert right_or_wrong(questions([1.0], [0.0]), ["main/0", "main/1"])
    assert not right_or_wrong(questions([1.0], [0.5]), ["main/0", "main/1"])
    assert not right_or_wrong(questions([1.0, 0.0], [0.0, 0.0]), ["main/0", "main/1"])
    assert measured([[1.0, 0.0, -1.0]], True).method == "mcnemar"
    assert measured([[0.3, 0.0, -0.4]], False).method == "bootstrap"


def test_a_question_with_one_answer_on_each_side_is_compared_however_many_repeats_failed() -> None:
    first = questions([1.0, 0.0], [1.0])
    second = {**questions([0.0], [0.0]), "main/1": Question("main", failed=2)}
    assert shared(first, second).ids == ["main/0"]
    assert shared(first, second).left_out == 1


def test_no_comparison_needs_no_correction() -> None:
    none: list[Comparison] = []
    correct(none)
    assert none == []


# --- what is refused -----------------------------------------------------------------------------------------


def changed_rows(folder: Path, file: str, change: Callable[[dict[str, Any]], None]) -> str:
    """Return a copy of the shipped rows of gsm8k, one of them changed."""
    shutil.copytree(REGISTRY / "data" / "gsm8k", folder)
    first, *rest = (folder / file).read_text("utf-8").splitlines(keepends=True)
    row = json.loads(first)
    change(row)
    (folder / file).write_text(json.dumps(row) + "\n" + "".join(rest), "utf-8")
    return str(folder)


def other_question(row: dict[str, Any]) -> None:
    row["question"] = "What is 9 + 9?"


SETTINGS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "worked examples": ({"few_shot_num": 2}, {"few_shot", "prompts"}),
    "the examples' form": ({"few_shot_as": "turns"}, {"few_shot", "prompts"}),
    "sampling": ({"generation_config": {"temperature": 0.7}}, {"generation"}),
    "extraction": ({"extract": r"is (\d+)"}, {"extraction"}),
}


@pytest.mark.parametrize("case", SETTINGS.values(), ids=SETTINGS.keys())
def test_what_a_setting_changes_is_not_compared_and_is_named(
    case: tuple[dict[str, Any], set[str]], tmp_path: Path
) -> None:
    args, parts = case
    found = compare(
        [run(tmp_path, "baseline:random"), run(tmp_path, "baseline:majority", dataset_args={"gsm8k": args})]
    )
    (dataset,) = found.datasets
    (refusal,) = dataset.refusals
    assert not dataset.pairs and not found.complete
    assert refusal.reason == "differs"
    assert {part.name for part in refusal.parts} == parts


def test_other_rows_and_other_examples_are_told_apart(tmp_path: Path) -> None:
    copies = [
        changed_rows(tmp_path / "same", "test.jsonl", lambda row: None),
        changed_rows(tmp_path / "rows", "test.jsonl", other_question),
        changed_rows(tmp_path / "examples", "train.jsonl", other_question),
    ]
    runs = [
        run(tmp_path / "outputs", "baseline:random", sample_data=False, dataset_args={"gsm8k": {"local_path": copy}})
        for copy in copies
    ]
    (dataset,) = compare(runs).datasets
    said = [{part.name for part in refusal.parts} for refusal in dataset.refusals]
    assert said == [{"rows", "prompts"}, {"prompts"}, {"rows", "prompts"}]


def test_other_modes_subsets_and_numbers_of_repeats_are_told_apart(tmp_path: Path) -> None:
    def parts(dataset: str, first: dict[str, Any], second: dict[str, Any]) -> set[str]:
        runs = [run(tmp_path, "baseline:random", dataset, **each) for each in (first, second)]
        return {part.name for part in compare(runs).datasets[0].refusals[0].parts}

    modes = [{"dataset_args": {"arc": {"mode": mode}}} for mode in ("generate", "logprob")]
    assert {"mode", "prompts", "generation"} == parts("arc", *modes)
    assert {"repeats"} == parts("gsm8k", {}, {"repeats": 2})
    subsets = {"dataset_args": {"arc": {"subset_list": ["ARC-Easy"]}}}
    assert {"rows", "subsets", "prompts"} == parts("arc", {}, subsets)


def test_another_version_of_a_benchmark_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = run(tmp_path, "baseline:random")
    monkeypatch.setattr(GSM8K, "version", GSM8K.version + 1)
    (refusal,) = compare([before, run(tmp_path, "baseline:majority")]).datasets[0].refusals
    assert [(part.name, part.first, part.second) for part in refusal.parts] == [
        ("version", str(GSM8K.version - 1), str(GSM8K.version))
    ]


def test_other_limits_and_seeds_are_compared_on_the_samples_in_common(tmp_path: Path) -> None:
    few, many = run(tmp_path, "baseline:random", limit=5), run(tmp_path, "baseline:majority", limit=20)
    pair = only_pair(compare([few, many]))
    assert (pair.n, pair.only_first, pair.only_second, pair.left_out) == (5, 0, 15, 0)
    other = run(tmp_path, "baseline:majority", limit=20, seed=1)
    pair = only_pair(compare([many, other]))
    assert pair.n + pair.only_first == pair.n + pair.only_second == 20
    assert pair.only_first > 0


def test_runs_without_a_sample_in_common_are_not_compared(tmp_path: Path) -> None:
    def broken(ask: Any) -> Any:
        assert isinstance(ask, Generate)
        return failure()

    runs = [run(tmp_path, "baseline:random"), run(tmp_path, ScriptedModel(broken))]
    (dataset,) = compare(runs).datasets
    assert [refusal.reason for refusal in dataset.refusals] == ["nothing_in_common"]
    assert dataset.ranks == []


def test_what_differs_is_refused_and_the_rest_compared_and_ranked(tmp_path: Path) -> None:
    same = {name: FakeDataset(n=80, wrong=wrong) for name, wrong in (("a", 5), ("b", 40), ("c", 41))}
    found = compare(fakes(tmp_path, odd=FakeDataset(n=80, wrong=2, few_shot=3), **same))
    (dataset,) = found.datasets
    assert {(pair.first, pair.second) for pair in dataset.pairs} == {
        ("a-gsm8k", "b-gsm8k"),
        ("a-gsm8k", "c-gsm8k"),
        ("b-gsm8k", "c-gsm8k"),
    }
    assert {refusal.first for refusal in dataset.refusals} == {"odd-gsm8k"}
    assert {rank.run for rank in dataset.ranks} == {"a-gsm8k", "b-gsm8k", "c-gsm8k"}
    assert found.comparisons == 3


# --- reports of older versions, damage ------------------------------------------------------------------------


def forget_the_parts(folder: Path, fingerprint: str) -> None:
    """Make a report what an older version wrote."""
    path = folder / "reports" / "gsm8k.json"
    report = read_json(path, Report)
    report.identity, report.fingerprint = {}, fingerprint
    write_json(path, report)


def test_reports_that_do_not_say_their_parts_are_compared_by_their_fingerprint_alone(tmp_path: Path) -> None:
    a, b, c = fakes(tmp_path, **{name: FakeDataset(n=30, wrong=9) for name in "abc"})
    forget_the_parts(a, "0123")
    forget_the_parts(b, "0123")
    (dataset,) = compare([a, b, c]).datasets
    assert [(pair.first, pair.second) for pair in dataset.pairs] == [("a-gsm8k", "b-gsm8k")]
    assert {refusal.reason for refusal in dataset.refusals} == {"unknown"}


def test_runs_that_are_not_there_or_not_finished_are_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="there is no run 'x'"):
        compare(["x", "y"], outputs=tmp_path / "empty")
    a, b = fakes(tmp_path, first=FakeDataset(n=30), second=FakeDataset(n=30, answered=10))
    with pytest.raises(UnknownNameError, match="did you mean 'first-gsm8k'"):
        compare(["frst-gsm8k", "second-gsm8k"], outputs=tmp_path)
    with pytest.raises(UsageError, match="two different runs"):
        compare([a, a])
    with pytest.raises(UsageError, match="second-gsm8k no report yet"):
        compare([a, b])


def test_a_report_about_other_rows_than_the_run_asks_now_is_no_report(tmp_path: Path) -> None:
    a, b = fakes(tmp_path, a=FakeDataset(n=30), b=FakeDataset(n=30))
    path = b / "reports" / "gsm8k.json"
    report = read_json(path, Report)
    report.dataset_sha256 = "0" * 64
    write_json(path, report)
    with pytest.raises(UsageError, match="b-gsm8k no report yet"):
        compare([a, b])


def test_missing_reviews_are_an_error_and_no_zero(tmp_path: Path) -> None:
    a, b = fakes(tmp_path, a=FakeDataset(n=30), b=FakeDataset(n=30))
    (b / "reviews" / "gsm8k.jsonl").unlink()
    with pytest.raises(StoreError, match="--stage review"):
        compare([a, b])


def test_two_runs_alone_are_compared_as_among_others_and_not_corrected(tmp_path: Path) -> None:
    runs = fakes(
        tmp_path, a=FakeDataset(n=100, wrong=10), b=FakeDataset(n=100, wrong=20), c=FakeDataset(n=100, wrong=40)
    )
    found = compare(runs).datasets[0].pairs[0]
    one, two = (find_run(str(run), tmp_path) for run in runs[:2])
    alone = compare_two("gsm8k", one, two)
    assert isinstance(alone, Pair)
    assert (alone.difference, alone.ci95, alone.p_value) == (found.difference, found.ci95, found.p_value)
    assert alone.p_corrected == alone.p_value
    assert alone.detectable < found.detectable
