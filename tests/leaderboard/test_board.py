"""The benchmark board as data: columns, rows, figures, order."""

from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.board import heat, make_board
from leaderboard.figures import Cell, Kind
from leaderboard.results import Results
from llmuses.records import Mode, Report, RunStatus
from llmuses.store import read_json, write_json
from tests.support.fake_runs import FakeDataset, FakeRun


def board(outputs, **query):
    return make_board(Results(outputs).runs(), query)


def names(made):
    return [row.model for row in made.rows]


def test_a_figure_equals_its_report(tmp_path):
    FakeRun("m", {"arc": FakeDataset(n=40, wrong=9, unparsed=1)}).write(tmp_path)
    report = Results(tmp_path).runs()[0].reports["arc"]
    cell = board(tmp_path).rows[0].cells["arc-0-shot-sample-set"]
    assert (cell.score, cell.ci95, cell.n) == (report.score, report.ci95, report.n) == (0.75, report.ci95, 40)


def test_columns_are_grouped_and_in_a_fixed_order(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(), "arc": FakeDataset(), "mmlu": FakeDataset()}).write(tmp_path)
    columns = board(tmp_path).columns
    assert [(column.group, column.title) for column in columns] == [
        ("knowledge", "MMLU"), ("reasoning", "ARC"), ("maths", "GSM8K"),
    ]  # fmt: skip
    assert [column.chance for column in columns] == [0.25, 0.25, 0.0]


def test_another_setting_or_mode_is_another_column(tmp_path):
    FakeRun("a", {"mmlu": FakeDataset(few_shot=0)}, run_id="a").write(tmp_path)
    FakeRun("b", {"mmlu": FakeDataset(few_shot=5)}, run_id="b").write(tmp_path)
    FakeRun("c", {"mmlu": FakeDataset(few_shot=5, mode=Mode.LOGPROB)}, run_id="c").write(tmp_path)
    made = board(tmp_path)
    assert len({column.key for column in made.columns}) == 3
    assert all(len(row.cells) == 1 for row in made.rows)


def test_of_several_runs_of_a_model_the_newest_shows(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=10, wrong=5)}, run_id="old", started=1.0).write(tmp_path)
    FakeRun("m", {"gsm8k": FakeDataset(n=10, wrong=1)}, run_id="new", started=2.0).write(tmp_path)
    rows = board(tmp_path).rows
    assert len(rows) == 1
    assert rows[0].cells["gsm8k-0-shot-sample-set"].score == pytest.approx(0.9)
    assert rows[0].runs == ["new", "old"]


def test_a_tiny_later_run_does_not_replace_a_full_result(tmp_path):
    for place, n in enumerate((10, 200, 200, 5)):
        FakeRun("m", {"gsm8k": FakeDataset(n=n)}, run_id=f"r{place}", started=float(place)).write(tmp_path)
    (row,) = board(tmp_path).rows
    assert row.cells["gsm8k-0-shot-sample-set"].run_id == "r2"


def test_what_failed_counts_for_how_large_a_run_is(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=200, failed=20)}, run_id="full", started=1.0).write(tmp_path)
    FakeRun("m", {"gsm8k": FakeDataset(n=190)}, run_id="later", started=2.0).write(tmp_path)
    assert board(tmp_path).rows[0].cells["gsm8k-0-shot-sample-set"].run_id == "full"


def write_on(outputs, model, sha256, local_path=None, **more):
    of = FakeDataset(sample_data=False, sha256=sha256, local_path=local_path, **more)
    FakeRun(model, {"gsm8k": of}, run_id=f"{model}-{sha256[:3]}").write(outputs)


def test_other_rows_are_another_column_and_their_names_tell_the_columns_apart(tmp_path):
    write_on(tmp_path, "m", "a" * 64)
    write_on(tmp_path, "m", "b" * 64, "/data/mine.jsonl")
    made = board(tmp_path)
    assert {column.key: column.source for column in made.columns} == {
        "gsm8k-0-shot-aaaaaa": "modelscope", "gsm8k-0-shot-bbbbbb": "mine.jsonl",
    }  # fmt: skip
    assert {cell.run_id for cell in made.rows[0].cells.values()} == {"m-aaa", "m-bbb"}


def test_rows_of_one_name_are_told_apart_by_their_fingerprint(tmp_path):
    write_on(tmp_path, "m", "a" * 64, "/here/rows.jsonl")
    write_on(tmp_path, "m", "b" * 64, "/there/rows.jsonl")
    assert [column.source for column in board(tmp_path).columns] == ["aaaaaa", "bbbbbb"]


def test_columns_that_their_settings_tell_apart_do_not_name_their_rows(tmp_path):
    write_on(tmp_path, "m", "a" * 64)
    write_on(tmp_path, "m", "b" * 64, "/data/mine.jsonl", few_shot=4)
    assert {column.key: column.source for column in board(tmp_path).columns} == {"gsm8k-0-shot": "", "gsm8k-4-shot": ""}


def rewrite(folder, **changes):
    """Change parts of a report's identity, as another setting or version would have left it."""
    path = folder / "reports" / "gsm8k.json"
    report = read_json(path, Report)
    report.identity = {name: value for name, value in {**report.identity, **changes}.items() if value}
    write_json(path, report)


def test_other_sampling_and_another_version_of_the_scoring_are_other_columns_and_say_so(tmp_path):
    for place, changes in enumerate(
        ({}, {"generation": "max_tokens 256, temperature 0.7"}, {"version": "99"}, {"prompts": "0" * 16})
    ):
        folder = FakeRun(f"m{place}", {"gsm8k": FakeDataset(sample_data=False)}).write(tmp_path)
        rewrite(folder, **changes)
    made = board(tmp_path)
    assert len({column.key for column in made.columns}) == 4
    sources = {row.model: next(c.source for c in made.columns if c.key in row.cells) for row in made.rows}
    assert "temperature 0.7" in sources["m1"]
    assert "version 99" in sources["m2"]
    assert len(set(sources.values())) == 4
    assert all(len(row.cells) == 1 for row in made.rows)


def test_how_much_was_asked_does_not_make_another_column(tmp_path):
    for name, changes in (("a", {}), ("b", {"samples": "5: 01234567"}), ("c", {"repeats": "4"})):
        rewrite(FakeRun(name, {"gsm8k": FakeDataset(sample_data=False)}).write(tmp_path), **changes)
    assert [column.key for column in board(tmp_path).columns] == ["gsm8k-0-shot"]


def test_reports_of_an_older_version_keep_to_a_column_of_their_own(tmp_path):
    for name in ("a", "b", "c"):
        folder = FakeRun(name, {"gsm8k": FakeDataset(sample_data=False)}).write(tmp_path)
        if name != "c":
            report = read_json(folder / "reports" / "gsm8k.json", Report)
            report.identity = {}
            write_json(folder / "reports" / "gsm8k.json", report)
    made = board(tmp_path)
    assert sorted(sum(column.key in row.cells for row in made.rows) for column in made.columns) == [1, 2]
    assert len({column.source for column in made.columns}) == 2


def test_a_run_that_goes_on_stands_in_the_column_of_the_reports_that_it_can_be_compared_with(tmp_path):
    FakeRun("a", {"gsm8k": FakeDataset()}).write(tmp_path)
    FakeRun("b", {"gsm8k": FakeDataset(answered=5)}, running=True).write(tmp_path)
    assert len(board(tmp_path).columns) == 1


def test_a_score_so_far_shows_but_never_hides_a_report(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=10, wrong=5)}, run_id="old", started=1.0).write(tmp_path)
    growing = {"gsm8k": FakeDataset(n=10, answered=3), "arc": FakeDataset(n=10, answered=3)}
    FakeRun("m", growing, run_id="new", started=2.0, running=True).write(tmp_path)
    row = board(tmp_path).rows[0]
    assert row.cells["gsm8k-0-shot-sample-set"].kind is Kind.SCORED
    assert row.cells["arc-0-shot-sample-set"].kind is Kind.RUNNING
    assert row.running


def test_a_report_of_what_the_run_asked_before_is_not_ranked_as_its_model(tmp_path):
    asked = {"gsm8k": FakeDataset(n=10, wrong=5)}
    FakeRun("m", asked, run_id="r", identity="old weights").write(tmp_path)
    again = {"gsm8k": FakeDataset(n=10, wrong=5, answered=4)}
    FakeRun("m", again, run_id="r", identity="new weights", running=True).write(tmp_path)
    row = board(tmp_path).rows[0]
    cell = row.cells["gsm8k-0-shot-sample-set"]
    assert (row.identity, cell.kind, cell.report, cell.n) == ("new weights", Kind.RUNNING, None, 4)
    assert row.mean is None


def test_answers_that_are_not_scored_yet_are_a_figure_without_score(tmp_path):
    asked = {"gsm8k": FakeDataset(n=10, reviewed=False)}
    FakeRun("m", asked, status=RunStatus.DONE).write(tmp_path)
    row = board(tmp_path).rows[0]
    cell = row.cells["gsm8k-0-shot-sample-set"]
    assert (cell.kind, cell.score, cell.ci95, cell.ranked) == (Kind.UNSCORED, None, None, False)
    assert row.mean is None


def test_models_of_one_name_that_are_not_the_same_are_two_rows_told_apart(tmp_path):
    FakeRun("SmolLM2", spec="openai:SmolLM2", run_id="a").write(tmp_path)
    FakeRun("SmolLM2", spec="transformers:SmolLM2", run_id="b").write(tmp_path)
    FakeRun("other", spec="openai:other", run_id="c").write(tmp_path)
    rows = board(tmp_path).rows
    assert {(row.model, row.backend) for row in rows} == {
        ("SmolLM2", "openai"), ("SmolLM2", "transformers"), ("other", None),
    }  # fmt: skip


def test_the_average_is_the_mean_over_all_columns_and_its_interval_combines_theirs(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=40, wrong=10), "arc": FakeDataset(n=40, wrong=20)}).write(tmp_path)
    row = board(tmp_path).rows[0]
    half = [(cell.ci95[1] - cell.ci95[0]) / 2 for cell in row.cells.values()]
    assert row.mean.score == pytest.approx((0.75 + 0.5) / 2)
    assert (row.mean.ci95[1] - row.mean.ci95[0]) / 2 == pytest.approx(math.hypot(*half) / 2)


def test_only_a_model_with_all_averaged_columns_has_an_average_and_hiding_a_column_changes_which(tmp_path):
    for model in ("all", "too"):
        FakeRun(model, {"gsm8k": FakeDataset(), "arc": FakeDataset()}).write(tmp_path)
    FakeRun("one", {"gsm8k": FakeDataset()}).write(tmp_path)
    made = board(tmp_path)
    assert {row.model: row.mean is not None for row in made.rows} == {"all": True, "too": True, "one": False}
    assert made.averaged == 2
    assert board(tmp_path, hide="arc-0-shot-sample-set").averaged == 3


def test_a_benchmark_that_few_models_were_asked_empties_no_board(tmp_path):
    usual = {name: FakeDataset() for name in ("mmlu", "arc", "gsm8k")}
    for model in ("a", "b", "c", "d", "e"):
        FakeRun(model, usual, run_id=model).write(tmp_path)
    FakeRun("a", {"ceval": FakeDataset(), "hellaswag": FakeDataset()}, run_id="a more").write(tmp_path)
    FakeRun("new", {"ceval": FakeDataset()}, run_id="new").write(tmp_path)
    made = board(tmp_path)
    assert len(made.columns) == 5
    assert sorted(column.dataset for column in made.basis) == ["arc", "gsm8k", "mmlu"]
    assert sorted(row.model for row in made.rows if row.mean) == ["a", "b", "c", "d", "e"]
    assert names(made)[-1] == "new"


def test_an_average_that_one_of_two_models_would_have_is_over_what_both_have(tmp_path):
    FakeRun("all", {"gsm8k": FakeDataset(n=40, wrong=10), "arc": FakeDataset()}).write(tmp_path)
    FakeRun("one", {"gsm8k": FakeDataset(n=40, wrong=20)}).write(tmp_path)
    made = board(tmp_path)
    assert [column.dataset for column in made.basis] == ["gsm8k"]
    assert [row.mean.score for row in made.rows] == [0.75, 0.5]


def test_the_largest_set_of_columns_that_half_of_the_models_share_is_averaged_even_without_the_fullest(tmp_path):
    for number in range(10):
        asked = ["gsm8k"] if number < 6 else []
        asked += ["mmlu", "arc"] if number >= 5 else []
        FakeRun(f"m{number}", {name: FakeDataset() for name in asked}, run_id=f"m{number}").write(tmp_path)
    made = board(tmp_path)
    assert (sorted(column.dataset for column in made.basis), made.averaged) == (["arc", "mmlu"], 5)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sets(st.sampled_from(["mmlu", "arc", "gsm8k", "ceval"]), min_size=1), min_size=1, max_size=7))
def test_where_a_column_is_shared_by_half_of_the_models_half_of_them_have_an_average(asked):
    with TemporaryDirectory() as folder:
        for number, datasets in enumerate(asked):
            few = {name: FakeDataset(n=4, wrong=1) for name in sorted(datasets)}
            FakeRun(f"m{number}", few, run_id=f"m{number}").write(Path(folder))
        made = board(Path(folder))
    fullest = max(sum(name in datasets for datasets in asked) for name in ("mmlu", "arc", "gsm8k", "ceval"))
    basis = {column.dataset for column in made.basis}
    assert {row.model for row in made.rows if row.mean} == {
        f"m{number}" for number, datasets in enumerate(asked) if basis <= datasets
    }
    if fullest >= max(min(2, len(asked)), len(asked) / 2):
        assert made.averaged >= max(min(2, len(asked)), len(asked) / 2)


def test_one_model_in_another_mode_takes_nobodys_average(tmp_path):
    for model in ("a", "b"):
        FakeRun(model, {"gsm8k": FakeDataset(), "mmlu": FakeDataset(n=40, wrong=10)}).write(tmp_path)
    FakeRun("a", {"mmlu": FakeDataset(n=80, mode=Mode.LOGPROB)}, run_id="logprob").write(tmp_path)
    FakeRun("c", {"gsm8k": FakeDataset()}).write(tmp_path)
    made = board(tmp_path)
    assert [column.key for column in made.basis] == ["mmlu-0-shot-sample-set", "gsm8k-0-shot-sample-set"]
    means = {row.model: row.mean and row.mean.score for row in made.rows}
    assert means == {"a": pytest.approx(0.875), "b": pytest.approx(0.875), "c": None}


def test_of_columns_with_as_many_models_the_one_over_more_samples_is_averaged(tmp_path):
    FakeRun("a", {"mmlu": FakeDataset(n=40)}, run_id="1").write(tmp_path)
    FakeRun("a", {"mmlu": FakeDataset(n=80, few_shot=5)}, run_id="2").write(tmp_path)
    assert [column.setting for column in board(tmp_path).basis] == ["5-shot, sample set"]


def test_hidden_demo_rows_do_not_choose_what_is_averaged(tmp_path):
    for model in ("baseline:random", "baseline:majority"):
        FakeRun(model, demo=True).write(tmp_path)
    FakeRun("mine", {"gsm8k": FakeDataset(few_shot=4, sample_data=False)}).write(tmp_path)
    assert {row.model: bool(row.mean) for row in board(tmp_path).rows}["mine"] is False
    assert {row.model: bool(row.mean) for row in board(tmp_path, demo="0").rows} == {"mine": True}


def test_where_nobody_has_an_average_the_fullest_column_gives_the_order(tmp_path):
    for model, wrong in (("a", 9), ("b", 3)):
        FakeRun(model, {"gsm8k": FakeDataset(n=40, wrong=wrong)}).write(tmp_path)
    for model, name in (("c", "mmlu"), ("d", "arc"), ("e", "ceval")):
        FakeRun(model, {name: FakeDataset(n=40)}).write(tmp_path)
    made = board(tmp_path)
    assert (made.averaged, made.choice.sort, names(made)[:2]) == (0, "-gsm8k-0-shot-sample-set", ["b", "a"])


def test_what_is_incomplete_is_not_averaged_not_tinted_and_stands_below_the_ranked_rows(tmp_path):
    FakeRun("good", {"gsm8k": FakeDataset(n=20, wrong=15)}).write(tmp_path)
    FakeRun("part", {"gsm8k": FakeDataset(n=20, wrong=1, failed=2)}).write(tmp_path)
    FakeRun("none", {"arc": FakeDataset(n=20)}).write(tmp_path)
    made = board(tmp_path, sort="-gsm8k-0-shot-sample-set")
    assert names(made) == ["good", "part", "none"]
    part = made.rows[1]
    cell = part.cells["gsm8k-0-shot-sample-set"]
    assert cell.kind is Kind.INCOMPLETE
    assert (cell.n, cell.total) == (18, 20)
    assert cell.bounds == (pytest.approx(17 / 20), pytest.approx(19 / 20))
    assert part.mean is None
    assert heat(cell, 1.0) == 0


def test_marks_appear_from_one_per_cent_on(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=300, unparsed=2), "arc": FakeDataset(n=300, unparsed=2, rejected=1)}).write(
        tmp_path
    )
    FakeRun("t", {"gsm8k": FakeDataset(n=300, truncated=3), "arc": FakeDataset(n=300, truncated=2)}).write(tmp_path)
    rows = {row.model: row.cells for row in board(tmp_path).rows}
    gsm8k, arc = "gsm8k-0-shot-sample-set", "arc-0-shot-sample-set"
    assert [rows["m"][gsm8k].unread, rows["m"][arc].unread] == [False, True]
    assert [rows["t"][gsm8k].truncated, rows["t"][arc].truncated] == [True, False]


def test_a_score_whose_interval_reaches_down_to_chance_is_no_better_than_chance(tmp_path):
    FakeRun("guess", {"mmlu": FakeDataset(n=40, wrong=28), "gsm8k": FakeDataset(n=40, wrong=40)}).write(tmp_path)
    FakeRun("knows", {"mmlu": FakeDataset(n=40, wrong=10), "gsm8k": FakeDataset(n=40, wrong=30)}).write(tmp_path)
    chancy = {row.model: {cell.dataset: cell.chancy for cell in row.cells.values()} for row in board(tmp_path).rows}
    assert chancy == {"guess": {"mmlu": True, "gsm8k": True}, "knows": {"mmlu": False, "gsm8k": False}}


def test_sorting_by_a_column_by_name_and_the_other_way_round(tmp_path):
    for model, wrong in (("b", 5), ("a", 9), ("c", 1)):
        FakeRun(model, {"gsm8k": FakeDataset(n=20, wrong=wrong)}).write(tmp_path)
    assert names(board(tmp_path, sort="-gsm8k-0-shot-sample-set")) == ["c", "b", "a"]
    assert names(board(tmp_path, sort="gsm8k-0-shot-sample-set")) == ["a", "b", "c"]
    assert names(board(tmp_path, sort="name")) == ["a", "b", "c"]
    assert names(board(tmp_path, sort="-name")) == ["c", "b", "a"]
    assert names(board(tmp_path)) == ["c", "b", "a"]


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "nothing"}, {"sort": "--avg"}, {"sort": ""}, {"hide": "nothing,,"}, {"demo": "2"}, {"unknown": "x"},
        {"sort": "-gsm8k\0"}, {"hide": "gsm8k-0-shot-sample-set"},
    ],
)  # fmt: skip
def test_what_a_query_cannot_mean_is_ignored(tmp_path, query):
    FakeRun("m", {"gsm8k": FakeDataset()}).write(tmp_path)
    made = board(tmp_path, **query)
    assert (names(made), len(made.columns), made.choice.sort) == (["m"], 1, "-avg")


def test_searching_finds_models_specs_and_runs_by_all_words(tmp_path):
    FakeRun("Qwen3-8B", spec="openai:Qwen3-8B", run_id="run-alpha").write(tmp_path)
    FakeRun("Qwen3-4B", spec="transformers:Qwen3-4B", run_id="run-beta").write(tmp_path)
    assert names(board(tmp_path, q="qwen 8b")) == ["Qwen3-8B"]
    assert names(board(tmp_path, q="TRANSFORMERS")) == ["Qwen3-4B"]
    assert names(board(tmp_path, q="alpha")) == ["Qwen3-8B"]
    assert names(board(tmp_path, q="no such")) == []
    assert board(tmp_path, q="no such").models == 2


def test_demo_rows_carry_their_mark_and_can_be_left_out(tmp_path):
    FakeRun("baseline:random", demo=True).write(tmp_path)
    FakeRun("mine").write(tmp_path)
    assert {row.model: row.demo for row in board(tmp_path).rows} == {"baseline:random": True, "mine": False}
    assert names(board(tmp_path, demo="0")) == ["mine"]


def test_the_size_of_a_known_model_is_shown(tmp_path):
    FakeRun("SmolLM2-135M-Instruct", spec="SmolLM2-135M-Instruct").write(tmp_path)
    assert board(tmp_path).rows[0].size == pytest.approx(0.135)


def cell(score, chance, low=None):
    low = score - 0.01 if low is None else low
    return Cell(
        run_id="r", dataset="d", kind=Kind.SCORED, score=score, ci95=(low, min(1.0, score + 0.01)), n=100, total=100,
        chance=chance,
    )  # fmt: skip


def test_the_tint_follows_the_rule_of_the_design():
    assert heat(cell(0.25, 0.25), 0.9) == 0
    assert heat(cell(0.9, 0.25), 0.9) == 6
    assert heat(cell(0.575, 0.25), 0.9) == round(6 * 0.5**1.8) == 2


@given(score=st.floats(0, 1), best=st.floats(0, 1), chance=st.floats(0, 0.5))
def test_the_tint_is_always_one_of_seven_and_grows_with_the_score(score, best, chance):
    level = heat(cell(score, chance), best)
    assert 0 <= level <= 6
    assert level <= heat(cell(min(1.0, score + 0.1), chance), best)
