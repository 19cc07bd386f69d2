"""Every address of the admin room, called by everybody: one table of what each of them gets.

The tables are held against the room's own list of routes, tabs and deeds: one that is added and not written down here fails a
test, so that nobody opens a door without saying who comes through it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import yaml
from fastapi import FastAPI
from starlette.testclient import TestClient

from arena.live.rules import Provider
from leaderboard.results import AllResults
from llmuses.web.admin import passwords, reading, site
from llmuses.web.admin.door import TOKEN, add_admin
from llmuses.web.admin.room import Room
from llmuses.web.admin.rules import Account, AdminRules, Role
from llmuses.web.admin.sessions import COOKIE
from llmuses.web.health import add_health
from tests.support.live_arenas import live_arena
from tests.support.openid_server import CLIENT, openid_provider
from tests.support.quick_hash import quick_hash

PASSWORD = "correct horse battery"
OURS = {"sec-fetch-site": "same-origin", "sec-fetch-dest": "empty"}
THEIRS = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "empty"}

CALLERS = (
    "nobody", "foreign", "expired", "logged out", "old password", "operator", "admin",
    "cross-site", "other origin", "no token", "another's token", "wrong method",
)  # fmt: skip
"""Who calls. The first five have no session, or none that is good any more; the last five are an admin's browser that
somebody else makes call, or that calls with GET where it should POST, or the other way round."""

DOCUMENT = "401 401 401 401 401 200 200 403 200 200 200 405"
"""What is read. An Origin header alone forbids nothing: no other site gets to read the answer."""

FOR_OPERATORS = "401 401 401 401 401 {0} {1} 403 403 403 403 405"
FOR_ADMINS = "401 401 401 401 401 403 {0} 403 403 403 403 405"
ANYBODY = "200 200 200 200 200 200 200 200 200 200 200 405"

ADDRESSES: dict[tuple[str, str], str] = {
    ("GET", "/admin"): DOCUMENT,
    ("GET", "/admin/"): "307 307 307 307 307 307 307 307 307 307 307 405",
    ("GET", "/admin/view"): DOCUMENT,
    ("GET", "/admin/log/{job}"): DOCUMENT,
    ("POST", "/admin/login"): "303 303 303 303 303 303 303 403 403 303 303 405",
    ("GET", "/admin/login/{name}"): "303 303 303 303 303 303 303 303 303 303 303 405",
    ("GET", "/admin/login/{name}/back"): "401 401 401 401 401 401 401 401 401 401 401 405",
    ("POST", "/admin/logout"): "401 401 401 401 401 303 303 403 403 303 303 405",
    **{("GET", f"/admin/{way}{page.name}"): DOCUMENT for page in reading.PAGES for way in ("", "view/")},
    **{("GET", f"/admin/{name}"): DOCUMENT.replace("200", "307") for name in reading.PUBLIC},
    ("GET", "/admin/export/{name}"): DOCUMENT.replace("200", "404"),
    ("GET", "/healthz"): ANYBODY,
    ("GET", "/metrics"): "404 404 404 404 404 404 404 404 404 404 404 405",
}
"""All but the deeds, with what each caller gets, in their order."""

TABS: dict[str, tuple[bool, str]] = {
    "jobs": (True, 'data-deed="cancel"'),
    "evaluate": (True, 'data-deed="start"'),
    "battles": (True, 'data-deed="start-battles"'),
    "models": (False, 'data-deed="save-models"'),
    "arena": (False, 'data-deed="save-house"'),
    "health": (True, "jobs/audit.jsonl"),
}
"""Whether an operator sees a tab too, and what of it nobody else may read."""

_EVALUATION = {"model": "baseline:random", "datasets": ["arc"], "limit": 2, "sample_data": True}
_BATTLES = {"name": "spring", "models": ["baseline:echo", "baseline:random"], "judge": "judge", "number": 2}
_JOB, _VOTE, _MODEL = {"job": "j-9999"}, {"battle": "9-9", "reason": "a bot"}, {"model": "one-7b"}

DEEDS: dict[str, tuple[str, dict[str, Any]]] = {
    "plan": (FOR_OPERATORS.format(200, 200), _EVALUATION),
    "example": (FOR_OPERATORS.format(200, 200), {**_EVALUATION, "dataset": "arc", "number": 2}),
    "start": (FOR_OPERATORS.format(200, 200), _EVALUATION),
    "hello": (FOR_OPERATORS.format(409, 409), {"model": "no such model"}),
    "plan-battles": (FOR_OPERATORS.format(200, 200), _BATTLES),
    "start-battles": (FOR_OPERATORS.format(200, 409), _BATTLES),
    "cancel": (FOR_OPERATORS.format(409, 409), _JOB),
    "resume": (FOR_OPERATORS.format(409, 409), _JOB),
    "clone": (FOR_OPERATORS.format(409, 409), _JOB),
    "check-models": (FOR_ADMINS.format(200), {"text": "mine: {model: 'baseline:random'}"}),
    "save-models": (FOR_ADMINS.format(409), {"text": "mine: {model: 'baseline:random'}", "seen": "an older file"}),
    "pause-model": (FOR_ADMINS.format(200), _MODEL),
    "retire-model": (FOR_ADMINS.format(200), _MODEL),
    "resume-model": (FOR_ADMINS.format(409), _MODEL),
    "exclude-vote": (FOR_ADMINS.format(409), _VOTE),
    "restore-vote": (FOR_ADMINS.format(409), _VOTE),
    "withdraw-vote": (FOR_ADMINS.format(409), {"battle": "9-9"}),
    "exclude-voter": (FOR_ADMINS.format(409), {"voter": "nobody", "reason": "a bot"}),
    "publish": (FOR_ADMINS.format(409), {}),
    "hide-run": (FOR_ADMINS.format(409), {"run": "no such run"}),
    "publish-run": (FOR_ADMINS.format(409), {"run": "no such run"}),
    "save-house": (FOR_ADMINS.format(200), {"words": ["x"], "seen": "none"}),
    "no-such-deed": (FOR_OPERATORS.format(404, 404), {}),
}
"""What each deed answers, and with what it is called: 409 is a refusal in words, of somebody who was let in."""


class Site(NamedTuple):
    """The room as it is served, and where it keeps what."""

    client: TestClient
    room: Room
    accounts: dict[str, Account]
    folder: Path
    routes: set[tuple[str, str]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("room")
    models = folder / "models.yaml"
    models.write_text(
        yaml.safe_dump({"judge": {"model": "openai:judge", "args": {"base_url": "http://127.0.0.1:9/v1"}}})
    )
    hashed = quick_hash(PASSWORD)
    accounts = {
        "ada": Account(name="ada", password=hashed, role=Role.ADMIN),
        "bob": Account(name="bob", password=hashed),
    }
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setattr(passwords, "_FREE", 1000)
        patch.setenv("LLMUSES_MODELS", str(models))
        patch.setenv("LLMUSES_ARENA", str(folder / "live"))
        patch.delenv("LLMUSES_METRICS_TOKEN", raising=False)
        arena = live_arena(folder / "live")
        hub = Provider(issuer=stack.enter_context(openid_provider()).issuer, client_id=CLIENT)
        room = Room(AllResults(folder), AdminRules(accounts=tuple(accounts.values()), logins={"hub": hub}), arena)
        printed = room.log.place(room.log.submit(["list", "runs"], "a list", "network", "ada")) / "log.txt"
        printed.parent.mkdir(exist_ok=True)
        printed.write_text("printed")
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        add_admin(app, room, site.TABS, site.DEEDS)
        add_health(app, room.results)
        routes = {(method, route.path) for route in app.routes for method in route.methods}  # type: ignore[attr-defined]
        with TestClient(
            app, base_url="http://lab.example", client=("203.0.113.7", 1), follow_redirects=False
        ) as client:
            yield Site(client, room, accounts, folder, routes)
        arena.close()
        room.close()


def cookie_of(served: Site, caller: str) -> str:
    """Return the cookie of a caller: a fresh session each time, for one of the calls ends it."""
    room, ada, bob = served.room, served.accounts["ada"], served.accounts["bob"]
    now = time.time()
    match caller:
        case "nobody":
            return ""
        case "foreign":
            elsewhere = Room(AllResults(served.folder / "elsewhere"), room.rules)
            return elsewhere.sessions.cookie(ada, now)
        case "expired":
            return room.sessions.cookie(ada, now - 13 * 3600)
        case "logged out":
            cookie = room.sessions.cookie(ada, now)
            room.sessions.end(cookie)
            return cookie
        case "old password":
            return room.sessions.cookie(msgspec.structs.replace(ada, password="$argon2id$another"), now)
        case "operator":
            return room.sessions.cookie(bob, now)
    return room.sessions.cookie(ada, now)


def call(served: Site, caller: str, method: str, path: str, body: bytes = b"") -> Any:
    """Return what a caller is answered."""
    cookie = cookie_of(served, caller)
    headers = dict(THEIRS if caller == "cross-site" else OURS)
    if caller == "other origin":
        headers = {"origin": "https://evil.example"}
    token_of = "operator" if caller == "another's token" else caller
    person = served.room.sessions.person(cookie if token_of == caller else cookie_of(served, token_of), time.time())
    if person is not None and caller != "no token":
        headers[TOKEN] = person.token
    if cookie:
        headers["cookie"] = f"{COOKIE}={cookie}"
    if caller == "wrong method":
        method = "GET" if method == "POST" else "POST"
    served.client.cookies.clear()
    return served.client.request(method, path, content=body, headers=headers)


def filled(path: str) -> str:
    """Return an address without its gaps."""
    return path.replace("{job}", "j-0001").replace("{name}", "hub")


def kept(served: Site) -> dict[str, bytes]:
    """Return all that the room has on the disk, but for sessions that this test ended."""
    files = (path for path in served.folder.rglob("*") if path.is_file() and "elsewhere" not in path.parts)
    return {str(path): path.read_bytes() for path in files if path.name != "logouts.jsonl"}


def answers(served: Site, method: str, path: str, body: bytes = b"") -> str:
    """Return what all callers are answered, in the table's form; whoever is refused changes nothing."""
    found = []
    for caller in CALLERS:
        before = kept(served)
        answer = call(served, caller, method, path, body)
        if answer.status_code >= 400 and answer.status_code != 409:
            assert kept(served) == before, caller
        found.append(str(answer.status_code))
    return " ".join(found)


def test_the_tables_have_every_address_tab_and_deed_of_the_room(served: Site) -> None:
    assert {*ADDRESSES, ("POST", "/admin/do/{name}")} == {
        (method, path) for method, path in served.routes if method != "HEAD"
    }
    assert set(TABS) == {tab.name for tab in site.TABS}
    assert set(DEEDS) - {"no-such-deed"} == set(site.DEEDS)


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_an_address_answers_each_caller_as_the_table_says(served: Site, method: str, path: str) -> None:
    body = f"name=ada&password={PASSWORD}".encode() if path.endswith("/login") else b""
    assert answers(served, method, filled(path), body) == ADDRESSES[method, path]


@pytest.mark.parametrize("name", DEEDS)
def test_a_deed_answers_each_caller_as_the_table_says(served: Site, name: str) -> None:
    expected, asked = DEEDS[name]
    assert answers(served, "POST", f"/admin/do/{name}", msgspec.json.encode(asked)) == expected


@pytest.mark.parametrize("address", ["/admin?tab={}", "/admin/view?tab={}"])
@pytest.mark.parametrize("tab", TABS)
def test_a_tab_is_read_by_those_who_may_and_by_nobody_else(served: Site, tab: str, address: str) -> None:
    for_operators, mark = TABS[tab]
    readers = [caller for caller in CALLERS if mark in call(served, caller, "GET", address.format(tab)).text]
    assert readers == [*(["operator"] if for_operators else []), "admin", "other origin", "no token", "another's token"]


def test_what_a_job_printed_is_read_by_people_of_the_room_alone(served: Site) -> None:
    readers = [caller for caller in CALLERS if call(served, caller, "GET", "/admin/log/j-0001").text == "printed"]
    assert readers == ["operator", "admin", "other origin", "no token", "another's token"]


def test_who_did_what_is_read_by_admins_alone(served: Site) -> None:
    served.room.audit.say("ada", "retire-model", "a telling line")
    readers = [
        caller
        for caller in CALLERS[:7]
        if "a telling line" in call(served, caller, "GET", "/admin/view?tab=health").text
    ]
    assert readers == ["admin"]


def test_no_answer_of_the_room_lets_another_site_read_it(served: Site) -> None:
    for method, path in [*ADDRESSES, ("POST", "/admin/do/plan")]:
        answer = call(served, "admin", method, filled(path))
        assert not [name for name in answer.headers if name.startswith("access-control")], path
