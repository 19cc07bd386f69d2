"""The page of the first start."""

from __future__ import annotations

import pytest

from leaderboard.demo_state import DemoState, Phase
from leaderboard.first_start import LINES, first_start, latest
from leaderboard.results import Results
from tests.support.fake_runs import FakeDataset, FakeRun
from tests.support.pages import Page, check_harmless, visit

MODELS = ("baseline:random", "SmolLM2-135M-Instruct")
RUNNING = DemoState(Phase.RUNNING, MODELS, ("arc", "gsm8k"))


def page(outputs, state=RUNNING, lang="en"):
    return Page(first_start(Results(outputs).runs(), state, visit(lang)))


def under_way(outputs, hostile=False):
    FakeRun(
        "baseline:random", {"arc": FakeDataset(n=40, wrong=30), "gsm8k": FakeDataset(n=20, wrong=20)}, demo=True
    ).write(outputs)
    FakeRun(
        "SmolLM2-135M-Instruct",
        {"arc": FakeDataset(n=40, wrong=20, answered=16), "gsm8k": FakeDataset(n=20, wrong=15, answered=4)},
        demo=True, running=True, hostile=hostile,
    ).write(outputs)  # fmt: skip


def test_before_the_first_answer_every_line_has_its_place_already(tmp_path):
    shown = page(tmp_path)
    check_harmless(shown)
    assert "0 of 0" not in shown.text
    assert shown.text.count("baseline:random") >= 2
    assert len(shown.all("div", data_live="1")) == 1


def test_the_page_has_as_many_lines_while_it_runs_as_before(tmp_path):
    before = len(page(tmp_path).all("tr"))
    under_way(tmp_path)
    assert len(page(tmp_path).all("tr")) == before


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_progress_score_so_far_and_answers_as_they_arrive(tmp_path, lang):
    under_way(tmp_path)
    shown = page(tmp_path, lang=lang)
    check_harmless(shown)
    assert shown.all("span", role="progressbar")[0]["aria-valuenow"] == "33"
    state = Results(tmp_path).run("SmolLM2-135M-Instruct-arc-gsm8k").run.states["arc"]
    assert f"{100 * state.correct / 16:.1f}" in shown.text
    assert len([a for a in shown.all("a") if "sample=" in a["href"]]) == LINES
    if lang == "en":
        assert "20 of 60 answers" in shown.text
        assert "With 16 answers the 95% interval is" in shown.text


def test_runs_that_are_not_the_demo_are_not_shown_as_part_of_it(tmp_path):
    under_way(tmp_path)
    FakeRun("mine", {"arc": FakeDataset()}).write(tmp_path)
    assert "mine" not in page(tmp_path).text.split("Next")[0]


def test_a_failure_is_told_in_words(tmp_path):
    state = DemoState(Phase.FAILED, MODELS, ("arc",), "no space left on <device>.")
    shown = page(tmp_path, state)
    check_harmless(shown)
    assert "no space left on <device>." in shown.text
    assert shown.all("div", data_live="1") == []


def test_hostile_answers_are_text(tmp_path):
    under_way(tmp_path, hostile=True)
    check_harmless(page(tmp_path))


def test_the_latest_reviews_come_newest_first_and_a_torn_line_is_passed_over(tmp_path):
    folder = FakeRun("m", {"gsm8k": FakeDataset(n=400)}).write(tmp_path)
    path = folder / "reviews" / "gsm8k.jsonl"
    with open(path, "ab") as file:
        file.write(b'{"key": "torn')
    assert [review.sample_id for review in latest(path, 3)] == ["main/399", "main/398", "main/397"]
    assert latest(tmp_path / "none.jsonl") == []


def test_a_file_shorter_than_a_page_of_answers_shows_what_there_is(tmp_path):
    folder = FakeRun("m", {"gsm8k": FakeDataset(n=2)}).write(tmp_path)
    assert len(latest(folder / "reviews" / "gsm8k.jsonl", 5)) == 2
