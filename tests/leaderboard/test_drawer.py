"""What opens beside the board when a figure is clicked."""

from __future__ import annotations

import pytest

from leaderboard.drawer import LISTED, drawer
from leaderboard.results import Results
from leaderboard.samples import Shelf
from tests.support.fake_runs import FakeDataset, FakeRun
from tests.support.pages import Page, check_harmless, visit


def open_drawer(outputs, lang="en", **query):
    return Page(drawer(Results(outputs).runs(), Shelf(), visit(lang, **query)))


def test_it_says_figure_interval_verdicts_run_and_setting(tmp_path):
    FakeRun(
        "m", {"gsm8k": FakeDataset(n=50, wrong=6, unparsed=3, rejected=1, truncated=2)}, run_id="run-1", spec="openai:m"
    ).write(tmp_path)
    report = Results(tmp_path).runs()[0].reports["gsm8k"]
    shown = open_drawer(tmp_path, run="run-1", dataset="gsm8k")
    low, high = (100 * bound for bound in report.ci95)
    for words in (
        "80.0", f"({low:.1f} to {high:.1f})", "n = 50 · 0-shot", "40 correct", "6 wrong", "3 unparsed", "1 rejected",
        "0 failed", "run-1", "openai:m, temperature 0, up to 256 tokens", "2 answers, scored as they stand",
        "over 46 answers that were read", "87.0",
    ):  # fmt: skip
        assert words in shown.text, words
    assert shown.all("div", role="img")[0]["aria-label"] == "40 correct, 6 wrong, 3 unparsed, 1 rejected, 0 failed"


def test_it_lists_what_is_not_correct_and_each_leads_to_its_sample(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=50, wrong=6, unparsed=3, rejected=1)}, run_id="run-1").write(tmp_path)
    shown = open_drawer(tmp_path, run="run-1", dataset="gsm8k")
    samples = [a["href"] for a in shown.all("a") if "sample=" in a["href"]]
    assert samples[::2] == samples[1::2] and len(set(samples)) == 10, "its number and its prompt lead there"
    assert all(href.startswith("browse?run=run-1&dataset=gsm8k&sample=main%2F") for href in samples)
    assert "Read the 10 in order" in shown.text
    assert "browse?run=run-1&dataset=gsm8k&filter=not_correct" in {a["href"] for a in shown.all("a")}


def test_the_model_s_name_leads_to_its_page_by_its_spec_where_two_share_the_name(tmp_path):
    FakeRun("m", run_id="r").write(tmp_path)
    assert open_drawer(tmp_path, run="r", dataset="gsm8k").all("a", href="model?name=m")
    FakeRun("m", run_id="twin", spec="openai:m").write(tmp_path)
    assert open_drawer(tmp_path, run="twin", dataset="gsm8k").all("a", href="model?name=openai%3Am")


def test_a_long_list_is_cut_and_says_how_many_are_left(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=50, wrong=31)}, run_id="r").write(tmp_path)
    shown = open_drawer(tmp_path, run="r", dataset="gsm8k")
    assert len({a["href"] for a in shown.all("a") if "sample=" in a["href"]}) == LISTED
    assert f"{31 - LISTED} more are not listed here" in shown.text


def test_a_running_run_shows_its_score_so_far(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=40, wrong=10, answered=20)}, run_id="r", running=True).write(tmp_path)
    shown = open_drawer(tmp_path, run="r", dataset="gsm8k")
    assert "running: 20 of 40 answered, score so far" in shown.text
    assert "n = 20" in shown.text


def test_the_newest_of_several_runs_says_that_it_is(tmp_path):
    for place in (1, 2, 3):
        FakeRun("m", run_id=f"r{place}", started=float(place)).write(tmp_path)
    assert "newest of 3" in open_drawer(tmp_path, run="r3", dataset="gsm8k").text
    assert "one of 3" in open_drawer(tmp_path, run="r1", dataset="gsm8k").text


def test_the_largest_of_several_runs_says_that_it_is_the_one_that_shows(tmp_path):
    for name, n in (("old", 40), ("full", 40), ("try", 5)):
        FakeRun("m", {"gsm8k": FakeDataset(n=n)}, run_id=name, started=float(["old", "full", "try"].index(name))).write(
            tmp_path
        )
    said = {name: open_drawer(tmp_path, run=name, dataset="gsm8k").text for name in ("old", "full", "try")}
    assert "largest of 3" in said["full"]
    assert "one of 3" in said["old"]
    assert "newest of 3" in said["try"]
    assert "样本最多" in open_drawer(tmp_path, "zh", run="full", dataset="gsm8k").text


def test_runs_over_other_rows_are_not_counted_among_those_of_a_figure(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(sample_data=False)}, run_id="hub").write(tmp_path)
    FakeRun("m", {"gsm8k": FakeDataset(sample_data=False, local_path="/data/own.jsonl", sha256="a" * 64)},
            run_id="own").write(tmp_path)  # fmt: skip
    shown = open_drawer(tmp_path, run="own", dataset="gsm8k")
    assert " of 2" not in shown.text
    assert "0-shot, own.jsonl" in shown.text


@pytest.mark.parametrize(
    "query", [{}, {"run": "r"}, {"run": "nope", "dataset": "gsm8k"}, {"run": "r", "dataset": "../../etc/passwd"}]
)
def test_what_does_not_exist_opens_nothing(tmp_path, query):
    FakeRun("m", run_id="r").write(tmp_path)
    assert open_drawer(tmp_path, **query).html == ""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_answers_are_text(tmp_path, lang):
    FakeRun("m", {"gsm8k": FakeDataset(n=20, wrong=9, unparsed=3)}, run_id="r", hostile=True).write(tmp_path)
    shown = open_drawer(tmp_path, lang, run="r", dataset="gsm8k")
    check_harmless(shown)
    assert "<script>" in shown.text


def test_samples_behind_a_link_that_leads_out_of_the_outputs_folder_are_not_listed(tmp_path):
    folder = FakeRun("m", {"gsm8k": FakeDataset(n=20, wrong=9)}, run_id="r").write(tmp_path / "outputs")
    reviews = folder / "reviews" / "gsm8k.jsonl"
    reviews.rename(tmp_path / "elsewhere.jsonl")
    reviews.symlink_to(tmp_path / "elsewhere.jsonl")
    shown = open_drawer(tmp_path / "outputs", run="r", dataset="gsm8k")
    assert "lie outside the outputs folder" in shown.text
    assert "plums" not in shown.text


def test_rows_that_may_not_be_published_are_not_listed(tmp_path):
    folder = FakeRun("m", {"gsm8k": FakeDataset(n=20, wrong=9)}, run_id="r").write(tmp_path)
    path = folder / "reports" / "gsm8k.json"
    path.write_text(path.read_text().replace('"publish_samples": true', '"publish_samples": false'))
    shown = open_drawer(tmp_path, run="r", dataset="gsm8k")
    assert "stay unpublished" in shown.text
    assert "plums" not in shown.text
    assert not [a for a in shown.all("a") if "export/" in a["href"] or "sample=" in a["href"]]
