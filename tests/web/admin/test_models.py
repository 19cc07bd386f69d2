"""models.yaml edited in the admin room: checked before it is saved, saved whole, no secret in it, no address inside."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaderboard.results import AllResults
from llmuses.errors import UsageError
from llmuses.settings import model_entries
from llmuses.visit import Visit
from llmuses.web.admin import models
from llmuses.web.admin.room import Doing, Room
from llmuses.web.admin.rules import Account, AdminRules
from tests.support.quick_hash import quick_hash

GOOD = """\
mine:
  model: openai:my-model
  args: {base_url: "https://8.8.8.8/v1", api_key_env: MY_KEY}
  organisation: My lab
  arena: {weight: 2}
"""

BAD = {
    "no YAML": ("mine: [", "while parsing"),
    "a list": ("- mine", "Expected"),
    "an unknown field": ("mine: {model: 'baseline:random', organization: x}", "mine: Object contains unknown field"),
    "an unknown field of the arena": (
        "fine: {model: 'baseline:random'}\nmine: {model: 'baseline:random', arena: {weigth: 2}}",
        "mine: Object contains unknown field `weigth`",
    ),
    "no model": ("mine: {organisation: x}", "mine: Object missing required field `model`"),
    "an unknown backend": ("mine: {model: 'opanai:x'}", "mine: unknown backend 'opanai'"),
    "an unknown argument": ("mine: {model: 'openai:x', args: {base_ur: x}}", "mine: unknown model argument"),
    "a key": ("mine: {model: 'openai:x', args: {api_key: sk-123}}", "never written down"),
    "an address inside": ("mine: {model: 'openai:x', args: {base_url: 'http://10.0.0.1/v1'}}", "inside a network"),
    "a name that leads inside": (
        "mine: {model: 'openai:x', args: {base_url: 'http://localhost/v1'}}",
        "inside a network",
    ),
    "a budget without a price": ("mine: {model: 'openai:x', arena: {budget: 5}}", "mine: a budget needs a price"),
}


@pytest.fixture
def doing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doing:
    monkeypatch.setenv("LLMUSES_OUTPUTS", str(tmp_path))
    monkeypatch.delenv("LLMUSES_MODELS", raising=False)
    account = Account(name="ada", password=quick_hash("long enough"))
    room = Room(AllResults(tmp_path), AdminRules(accounts=(account,)))
    return Doing(room, room.sessions.nobody(), "en")


def save(doing: Doing, text: str, seen: str | None = None) -> str:
    stamp = models._stamp(doing.room.outputs / "models.yaml") if seen is None else seen
    return str(models._save(doing, models._Text(text=text, seen=stamp))["say"])


def test_a_model_that_is_saved_can_be_evaluated_at_once(doing: Doing) -> None:
    assert save(doing, GOOD) == "Saved: 1 models."
    assert model_entries()["mine"].organisation == "My lab"
    assert (doing.room.outputs / "models.yaml").read_text() == GOOD


def test_the_page_shows_the_file_and_every_model(doing: Doing) -> None:
    save(doing, GOOD)
    page = models.view(doing.room, doing.person, Visit("en", {}))
    assert "My lab" in page
    assert "api_key_env: MY_KEY" in page
    assert "SmolLM2-135M-Instruct" in page


@pytest.mark.parametrize("what", BAD)
def test_what_could_not_be_used_is_refused_in_one_line_and_the_file_stays(doing: Doing, what: str) -> None:
    save(doing, GOOD)
    text, words = BAD[what]
    with pytest.raises(UsageError) as refused:
        save(doing, text)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert (doing.room.outputs / "models.yaml").read_text() == GOOD


def test_checking_saves_nothing(doing: Doing) -> None:
    assert models._check(doing, models._Text(text=GOOD))["say"] == "1 models, nothing wrong. Not saved."
    assert not (doing.room.outputs / "models.yaml").exists()


def test_two_people_do_not_overwrite_each_other(doing: Doing) -> None:
    seen = models._stamp(doing.room.outputs / "models.yaml")
    save(doing, GOOD, seen)
    with pytest.raises(UsageError, match="somebody changed the file"):
        save(doing, GOOD.replace("My lab", "Another lab"), seen)


def test_on_a_machine_of_ones_own_a_server_beside_it_may_be_named(tmp_path: Path, doing: Doing) -> None:
    room = Room(AllResults(tmp_path), AdminRules())
    names = models.check_models("mine: {model: 'openai:x', args: {base_url: 'http://localhost:8000/v1'}}", room)
    assert names == ["mine"]


def test_a_server_that_the_owner_of_the_machine_named_in_the_file_may_be_called(doing: Doing) -> None:
    path = doing.room.outputs / "models.yaml"
    path.write_text(
        "near: {model: 'openai:x', args: {base_url: 'http://localhost:8000/v1'}}\n"
        "far: {model: 'openai:x', args: {base_url: 'http://10.0.0.7:8000/v1'}}\n"
        "named: {model: 'openai:x', args: {base_url: 'http://inner.example/v1'}}\n"
    )
    assert doing.room.reachable() == ["10.0.0.7/32", "127.0.0.1/32", "::1/128"]
    assert save(doing, path.read_text() + GOOD) == "Saved: 4 models."
    with pytest.raises(UsageError, match="inside a network"):
        save(doing, path.read_text() + "new: {model: 'openai:x', args: {base_url: 'http://10.0.0.8/v1'}}\n")
