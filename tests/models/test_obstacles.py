"""What stands in the way of a model is known before it is asked: a key that is not set, a word misspelt, a package missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from leaderboard.results import Results
from llmuses.models.obstacles import obstacle, own_obstacles
from llmuses.visit import Visit
from llmuses.web.admin import health_tab, models
from llmuses.web.admin.room import Room
from llmuses.web.admin.rules import AdminRules

FILE = """\
keyed: {model: "openai:a", args: {base_url: "http://127.0.0.1:1/v1", api_key_env: LAB_KEY}}
open: {model: "openai:a", args: {base_url: "http://127.0.0.1:1/v1"}}
far: {model: "openai:a", args: {base_url: "https://example.org/v1"}}
misspelt: {model: "openai:a", args: {base_url: "http://127.0.0.1:1/v1", api_key: LAB_KEY}}
typed: {model: "openai:a", args: {api_key_env: "sk-not-a-name"}}
here: {model: "someone/something"}
chance: {model: "baseline:random"}
"""


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "models.yaml"
    path.write_text(FILE)
    monkeypatch.setenv("LLMUSES_MODELS", str(path))
    for name in ("LAB_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else there(name))
    return path


def test_each_obstacle_is_said_in_a_line_and_nothing_where_there_is_none() -> None:
    found = own_obstacles()
    assert set(found) == {"keyed", "far", "misspelt", "typed", "here"}
    assert found["keyed"].startswith("LAB_KEY is not set")
    assert found["far"].startswith("OPENAI_API_KEY is not set")
    assert "'api_key'" in found["misspelt"]
    assert "sk-not" not in found["typed"]
    assert "pip install 'llmuses[local]'" in found["here"]


def test_a_key_that_is_set_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", "k")
    assert obstacle("keyed") == ""


def test_a_file_that_cannot_be_read_is_the_obstacle(own: Path) -> None:
    own.write_text("mine: [")
    assert list(own_obstacles()) == ["models.yaml"]


def test_the_room_says_it_beside_the_model_and_among_what_fails(tmp_path: Path) -> None:
    room = Room(Results(tmp_path / "outputs"), AdminRules())
    for tab in (models, health_tab):
        page = tab.view(room, room.sessions.nobody(), Visit("en", {}))
        assert "LAB_KEY is not set" in page and "nothing fails" not in page
