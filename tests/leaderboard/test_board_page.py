"""Which of the two pages a reader of the leaderboard gets."""

from __future__ import annotations

import pytest

from leaderboard.demo_state import DemoState, Phase
from leaderboard.first_start import starting
from leaderboard.results import Results
from tests.support.fake_runs import FakeRun
from tests.support.pages import visit

RUNNING, FAILED = DemoState(Phase.RUNNING), DemoState(Phase.FAILED)


def starts(outputs, state, **query):
    return starting(Results(outputs).runs(), state, visit(**query))


def test_while_the_demo_runs_alone_the_first_start_is_shown(tmp_path):
    assert starts(tmp_path, RUNNING)
    FakeRun("baseline:random", demo=True).write(tmp_path)
    assert starts(tmp_path, RUNNING)
    assert not starts(tmp_path, DemoState(Phase.DONE))


def test_a_demo_that_failed_before_any_result_keeps_it(tmp_path):
    assert starts(tmp_path, FAILED)
    FakeRun("baseline:random", demo=True).write(tmp_path)
    assert not starts(tmp_path, FAILED)


@pytest.mark.parametrize("query", ["q", "sort", "hide", "demo", "rows", "col", "view", "run", "dataset"])
def test_who_asks_for_a_view_of_the_board_gets_the_board(tmp_path, query):
    assert not starts(tmp_path, RUNNING, **{query: "x"})


def test_a_language_is_no_view_of_the_board(tmp_path):
    assert starts(tmp_path, RUNNING, lang="zh")


def test_a_run_of_ones_own_brings_the_board_at_once(tmp_path):
    FakeRun("baseline:random", demo=True).write(tmp_path)
    FakeRun("mine").write(tmp_path)
    assert not starts(tmp_path, RUNNING)
