"""A key and a password in the environment, and a key that somebody types where it does not belong: whatever is then done in
the admin room, they are in no page, no answer, no log and no file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from arena.live.players import ArenaPlayers
from leaderboard.results import AllResults
from llmuses.records import Record
from llmuses.settings import ModelEntry
from llmuses.store import JsonlStore
from llmuses.web.admin import hello, site
from llmuses.web.admin.door import add_admin
from llmuses.web.admin.room import Room
from llmuses.web.admin.rules import read_rules
from llmuses.web.health import add_health
from tests.arena.live.test_published import votes
from tests.support.live_arenas import live_arena

KEY, PASSWORD, TYPED = "sk-planted-8d1f2a7c", "planted horse battery", "sk-typed-5b0e9d3f"
HERE = {"sec-fetch-site": "same-origin"}
MODELS = "mine:\n  model: openai:mine\n  args: {base_url: 'https://8.8.8.8/v1', api_key_env: PLANTED_KEY}\n"
EVALUATION = {
    "source": "api", "model": "mine", "base_url": "https://8.8.8.8/v1", "api_key_env": "PLANTED_KEY", "datasets": ["gsm8k"],
    "limit": 1, "sample_data": True,
}  # fmt: skip
BODIES: dict[str, list[dict[str, object]]] = {
    "start": [EVALUATION, {**EVALUATION, "base_url": f"https://me:{TYPED}@8.8.8.8/v1"}],
    "plan": [EVALUATION],
    "hello": [EVALUATION],
    "save-models": [
        {"text": MODELS, "seen": "none"},
        {"text": MODELS.replace("api_key_env: PLANTED_KEY", f"api_key: {TYPED}")},
        {"text": MODELS.replace("api_key_env: PLANTED_KEY", f'api_key: "{KEY}"')},
    ],
    "check-models": [{"text": MODELS.replace("api_key_env: PLANTED_KEY", f"api_key: {TYPED}")}],
    "exclude-vote": [{"battle": "1-1", "reason": "a bot"}],
    "restore-vote": [{"battle": "1-1", "reason": "a person"}],
    "exclude-voter": [{"voter": "v3", "reason": "a bot"}],
    "withdraw-vote": [{"battle": "1-2"}],
    "pause-model": [{"model": "a1"}],
    "resume-model": [{"model": "a1"}],
    "retire-model": [{"model": "a1"}],
    "save-house": [{"words": ["x"], "seen": "none"}],
    "cancel": [{"job": "j-0001"}],
    "resume": [{"job": "j-0001"}],
    "clone": [{"job": "j-0001"}],
}


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    for name in ("LLMUSES_ADMIN_CONFIG", "LLMUSES_MODELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PLANTED_KEY", KEY)
    monkeypatch.setenv("LLMUSES_ADMIN_PASSWORD", PASSWORD)
    monkeypatch.setenv("LLMUSES_OUTPUTS", str(tmp_path))
    monkeypatch.setenv("LLMUSES_ARENA", str(tmp_path / "live"))
    monkeypatch.setattr(hello, "_SECONDS", 0.1)  # the model's server is nowhere
    with JsonlStore(tmp_path / "live" / "battles.jsonl", Record) as store:
        store.append_all(votes(60))
    entries = {
        "a1": msgspec.convert({"model": "openai:a1", "args": {"api_key_env": "PLANTED_KEY"}, "arena": {}}, ModelEntry)
    }
    players = ArenaPlayers(tmp_path / "live", entries)
    arena = live_arena(tmp_path / "live", players)  # type: ignore[arg-type]
    yield Room(AllResults(tmp_path), read_rules(), arena)
    arena.close()
    players.close()


def test_no_secret_leaves_the_environment(room: Room, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    app = FastAPI()
    add_admin(app, room, site.TABS, site.DEEDS)
    add_health(app, room.results)
    caller = TestClient(app, base_url="http://localhost", client=("127.0.0.1", 50000), follow_redirects=False)
    shown = [caller.post("/admin/login", data={"name": PASSWORD, "password": KEY}, headers=HERE).text]
    shown.append(caller.post("/admin/login", data={"name": "admin", "password": PASSWORD}, headers=HERE).text)
    page = caller.get("/admin").text
    token = page.split('data-token="')[1].split('"')[0]
    headers = {**HERE, "x-llmuses-token": token, "content-type": "application/json"}
    answers: dict[str, int] = {}
    for deed in [*BODIES, *(site.DEEDS.keys() - BODIES.keys())]:
        for body in BODIES.get(deed, [{}]):
            answer = caller.post(f"/admin/do/{deed}", content=msgspec.json.encode(body), headers=headers)
            answers[deed] = min(answer.status_code, answers.get(deed, 999))
            shown.append(answer.text)
    for deed in ("exclude-vote", "withdraw-vote", "pause-model", "save-house", "save-models", "start", "publish"):
        assert answers[deed] == 200, (deed, answers)
    for tab in site.TABS:
        shown += [caller.get(f"/admin?tab={tab.name}&lang={lang}").text for lang in ("en", "zh")]
    shown += [caller.get(path).text for path in ("/healthz", "/metrics", "/admin/log/j-0001")]
    assert "llmuses_jobs" in shown[-2]
    room.close()
    places = {f"page {number}": words for number, words in enumerate(shown)} | {"the log": caplog.text}
    places |= {
        str(path.relative_to(tmp_path)): path.read_bytes().decode("utf-8", "replace")
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert "PLANTED_KEY" in places["models.yaml"] and "save-models" in next(
        words for name, words in places.items() if name.endswith("audit.jsonl")
    ), "what is looked through holds what was done"
    found = [(name, secret) for name, words in places.items() for secret in (KEY, PASSWORD, TYPED) if secret in words]
    assert found == []
