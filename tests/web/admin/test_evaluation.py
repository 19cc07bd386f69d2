"""The form of a new evaluation: the command that it comes to, what it refuses, and the way back from a command to the form."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from leaderboard.results import Results
from llmuses.errors import LlmusesError
from llmuses.web.admin.clone import form_link
from llmuses.web.admin.evaluation import EvaluationAsked, command_of, spec_and_args
from llmuses.web.admin.room import Room
from llmuses.web.admin.rules import Account, AdminRules, hash_password

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
    account = Account(name="ada", password=hash_password("long enough"))
    return Room(Results(tmp_path_factory.mktemp("outputs")), AdminRules(accounts=(account,)))


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
