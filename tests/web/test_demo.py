"""The demo of the first start: processes of its own, once, and never longer than the app."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from leaderboard.demo_state import Phase
from leaderboard.results import AllResults
from llmuses.cli import _parser
from llmuses.records import RunStatus
from llmuses.web import demo
from llmuses.web.demo import Demo, Step
from tests.support.fake_runs import FakeDataset, FakeRun

WRITE = """
import sys
from pathlib import Path
from tests.support.fake_runs import FakeDataset, FakeRun
FakeRun(sys.argv[2], {"gsm8k": FakeDataset(n=4)}, demo=True).write(Path(sys.argv[1]))
"""
SLEEP = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"


def step(outputs, model, code=WRITE):
    return Step((model,), (sys.executable, "-c", code, str(outputs), model))


def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_an_empty_folder_gets_its_runs_one_step_after_the_other(tmp_path):
    outputs = tmp_path / "new" / "outputs"
    started = Demo(AllResults(outputs), [step(outputs, "one"), step(outputs, "two")])
    started.start()
    assert started.state().phase is Phase.RUNNING
    assert started.state().models == ("one", "two")
    until(lambda: started.state().phase is Phase.DONE)
    assert {entry.run.model for entry in AllResults(outputs).runs()} == {"one", "two"}
    started.close()


@pytest.mark.parametrize("demo_run", [True, False])
def test_a_folder_with_results_of_ones_own_or_a_finished_demo_gets_none(tmp_path, demo_run):
    FakeRun("one", demo=demo_run).write(tmp_path)
    started = Demo(AllResults(tmp_path), [step(tmp_path, "one")])
    started.start()
    assert started.state().phase is Phase.IDLE
    assert not (tmp_path / ".demo.log").exists()


def test_a_demo_that_was_interrupted_is_taken_up_again(tmp_path):
    FakeRun("one", {"gsm8k": FakeDataset(n=4, answered=2)}, demo=True, status=RunStatus.INTERRUPTED).write(tmp_path)
    started = Demo(AllResults(tmp_path), [step(tmp_path, "one")])
    started.start()
    until(lambda: started.state().phase is Phase.DONE)
    assert AllResults(tmp_path).runs()[0].status is RunStatus.DONE


def test_a_second_app_on_the_same_folder_does_not_start_it_again(tmp_path):
    sleeper = Step(("one",), (sys.executable, "-c", SLEEP, str(tmp_path / "pid")))
    first = Demo(AllResults(tmp_path), [sleeper])
    second = Demo(AllResults(tmp_path), [step(tmp_path, "one")])
    first.start()
    second.start()
    assert (first.state().phase, second.state().phase) == (Phase.RUNNING, Phase.IDLE)
    first.close()
    third = Demo(AllResults(tmp_path), [step(tmp_path, "one")])
    third.start()
    until(lambda: third.state().phase is Phase.DONE)


def test_closing_the_app_ends_the_process_and_what_it_started(tmp_path):
    code = (
        "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "open(sys.argv[1], 'w').write(str(child.pid)); time.sleep(60)"
    )
    started = Demo(AllResults(tmp_path), [Step(("one",), (sys.executable, "-c", code, str(tmp_path / "pid")))])
    started.start()
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    began = time.monotonic()
    started.close()
    assert time.monotonic() - began < 4
    until(lambda: gone(int((tmp_path / "pid").read_text())))


def test_a_process_that_does_not_listen_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "_PATIENCE", 0.3)
    code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
    started = Demo(AllResults(tmp_path), [Step(("one",), (sys.executable, "-c", code, str(tmp_path / "pid")))])
    started.start()
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    started.close()
    until(lambda: gone(int((tmp_path / "pid").read_text())))
    assert gone(int((tmp_path / "pid").read_text()))


def test_what_went_wrong_is_said_in_the_commands_own_last_line_and_the_next_step_still_runs(tmp_path):
    code = "import sys; print('a warning', file=sys.stderr); sys.exit('llmuses: no space left on the disk.')"
    started = Demo(AllResults(tmp_path), [Step(("one",), (sys.executable, "-c", code)), step(tmp_path, "two")])
    started.start()
    until(lambda: started.state().phase is Phase.FAILED)
    assert started.state().problem == "no space left on the disk."
    assert [entry.run.model for entry in AllResults(tmp_path).runs()] == ["two"]


def test_a_program_that_is_not_there_and_a_silent_failure_are_told_too(tmp_path):
    for command, words in (
        ((str(tmp_path / "nope"),), "No such file"),
        ((sys.executable, "-c", "exit(3)"), "exit code 3"),
    ):
        started = Demo(AllResults(tmp_path), [Step(("one",), command)])
        started.start()
        until(lambda started=started: started.state().phase is Phase.FAILED)
        assert words in started.state().problem


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told_and_the_app_goes_on(tmp_path):
    tmp_path.chmod(0o500)
    started = Demo(AllResults(tmp_path / "outputs"), [step(tmp_path, "one")])
    started.start()
    assert started.state().phase is Phase.FAILED


def test_a_file_in_the_folders_place_is_told(tmp_path):
    (tmp_path / "outputs").write_text("")
    started = Demo(AllResults(tmp_path / "outputs"), [step(tmp_path, "one")])
    started.start()
    assert started.state().phase is Phase.FAILED
    assert "outputs" in started.state().problem


def test_its_commands_are_ones_that_the_command_line_understands(tmp_path, monkeypatch):
    monkeypatch.setattr(demo.importlib.util, "find_spec", lambda name: object())
    made = demo.steps(tmp_path)
    assert [each.models for each in made] == [demo.BASELINES, (demo.SMALL_MODEL,)]
    for each in made:
        assert each.command[1:3] == ("-m", "llmuses.web.demo_process")
        args = _parser().parse_args(each.command[3:])
        assert (args.model, args.demo, args.sample_data, args.outputs) == (list(each.models), True, True, tmp_path)


def test_the_small_model_and_the_players_that_guess_are_asked_the_same_so_that_they_share_their_columns(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(demo.importlib.util, "find_spec", lambda name: object())
    asked = []
    for each in demo.steps(tmp_path):
        args = vars(_parser().parse_args(each.command[3:]))
        asked.append({name: value for name, value in args.items() if name not in ("model", "model_args")})
    assert asked[0]["limit"] == demo.LIMIT
    assert asked[0] == asked[1]


def test_without_the_package_of_the_small_model_there_are_the_baselines_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(demo.importlib.util, "find_spec", lambda name: None)
    assert [each.models for each in demo.steps(tmp_path)] == [demo.BASELINES]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's parent-death signal is Linux's")
def test_a_killed_app_takes_its_demo_with_it(tmp_path):
    parent = (
        "import subprocess, sys, time\n"
        "code = 'from llmuses.web.demo_process import end_with_parent; end_with_parent(); import time; print(1, flush=True); time.sleep(60)'\n"
        "child = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE)\n"
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()
    until(lambda: gone(child) or _zombie(child))
    assert gone(child) or _zombie(child)


def _zombie(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True
