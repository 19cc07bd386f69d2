"""Runs on disk, as the pages see them."""

from __future__ import annotations

import fcntl
import os
import shutil

import msgspec
import pytest

from leaderboard.results import Results
from llmuses.evaluation.folder import RunFolder
from llmuses.records import Report, Run, RunStatus
from llmuses.statistics.intervals import wilson
from llmuses.store import read_json, write_json
from tests.support.fake_runs import FakeDataset, FakeRun


def test_a_folder_that_does_not_exist_holds_no_runs(tmp_path):
    results = Results(tmp_path / "nowhere")
    assert results.runs() == []
    assert results.damaged() == []


def test_runs_come_with_their_reports_the_one_started_last_first(tmp_path):
    FakeRun("old", {"gsm8k": FakeDataset(n=10, wrong=4)}, started=100.0).write(tmp_path)
    FakeRun("new", {"mmlu": FakeDataset(n=8), "arc": FakeDataset(n=6)}, started=200.0).write(tmp_path)
    runs = Results(tmp_path).runs()
    assert [entry.run.model for entry in runs] == ["new", "old"]
    assert set(runs[0].reports) == {"mmlu", "arc"}
    assert runs[1].reports["gsm8k"].score == pytest.approx(0.6)


def test_a_run_is_found_by_its_id_and_no_other_text_finds_one(tmp_path):
    FakeRun("m", run_id="m-gsm8k-1").write(tmp_path)
    results = Results(tmp_path)
    assert results.run("m-gsm8k-1") is not None
    for other in ("", "m-gsm8k", "../m-gsm8k-1", "m-gsm8k-1/", "\0", "m" * 9999):
        assert results.run(other) is None


def test_files_that_did_not_change_are_not_read_again(tmp_path, monkeypatch):
    FakeRun("m").write(tmp_path)
    results = Results(tmp_path)
    results.runs()
    reads = []
    monkeypatch.setattr("leaderboard.results.read_json", lambda path, kind: reads.append(path.name))
    results.runs()
    assert reads == []


def test_a_file_that_changed_is_read_again_even_where_its_size_stayed(tmp_path):
    folder = FakeRun("m", {"gsm8k": FakeDataset(n=10, wrong=4)}).write(tmp_path)
    results = Results(tmp_path)
    assert results.runs()[0].reports["gsm8k"].counts.correct == 6
    path = folder / "reports" / "gsm8k.json"
    path.write_text(path.read_text().replace('"correct": 6', '"correct": 7'))
    os.utime(path, ns=(1, 1))
    assert results.runs()[0].reports["gsm8k"].counts.correct == 7


def test_a_damaged_file_is_named_and_the_rest_is_shown(tmp_path):
    FakeRun("good", run_id="good").write(tmp_path)
    folder = FakeRun("half", {"gsm8k": FakeDataset(), "arc": FakeDataset()}, run_id="half").write(tmp_path)
    (folder / "reports" / "arc.json").write_text('{"dataset": "arc"')
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("no json")
    results = Results(tmp_path)
    found = {entry.run_id: set(entry.reports) for entry in results.runs()}
    assert found == {"good": {"gsm8k"}, "half": {"gsm8k"}}
    assert {one.path.name for one in results.damaged()} == {"run.json", "arc.json"}
    assert all(one.problem and "\n" not in one.problem for one in results.damaged())


def test_a_damaged_file_that_was_mended_is_damaged_no_more(tmp_path):
    folder = FakeRun("m").write(tmp_path)
    whole = (folder / "run.json").read_text()
    (folder / "run.json").write_text("{")
    results = Results(tmp_path)
    assert (results.runs(), len(results.damaged())) == ([], 1)
    (folder / "run.json").write_text(whole)
    assert (len(results.runs()), results.damaged()) == (1, [])


def test_folders_without_a_run_and_files_beside_them_are_passed_over(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / ".demo.log").write_text("")
    results = Results(tmp_path)
    assert results.runs() == []
    assert results.damaged() == []


def test_a_run_without_a_process_behind_it_was_interrupted(tmp_path):
    part = {"gsm8k": FakeDataset(n=10, answered=4)}
    FakeRun("dead", part, run_id="dead").write(tmp_path)
    FakeRun("alive", part, running=True, run_id="alive").write(tmp_path)
    status = {entry.run_id: entry.status for entry in Results(tmp_path).runs()}
    assert status == {"dead": RunStatus.INTERRUPTED, "alive": RunStatus.RUNNING}


def test_a_process_number_says_nothing_it_may_be_another_processes_by_now(tmp_path):
    folder = FakeRun("m", {"gsm8k": FakeDataset(n=10, answered=4)}, status=RunStatus.RUNNING).write(tmp_path)
    run = read_json(folder / "run.json", Run)
    write_json(folder / "run.json", msgspec.structs.replace(run, pid=os.getpid()))
    assert Results(tmp_path).runs()[0].status is RunStatus.INTERRUPTED
    (folder / "run.lock").write_text(str(os.getpid()))
    assert Results(tmp_path).runs()[0].status is RunStatus.INTERRUPTED


def test_a_run_is_running_as_long_as_a_process_works_in_its_folder_and_looking_disturbs_neither(tmp_path):
    path = FakeRun("m", {"gsm8k": FakeDataset(n=10, answered=4)}, run_id="r").write(tmp_path)
    with RunFolder(path):
        assert Results(tmp_path).runs()[0].running
    with open(path / "run.lock") as another_reader:
        fcntl.flock(another_reader, fcntl.LOCK_SH)
        assert not Results(tmp_path).runs()[0].running
    with RunFolder(path):
        assert Results(tmp_path).runs()[0].running


@pytest.mark.parametrize("changes", [{"model_identity": "other weights"}, {"dataset_sha256": "0" * 64}])
@pytest.mark.parametrize("status", [RunStatus.RUNNING, RunStatus.INTERRUPTED, RunStatus.DONE])
def test_a_report_over_another_model_or_other_rows_is_none_of_the_runs(tmp_path, changes, status):
    folder = FakeRun("m", {"gsm8k": FakeDataset(n=10, wrong=4)}, status=status).write(tmp_path)
    path = folder / "reports" / "gsm8k.json"
    write_json(path, msgspec.structs.replace(read_json(path, Report), **changes))
    entry = Results(tmp_path).runs()[0]
    assert entry.reports == {}
    assert entry.so_far("gsm8k").score == pytest.approx(0.6)


def test_a_report_of_a_dataset_that_the_run_does_not_ask_is_none_of_the_runs(tmp_path):
    folder = FakeRun("m", {"gsm8k": FakeDataset(n=10)}).write(tmp_path)
    (folder / "reports" / "arc.json").write_bytes((folder / "reports" / "gsm8k.json").read_bytes())
    entry = Results(tmp_path).runs()[0]
    assert (entry.datasets(), set(entry.reports)) == (["gsm8k"], {"gsm8k"})


def test_of_two_folders_of_one_run_the_one_of_its_name_is_shown_and_the_other_named(tmp_path):
    folder = FakeRun("m", run_id="run-m").write(tmp_path)
    for copy in ("a-copy", "z-copy"):
        shutil.copytree(folder, tmp_path / copy)
    results = Results(tmp_path)
    assert [entry.folder for entry in results.runs()] == [folder]
    assert [one.path for one in results.damaged()] == [tmp_path / copy / "run.json" for copy in ("a-copy", "z-copy")]
    assert all("run-m; move one of the two folders away" in one.problem for one in results.damaged())


def test_of_two_copies_under_other_names_the_first_is_shown(tmp_path):
    FakeRun("m", run_id="run-m").write(tmp_path).rename(tmp_path / "b")
    shutil.copytree(tmp_path / "b", tmp_path / "a")
    results = Results(tmp_path)
    assert [entry.folder.name for entry in results.runs()] == ["a"]
    assert [one.path.parent.name for one in results.damaged()] == ["b"]


def test_a_run_that_cannot_be_read_comes_with_what_to_do(tmp_path):
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "run.json").write_text("{")
    results = Results(tmp_path)
    results.runs()
    assert [one.problem.partition("; ")[2] for one in results.damaged()] == [
        "move the folder away, or repair run.json"
    ]  # fmt: skip


def test_repeats_of_a_question_do_not_narrow_the_interval_of_the_score_so_far(tmp_path):
    folder = FakeRun("m", {"gsm8k": FakeDataset(n=40, wrong=10, answered=29)}, running=True).write(tmp_path)
    run = read_json(folder / "run.json", Run)
    write_json(folder / "run.json", msgspec.structs.replace(run, repeats=4))
    so_far = Results(tmp_path).runs()[0].so_far("gsm8k")
    assert (so_far.score, so_far.n) == (run.states["gsm8k"].correct / 29, 29)
    assert so_far.ci95 == wilson(so_far.score * 8, 8)


def test_answers_that_nobody_reviewed_have_no_score(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=10, reviewed=False)}, status=RunStatus.DONE).write(tmp_path)
    assert Results(tmp_path).runs()[0].so_far("gsm8k") == (None, None, 0, 10, 10)


def test_the_score_so_far_leaves_out_what_failed_and_has_wilsons_interval(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=40, wrong=10, failed=6, answered=30)}, running=True).write(tmp_path)
    entry = Results(tmp_path).runs()[0]
    state = entry.run.states["gsm8k"]
    so_far = entry.so_far("gsm8k")
    assert so_far.n == 30 - state.failed
    assert so_far.total == 40
    assert so_far.score == state.correct / so_far.n
    assert so_far.ci95 == wilson(state.correct, so_far.n)


def test_a_dataset_with_a_final_report_has_no_score_so_far(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=10)}).write(tmp_path)
    entry = Results(tmp_path).runs()[0]
    assert entry.so_far("gsm8k") is None
    assert entry.so_far("no such dataset") is None


def test_before_the_first_answer_there_is_no_score(tmp_path):
    FakeRun("m", {"gsm8k": FakeDataset(n=10, answered=0)}, running=True).write(tmp_path)
    assert Results(tmp_path).runs()[0].so_far("gsm8k") == (None, None, 0, 0, 10)
