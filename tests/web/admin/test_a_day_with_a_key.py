"""A day's work with a server that sends the key back in everything it says: real jobs, *say hello*, a live battle, a judge's
opinion. Afterwards no piece of the key is in any page, header, log or file, however it may be written there."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
import yaml
from fastapi import FastAPI
from starlette.testclient import TestClient

from arena.live.arena import LiveArena
from arena.live.pane import PaneWriter
from arena.live.players import ArenaPlayers
from leaderboard.results import AllResults
from llmuses.jobs import JobStatus
from llmuses.settings import arena_entries
from llmuses.web.admin import site
from llmuses.web.admin.door import TOKEN, add_admin
from llmuses.web.admin.room import Room
from llmuses.web.admin.rules import read_rules
from llmuses.web.arena_api import add_arena
from llmuses.web.health import add_health
from tests.support.echoing_server import echoing_server, writings
from tests.support.live_arenas import read_picture, rules
from tests.web.test_arena_api import events

KEY = "sk-planted/8d1f+2a7c=Q9zX4"
PASSWORD = "correct horse battery"
NAMES = ("day-picky", "day-other", "day-wrong", "day-judge")


class Day:
    """The room and the arena of one server, somebody logged in, and all that was ever answered."""

    def __init__(self, folder: Path, room: Room, client: TestClient, url: str):
        self.folder, self.room, self.client, self.url = folder, room, client, url
        self.answers: list[tuple[str, str]] = []
        client.event_hooks["response"] = [self._keep]
        client.post("/admin/login", data={"name": "admin", "password": PASSWORD})
        self.token = client.get("/admin").text.split('data-token="')[1].split('"')[0]

    def _keep(self, answer: Any) -> None:
        said = b"".join(name + value for name, value in answer.headers.raw) + answer.read()
        self.answers.append((f"{answer.request.method} {answer.request.url}", said.decode("utf-8", "replace")))

    def do(self, deed: str, asked: dict[str, Any], answers: int = 200) -> Any:
        """Do something in the room."""
        sent = self.client.post(f"/admin/do/{deed}", content=msgspec.json.encode(asked), headers={TOKEN: self.token})
        assert sent.status_code == answers, (deed, sent.text)
        return sent.json()

    def work_off(self) -> None:
        """Wait until all jobs have ended."""
        end = time.monotonic() + 120
        while not all(job.status.ended for job in self.room.log.jobs()):
            assert time.monotonic() < end
            self.room.supervisor.look()
            time.sleep(0.1)

    def look_around(self) -> None:
        """Open every page, of every job, in both languages."""
        for lang in ("en", "zh"):
            for tab in site.TABS:
                self.client.get(f"/admin?tab={tab.name}&lang={lang}")
        for job in self.room.log.jobs():
            for log in ("", "warnings"):
                self.client.get(f"/admin/view?tab=jobs&job={job.job_id}&log={log}")
            self.client.get(f"/admin/log/{job.job_id}")
        for path in ("/healthz", "/metrics", "/arena-api/state"):
            self.client.get(path)


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Day]:
    ruled = tmp_path / "admin.yaml"
    ruled.write_text("allowed_addresses: [127.0.0.0/8]")
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    for name in ("LLMUSES_MODELS", "LLMUSES_ARENA", "LLMUSES_METRICS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "PLANTED": KEY, "LLMUSES_ADMIN_PASSWORD": PASSWORD, "LLMUSES_ADMIN_CONFIG": str(ruled),
        "LLMUSES_OUTPUTS": str(outputs), "LLMUSES_WORK_DIR": str(tmp_path / "work"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with echoing_server() as url:
        args = {"base_url": url, "api_key_env": "PLANTED", "max_retries": 0}
        named = {name: {"model": f"openai:{name}", "args": args, "arena": {}} for name in NAMES}
        (outputs / "models.yaml").write_text(yaml.safe_dump(named))
        players = ArenaPlayers(outputs / "arena-live", arena_entries())
        players.start()
        players.wait()
        judge = {"model": "day-judge"}
        arena = LiveArena(outputs / "arena-live", rules(judge=judge), players, PaneWriter, read_picture, time.time)
        room = Room(AllResults(outputs), read_rules(), arena)
        app = FastAPI()
        add_admin(app, room, site.TABS, site.DEEDS)
        add_arena(app, arena)
        add_health(app, room.results)
        with TestClient(app, base_url="http://localhost", client=("127.0.0.1", 1), follow_redirects=False) as client:
            yield Day(outputs, room, client, url)
        room.close()
        arena.close()
        players.close()


def test_no_piece_of_the_key_is_left_anywhere(day: Day, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server = {
        "source": "api",
        "base_url": day.url,
        "api_key_env": "PLANTED",
        "datasets": ["gsm8k"],
        "sample_data": True,
    }
    day.do("start", {**server, "model": "day-picky", "limit": 6})
    day.do("start", {**server, "model": "day-wrong", "limit": 2})
    asked = {"name": "day", "models": ["day-picky", "day-other"], "judge": "day-judge", "number": 4, "max_tokens": 16}
    day.do("start-battles", asked)
    assert "***" in day.do("hello", {**server, "model": "day-other"})["html"]
    day.do("save-models", {"text": (day.folder / "models.yaml").read_text(), "seen": "an older file"}, answers=409)
    day.work_off()
    picky, wrong, battles = day.room.log.jobs()
    assert (picky.status, wrong.status, battles.status) == (JobStatus.DONE, JobStatus.FAILED, JobStatus.DONE)
    assert "does not accept the key in PLANTED" in wrong.reason and "***" in wrong.reason
    _battles_and_an_opinion(day.client)
    day.look_around()
    day.room.close()

    places = dict(day.answers) | {"the server's log": caplog.text}
    for path in (file for file in day.folder.parent.rglob("*") if file.is_file()):
        places[str(path.relative_to(day.folder.parent)).removeprefix("outputs/")] = path.read_bytes().decode(
            "utf-8", "replace"
        )
    assert sum("***" in words for name, words in places.items() if name.endswith("gsm8k.jsonl")) >= 2
    assert "***" in places["arena-live/battles.jsonl"]
    assert any("***" in words for name, words in places.items() if "tab=jobs" in name)
    wanted = secret_pieces()
    assert [(name, piece) for name, words in places.items() for piece in wanted if piece in words] == []


def _battles_and_an_opinion(client: TestClient) -> None:
    """Have a model fail until it sits out; play until a battle can be voted on, vote, and ask the judge."""
    for _ in range(6):
        client.post(
            "/arena-api/send", json={"mode": "direct", "models": ["day-wrong"], "prompt": "Hello", "terms": True}
        )
    for _ in range(12):
        found = events(
            client.post("/arena-api/send", json={"mode": "battle", "prompt": "What is blue?", "terms": True})
        )
        if found[-1][1].get("vote"):
            break
    token = found[0][1]["battle"]
    assert client.post("/arena-api/vote", json={"battle": token, "choice": "tie"}).status_code == 200
    assert client.post("/arena-api/opinion", json={"battle": token}).status_code == 200


def secret_pieces() -> set[str]:
    """Return every eight characters in a row of the key, however it is written; what is around it in Base64 is no secret."""
    inside = [KEY, KEY[::-1], quote(KEY, safe=""), json.dumps(KEY)[1:-1], KEY.encode().hex()]
    inside += [base64.b64encode(b"x" * shift + KEY.encode()).decode()[(0, 2, 3)[shift] : -4] for shift in range(3)]
    pieces = {form[at : at + 8] for form in inside for at in range(len(form) - 7)}
    assert all(any(piece in written for piece in pieces) for written in writings(KEY))
    return pieces
