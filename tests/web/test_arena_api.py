"""The arena over HTTP: what strangers, forgers and impatient people send, and what comes back."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from arena.live.arena import LiveArena
from llmuses.web.arena_api import add_arena
from llmuses.web.sessions import COOKIE
from tests.support.live_arenas import TWO, ScriptedPlayers, live_arena

SEND = {"mode": "battle", "prompt": "What is blue?", "terms": True}


@contextlib.contextmanager
def serving(arena: LiveArena, address: str = "203.0.113.7", **more: Any) -> Iterator[TestClient]:
    app = FastAPI()
    add_arena(app, arena)
    with TestClient(app, client=(address, 1234), **more) as client:
        yield client


@pytest.fixture
def arena(tmp_path: Path) -> LiveArena:
    return live_arena(tmp_path)


@pytest.fixture
def client(arena: LiveArena) -> Iterator[TestClient]:
    with serving(arena) as client:
        yield client


def events(answer: Any) -> list[tuple[str, Any]]:
    """Return the events of a stream: names and data."""
    assert answer.headers["content-type"].startswith("text/event-stream"), answer.text
    found = []
    for block in answer.text.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), msgspec.json.decode(data.removeprefix("data: "))))
    return found


def play(client: TestClient, **more: Any) -> str:
    """Play one turn and return the battle's token."""
    found = events(client.post("/arena-api/send", json={**SEND, **more}))
    assert [name for name, _ in found[:1] + found[-1:]] == ["battle", "end"]
    return str(found[0][1]["battle"])


def test_a_battle_by_hand(client: TestClient) -> None:
    found = events(client.post("/arena-api/send", json=SEND))
    names = [name for name, _ in found]
    assert names[0] == "battle" and names[-1] == "end" and set(names[1:-1]) == {"frame"}
    assert found[0][1]["turn"] == 0 and found[-1][1] == {"vote": True}
    assert all(set(data) <= {"a", "b", "overdue"} for name, data in found if name == "frame")
    last = {side: [data[side] for name, data in found if name == "frame" and side in data][-1] for side in "ab"}
    assert [pane["state"] for pane in last.values()] == ["finished", "finished"]
    told = str(found)
    assert "one-7b" not in told and "two-8b" not in told, "nothing names a model before the vote"
    answer = client.post("/arena-api/vote", json={"battle": found[0][1]["battle"], "choice": "tie"})
    revealed = answer.json()["revealed"]
    assert {revealed["a"]["name"], revealed["b"]["name"]} == {"one-7b", "two-8b"} and revealed["counted"]
    assert answer.headers["cache-control"] == "no-store"


def test_the_state_says_what_a_composer_must_know(client: TestClient) -> None:
    state = client.get("/arena-api/state").json()
    assert state["models"] == [{"name": "one-7b", "tags": []}, {"name": "two-8b", "tags": ["vision"]}]
    assert state["limits"]["prompt_chars"] == 12_000 and state["voting"] == "open" and state["terms_needed"]
    assert (state["judge"], state["proof"], state["logins"], state["tier"]) == (False, False, [], "anonymous")


def test_the_session_cookie_is_signed_and_out_of_reach_of_scripts(client: TestClient) -> None:
    cookie = client.get("/arena-api/state").headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "set-cookie" not in client.get("/arena-api/state").headers, "who has a session keeps it"


@pytest.mark.parametrize("change", [lambda c: c[:-1] + ("A" if c[-1] != "A" else "B"), lambda c: "A" + c, lambda c: "",
                                    lambda c: "." + c, lambda c: c.split(".")[0], lambda c: c + "." + c, lambda c: "x" * 9000])  # fmt: skip
def test_a_changed_cookie_is_nobodys_session(client: TestClient, change: Any) -> None:
    token = play(client)
    forged = change(client.cookies[COOKIE])
    client.cookies.clear()
    answer = client.post(
        "/arena-api/vote", json={"battle": token, "choice": "tie"}, headers={"Cookie": f"{COOKIE}={forged}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign")
    assert "set-cookie" in answer.headers


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"", "application/json", 400, "malformed"),
        (b"[]", "application/json", 400, "malformed"),
        (b"{", "application/json", 400, "malformed"),
        (b"null", "application/json", 400, "malformed"),
        (b'{"battle": "x", "choice": "model_c"}', "application/json", 400, "malformed"),
        (b'{"battle": 7, "choice": "tie"}', "application/json", 400, "malformed"),
        (b'{"battle": "x", "choice": "tie", "voter": "me"}', "application/json", 400, "malformed"),
        (b'{"battle": "\xff\xfe", "choice": "tie"}', "application/json", 400, "malformed"),
        (b'{"battle": "\\ud800", "choice": "tie"}', "application/json", 400, "malformed"),
        (b"[" * 70_000, "application/json", 400, "malformed"),
        (b'{"battle": "x", "choice": "tie"}', "text/plain", 400, "malformed"),
        (b"battle=x&choice=tie", "application/x-www-form-urlencoded", 400, "malformed"),
        (b'{"battle": "' + b"x" * 200_000 + b'"}', "application/json", 413, "too_long"),
        (b'{"battle": "x", "choice": "tie"}', "application/json", 403, "foreign"),
    ],
)
def test_bodies_that_cannot_be_meant(client: TestClient, body: bytes, kind: str, status: int, code: str) -> None:
    answer = client.post("/arena-api/vote", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_body_that_never_says_its_length_is_cut_off(client: TestClient) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"x" * 1000

    answer = client.post("/arena-api/send", content=endless(), headers={"Content-Type": "application/json"})
    assert answer.json()["code"] == "too_long"


@pytest.mark.parametrize("said", ["-1", "1e9", "99999999999999", "٣"])
def test_a_length_that_is_none(client: TestClient, said: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": said.encode()}
    assert client.post("/arena-api/stop", content=b"{}", headers=headers).status_code == 400  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),  # no browser
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://other.testserver"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "HTTP://TESTSERVER:80"}, True),
        ({"Origin": "https://testserver"}, False),
        ({"Origin": "http://testserver.evil.example"}, False),
        ({"Origin": "http://testserver:99999"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://friend.example"}, True),  # a configured one
    ],
)
def test_pages_of_others_cannot_vote(tmp_path: Path, headers: dict[str, str], allowed: bool) -> None:
    arena = live_arena(tmp_path, web={"origins": ["https://friend.example"]})
    with serving(arena) as client:
        token = play(client)
        answer = client.post("/arena-api/vote", json={"battle": token, "choice": "tie"}, headers=headers)
    assert answer.status_code == (200 if allowed else 403)
    assert allowed or answer.json()["code"] == "origin"


@pytest.mark.parametrize(
    ("peer", "proxies", "forwarded", "counts_as"),
    [
        ("203.0.113.7", [], "198.51.100.1", "203.0.113.7"),
        ("127.0.0.1", [], "198.51.100.1", "127.0.0.1"),
        ("127.0.0.1", ["127.0.0.1/32"], "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", ["127.0.0.1/32"], "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", ["127.0.0.0/8"], "198.51.100.1, 127.0.0.2", "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.0/8", "127.0.0.1/32"], "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("::1", ["::1/128"], "2001:db8:1:2::9", "2001:db8:1:2::9"),
        ("127.0.0.1", ["127.0.0.1/32"], "[2001:db8:1:2::9]", "2001:db8:1:2::9"),
        ("127.0.0.1", ["127.0.0.1/32"], "no address", "no address"),
    ],
)
def test_forwarded_addresses_are_believed_from_configured_proxies_only(
    tmp_path: Path, peer: str, proxies: list[str], forwarded: str, counts_as: str
) -> None:
    once = {"send": {"voter": [], "block": [{"count": 1, "seconds": 60}]}}
    arena = live_arena(tmp_path, web={"proxies": proxies}, rates=once)
    with serving(arena, counts_as) as client:
        assert client.post("/arena-api/send", json=SEND).status_code == 200
    with serving(arena, peer) as client:
        assert client.post("/arena-api/send", json=SEND, headers={"X-Forwarded-For": forwarded}).status_code == 429


def test_limits_hold_for_a_block_of_addresses_whatever_cookies_come(tmp_path: Path) -> None:
    limits = {"send": {"voter": [], "block": [{"count": 3, "seconds": 60}]}}
    arena = live_arena(tmp_path, rates=limits)
    with serving(arena, "203.0.113.7") as client:
        for number in range(5):
            client.cookies.clear()
            answer = client.post("/arena-api/send", json=SEND)
            assert answer.status_code == (200 if number < 3 else 429)
        assert (answer.json()["code"], answer.json()["retry_after"]) == ("rate", 60)
        assert answer.headers["retry-after"] == "60"
    with serving(arena, "203.0.113.200") as neighbour:
        assert neighbour.post("/arena-api/send", json=SEND).status_code == 429
    with serving(arena, "203.0.114.7") as stranger:
        assert stranger.post("/arena-api/send", json=SEND).status_code == 200


def test_an_image_is_seen_by_the_session_that_sent_it_only(client: TestClient) -> None:
    taken = client.post("/arena-api/image", content=b"image bytes", headers={"Content-Type": "image/png"}).json()
    assert (taken["width"], taken["height"]) == (3, 2)
    seen = client.get("/" + taken["url"])
    assert (seen.content, seen.headers["content-type"]) == (b"image bytes", "image/png")
    assert "sandbox" in seen.headers["content-security-policy"]
    client.cookies.clear()
    assert client.get("/" + taken["url"]).json()["code"] == "image_gone"


@pytest.mark.parametrize("path", ["..%2f..%2fsecret", "%00", "secret", "a/b", "%2e%2e", "..\\secret"])
def test_no_path_leads_from_images_to_files(client: TestClient, path: str) -> None:
    answer = client.get(f"/arena-api/image/{path}")
    assert answer.status_code == 404 and b"secret" not in answer.content


def test_an_image_that_is_none_or_too_large(tmp_path: Path) -> None:
    arena = live_arena(tmp_path, sizes={"image_bytes": 100})
    with serving(arena) as client:
        for content, kind, code in [
            (b"image" + b"x" * 100, "image/png", "too_long"),
            (b"GIF89a", "image/gif", "image"),
            (b"image", "text/html", "image"),
            (b"image", "", "image"),
        ]:
            answer = client.post("/arena-api/image", content=content, headers={"Content-Type": kind})
            assert answer.json()["code"] == code, (content, kind)


def test_a_failed_disk_is_said_and_the_vote_can_be_cast_again(
    arena: LiveArena, client: TestClient, tmp_path: Path
) -> None:
    token = play(client)
    (tmp_path / "battles.jsonl").mkdir()
    answer = client.post("/arena-api/vote", json={"battle": token, "choice": "tie"})
    assert (answer.status_code, answer.json()["code"]) == (503, "not_saved")
    (tmp_path / "battles.jsonl").rmdir()
    assert client.post("/arena-api/vote", json={"battle": token, "choice": "tie"}).status_code == 200


def test_a_browser_behind_a_proxy_with_https_gets_a_cookie_for_https_only(tmp_path: Path) -> None:
    arena = live_arena(tmp_path, web={"proxies": ["203.0.113.7/32"]})
    with serving(arena) as client:
        forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "arena.example"}
        assert "; Secure" in client.get("/arena-api/state", headers=forwarded).headers["set-cookie"]
        origin = {**forwarded, "Origin": "https://arena.example"}
        assert client.post("/arena-api/send", json=SEND, headers=origin).status_code == 200
        client.cookies.clear()
    with serving(arena, "198.51.100.1") as client:
        assert "; Secure" not in client.get("/arena-api/state", headers=forwarded).headers["set-cookie"]
        assert client.post("/arena-api/send", json=SEND, headers=origin).json()["code"] == "origin"


def test_in_a_frame_of_another_site_the_cookie_is_partitioned(tmp_path: Path) -> None:
    with serving(live_arena(tmp_path, web={"embedded": True})) as client:
        cookie = client.get("/arena-api/state").headers["set-cookie"]
    assert "SameSite=None; Secure; Partitioned" in cookie


def test_players_that_nobody_expected_are_not_asked(tmp_path: Path) -> None:
    players = ScriptedPlayers(TWO)
    with serving(live_arena(tmp_path, players)) as client:
        for body in (
            {**SEND, "base_url": "http://evil.example"},
            {**SEND, "mode": "admin"},
            {**SEND, "models": "one-7b"},
        ):
            assert client.post("/arena-api/send", json=body).json()["code"] == "malformed"
    assert players.asked == []


def test_who_closes_the_page_stops_the_models(tmp_path: Path) -> None:
    players = ScriptedPlayers(TWO, lambda *_: "some words and then nothing…")
    app = FastAPI()
    add_arena(app, live_arena(tmp_path, players))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        body = msgspec.json.encode(SEND)
        with socket.create_connection(listener.getsockname()) as reader:
            head = f"POST /arena-api/send HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            reader.sendall(head.encode() + body)
            seen = b""
            while b"some words" not in seen:
                seen += reader.recv(4096)
            assert players.closed == 0
        until = time.monotonic() + 60
        while players.closed < 2 and time.monotonic() < until:
            time.sleep(0.02)
        assert players.closed == 2
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
