"""Whoever may start jobs may not read the secrets of the machine by having them sent somewhere as keys."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from arena.live.rules import Provider
from leaderboard.results import AllResults
from llmuses.errors import UsageError
from llmuses.jobs.environment import job_environment
from llmuses.web.admin.evaluate import DEEDS
from llmuses.web.admin.evaluation import EvaluationAsked
from llmuses.web.admin.room import Doing, Room
from llmuses.web.admin.rules import Account, AdminRules, Role
from llmuses.web.admin.sessions import Person
from tests.support.quick_hash import quick_hash

HERE = "http://127.0.0.1:9/v1"
MODELS = 'lab: {model: "openai:lab", args: {base_url: "http://127.0.0.1:9/v1/", api_key_env: LAB_KEY}}'


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    (tmp_path / "models.yaml").write_text(MODELS)
    monkeypatch.setenv("LLMUSES_MODELS", str(tmp_path / "models.yaml"))
    monkeypatch.setenv("LAB_KEY", "lk-1")
    monkeypatch.setenv("CLOUD_SECRET", "cs-2")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    account = Account(name="ada", password=quick_hash("long enough"))
    return Room(AllResults(tmp_path), AdminRules(accounts=(account,), allowed_addresses=("127.0.0.0/8",)))


def _asked(key: str, url: str = HERE) -> EvaluationAsked:
    return EvaluationAsked(
        source="api", model="x", base_url=url, api_key_env=key, datasets=("arc",), limit=1, sample_data=True
    )


def _doing(room: Room, role: Role) -> Doing:
    return Doing(room, Person("bob", role, "t"), "en")


@pytest.mark.parametrize("deed", ["hello", "start"])
@pytest.mark.parametrize(
    ("key", "url"),
    [("CLOUD_SECRET", HERE), ("LAB_KEY", "http://127.0.0.1:10/v1"), ("LAB_KEY", ""), ("CLOUD_SECRET", "")],
)
def test_an_operator_sends_no_key_where_no_admin_does(room: Room, deed: str, key: str, url: str) -> None:
    with pytest.raises(UsageError, match=f"{key} would be sent to"):
        DEEDS[deed].run(_doing(room, Role.OPERATOR), _asked(key, url))
    assert room.log.jobs() == []


def test_the_usual_key_goes_to_no_server_of_an_operators_own(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-3")
    with pytest.raises(UsageError, match="OPENAI_API_KEY would be sent to"):
        DEEDS["start"].run(_doing(room, Role.OPERATOR), _asked(""))


@pytest.mark.parametrize(
    ("role", "key"),
    [(Role.OPERATOR, "LAB_KEY"), (Role.OPERATOR, "NO_KEY"), (Role.OPERATOR, ""), (Role.ADMIN, "CLOUD_SECRET")],
)
def test_what_an_admin_named_and_servers_without_a_key_can_be_asked(room: Room, role: Role, key: str) -> None:
    DEEDS["start"].run(_doing(room, role), _asked(key))
    assert len(room.log.jobs()) == 1


def test_a_job_does_not_know_what_opens_the_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMUSES_ADMIN_PASSWORD", "a long password")
    monkeypatch.setenv("LLMUSES_METRICS_TOKEN", "a token")
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", "of the host's client")
    monkeypatch.setenv("HUB_SECRET", "of our own client")
    hub = Provider(issuer="https://hub.example", client_id="x", client_secret_env="HUB_SECRET")
    kept_back = Room(AllResults(tmp_path), AdminRules(logins={"hub": hub})).kept_back()
    said = subprocess.run(
        [sys.executable, "-c", "import os; print(sorted(os.environ))"],
        env=job_environment((), kept_back),
        capture_output=True,
    ).stdout
    assert b"LLMUSES_REACHABLE" in said
    assert not [word for word in (b"PASSWORD", b"METRICS_TOKEN", b"SECRET") if word in said]
