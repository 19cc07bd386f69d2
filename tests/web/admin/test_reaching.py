"""Whom the server's own process may call for people of the room: as long as the room is open, and no longer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from leaderboard.results import AllResults
from llmuses.reach import as_client
from llmuses.web.admin.site import opened_room
from tests.support.live_arenas import live_arena


@pytest.fixture
def port() -> Iterator[int]:
    """A server of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LLMUSES_ADMIN_CONFIG", "LLMUSES_ADMIN_PASSWORD", "LLMUSES_MODELS", "LLMUSES_READ_ONLY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LLMUSES_OUTPUTS", str(tmp_path))


def reaches(port: int) -> bool:
    """Return whether a client of a model gets through to a server of this machine."""
    try:
        with as_client(), socket.create_connection(("127.0.0.1", port)):
            return True
    except PermissionError:
        return False


def test_with_accounts_the_arenas_models_call_only_what_the_owner_of_the_machine_named(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMUSES_ADMIN_PASSWORD", "a long password")
    with opened_room(AllResults(tmp_path), live_arena(tmp_path / "live")):
        assert not reaches(port)
        (tmp_path / "models.yaml").write_text(
            f"near: {{model: 'openai:x', args: {{base_url: 'http://127.0.0.1:{port}/v1'}}}}"
        )
        assert reaches(port)
    assert reaches(port), "the room is closed"


def test_the_judge_of_the_arenas_rules_may_be_a_server_of_this_machine(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMUSES_ADMIN_PASSWORD", "a long password")
    judge = {"model": "openai:judge", "args": {"base_url": "http://localhost:8000/v1"}}
    with opened_room(AllResults(tmp_path), live_arena(tmp_path / "live", judge=judge)):
        assert reaches(port)


def test_networks_of_the_rules_may_be_called_and_without_accounts_everything(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_room(AllResults(tmp_path), live_arena(tmp_path / "live")):
        assert reaches(port)
    (tmp_path / "admin.yaml").write_text("allowed_addresses: [127.0.0.0/8]")
    monkeypatch.setenv("LLMUSES_ADMIN_CONFIG", str(tmp_path / "admin.yaml"))
    monkeypatch.setenv("LLMUSES_ADMIN_PASSWORD", "a long password")
    with opened_room(AllResults(tmp_path), live_arena(tmp_path / "live")):
        assert reaches(port)
