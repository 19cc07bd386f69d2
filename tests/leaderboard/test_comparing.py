"""Models beside each other: the figures of the page are those of the comparison, and refusals are said."""

from __future__ import annotations

import csv
import io
import re

import msgspec
import pytest

from leaderboard.board import make_board
from leaderboard.browse import browse
from leaderboard.compare import compare_view
from leaderboard.compare_export import compare_sheet
from leaderboard.compare_html import axis, probability, signed, test_words
from leaderboard.comparing import Comparer, Outcome, chosen, named
from leaderboard.results import Results
from leaderboard.samples import Shelf
from leaderboard.sheets import to_csv
from llmuses import compare
from llmuses.records import Report, Review, Status
from llmuses.store import JsonlStore, read_json, write_json
from tests.support.fake_runs import HOSTILE, FakeDataset, FakeRun
from tests.support.pages import Page, check_harmless, visit

test_words.__test__ = False


@pytest.fixture
def outputs(tmp_path):
    FakeRun("alpha", {"gsm8k": FakeDataset(n=100, wrong=30), "arc": FakeDataset(n=80, wrong=20)}, run_id="alpha").write(tmp_path)  # fmt: skip
    FakeRun("beta", {"gsm8k": FakeDataset(n=100, wrong=10), "arc": FakeDataset(n=80, wrong=25)}, run_id="beta").write(tmp_path)  # fmt: skip
    FakeRun("gamma", {"gsm8k": FakeDataset(n=100, wrong=40)}, run_id="gamma").write(tmp_path)
    return tmp_path


def turn_round(outputs, run, numbers):
    """Make so many right answers of a run wrong, and as many wrong ones right."""
    store = JsonlStore(outputs / run / "reviews" / "gsm8k.jsonl", Review)
    lines = list(store)
    for want in (1.0, 0.0):
        chosen_lines = [
            line for line in lines if line.status is Status.SCORED and next(iter(line.scores.values())) == want
        ]
        for line in chosen_lines[:numbers]:
            store.append(msgspec.structs.replace(line, scores=dict.fromkeys(line.scores, 1 - want)))


def versus(outputs, *names):
    results = Results(outputs)
    entries = results.runs()
    return Comparer().versus(make_board(entries, {}), entries, list(names))


def page(outputs, lang="en", **query):
    found = Page(str(compare_view(Results(outputs), Shelf(), Comparer(), visit(lang, **query))))
    check_harmless(found)
    return found


def test_every_figure_of_the_page_is_that_of_the_comparison(outputs):
    found = versus(outputs, "alpha", "beta", "gamma")
    expected = compare(["alpha", "beta", "gamma"], baseline="alpha", outputs=outputs)
    pairs = {(pair.first, each.dataset): pair for each in expected.datasets for pair in each.pairs}
    for block in found.blocks:
        for line in block.lines:
            if line.pair is not None:
                assert line.pair == pairs.pop((line.pair.first, block.column.dataset))
    assert not pairs


def test_p_values_are_corrected_for_what_stands_on_the_page_however_often_it_is_asked(outputs):
    results, comparer = Results(outputs), Comparer()
    entries = results.runs()
    board = make_board(entries, {})
    alone = comparer.versus(board, entries, ["alpha", "beta"]).pairs
    three = comparer.versus(board, entries, ["alpha", "beta", "gamma"]).pairs
    again = comparer.versus(board, entries, ["alpha", "beta"]).pairs
    assert [pair.p_corrected for pair in again] == [pair.p_corrected for pair in alone]
    assert max(pair.p_corrected for pair in three) >= max(pair.p_value for pair in three)


def test_the_two_by_two_table_adds_up_and_its_corners_are_what_the_test_counts(outputs):
    turn_round(outputs, "beta", 7)
    results, comparer = Results(outputs), Comparer()
    first, second = results.run("beta"), results.run("alpha")
    pair, paired = comparer.pair("gsm8k", first, second), comparer.samples("gsm8k", first, second)
    numbers = [paired.number(outcome) for outcome in Outcome]
    assert sum(numbers) == pair.n == len(paired.ids)
    assert (paired.number(Outcome.FIRST), paired.number(Outcome.SECOND)) == (pair.won, pair.lost)
    assert pair.lost > 0
    assert paired.binary


def test_results_of_other_settings_are_not_compared_and_it_is_said_why(outputs):
    FakeRun("delta", {"gsm8k": FakeDataset(n=100, wrong=5, few_shot=4)}, run_id="delta").write(outputs)
    for run in ("alpha", "delta"):
        path = outputs / run / "reports" / "gsm8k.json"
        report = read_json(path, Report)
        shots = str(report.few_shot)
        write_json(path, msgspec.structs.replace(report, identity={"few_shot": shots}, fingerprint=f"shots {shots}"))
    found = versus(outputs, "alpha", "delta")
    (block,) = found.blocks
    assert block.lines[0].pair is None
    assert block.lines[0].refusal.reason == "differs"
    said = page(outputs, a="alpha", b="delta").text
    assert "not compared: asked or scored differently" in said
    assert "few-shot" in said


def test_a_run_whose_reviews_are_gone_is_said_and_the_rest_stays(outputs):
    (outputs / "beta" / "reviews" / "gsm8k.jsonl").unlink()
    found = versus(outputs, "alpha", "beta")
    problems = {block.column.dataset: block.lines[0].problem for block in found.blocks}
    assert "is missing" in problems["gsm8k"]
    assert problems["arc"] is None


def test_without_a_choice_the_first_two_models_are_compared_and_unknown_names_are_ignored(outputs):
    rows = named(make_board(Results(outputs).runs(), {}))
    assert len(chosen(rows, {})) == 2
    assert chosen(rows, {"a": "nobody", "b": "beta", "c": "beta", "d": "alpha"}) == ["beta", "alpha"]


def test_baselines_are_compared_by_themselves_only_where_fewer_than_two_models_are_there(outputs):
    for name in ("baseline:random", "baseline:majority"):
        FakeRun(name, {"gsm8k": FakeDataset(n=100)}, demo=True, run_id=name.replace(":", "-")).write(outputs)
    rows = named(make_board(Results(outputs).runs(), {}))
    assert next(iter(rows)).startswith("baseline:"), "though they come first"
    assert not any(rows[name].demo for name in chosen(rows, {}))
    assert chosen({name: row for name, row in rows.items() if row.demo or name == "beta"}, {})[0] == "beta"


def test_samples_are_named_with_their_subset_where_there_are_several(outputs):
    assert re.search(
        r"<bdi>ARC-(Easy|Challenge)/\d+</bdi>", page(outputs, a="alpha", b="beta", on="arc-0-shot-sample-set").html
    )
    assert re.search(r"<bdi>\d+</bdi>", page(outputs, a="alpha", b="beta", on="gsm8k-0-shot-sample-set").html)


def test_two_models_of_one_name_are_called_by_their_specs(outputs):
    FakeRun("alpha", {"gsm8k": FakeDataset(n=100, wrong=3)}, run_id="twin", spec="openai:alpha").write(outputs)
    rows = named(make_board(Results(outputs).runs(), {}))
    assert {"alpha", "openai:alpha", "beta", "gamma"} == set(rows)


def test_a_single_model_or_none_is_said_with_a_way_on(tmp_path):
    assert "There is nothing to compare yet" in page(tmp_path).text
    FakeRun("alone", run_id="alone").write(tmp_path)
    assert "There is nothing to compare yet" in page(tmp_path).text


def test_models_without_a_benchmark_in_common_are_said(outputs):
    FakeRun("other", {"mmlu": FakeDataset(n=40)}, run_id="other").write(outputs)
    assert "share no benchmark" in page(outputs, a="gamma", b="other").text


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_names_and_texts_change_nothing(outputs, lang):
    FakeRun(f"evil {HOSTILE}", {"gsm8k": FakeDataset(n=100, wrong=20)}, run_id="evil", hostile=True).write(outputs)
    found = page(outputs, lang, a="alpha", b=f"evil {HOSTILE}"[:4000], on="nothing", against="<b>", show="../..")
    assert "hacked" not in {tag for tag, _ in found.tags}


def test_rows_that_may_not_be_published_are_shown_by_number_and_hash_only(outputs):
    for run in ("alpha", "beta"):
        path = outputs / run / "reports" / "gsm8k.json"
        write_json(path, msgspec.structs.replace(read_json(path, Report), publish_samples=False))
    keys = {review.key[:16] for review in JsonlStore(outputs / "alpha" / "reviews" / "gsm8k.jsonl", Review)}
    found = page(outputs, a="alpha", b="beta", on="gsm8k-0-shot-sample-set")
    assert "plums" not in found.html
    assert any(key in found.html for key in keys)
    pair = browse(Results(outputs), Shelf(), visit("en", run="beta", dataset="gsm8k", **{"with": "alpha"}))
    assert "plums" not in pair
    assert "stay unpublished" in pair


def test_the_download_holds_what_the_page_shows(outputs):
    sheet = compare_sheet(Results(outputs), Comparer(), {"a": "alpha", "b": "beta", "c": "gamma"})
    rows = list(csv.DictReader(io.StringIO(to_csv(sheet).decode())))
    pairs = versus(outputs, "alpha", "beta", "gamma").pairs
    assert [float(row["difference"]) for row in rows] == [pair.difference for pair in pairs]
    assert {row["baseline"] for row in rows} == {"alpha"}
    shown = page(outputs, a="alpha", b="beta", c="gamma").text
    assert all(signed(pair.difference) in shown for pair in pairs)


def test_the_axis_holds_every_interval_and_zero(outputs):
    pairs = versus(outputs, "alpha", "beta", "gamma").pairs
    scale = axis(pairs)
    assert scale.low < 0 < scale.high
    assert all(scale.low <= 100 * bound <= scale.high for pair in pairs for bound in pair.ci95)
    assert 2 <= len(scale.ticks()) <= 12


@pytest.mark.parametrize(
    ("value", "words"), [(0.0004, "< 0.001"), (0.0312, "0.031"), (0.22, "0.22"), (1.0, "1.00"), (0.0999, "0.10")]
)
def test_p_values_have_as_many_digits_as_mean_something(value, words):
    assert probability(value) == words
    assert test_words(value) == (f"p {words}" if words[0] == "<" else f"p = {words}")


@pytest.mark.parametrize(("value", "words"), [(0.023, "+2.3"), (-0.301, "−30.1"), (0.0003, "±0.0"), (-0.0003, "±0.0")])
def test_differences_carry_their_sign(value, words):
    assert signed(value) == words


# --- two models on one sample --------------------------------------------------------------------------------------


def pair_page(outputs, **query):
    asked = {"run": "beta", "dataset": "gsm8k", "with": "alpha", **query}
    found = browse(Results(outputs), Shelf(), visit("en", **asked))
    return Page(str(found))


def where(found):
    return re.search(r'data-at="[^"]*sample=([^"&]+)', found.html)[1]


def test_the_next_disagreement_is_found_from_any_sample_and_begins_again_after_the_last(outputs):
    turn_round(outputs, "beta", 3)
    results = Results(outputs)
    paired = Comparer().samples("gsm8k", results.run("beta"), results.run("alpha"))
    differ = [paired.ids[at] for at in paired.select(Outcome.FIRST, Outcome.SECOND)]
    seen, sample = [], differ[-1]
    for _ in differ:
        sample = where(pair_page(outputs, sample=sample, jump="disagree")).replace("%2F", "/")
        seen.append(sample)
    assert seen == differ


def test_both_answers_stand_beside_one_prompt_and_the_lists_say_how_many_they_hold(outputs):
    found = pair_page(outputs)
    check_harmless(found)
    assert found.classes("v-card") == 2
    assert found.html.count("How many plums is that?") == 1
    assert "Only beta right 20" in found.text
    assert "Only alpha right 0" in found.text
    assert "All 100" in found.text


@pytest.mark.parametrize(
    "query", [{"sample": "nope"}, {"with": "nobody"}, {"dataset": "mmlu"}, {"with": "../alpha"}, {"show": "nonsense"}]
)
def test_what_an_address_names_wrongly_is_said_or_ignored(outputs, query):
    found = pair_page(outputs, **query)
    assert found.errors == []
    assert found.classes("v-card") == (2 if "show" in query else 0)
    assert found.classes("u-msg") == (0 if "show" in query else 1)
