"""What lm-evaluation-harness is asked again, and what not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.parity.peer import Harness, Part


class Recorded(Harness):
    """Writes down the jobs and answers them at once, without a harness."""

    def __init__(self, outputs: Path):
        super().__init__("python", outputs, None, threads=1)
        self.jobs: list[Mapping[str, Any]] = []

    def run(self, module: str, job: Mapping[str, Any]) -> None:
        self.jobs.append(job)
        for part in job["parts"]:
            for place in part["tasks"].values():
                results = Path(place["results"])
                results.parent.mkdir(exist_ok=True)
                with open(results, "a", encoding="utf-8") as file:
                    file.writelines(json.dumps({"index": row, "prompt": "?"}) + "\n" for row in part["rows"])

    def asked(self) -> list[tuple[list[str], list[int]]]:
        """Return the tasks and rows of all jobs so far, and forget them."""
        found = [(list(part["tasks"]), part["rows"]) for job in self.jobs for part in job["parts"]]
        self.jobs.clear()
        return found


@pytest.fixture
def harness(tmp_path: Path) -> Recorded:
    for task in ("rivers", "lakes"):
        write(tmp_path, task, "Which river?")
    return Recorded(tmp_path)


def write(outputs: Path, task: str, question: str) -> None:
    folder = outputs / "rows" / task
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "test.jsonl").write_text(json.dumps({"question": question}) + "\n", "utf-8")


def test_rows_are_asked_once(harness: Recorded) -> None:
    for rows, expected in (([0, 1], [0, 1]), ([0, 1, 2], [2]), ([1, 2], None)):
        harness.ask([Part(["rivers"], rows)], few_shot=5, batch=2)
        assert harness.asked() == ([(["rivers"], expected)] if expected else [])
    assert sorted(line["index"] for line in harness.said("rivers")) == [0, 1, 2]


def test_nothing_is_started_where_nothing_is_missing(harness: Recorded) -> None:
    harness.ask([], few_shot=0, batch=1)
    harness.ask([Part(["rivers"], [])], few_shot=0, batch=1)
    assert not harness.jobs


def test_tasks_that_share_rows_are_asked_together_for_all_that_one_of_them_lacks(harness: Recorded) -> None:
    harness.ask([Part(["rivers"], [0])], few_shot=0, batch=1)
    harness.asked()
    harness.ask([Part(["rivers", "lakes"], [0, 1])], few_shot=0, batch=1)
    assert harness.asked() == [(["rivers", "lakes"], [0, 1])]
    assert len(harness.said("rivers")) == 2, "a row that was asked twice counts once"


def test_other_rows_are_asked_anew_and_the_earlier_answers_kept(harness: Recorded, tmp_path: Path) -> None:
    harness.ask([Part(["rivers"], [0])], few_shot=0, batch=1)
    write(tmp_path, "rivers", "Which river is it?")
    assert harness.said("rivers") == []
    write(tmp_path, "rivers", "Which river?")
    assert len(harness.said("rivers")) == 1


def test_a_job_says_all_that_the_other_environment_needs(harness: Recorded, tmp_path: Path) -> None:
    harness.ask([Part(["rivers"], [3])], few_shot=5, batch=2)
    (job,) = harness.jobs
    assert {name: job[name] for name in ("model", "threads", "few_shot", "batch")} == {
        "model": "",
        "threads": 1,
        "few_shot": 5,
        "batch": 2,
    }
    place = job["parts"][0]["tasks"]["rivers"]
    assert Path(place["folder"]) == tmp_path / "rows" / "rivers"
    assert Path(place["results"]).parent.name.startswith("lm-eval-")
