"""Logging in at a provider: the whole way, and everything that can be wrong on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import msgspec
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from llmuses.web.arena_api import add_arena
from llmuses.web.login import COOKIE, add_login
from tests.support.live_arenas import live_arena
from tests.support.openid_server import CLIENT, SECRET, Provider, openid_provider
from tests.web.test_arena_api import play


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("TEST_CLIENT_SECRET", SECRET)
    with openid_provider() as provider:
        yield provider


@contextmanager
def serving(folder: Path, provider: Provider, **more: Any) -> Iterator[TestClient]:
    rule = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret_env": "TEST_CLIENT_SECRET", "label": "Test"}
    arena = live_arena(folder, logins={"test": rule}, **more)
    app = FastAPI()
    add_arena(app, arena)
    add_login(app, arena)
    with TestClient(app, follow_redirects=False) as client:
        yield client


def way_back(client: TestClient) -> str:
    """Go to the provider and agree; return the address that the browser is sent back to."""
    started = client.get("/arena-login/test")
    assert started.status_code == 303
    return str(httpx2.get(started.headers["location"]).headers["location"])


def log_in(client: TestClient) -> str:
    """Log in and return where that ended."""
    return str(client.get(way_back(client)).headers["location"])


def tier(client: TestClient) -> str:
    return str(client.get("/arena-api/state").json()["tier"])


def test_who_logs_in_votes_as_the_same_person_everywhere(tmp_path: Path, provider: Provider) -> None:
    voters = []
    for _ in range(2):
        with serving(tmp_path, provider) as client:
            assert tier(client) == "anonymous"
            assert log_in(client) == "/?login=done" and tier(client) == "login"
            client.post("/arena-api/vote", json={"battle": play(client), "choice": "tie"})
            line = msgspec.json.decode((tmp_path / "battles.jsonl").read_bytes().splitlines()[-1])
            assert line["tier"] == "login"
            voters.append(line["voter"])
    assert voters[0] == voters[1] and "person" not in voters[0]
    assert b"person-1" not in b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())


def test_logging_out_makes_a_visitor_nobody_again(tmp_path: Path, provider: Provider) -> None:
    with serving(tmp_path, provider) as client:
        log_in(client)
        assert client.post("/arena-login/out", headers={"Origin": "https://evil.example"}).status_code == 403
        assert tier(client) == "login"
        assert client.post("/arena-login/out").status_code == 200
        assert tier(client) == "anonymous"


def test_a_login_ends_the_session_that_began_it(tmp_path: Path, provider: Provider) -> None:
    with serving(tmp_path, provider) as client:
        token = play(client)
        log_in(client)
        assert client.post("/arena-api/vote", json={"battle": token, "choice": "tie"}).json()["code"] == "foreign"


def test_a_secret_may_go_in_the_form(tmp_path: Path, provider: Provider) -> None:
    provider.discovery["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    with serving(tmp_path, provider) as client:
        assert log_in(client) == "/?login=done"


def test_behind_a_proxy_the_way_back_is_the_address_that_the_browser_knows(tmp_path: Path, provider: Provider) -> None:
    with serving(tmp_path, provider, web={"proxies": ["127.0.0.1/32"]}) as client:
        client._transport.client = ("127.0.0.1", 5)  # type: ignore[attr-defined]
        forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "arena.example"}
        started = client.get("/arena-login/test", headers=forwarded)
        query = parse_qs(urlsplit(started.headers["location"]).query)
    assert query["redirect_uri"] == ["https://arena.example/arena-login/test/back"]
    assert "; Secure" in started.headers["set-cookie"]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another client"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"exp": 1.0},
        {"nonce": "of another login"},
        {"nonce": None},
        {"sub": ""},
        {"sub": None},
    ],
)
def test_a_token_that_is_not_for_this_login_logs_nobody_in(
    tmp_path: Path, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    with serving(tmp_path, provider) as client:
        assert log_in(client) == "/?login=failed" and tier(client) == "anonymous"


@pytest.mark.parametrize(
    "answers", [{"state": "forged"}, {"state": ""}, {"code": "forged"}, {"code": ""}, {"error": "access_denied"},
                {"iss": "https://elsewhere.example"}]
)  # fmt: skip
def test_an_answer_that_was_changed_on_its_way_logs_nobody_in(
    tmp_path: Path, provider: Provider, answers: dict[str, str]
) -> None:
    provider.answers = answers
    with serving(tmp_path, provider) as client:
        assert log_in(client) == "/?login=failed" and tier(client) == "anonymous"


def test_an_answer_works_once_and_only_in_the_browser_that_asked(tmp_path: Path, provider: Provider) -> None:
    with serving(tmp_path, provider) as client:
        address = way_back(client)
        started = client.cookies[COOKIE]
        with serving(tmp_path, provider) as other:
            assert other.get(address).headers["location"] == "/?login=failed", "no login was begun there"
            way_back(other)
            assert other.get(address).headers["location"] == "/?login=failed", "another one was"
            assert tier(other) == "anonymous"
        assert client.get(address).headers["location"] == "/?login=done"
        client.cookies.set(COOKIE, started)
        assert client.get(address).headers["location"] == "/?login=failed", "the code is used up"


def test_a_cookie_of_a_login_is_no_session_and_the_other_way_round(tmp_path: Path, provider: Provider) -> None:
    with serving(tmp_path, provider) as client:
        way_back(client)
        started = client.cookies[COOKIE]
        client.cookies.clear()
        answer = client.get("/arena-api/state", headers={"Cookie": f"llmuses_session={started}"})
        assert "set-cookie" in answer.headers, "it was not taken for a session"


@pytest.mark.parametrize("broken", ["openid-configuration", "token"])
def test_a_provider_that_talks_nonsense(tmp_path: Path, provider: Provider, broken: str) -> None:
    provider.broken = broken
    with serving(tmp_path, provider) as client:
        started = client.get("/arena-login/test")
        if broken == "token":
            started = client.get(httpx2.get(started.headers["location"]).headers["location"])
        assert started.headers["location"] == "/?login=failed"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", "https://elsewhere.example"),
        ("token_endpoint", "http://169.254.169.254/latest"),
        ("authorization_endpoint", "javascript:alert(1)"),
        ("authorization_endpoint", "http://elsewhere.example/authorize"),
    ],
)
def test_a_provider_that_names_strange_addresses(tmp_path: Path, provider: Provider, name: str, value: str) -> None:
    provider.discovery[name] = value
    with serving(tmp_path, provider) as client:
        assert client.get("/arena-login/test").headers["location"] == "/?login=failed"


def test_a_provider_that_is_not_there(tmp_path: Path, provider: Provider) -> None:
    with serving(tmp_path, provider) as client:
        provider_gone = Provider("http://127.0.0.1:9")
    with serving(tmp_path, provider_gone) as client:
        assert client.get("/arena-login/test").headers["location"] == "/?login=failed"


def test_unknown_providers_and_too_many_tries(tmp_path: Path, provider: Provider) -> None:
    limit = {"login": {"voter": [], "block": [{"count": 3, "seconds": 60}]}}
    with serving(tmp_path, provider, rates=limit) as client:
        assert client.get("/arena-login/nobody").status_code == 404
        answers = [client.get("/arena-login/test").status_code for _ in range(4)]
    assert answers == [303, 303, 303, 429]


def test_without_providers_there_is_no_login(tmp_path: Path) -> None:
    app = FastAPI()
    add_login(app, live_arena(tmp_path))
    with TestClient(app) as client:
        assert client.get("/arena-login/test").status_code == 404
