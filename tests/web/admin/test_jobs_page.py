"""The tab of jobs as it is written: the marks beside a score, the warnings among what a job printed, and nothing taken for markup."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from leaderboard.results import AllResults
from llmuses.records import Run
from llmuses.store import read_json, write_json
from llmuses.visit import Visit
from llmuses.web.admin import jobs
from llmuses.web.admin.job_detail import is_warning
from llmuses.web.admin.room import Room
from llmuses.web.admin.rules import AdminRules
from tests.support.fake_runs import FakeDataset, FakeRun

HOSTILE = "<script>alert(1)</script>"
LINES = {
    "llmuses: cannot reach http://127.0.0.1:9/v1: Connection refused": True,
    "Traceback (most recent call last):": True,
    "UserWarning: this is slow": True,
    "gsm8k: 12 failed: timeout": True,
    "skill: 1,204 failed": True,
    "3 of 80 answers are missing (failed: timeout).": True,
    "gsm8k: 0 failed": False,
    "skill-80 is asked 169 times: gsm8k, arc, bbh (skill-80-gsm8k-a5290cf0)": False,
    "dataset  metric  setting  score  95% interval  n  unparsed  rejected  failed  truncated": False,
    "arc      acc     0-shot   0.0    0.0 to 39.0   6         6         0       0          0": False,
    "": False,
}


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(AllResults(tmp_path), AdminRules())


def shown(room: Room, **query: str) -> str:
    return str(jobs.view(room, room.sessions.nobody(), Visit("en", query)))


@pytest.mark.parametrize(("line", "warns"), LINES.items())
def test_a_warning_is_a_line_that_tells_of_trouble(line: str, warns: bool) -> None:
    assert is_warning(line) is warns


def test_the_log_shows_warnings_alone_when_asked(room: Room) -> None:
    job = room.log.submit(["eval", "--model", "a/b"], "a/b: ARC", "network", "ada")
    room.log.place(job).mkdir(parents=True, exist_ok=True)
    (room.log.place(job) / "log.txt").write_text("all is well\nllmuses: the key was refused\n")
    assert "all is well" in shown(room, job=job)
    only = shown(room, job=job, log="warnings")
    assert "the key was refused" in only
    assert "all is well" not in only
    assert "Warnings 1" in only


@pytest.mark.parametrize("place", ["title", "command", "log", "by"])
def test_what_people_and_programs_wrote_is_no_markup(room: Room, place: str) -> None:
    words = {"title": "a: b", "command": "x", "by": "ada"} | {place: HOSTILE}
    job = room.log.submit(["eval", "--model", words["command"]], words["title"], "network", words["by"])
    room.log.place(job).mkdir(parents=True, exist_ok=True)
    (room.log.place(job) / "log.txt").write_text(f"{HOSTILE}\n")
    page = shown(room)
    assert "<script" not in page
    assert "&lt;script" in page


def test_a_job_that_cannot_be_a_form_is_copied_as_it_is(room: Room) -> None:
    room.log.submit(["eval", "--model", "a/b", "--datasets", "arc", "--unsafe-code"], "a/b: ARC", "network", "ada")
    room.log.submit(["eval", "--model", "a/b", "--datasets", "arc"], "a/b: ARC", "network", "ada")
    page = shown(room)
    assert page.count('data-deed="clone"') == 1, "the job that is shown has not ended: it is not started once more"
    assert page.count("admin?tab=evaluate") == 1


def test_answers_that_cannot_be_read_are_marked_while_the_job_runs(room: Room) -> None:
    job = room.log.submit(["eval", "--model", "m", "--datasets", "gsm8k"], "m: GSM8K", "network", "ada")
    folder = FakeRun("m", {"gsm8k": FakeDataset(n=40, unparsed=30, answered=25)}, run_id="r", running=True).write(
        room.outputs
    )
    write_json(folder / "run.json", msgspec.structs.replace(read_json(folder / "run.json", Run), job=job))
    unparsed = read_json(folder / "run.json", Run).states["gsm8k"].unparsed
    assert unparsed > 0
    assert f"{unparsed} unparsed" in shown(room, job=job)


def test_an_empty_log_says_what_a_job_is(room: Room) -> None:
    assert "No job yet" in shown(room)


def test_a_log_reads_downwards_and_folds_all_but_tables(room: Room) -> None:
    job = room.log.submit(["eval", "--model", "a/b"], "a/b: ARC", "network", "ada")
    room.log.place(job).mkdir(parents=True, exist_ok=True)
    (room.log.place(job) / "log.txt").write_text("one long sentence\ndataset  score\narc      61.0\n")
    page = shown(room, job=job)
    assert (
        '<span class="fold">one long sentence</span>\n<span>dataset  score</span>\n<span>arc      61.0</span>' in page
    )


def test_a_job_is_started_once_more_only_when_it_has_ended_and_somebody_is_sure(room: Room) -> None:
    job = room.log.submit(["eval", "--model", "a/b", "--datasets", "arc"], "a/b: ARC", "network", "ada")
    assert "Run again" not in shown(room, job=job)
    assert "Closing the page" in shown(room, job=job)
    room.log.cancel(job, "ada")
    page = shown(room, job=job)
    assert "Run again" in page
    assert f"{job} is started again as it is" in page
    assert "Closing the page" not in page


def test_the_command_of_a_job_names_the_models_file_that_the_server_reads(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.log.submit(["eval", "--model", "lab"], "lab: ARC", "network", "ada")
    monkeypatch.setenv("LLMUSES_MODELS", "/srv/my models.yaml")
    assert "LLMUSES_MODELS=&#39;/srv/my models.yaml&#39; llmuses eval --model lab" in shown(room)
