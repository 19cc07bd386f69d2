"""Stores of an older llmuses are read as they are; those of a newer one are refused in one line and left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arena.pipeline.folder import ArenaFolder
from leaderboard.results import Results
from llmuses.cli import main
from llmuses.errors import NewerFormatError, StoreError
from llmuses.evaluation.folder import RunFolder
from llmuses.jobs import JobLog, JobStatus
from llmuses.keeping.archive import back_up
from llmuses.keeping.mark import check_format, marked, read_mark
from llmuses.records import (
    FORMAT,
    AuditLine,
    Battle,
    Exclusion,
    FolderMark,
    JobLine,
    PlayerLine,
    Prediction,
    Record,
    Redaction,
    RegisterLine,
    Report,
    Review,
    Run,
    VoterMark,
)
from llmuses.store import JsonlStore, read_json, write_json

ESTIMATE = '"score": 0.5, "n": 2, "stderr": 0.35, "ci95": [0.09, 0.91], "counts": {"scored": 2, "correct": 1}'
RUN = """{"run_id": "old-mmlu-0a1b2c3d", "plan_hash": "0a1b2c3d", "model": "old", "model_spec": "baseline:random",
 "model_identity": "random", "model_args": {}, "model_details": {}, "limit": null, "repeats": 1, "seed": 0, "status": "done",
 "datasets": [{"dataset": "mmlu", "mode": "logprob", "few_shot": 5, "few_shot_as": "text", "subsets": ["anatomy"],
  "split": "test", "local_path": null, "hub": "modelscope", "sample_data": true, "generation": {"max_tokens": 16}}],
 "states": {"mmlu": {"total": 2, "planned": {"anatomy": 2}, "sha256": "x", "chance": 0.25,
  "order": {"method": "stratified", "seed": 0, "n": 2, "sha256": "y"}}}}"""
REPORT = f"""{{"dataset": "mmlu", "title": "MMLU", "group": "knowledge", "mode": "logprob", "metric": "acc", "setting": "5-shot",
 "few_shot": 5, "chance": 0.25, "model": "old", "model_identity": "random", {ESTIMATE}, "subsets": {{"anatomy": {{{ESTIMATE}}}}},
 "categories": {{}}, "averages": {{}}, "totals": {{}}}}"""

OLDER: dict[str, tuple[type[Record], str]] = {
    "old-mmlu-0a1b2c3d/predictions/mmlu.jsonl": (
        Prediction,
        (
            '{"key": "k", "dataset": "mmlu", "sample_id": "anatomy/0", "subset": "anatomy", "model": "old", "ask": {"kind": '
            '"generate", "messages": [{"role": "user", "content": "?"}]}, "response": {"key": "k", "text": "B"}}'
        ),
    ),
    "old-mmlu-0a1b2c3d/reviews/mmlu.jsonl": (
        Review,
        (
            '{"key": "k", "sample_id": "anatomy/0", "subset": "anatomy", "status": "scored", "extracted": "B", "target": "B", '
            '"scores": {"acc": 1.0}, "scorer_version": 1}'
        ),
    ),
    "arena-live/battles.jsonl": (
        Battle,
        '{"battle_id": "b1", "question_id": "q1", "model_a": "a", "model_b": "b", "winner": "model_a"}',
    ),
    "arena-live/exclusions.jsonl": (Exclusion, '{"battle_id": "b1", "reason": "spam"}'),
    "arena-live/redactions.jsonl": (Redaction, '{"battle_id": "b1", "redacted": true}'),
    "arena-live/register.jsonl": (RegisterLine, '{"model": "a", "event": "added"}'),
    "arena-live/players.jsonl": (PlayerLine, '{"model": "a", "event": "answered", "cost": 0.01}'),
    "arena-live/voters.jsonl": (VoterMark, '{"voter": "v", "votes": 3, "reasons": ["all at once"]}'),
    "jobs/jobs.jsonl": (JobLine, '{"job_id": "j-0001", "event": "queued", "command": ["list", "benchmarks"]}'),
    "jobs/audit.jsonl": (AuditLine, '{"by": "ada", "deed": "login"}'),
}
"""A line of each store as it was first written: what is newer is missing, and names that have gone are there."""


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("LLMUSES_ARENA", raising=False)
    folder = tmp_path / "outputs"
    for name, (_, line) in OLDER.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{line}\n", "utf-8")
    run = folder / "old-mmlu-0a1b2c3d"
    (run / "run.json").write_text(RUN, "utf-8")
    (run / "reports").mkdir()
    (run / "reports" / "mmlu.json").write_text(REPORT, "utf-8")
    return folder


@pytest.mark.parametrize("name", OLDER)
def test_a_line_of_an_older_store_is_read(name: str, outputs: Path) -> None:
    reader = JsonlStore(outputs / name, OLDER[name][0]).read()
    assert len(list(reader)) == 1 and reader.broken == []


@pytest.mark.parametrize("name", OLDER)
def test_a_line_with_a_field_that_only_a_newer_llmuses_knows_is_read(name: str, outputs: Path) -> None:
    line = json.loads(OLDER[name][1])
    (outputs / name).write_text(json.dumps({**line, "field_of_tomorrow": {"a": 1}}) + "\n", "utf-8")
    assert len(list(JsonlStore(outputs / name, OLDER[name][0]))) == 1


def test_an_older_run_and_its_report_are_on_the_board(outputs: Path) -> None:
    results = Results(outputs)
    (entry,) = results.runs()
    assert (entry.run_id, str(entry.status)) == ("old-mmlu-0a1b2c3d", "done")
    assert list(results.damaged()) == []
    assert read_json(outputs / "old-mmlu-0a1b2c3d" / "run.json", Run).format == FORMAT
    assert read_json(outputs / "old-mmlu-0a1b2c3d" / "reports" / "mmlu.json", Report).score == 0.5


def test_an_older_log_of_jobs_goes_on(outputs: Path) -> None:
    log = JobLog(outputs / "jobs")
    assert [(job.job_id, job.status) for job in log.jobs()] == [("j-0001", JobStatus.QUEUED)]
    assert log.submit(["list", "models"], "a list", "network", "ada") == "j-0002"


def test_an_older_folder_has_no_mark_and_gets_one_with_its_first_backup(outputs: Path, tmp_path: Path) -> None:
    assert read_mark(outputs) is None
    check_format(outputs)
    back_up(outputs, tmp_path / "b.tar.gz")
    assert marked(outputs).format == FORMAT


# --- newer ---------------------------------------------------------------------------------------------------


@pytest.fixture
def newer(outputs: Path) -> Path:
    write_json(outputs / ".llmuses.json", FolderMark(format=FORMAT + 1, folder="f"))
    return outputs


@pytest.mark.parametrize(
    "command",
    [
        ["serve", "--no-demo", "--port", "0"],
        ["eval", "--model", "baseline:random", "--datasets", "gsm8k", "--sample-data", "--limit", "1"],
        ["backup", "b.tar.gz"],
    ],
    ids=["serve", "eval", "backup"],
)
def test_commands_refuse_a_newer_folder_in_one_line_and_leave_it_alone(
    command: list[str], newer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(path for path in newer.rglob("*"))
    assert main([*command, "--outputs", str(newer)]) == 2
    err = capsys.readouterr().err
    assert f"is of a newer llmuses (form {FORMAT + 1}, this one knows {FORMAT}): update llmuses." in err
    assert "Traceback" not in err
    assert sorted(path for path in newer.rglob("*")) == before


@pytest.mark.parametrize("kind", [RunFolder, ArenaFolder])
def test_nobody_works_in_a_newer_folder(kind: type[RunFolder | ArenaFolder], newer: Path) -> None:
    with pytest.raises(NewerFormatError), kind(newer / "run"):
        pass
    assert not (newer / "run").exists()


def test_a_newer_run_is_shown_as_one_that_cannot_be_read_and_says_why(outputs: Path) -> None:
    path = outputs / "old-mmlu-0a1b2c3d" / "run.json"
    path.write_text(json.dumps({**json.loads(RUN), "format": FORMAT + 1}), "utf-8")
    with pytest.raises(StoreError, match=r"of a newer llmuses .*update it"):
        read_json(path, Run)
    results = Results(outputs)
    assert list(results.runs()) == []
    (damage,) = results.damaged()
    assert "newer llmuses" in damage.problem
