"""The leaderboard as a reader gets it."""

from __future__ import annotations

import re

import pytest

from leaderboard.board import make_board
from leaderboard.board_html import board_page
from leaderboard.board_table import _size
from leaderboard.results import Results
from llmuses.markup import margin
from llmuses.records import RunStatus
from tests.support.fake_runs import HOSTILE, FakeDataset, FakeRun, showcase
from tests.support.pages import Page, check_harmless, visit


def page(outputs, lang="en", **query):
    results = Results(outputs)
    there = visit(lang, **query)
    return Page(board_page(make_board(results.runs(), query), there, results.damaged()))


def cells(shown):
    return [found for found in shown.all("a") if "dataset=" in found.get("data-drawer", "")]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_state_of_the_board_is_well_formed(tmp_path, lang):
    showcase(tmp_path)
    FakeRun("growing", {"mmlu": FakeDataset(n=50, answered=20)}, running=True).write(tmp_path)
    FakeRun("stopped", {"mmlu": FakeDataset(n=50, answered=20)}).write(tmp_path)
    (tmp_path / "growing-mmlu" / "reports").mkdir()
    (tmp_path / "growing-mmlu" / "reports" / "x.json").write_text("{")
    for query in ({}, {"sort": "name"}, {"q": "no such model"}, {"col": "mmlu-5-shot"}, {"rows": "7"}, {"demo": "0"}):
        check_harmless(page(tmp_path, lang, **query))


def test_a_cell_says_its_score_its_interval_and_leads_to_the_run(tmp_path):
    FakeRun("m", {"arc": FakeDataset(n=400, wrong=100)}, run_id="run-1").write(tmp_path)
    report = Results(tmp_path).runs()[0].reports["arc"]
    shown = page(tmp_path)
    (cell,) = cells(shown)
    half = 50 * (report.ci95[1] - report.ci95[0])
    assert f"75.0 ±{half:.1f}" in shown.text
    assert cell["href"] == "browse?run=run-1&dataset=arc"
    assert cell["data-drawer"] == "run=run-1&dataset=arc"
    assert (
        cell["aria-label"]
        == f"m, ARC: 75.0 {margin(report.ci95)} ({100 * report.ci95[0]:.1f} to {100 * report.ci95[1]:.1f}); n = 400"
    )


def test_heads_name_benchmark_setting_and_chance_and_sort_by_a_click(tmp_path):
    FakeRun("m", {"mmlu": FakeDataset(few_shot=5, sample_data=False)}).write(tmp_path)
    shown = page(tmp_path)
    assert "MMLU 5-shot chance 25" in shown.text
    assert {"benchmarks?sort=-mmlu-5-shot", "benchmarks?sort=name"} <= {a["href"] for a in shown.all("a", data_go="")}
    (active,) = [th for th in shown.all("th") if "aria-sort" in th]
    assert active["aria-sort"] == "descending"
    again = page(tmp_path, sort="-mmlu-5-shot")
    assert "benchmarks?sort=mmlu-5-shot" in {a["href"] for a in again.all("a", data_go="")}


def test_an_incomplete_figure_is_framed_marked_and_says_its_bounds(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=40, wrong=10, failed=4)}).write(tmp_path)
    shown = page(tmp_path)
    (cell,) = cells(shown)
    assert shown.classes("part") == 1
    assert "incomplete: 4 of 40 samples failed, not ranked" in cell["title"]
    assert "between 65.0 and 75.0 once all are answered" in cell["title"]
    assert page(tmp_path).classes("h6") == 0


def test_unparsed_and_truncated_are_named_in_the_label_and_marked_by_a_glyph(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=40, unparsed=2, truncated=3)}).write(tmp_path)
    (cell,) = cells(page(tmp_path))
    assert "unparsed or rejected 1% or more; truncated 1% or more" in cell["aria-label"]


def test_a_running_run_keeps_the_page_alive_and_a_finished_one_does_not(tmp_path):
    FakeRun("done", {"gsm8k": FakeDataset()}).write(tmp_path)
    assert page(tmp_path).all("div", data_live="2") == []
    FakeRun("going", {"gsm8k": FakeDataset(n=40, answered=12)}, running=True).write(tmp_path)
    shown = page(tmp_path)
    assert shown.all("div", data_live="2")
    assert "going running" in shown.text
    assert any("running: 12 of 40 answered" in cell["title"] for cell in cells(shown))


def test_an_empty_folder_says_what_is_missing_and_how_to_change_that(tmp_path):
    shown = page(tmp_path)
    assert "No results yet" in shown.text
    assert "llmuses eval --model" in shown.text
    assert shown.all("div", data_live="2")


def test_filters_that_leave_nothing_say_so_and_offer_to_be_cleared(tmp_path):
    FakeRun("m").write(tmp_path)
    shown = page(tmp_path, q="zzz", sort="name")
    assert "No model matches" in shown.text
    assert "0 of 1 models" in shown.text
    assert "benchmarks?sort=name" in {a["href"] for a in shown.all("a", data_go="")}


def test_what_the_reader_typed_and_what_models_are_called_is_text(tmp_path):
    FakeRun(HOSTILE, {"gsm8k": FakeDataset()}, spec=HOSTILE, run_id="r").write(tmp_path)
    shown = page(tmp_path, q="<script>", col='"><script>')
    check_harmless(shown)
    assert shown.all("input", name="q")[0]["value"] == "<script>"
    check_harmless(page(tmp_path))
    assert HOSTILE.split("\u202e")[0].strip()[:40] in page(tmp_path).text


def test_a_hundred_rows_are_written_at_a_time(tmp_path):
    for place in range(103):
        FakeRun(f"model-{place:03}", {"gsm8k": FakeDataset(n=1)}).write(tmp_path)
    shown = page(tmp_path)
    assert len(cells(shown)) == 100
    assert "Show 3 more" in shown.text
    assert "103 of 103 models" in shown.text
    assert len(cells(page(tmp_path, rows="200"))) == 103
    assert len(cells(page(tmp_path, rows="-1"))) == 100


def test_a_damaged_file_is_named_beside_the_results_that_are_left(tmp_path):
    FakeRun("m").write(tmp_path)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "run.json").write_text("{<b>")
    shown = page(tmp_path)
    assert "bad/run.json" in shown.text
    assert len(cells(shown)) == 1


@pytest.mark.parametrize(("lang", "words"), [("en", "answered, not scored"), ("zh", "尚未计分")])
def test_answers_that_are_not_scored_yet_say_what_scores_them(tmp_path, lang, words):
    FakeRun("m", {"gsm8k": FakeDataset(n=10, reviewed=False)}, status=RunStatus.DONE).write(tmp_path)
    shown = page(tmp_path, lang)
    assert words in shown.html
    assert "--stage infer" in shown.html


def test_a_board_of_demo_rows_alone_says_how_models_of_ones_own_get_there(tmp_path):
    FakeRun("baseline:random", demo=True).write(tmp_path)
    assert "Your models appear here" in page(tmp_path).text
    FakeRun("mine").write(tmp_path)
    assert "Your models appear here" not in page(tmp_path).text


def test_a_phone_gets_one_column_at_a_time_chosen_by_chips(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(), "arc": FakeDataset()}).write(tmp_path)
    assert page(tmp_path).classes("cur") == 1
    shown = page(tmp_path, col="arc-0-shot-sample-set", sort="-arc-0-shot-sample-set")
    assert [a["href"] for a in shown.all("a", aria_current="true")] == [
        "benchmarks?col=arc-0-shot-sample-set&sort=-arc-0-shot-sample-set"
    ]
    assert chips(shown) == ["Average", "ARC", "GSM8K"]


def chips(shown):
    return re.findall(r'<a class="g-chip[^>]*>([^<]*)</a>', shown.html)


def test_chips_name_the_setting_only_where_a_benchmark_repeats(tmp_path):
    FakeRun("m", {"mmlu": FakeDataset(few_shot=5), "gsm8k": FakeDataset()}, run_id="1").write(tmp_path)
    FakeRun("m", {"mmlu": FakeDataset(sample_data=False)}, run_id="2").write(tmp_path)
    assert chips(page(tmp_path)) == ["Average", "MMLU 0-shot", "MMLU 5-shot, sample set", "GSM8K"]


def test_the_average_says_over_how_many_and_which_columns_it_is(tmp_path):
    FakeRun("m", {"mmlu": FakeDataset(n=80, few_shot=5), "gsm8k": FakeDataset()}, run_id="1").write(tmp_path)
    FakeRun("m", {"mmlu": FakeDataset()}, run_id="2").write(tmp_path)
    shown = page(tmp_path)
    assert "Average of 2" in shown.text
    (title,) = [a["title"] for a in shown.all("a", data_go="") if "Mean over" in a.get("title", "")]
    assert "Mean over MMLU 5-shot, sample set; GSM8K 0-shot, sample set" in title
    assert "平均范围：MMLU" in page(tmp_path, "zh").html


def test_heads_of_one_setting_name_their_rows(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(sample_data=False)}, run_id="1").write(tmp_path)
    own = FakeDataset(sample_data=False, sha256="a" * 64, local_path=f"/data/{HOSTILE.replace('/', '')}")
    FakeRun("m", {"gsm8k": own}, run_id="2").write(tmp_path)
    shown = page(tmp_path)
    check_harmless(shown)
    assert "GSM8K 0-shot, modelscope" in shown.text
    assert "GSM8K 0-shot, <td><table><script>" in shown.text


def test_a_demo_that_runs_is_one_line_above_the_board(tmp_path):
    FakeRun("mine").write(tmp_path)
    made = make_board(Results(tmp_path).runs(), {})
    shown = Page(board_page(made, visit(), demo=True))
    assert "A demo evaluation is running" in shown.text
    assert shown.all("div", data_live="2")
    assert "A demo evaluation is running" not in page(tmp_path).text


@pytest.mark.parametrize(
    ("size", "words"), [(0.135, "0.14"), (0.6, "0.6"), (1.7, "1.7"), (0.999, "1.0"), (7.6, "8"), (0.000115, "<0.01")]
)
def test_small_models_keep_two_digits_of_their_size(size, words):
    assert _size(size) == words


@pytest.mark.parametrize(("lang", "said"), [("en", "0.0, from 0.0 to "), ("zh", "0.0，从 0.0 到 ")])
def test_an_interval_at_the_edge_is_said_from_end_to_end(tmp_path, lang, said):
    FakeRun("m", {"gsm8k": FakeDataset(n=60, wrong=60)}).write(tmp_path)
    html = board_page(make_board(Results(tmp_path).runs(), {}), visit(lang))
    assert f'title="{said}6.0' in html
    assert f'aria-label="m, GSM8K: {said}6.0' in html


def test_benchmarks_in_one_language_are_chosen_where_there_are_several(tmp_path):
    FakeRun("a", {"mmlu": FakeDataset(), "gsm8k": FakeDataset()}, run_id="a").write(tmp_path)
    assert 'name="language"' not in page(tmp_path).html
    FakeRun("b", {"ceval": FakeDataset(), "gsm8k": FakeDataset()}, run_id="b").write(tmp_path)
    assert [option.get("value") for option in page(tmp_path).all("option")][:3] == ["", "en", "zh"]
    made = make_board(Results(tmp_path).runs(), {"language": "zh", "sort": "-gsm8k-0-shot-sample-set"})
    assert ([column.dataset for column in made.columns], [column.dataset for column in made.basis]) == (
        ["ceval"],
        ["ceval"],
    )
    assert (made.choice.sort, made.averaged) == ("-avg", 1)
    assert "Clear" in page(tmp_path, language="zh").text
    assert len(make_board(Results(tmp_path).runs(), {"language": "fr"}).columns) == 3
    hidden = {"language": "zh", "hide": "ceval-0-shot-sample-set"}
    assert [column.dataset for column in make_board(Results(tmp_path).runs(), hidden).columns] == ["mmlu", "gsm8k"]
