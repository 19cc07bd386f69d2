"""The form of a new evaluation: the command that it comes to, what it refuses, and the way back from a command to the form."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from leaderboard.results import AllResults
from llmuses.errors import LlmusesError
from llmuses.visit import Visit
from llmuses.web.admin import evaluate
from llmuses.web.admin.clone import form_link
from llmuses.web.admin.evaluate import DEEDS
from llmuses.web.admin.evaluation import EvaluationAsked, command_of, spec_and_args
from llmuses.web.admin.room import Doing, Room
from llmuses.web.admin.rules import Account, AdminRules
from tests.support.quick_hash import quick_hash

API = {"source": "api", "model": "qwen", "base_url": "https://8.8.8.8/v1", "api_key_env": "LAB_KEY", "concurrency": 8}
FORMS: dict[str, dict[str, Any]] = {
    "a built-in player": {"source": "known", "model": "baseline:random", "datasets": ["arc"]},
    "an API": {**API, "datasets": ["gsm8k", "arc"], "limit": 5, "temperature": 0.7, "max_tokens": 64},
    "an address with a comma": {**API, "base_url": "https://8.8.8.8/v1,x", "datasets": ["arc"]},
    "a hub's model": {"source": "modelscope", "model": "Qwen/Qwen3-8B", "datasets": ["arc"], "few_shot": 0},
    "the other hub's": {"source": "huggingface", "model": "Qwen/Qwen3-8B", "datasets": ["arc"], "precision": "float32"},
    "all settings": {
        "source": "known", "model": "baseline:echo", "datasets": ["arc", "mmlu"], "limit": 3, "repeats": 2, "seed": 7,
        "few_shot": 2, "sample_data": True,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    account = Account(name="ada", password=quick_hash("long enough"))
    return Room(AllResults(tmp_path_factory.mktemp("outputs")), AdminRules(accounts=(account,)))


def asked(**fields: Any) -> EvaluationAsked:
    return msgspec.convert(fields, EvaluationAsked)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_command_leads_back_to_the_form_that_it_came_from(room: Room, form: dict[str, Any]) -> None:
    command = command_of(asked(**form), room)
    address = form_link(command)
    assert address is not None
    fields: dict[str, Any] = dict(parse_qsl(urlsplit(address).query))
    assert fields.pop("tab") == "evaluate"
    fields["datasets"] = fields["datasets"].split(",")
    fields["sample_data"] = fields.get("sample_data") == "1"
    assert command_of(msgspec.convert(fields, EvaluationAsked, strict=False), room) == command


@pytest.mark.parametrize(
    "command",
    [
        [], ["arena", "-c", "x.yaml"], ["eval"], ["eval", "words", "--model", "a/b"], ["eval", "--model", "a/b", "c/d"],
        ["eval", "--model", "a/b", "--datasets", "arc", "--unsafe-code"],
        ["eval", "--model", "a/b", "--datasets", "arc", "--generation-config", "top_p=0.5"],
        ["eval", "--model", "a/b", "--datasets", "arc", "--model-args", "revision=v2"],
        ["eval", "--model", "a/b", "--datasets", "arc", "--dataset-args", '{"arc": {"local_path": "x"}}'],
        ["eval", "--model", "a/b", "--datasets", "arc", "--dataset-args", "{torn"],
    ],
)  # fmt: skip
def test_a_command_that_the_form_cannot_say_has_no_form(command: list[str]) -> None:
    assert form_link(command) is None


@pytest.mark.parametrize("source", ["known", "directory", "modelscope", "huggingface", "api"])
@pytest.mark.parametrize("model", ["--unsafe-code", "-c", "--config=/etc/passwd", "--x/y", " --demo"])
def test_a_model_never_becomes_an_option(room: Room, source: str, model: str) -> None:
    with pytest.raises(LlmusesError):
        spec_and_args(asked(source=source, model=model), room)


@pytest.mark.parametrize("dataset", ["--unsafe-code", "-c", "--config=x", "", "os:system", "../arc"])
def test_a_dataset_is_a_benchmark_by_its_name(room: Room, dataset: str) -> None:
    with pytest.raises(LlmusesError):
        command_of(asked(model="baseline:random", datasets=["arc", dataset]), room)


@pytest.mark.parametrize("precision", ["float32,trust_remote_code=true", "--unsafe-code", "a=b"])
def test_what_is_typed_into_a_field_stays_one_value(room: Room, precision: str) -> None:
    form = asked(source="modelscope", model="a/b", datasets=["arc"], precision=precision)
    try:
        command = command_of(form, room)
    except LlmusesError:
        return
    assert command.count("--unsafe-code") == 0
    address = form_link(command)
    assert address is not None
    assert dict(parse_qsl(urlsplit(address).query))["precision"] == precision


@pytest.mark.parametrize("key", ["sk-123", "sk_live", "openai_key", "A B", "$KEY"])
def test_a_key_is_named_never_typed(room: Room, key: str) -> None:
    with pytest.raises(LlmusesError, match="named, never typed"):
        spec_and_args(asked(**{**API, "api_key_env": key}), room)


@pytest.mark.parametrize("url", ["http://10.0.0.1/v1", "http://[::1]/v1", "http://2130706433/v1", "file:///etc", "x"])
def test_an_address_inside_the_network_is_refused(room: Room, url: str) -> None:
    with pytest.raises(LlmusesError):
        spec_and_args(asked(**{**API, "base_url": url}), room)


def test_a_folder_that_is_not_there_is_no_model(room: Room, tmp_path: Path) -> None:
    with pytest.raises(LlmusesError, match="there is no folder"):
        spec_and_args(asked(source="directory", model=str(tmp_path / "none")), room)


# --- prompts as they will be sent -----------------------------------------------------------------------------------


def _deed(room: Room, deed: str, **fields: Any) -> str:
    kind = DEEDS[deed].asks
    doing = Doing(room, room.sessions.nobody(), "en")
    return str(DEEDS[deed].run(doing, msgspec.convert(fields, kind))["html"])


PAGED = {"model": "baseline:random", "datasets": ["gsm8k", "arc"], "limit": 3, "few_shot": 2, "sample_data": True}


def test_the_plan_shows_the_first_prompt_and_leads_to_the_others(room: Room) -> None:
    page = _deed(room, "plan", **PAGED)
    assert page.count("<details") == 1 and "2 worked examples" in page
    assert "1 of 3, about " in page
    buttons = re.findall(r'data-about="([^"]+)" data-step="(\w+)"[^>]*?( disabled)?>', page)
    asked_for = {step: (msgspec.json.decode(html.unescape(about)), bool(off)) for about, step, off in buttons}
    assert set(asked_for) == {"arc", "gsm8k", "left", "right"}
    assert asked_for["left"][1] and not asked_for["right"][1], "there is none before the first"
    after = _deed(room, "example", **asked_for["right"][0])
    assert "2 of 3, about " in after and after != page
    other = _deed(room, "example", **asked_for["arc"][0])
    assert "1 of 6, about " in other and "each of these" in other and asked_for["arc"][0]["few_shot"] == 2
    last = _deed(room, "example", **{**asked_for["right"][0], "number": 3})
    assert re.search(r'data-step="right"[^>]* disabled', last)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"dataset": "gsm8k", "number": 0}, "there is no number 0"),
        ({"dataset": "gsm8k", "number": 4}, "has 3 samples here"),
        ({"dataset": "mmlu", "number": 1}, "not among the datasets"),
    ],
)
def test_a_prompt_that_is_not_there_is_refused_in_words(room: Room, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(LlmusesError, match=words):
        _deed(room, "example", **PAGED, **fields)


def test_benchmarks_that_run_what_the_model_wrote_bring_a_note(room: Room) -> None:
    page = str(evaluate.view(room, room.sessions.nobody(), Visit("en", {})))
    marked = set(re.findall(r'value="(\w+)" data-many[^>]* data-runs-code', page))
    assert {"humaneval", "mbpp"} <= marked and "gsm8k" not in marked
    assert "runs programs that the model writes, in a sandbox" in page
