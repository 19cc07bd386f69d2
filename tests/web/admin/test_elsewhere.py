"""Logging in to the admin room at a provider: who is let in, as what, and who is not."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from leaderboard.results import AllResults
from llmuses.web.admin.door import TOKEN, add_admin
from llmuses.web.admin.elsewhere import COOKIE
from llmuses.web.admin.room import Room
from llmuses.web.admin.rules import AdminRules
from llmuses.web.admin.sessions import COOKIE as SESSION
from tests.support.openid_server import CLIENT, SECRET, Provider, openid_provider
from tests.support.quick_hash import quick_hash
from tests.web.admin.test_door import DEEDS, TABS

ADA = {"name": "ada", "role": "admin", "login": "hub", "subject": "person-1"}
HERE = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("TEST_CLIENT_SECRET", SECRET)
    with openid_provider() as provider:
        yield provider


def rules(provider: Provider, *accounts: dict[str, str], **more: Any) -> AdminRules:
    """Return rules under which people of a provider may log in."""
    rule = {
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "client_secret_env": "TEST_CLIENT_SECRET",
        "label": "The Hub",
    }
    return msgspec.convert({"logins": {"hub": {**rule, **more}}, "accounts": accounts}, AdminRules)


def browser(
    folder: Path, ruled: AdminRules, base: str = "https://lab.example", address: str = "203.0.113.7"
) -> TestClient:
    """Return a browser, of a room of its own on a folder."""
    app = FastAPI()
    add_admin(app, Room(AllResults(folder), ruled), TABS, DEEDS)
    return TestClient(app, base_url=base, client=(address, 1), follow_redirects=False)


def way_back(ada: TestClient) -> str:
    """Go to the provider and agree; return the address that the browser is sent back to."""
    started = ada.get("/admin/login/hub")
    assert started.status_code == 303, started.text
    return str(httpx2.get(started.headers["location"]).headers["location"])


def log_in(ada: TestClient) -> httpx2.Response:
    """Log in and return where that ended."""
    return ada.get(way_back(ada), headers={"sec-fetch-site": "cross-site", "sec-fetch-dest": "document"})


def test_an_admin_logs_in_works_and_logs_out(tmp_path: Path, provider: Provider) -> None:
    ada = browser(tmp_path, rules(provider, ADA))
    asked = ada.get("/admin")
    assert asked.status_code == 401 and "Sign in with The Hub" in asked.text and 'type="password"' not in asked.text
    onwards = log_in(ada)
    assert onwards.status_code == 200 and 'content="0;url=../../../admin"' in onwards.text
    cookies = onwards.headers.get_list("set-cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == [SESSION, COOKIE]
    assert all(flag in cookies[0] for flag in ("HttpOnly", "SameSite=Strict", "Secure"))
    page = ada.get("/admin").text
    headers = {**HERE, TOKEN: page.split('data-token="')[1].split('"')[0]}
    assert ada.post("/admin/do/rule", json={"word": "yes"}, headers=headers).json() == {"say": "ada said yes"}
    copied = ada.cookies[SESSION]
    ada.post("/admin/logout", headers=HERE)
    ada.cookies.set(SESSION, copied)
    assert ada.get("/admin").status_code == 401


def test_who_comes_back_is_led_to_the_page_that_was_asked_for_and_to_no_other_site(
    tmp_path: Path, provider: Provider
) -> None:
    ada = browser(tmp_path, rules(provider, ADA))
    page = ada.get("/admin/browse?run=secret&dataset=arc").text
    link = html.unescape(page.split('href="admin/login/hub')[1].split('"')[0])
    for asked, led in (
        (link, "admin/browse?run=secret&dataset=arc"), ("", "admin"), ("?to=%5C%5Cevil.example", "admin"),
    ):  # fmt: skip
        started = ada.get(f"/admin/login/hub{asked}")
        address = str(httpx2.get(started.headers["location"]).headers["location"])
        onwards = ada.get(address + "&to=//evil.example")
        assert f'content="0;url=../../../{html.escape(led)}"' in onwards.text and "evil" not in onwards.text


@pytest.mark.parametrize(
    ("account", "claims", "role"),
    [
        ({"subject": "person-1"}, {}, "operator"),
        ({"subject": "person-1", "role": "admin"}, {}, "admin"),
        ({"username": "ada-l"}, {"preferred_username": "ada-l"}, "operator"),
        ({"username": "ada-l", "role": "admin"}, {"preferred_username": "ada-l"}, "admin"),
        ({"subject": "person-2"}, {}, None),
        ({"subject": "ada-l"}, {"preferred_username": "ada-l"}, None),
        ({"username": "person-1"}, {}, None),
        ({"username": "person-1"}, {"preferred_username": "ada-l"}, None),
        ({"username": "ada-l"}, {"preferred_username": "Ada-L"}, None),
        ({"username": "ada-l"}, {"preferred_username": ""}, None),
        ({"username": "ada-l"}, {"preferred_username": None}, None),
        ({"username": "ada-l"}, {"name": "ada-l"}, None),
    ],
)
def test_the_rules_say_who_of_a_provider_is_what(
    tmp_path: Path, provider: Provider, account: dict[str, str], claims: dict[str, Any], role: str | None
) -> None:
    provider.claims = claims
    ada = browser(tmp_path, rules(provider, {"name": "ada", "login": "hub", **account}))
    answer = log_in(ada)
    assert answer.status_code == (200 if role else 403)
    assert ada.get("/admin").status_code == (200 if role else 401)
    if role is None:
        assert "subject person-1" in answer.text and SESSION not in ada.cookies
    else:
        assert ("for admins" in ada.get("/admin?tab=models").text) is (role == "admin")


@pytest.mark.parametrize(
    "claims", [{"iss": "https://elsewhere.example"}, {"aud": "another"}, {"exp": 1.0}, {"nonce": "x"}]
)
def test_a_token_of_somebody_else_lets_nobody_in(tmp_path: Path, provider: Provider, claims: dict[str, Any]) -> None:
    provider.claims = claims
    ada = browser(tmp_path, rules(provider, ADA))
    assert log_in(ada).status_code == 401 and ada.get("/admin").status_code == 401


def test_an_answer_works_once_and_only_in_the_browser_that_asked(tmp_path: Path, provider: Provider) -> None:
    ada, eve = (browser(tmp_path, rules(provider, ADA)) for _ in range(2))
    address = way_back(ada)
    assert eve.get(address).status_code == 401, "no login was begun there"
    way_back(eve)
    assert eve.get(address).status_code == 401, "another one was"
    started = ada.cookies[COOKIE]
    assert ada.get(address).status_code == 200
    ada.cookies.set(COOKIE, started)
    assert ada.get(address).status_code == 401, "the code is used up"
    eve.cookies.set(SESSION, started)
    assert eve.get("/admin").status_code == 401, "what began a login is no session"


def test_answers_that_were_made_up_are_looked_at_more_and_more_slowly_and_lock_nobody_else_out(
    tmp_path: Path, provider: Provider
) -> None:
    ruled = rules(provider, ADA)
    app = FastAPI()
    add_admin(app, Room(AllResults(tmp_path), ruled), TABS, DEEDS)
    eve, ada = (TestClient(app, client=(f"203.0.113.{n}", 1), follow_redirects=False) for n in (6, 7))
    answers = [eve.get("/admin/login/hub/back?code=x&state=y").status_code for _ in range(8)]
    assert answers[:5] == [401] * 5 and 429 in answers[5:]
    assert log_in(ada).status_code == 200


def test_whoever_is_no_longer_in_the_rules_is_out_at_the_next_start(tmp_path: Path, provider: Provider) -> None:
    ada = browser(tmp_path, rules(provider, ADA))
    log_in(ada)
    cookie = ada.cookies[SESSION]
    for accounts, status in (((ADA,), 200), (({**ADA, "subject": "person-2"},), 401), (({**ADA, "name": "bob"},), 401)):
        later = browser(tmp_path, rules(provider, *accounts))
        later.cookies.set(SESSION, cookie)
        assert later.get("/admin").status_code == status


def test_passwords_go_on_beside_a_provider(tmp_path: Path, provider: Provider) -> None:
    bob = {"name": "bob", "password": quick_hash("correct horse battery")}
    both = browser(tmp_path, rules(provider, ADA, bob))
    page = both.get("/admin").text
    assert "Sign in with The Hub" in page and 'type="password"' in page
    sent = {"name": "bob", "password": "correct horse battery"}
    assert both.post("/admin/login", data=sent, headers=HERE).status_code == 303
    assert both.get("/admin").status_code == 200
    for password in ("", "person-1"):
        tried = both.post("/admin/login", data={"name": "ada", "password": password}, headers=HERE)
        assert tried.status_code == 401, "who logs in elsewhere has no password here"


def test_a_host_that_makes_the_client_tells_its_id_by_the_environment(
    tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = rules(provider, ADA, client_id=None, client_id_env="TEST_CLIENT_ID")
    monkeypatch.delenv("TEST_CLIENT_ID", raising=False)
    assert browser(tmp_path, told).get("/admin/login/hub").status_code == 401
    monkeypatch.setenv("TEST_CLIENT_ID", CLIENT)
    assert log_in(browser(tmp_path, told)).status_code == 200


def test_without_any_account_there_is_no_room_for_others_and_no_way_in(tmp_path: Path, provider: Provider) -> None:
    nobody = browser(tmp_path, rules(provider), "http://lab.example")
    for path in ("/admin", "/admin/login/hub", "/admin/login/hub/back?code=x"):
        assert nobody.get(path).status_code == 404
    ada = browser(tmp_path, rules(provider, ADA))
    assert ada.get("/admin/login/another").status_code == 404


def test_who_logged_in_and_who_was_refused_is_on_record(tmp_path: Path, provider: Provider) -> None:
    ada = browser(tmp_path, rules(provider, ADA))
    log_in(ada)
    provider.claims = {"sub": "person-3"}
    log_in(ada)
    said = (tmp_path / "jobs" / "audit.jsonl").read_text()
    lines = [msgspec.json.decode(line) for line in said.splitlines()]
    assert [(line["by"], line["deed"], line.get("about")) for line in lines] == [
        ("ada", "login", "hub"), ("", "login refused", "hub: person-3"),
    ]  # fmt: skip
