"""Every address of the running app, called by somebody without a login: what was tried, and what came back.

The addresses are the app's own list: our routes, Gradio's, and each event of each page. One that is added and not in these
tables fails a test, so that nobody opens a door without saying what stands behind it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.routing import BaseRoute
from starlette.testclient import TestClient

from arena.live.arena import LiveArena
from arena.live.pane import PaneWriter
from llmuses.web.admin import reading
from llmuses.web.site import create_site
from tests.arena.live.rendering.test_hostile import MARKUP, seen
from tests.support.fake_runs import FakeDataset, FakeRun
from tests.support.live_arenas import TWO, ScriptedPlayers, read_picture, rules
from tests.web.test_arena_api import SEND, events, play

PAGES = {
    "/",
    "/arena",
    "/leaderboard",
    "/benchmarks",
    "/charts",
    "/compare",
    "/model",
    "/browse",
    "/battles",
    "/catalogue",
}
"""Documents: all answer 200, whatever their query says."""

OURS: dict[tuple[str, str], int] = {
    ("GET", "/ui/{name}"): 404,
    ("GET", "/export/{name}"): 404,
    ("GET", "/healthz"): 200,
    ("POST", "/arena-api/send"): 400,
    ("POST", "/arena-api/retry"): 400,
    ("POST", "/arena-api/stop"): 400,
    ("POST", "/arena-api/again"): 400,
    ("POST", "/arena-api/vote"): 400,
    ("POST", "/arena-api/opinion"): 400,
    ("POST", "/arena-api/withdraw"): 400,
    ("POST", "/arena-api/image"): 400,
    ("GET", "/arena-api/state"): 200,
    ("GET", "/arena-api/challenge"): 204,
    ("GET", "/arena-api/image/{name}"): 404,
}
"""Our own routes with an empty JSON object as their body."""

ADMIN = {"/admin", "/admin/", "/admin/login", "/admin/logout", "/admin/view", "/admin/do/{name}", "/admin/log/{job}"}
ADMIN |= {f"/admin/{way}{page.name}" for page in reading.PAGES for way in ("", "view/")}
ADMIN |= {"/admin/export/{name}", *(f"/admin/{name}" for name in reading.PUBLIC)}
"""The admin room, for whoever has no account: it is not there, or asks who it is, and does nothing."""

GRADIO: dict[tuple[str, str], int] = {
    ("GET", "/config"): 200,
    ("GET", "/config/"): 200,
    ("GET", "/theme.css"): 200,
    ("GET", "/static/{path:path}"): 404,
    ("GET", "/assets/{path:path}"): 404,
    ("GET", "/svelte/{path:path}"): 404,
    ("GET", "/favicon.ico"): 200,
    ("GET", "/robots.txt"): 200,
    ("GET", "/pwa_icon/{size}"): 422,
    ("GET", "/pwa_icon"): 404,
    ("GET", "/manifest.json"): 200,
}
"""What of Gradio's answers: what it shows its pages with. Everything else of it answers 404."""


class Site:
    """The app with an arena whose models say what a test wants."""

    def __init__(self, app: Any, client: TestClient, arena: LiveArena, players: ScriptedPlayers, folder: Path):
        self.app, self.client, self.arena, self.players, self.folder = app, client, arena, players, folder

    @property
    def lines(self) -> list[dict[str, Any]]:
        file = self.folder / "arena-live" / "battles.jsonl"
        return [msgspec.json.decode(line) for line in file.read_bytes().splitlines()] if file.exists() else []

    @property
    def happened(self) -> tuple[int, int]:
        """How many lines of battles there are, and how often a model was asked."""
        return len(self.lines), len(self.players.asked)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("outputs")
    FakeRun("alpha", {"arc": FakeDataset(n=5)}, run_id="alpha").write(folder)
    players = ScriptedPlayers(TWO)
    arena = LiveArena(folder / "arena-live", rules(), players, PaneWriter, read_picture, time.time)

    @contextlib.contextmanager
    def opened(outputs: Path) -> Iterator[LiveArena]:
        yield arena
        arena.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("llmuses.web.site.open_arena", opened)
        with (
            create_site(folder, demo=False) as app,
            TestClient(app, client=("203.0.113.7", 1), raise_server_exceptions=False) as client,
        ):
            yield Site(app, client, arena, players, folder)


@pytest.fixture(autouse=True)
def a_new_visitor(site: Site) -> None:
    site.client.cookies.clear()
    site.players.answer = lambda name, messages: "An answer."


def _routes(routes: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Yield method and path of every route, those of mounted apps and of included routers among them."""
    for route in routes:
        inside = getattr(route, "routes", None) or getattr(getattr(route, "app", None), "routes", None)
        inside = inside or getattr(getattr(route, "original_router", None), "routes", None)
        if inside:
            yield from _routes(inside)
            continue
        for method in sorted(getattr(route, "methods", None) or ()):
            yield method, str(getattr(route, "path", ""))


def _called(site: Site, method: str, path: str) -> Any:
    filled = path
    for name in ("{path:path}", "{name}", "{job}", "{size}", "{key}", "{url_path:path}", "{path_or_url:path}"):
        filled = filled.replace(name, "x")
    return site.client.request(method, filled, json={} if method == "POST" else None, follow_redirects=False)


def test_every_address_is_known_and_answers_strangers_as_it_should(site: Site) -> None:
    before = site.happened
    found = set(_routes(site.app.routes))
    assert len(found) > 80, "the list of routes was not found"
    wrong = {}
    for method, path in sorted(found):
        answer = _called(site, method, path)
        if method == "HEAD":
            assert answer.content == b""
            continue
        if path in ADMIN:
            good = answer.status_code in (401, 403, 404) or (path == "/admin/" and answer.status_code == 307)
        elif path.rstrip("/") in PAGES or path == "/":
            good = answer.status_code == (301 if path != "/" and path.endswith("/") else 200)
        else:
            good = answer.status_code == OURS.get((method, path), GRADIO.get((method, path), 404))
        if not good:
            wrong[method, path] = answer.status_code
        assert "content-security-policy" in answer.headers, path
    assert wrong == {}
    assert set(OURS) <= found, "this table speaks of what is not there"
    assert site.happened == before, "no model was asked, and nothing written"


def test_every_event_of_every_page_only_writes_a_page(site: Site) -> None:
    """Gradio's events are open to everybody: each is called with what no page would send."""
    before = site.happened
    listed = site.client.get("/config").json()["dependencies"]
    assert len(listed) >= 15 and not any(event["queue"] for event in listed)
    hostile: list[Any] = [
        [], [None], [{"query": "?run=../../etc&x=<script>", "turn": 1}], [{"path": "/etc/passwd"}], ["x" * 60_000],
        [{"__proto__": {"admin": True}}],
    ]  # fmt: skip
    for event in listed:
        for data in hostile:
            for extra in ({}, {"event_data": {"query": "?run=<img src=x onerror=alert(1)>", "turn": "<b>"}}):
                body = {"fn_index": event["id"], "data": data, "session_hash": "../x", **extra}
                answer = site.client.post("/gradio_api/run/predict", json=body)
                assert answer.status_code in (200, 422, 500), (event, data, answer.text[:200])
                assert "root:" not in answer.text and "Traceback" not in answer.text and "<script>" not in answer.text
                assert "onerror=alert" not in answer.text.replace("&lt;img src=x onerror=alert", "")
    assert site.happened == before, "no model was asked, and nothing written"


@pytest.mark.parametrize("number", [-1, 10_000, "0", None, "../../x", 1e308])
def test_events_that_are_not_there(site: Site, number: Any) -> None:
    answer = site.client.post("/gradio_api/run/predict", json={"fn_index": number, "data": []})
    assert answer.status_code in (200, 404, 422, 500) and "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/queue/join"), ("GET", "/gradio_api/queue/data?session_hash=x"), ("POST", "/gradio_api/upload"),
        ("POST", "/gradio_api/run/opened"), ("POST", "/gradio_api/call/opened"), ("POST", "/gradio_api/api/predict"),
        ("GET", "/gradio_api/file=/etc/passwd"), ("GET", "/gradio_api/file=http://127.0.0.1/"), ("GET", "/gradio_api/info"),
        ("GET", "/gradio_api/proxy=http://169.254.169.254/"), ("POST", "/gradio_api/component_server"),
        ("GET", "/gradio_api/heartbeat/x"), ("POST", "/gradio_api/reset"), ("POST", "/gradio_api/cancel"),
        ("POST", "/gradio_api/vibe-edit"), ("POST", "/gradio_api/run/predict/"), ("POST", "/gradio_api/run/predict/x"),
        ("POST", "/gradio_api//run/predict"), ("GET", "/gradio_api/openapi.json"), ("GET", "/monitoring"),
        ("POST", "/login"), ("GET", "/logout"), ("GET", "/login_check"), ("GET", "/docs"), ("GET", "/openapi.json"),
        ("GET", "/.env"), ("GET", "/outputs/alpha/run.json"), ("GET", "/arena-live/secret"), ("GET", "/arena-live/battles.jsonl"),
        ("GET", "/export/..%2farena-live%2fsecret"), ("GET", "/export/secret"), ("GET", "/export/battles.jsonl"),
        ("GET", "/static/..%2f..%2f..%2fetc%2fpasswd"), ("GET", "/static/%2e%2e/%2e%2e/etc/passwd"),
        ("GET", "/assets/..%2f..%2f..%2fetc%2fpasswd"), ("GET", "/svelte/..%2f..%2fetc%2fpasswd"), ("GET", "/ui/%2fetc%2fpasswd"),
        ("GET", "/custom_component/a/b/c/d"), ("GET", "/arena-api/"), ("GET", "/arena-api/send"), ("PUT", "/arena-api/vote"),
        ("GET", "/arena-api/image/"), ("GET", "/arena-api/image/..%2f..%2fsecret"), ("POST", "/arena-api/state"),
        ("GET", "/arena-login/huggingface"), ("TRACE", "/"), ("CONNECT", "/"),
    ],
)  # fmt: skip
def test_doors_files_and_tricks_with_paths(site: Site, method: str, path: str) -> None:
    answer = site.client.request(method, path, json={} if method == "POST" else None, follow_redirects=False)
    assert answer.status_code in (403, 404, 405), answer.text[:200]
    assert "root:" not in answer.text and (site.folder / "arena-live" / "secret").read_text() not in answer.text


@pytest.mark.parametrize("path", ["/leaderboard", "/arena"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Prefix": "/evil"},
        {"X-Original-URL": "/admin"},
        {"X-Gradio-Server": "http://evil.example", "X-Direct-Url": "http://evil.example"},
    ],
)
def test_no_header_makes_a_page_lead_elsewhere(site: Site, path: str, headers: dict[str, str]) -> None:
    answer = site.client.get(path, headers={**headers, "accept": "text/html"})
    assert answer.status_code == 200
    links = [line for line in answer.text.split('"') if line.startswith(("http:", "https:", "//"))]
    assert not [link for link in links if "evil.example" in link and "/gradio_api" not in link and link.count("/") > 2]
    assert '<base href="./">' in answer.text


def test_large_bodies_are_not_even_read(site: Site) -> None:
    for path in ("/gradio_api/run/predict", "/arena-api/send", "/arena-api/vote", "/admin/login"):
        large = b'{"data": ["' + b"x" * 2_000_000 + b'"]}'
        answer = site.client.post(path, content=large, headers={"Content-Type": "application/json"})
        assert answer.status_code in (403, 404, 413), path

    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * 1000

    answer = site.client.post("/gradio_api/run/predict", content=endless())
    assert answer.status_code == 413


# --- Votes that are none -------------------------------------------------------------------------------------------


def _vote(site: Site, token: str, **more: Any) -> tuple[int, str]:
    answer = site.client.post("/arena-api/vote", json={"battle": token, "choice": "model_a", **more})
    return answer.status_code, answer.json().get("code", "taken")


def test_forged_foreign_replayed_double_and_early_votes(site: Site) -> None:
    before = len(site.lines)
    token = play(site.client)
    battle_id, signature = token.split(".")
    tried = {
        "forged": f"{battle_id}.{signature[::-1]}",
        "unsigned": battle_id,
        "of a battle that never was": f"{'0' * 16}.{signature}",
        "empty": "",
        "long": "x" * 3000,
        "null bytes": f"{battle_id}\x00.{signature}",
        "another purpose": f"{battle_id}.{site.arena.keys.sign('session', battle_id)}",
    }
    assert {name: _vote(site, text) for name, text in tried.items()} == dict.fromkeys(tried, (403, "foreign"))
    mine = dict(site.client.cookies)
    site.client.cookies.clear()
    assert _vote(site, token) == (403, "foreign"), "somebody without a session"
    play(site.client)
    assert _vote(site, token) == (403, "foreign"), "somebody with another session"
    site.client.cookies.clear()
    site.client.cookies.update(mine)
    assert len(site.lines) == before
    assert _vote(site, token) == (200, "taken")
    assert _vote(site, token) == (409, "voted"), "again"
    assert _vote(site, token, choice="model_b") == (409, "voted"), "and otherwise"
    assert len(site.lines) == before + 1
    site.players.answer = lambda name, messages: "Half an answer!"
    unfinished = str(events(site.client.post("/arena-api/send", json=SEND))[0][1]["battle"])
    assert _vote(site, unfinished) == (409, "not_finished")


@pytest.mark.parametrize(
    "fields", [{"voter": "me"}, {"tier": "login"}, {"model_a": "mine"}, {"anony": True}, {"tstamp": 0}]
)
def test_a_vote_says_nothing_but_its_choice(site: Site, fields: dict[str, Any]) -> None:
    assert _vote(site, play(site.client), **fields) == (400, "malformed")


@pytest.mark.parametrize(
    "fields",
    [
        {"base_url": "http://169.254.169.254/"}, {"model": "openai:x"}, {"models": ["http://evil.example"]},
        {"settings": {"base_url": "http://evil.example"}}, {"settings": {"max_tokens": 10**9}}, {"settings": {"temperature": 1e308}},
        {"image": "/etc/passwd"}, {"image": "http://evil.example/x.png"}, {"mode": "admin"}, {"policy": "mine"},
        {"prompt": 7}, {"prompt": None}, {"prompt": ["x"]}, {"prompt": "x" * 12_001}, {"turn": 3}, {"terms": "yes"},
    ],
)  # fmt: skip
def test_a_prompt_sets_no_address_no_model_and_no_file(site: Site, fields: dict[str, Any]) -> None:
    asked = len(site.players.asked)
    answer = site.client.post("/arena-api/send", json={**SEND, **fields})
    assert answer.status_code in (400, 403, 404, 413) and answer.headers["content-type"] == "application/json"
    assert len(site.players.asked) == asked


# --- Hostile models ----------------------------------------------------------------------------------------------


def test_there_are_forty_pieces_of_hostile_markup() -> None:
    assert len(MARKUP) >= 40


@pytest.mark.parametrize("markup", MARKUP)
def test_hostile_answers_of_both_models_reach_the_page_harmless(site: Site, markup: str) -> None:
    site.players.answer = lambda name, messages: f"Before.\n\n{markup}\n\n{markup} after"
    for _, data in events(site.client.post("/arena-api/send", json=SEND)):
        for pane in (data.get("a"), data.get("b")):
            seen(list(pane.get("blocks", ())) if pane else [])
