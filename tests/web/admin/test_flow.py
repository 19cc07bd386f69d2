"""What a job's stores tell of how its answers came, and whether they are whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from leaderboard.results import AllResults
from llmuses.jobs import Job, JobStatus
from llmuses.records import Run
from llmuses.store import read_json, write_json
from llmuses.visit import Visit
from llmuses.web.admin import health_tab, jobs, store_check
from llmuses.web.admin.flow import LONGEST, Flow, Flows
from llmuses.web.admin.room import Room
from llmuses.web.admin.rules import AdminRules
from llmuses.web.admin.store_check import run_stores
from tests.support.fake_runs import FakeDataset, FakeRun

NOW = 1_800_000_000.0


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    FakeRun("alpha", {"arc": FakeDataset(n=5)}, run_id="alpha").write(tmp_path)
    room = Room(AllResults(tmp_path), AdminRules())
    yield room
    room.close()


def store(room: Room) -> Path:
    return room.outputs / "alpha" / "predictions" / "arc.jsonl"


def answers(room: Room, *times: float, **response: Any) -> None:
    """Have answers come at some times."""
    with open(store(room), "ab") as file:
        for time in times:
            file.write(msgspec.json.encode({"key": "k", "response": response, "tstamp": time}) + b"\n")


def flow(room: Room, flows: Flows, status: JobStatus = JobStatus.RUNNING, now: float = NOW) -> Flow:
    job = Job(job_id="j-0001", title="", command=[], device="network", by="ada", queued=0.0, status=status)
    return flows.of(job, [store(room)], now)


def test_the_pace_is_drawn_over_the_last_minutes_and_adds_up(room: Room) -> None:
    store(room).unlink()
    answers(room, *(NOW - 200 + second for second in range(200)))
    found = flow(room, Flows())
    assert len(found.pace) == 20 and found.seconds == 200
    assert sum(found.pace) * found.seconds / 20 == pytest.approx(200)
    assert found.pace[0] == found.pace[10] == 1.0


def test_a_store_that_goes_and_comes_again_is_not_counted_twice(room: Room) -> None:
    flows = Flows()
    store(room).unlink()
    answers(room, *(NOW - 100 + second for second in range(100)), usage={"completion_tokens": 1})
    assert flow(room, flows).tokens == 100
    kept = store(room).read_bytes()
    store(room).unlink()
    assert flow(room, flows).tokens is None
    store(room).write_bytes(kept)
    assert flow(room, flows).tokens == 100


def test_an_hour_of_answers_shows_its_end_only(room: Room) -> None:
    store(room).unlink()
    answers(room, *(NOW - 3600 + 4 * number for number in range(900)))
    found = flow(room, Flows())
    assert found.seconds == LONGEST and sum(found.pace) * LONGEST / 20 == pytest.approx(LONGEST / 4, abs=1)


def test_a_job_that_ended_keeps_its_pace_and_one_that_stands_still_shows_it(room: Room) -> None:
    store(room).unlink()
    answers(room, *(NOW - 5000 + second for second in range(100)))
    ended = flow(room, Flows(), JobStatus.DONE)
    assert ended.seconds == 99 and min(ended.pace) > 0
    store(room).unlink()
    answers(room, *(NOW - 500 + second for second in range(100)))
    still = flow(room, Flows())
    assert still.pace[-1] == 0.0 and still.pace[0] > 0


@pytest.mark.parametrize("times", [[], [NOW], [NOW - 5, NOW - 1]])
def test_too_little_to_draw_is_no_line(room: Room, times: list[float]) -> None:
    store(room).unlink()
    answers(room, *times)
    assert flow(room, Flows()).pace == []


def test_tokens_latencies_and_requests_that_were_asked_again_are_counted(room: Room) -> None:
    store(room).unlink()
    for latency in (1.0, 2.0, 9.0):
        answers(room, NOW, latency=latency, attempts=2, usage={"prompt_tokens": 10, "completion_tokens": 5})
    found = flow(room, Flows())
    assert (found.tokens, found.again) == (45, 3)
    assert found.latency == pytest.approx((2.0, 8.3))
    answers(room, NOW, error={"kind": "failed", "code": "http_500"})
    assert flow(room, Flows()).tokens == 45
    store(room).unlink()
    answers(room, NOW)
    assert flow(room, Flows())[2:] == (None, None, 0)


def test_what_grew_is_read_on_and_what_was_replaced_anew(room: Room) -> None:
    store(room).unlink()
    flows = Flows()
    answers(room, NOW, usage={"prompt_tokens": 1})
    assert [flow(room, flows).tokens for _ in range(2)] == [1, 1]
    answers(room, NOW, usage={"prompt_tokens": 2})
    assert flow(room, flows).tokens == 3
    store(room).write_bytes(b"")
    answers(room, NOW, usage={"prompt_tokens": 7})
    assert flow(room, flows).tokens == 7


def test_the_page_of_a_job_shows_it(room: Room) -> None:
    job = room.log.submit(["eval", "--model", "alpha"], "alpha: ARC", "network", "ada")
    path = room.outputs / "alpha" / "run.json"
    write_json(path, msgspec.structs.replace(read_json(path, Run), job=job))
    store(room).unlink()
    answers(room, *(NOW + second for second in range(60)), latency=1.5, usage={"prompt_tokens": 10_000})
    page = str(jobs.view(room, room.sessions.nobody(), Visit("en", {})))
    assert "<polyline" in page and "samples a second" in page
    assert "0.6 M" in page and "median 1.5 s" in page
    assert "no worker: nothing starts" in page and "1 queued" in page


# --- damage --------------------------------------------------------------------------------------------------------


def test_damaged_lines_of_runs_are_counted_once_and_named(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_stores(room.outputs).broken == 0
    for _ in range(2):
        with open(store(room), "ab") as file:
            file.write(b'{"key": 7}\nnot json\n')
    (room.outputs / "alpha" / "reviews" / "arc.jsonl.torn").write_bytes(b'{"key": "x\n')
    found = run_stores(room.outputs)
    assert (found.looked_at, found.left, found.broken) == (2, 0, 5)
    assert [path.parent.name for path in found.damaged] == ["predictions", "reviews"]
    assert run_stores(room.outputs) == found
    page = str(health_tab.view(room, room.sessions.nobody(), Visit("en", {})))
    assert "alpha/predictions/arc.jsonl" in page and "damaged lines: 5" in page
    monkeypatch.setattr(store_check, "_known", {})
    monkeypatch.setattr(store_check, "_MOST", 10)
    assert run_stores(room.outputs).left == 1
    assert run_stores(room.outputs).left == 0, "the next look goes on"
