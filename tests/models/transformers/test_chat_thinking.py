"""Thinking on and off: a switch of the chat template, part of what a model is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from llmuses.errors import UsageError
from llmuses.models import Model, load_model
from llmuses.models.transformers.chat_template import ChatTemplate
from llmuses.records import Message
from tests.support.asking import answers, generate
from tests.support.tiny_models import CHATML, make_tokenizer, tiny_model

USER = Message("user", "What is 2 + 2?")
QWEN = CHATML + ("{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}")
DEEPSEEK = "{% if not thinking is defined %}{% set thinking = false %}{% endif %}" + (
    CHATML + "{% if thinking %}<think>{% else %}</think>{% endif %}"
)
TRAINING = "{% generation %}" + QWEN + "{% endgeneration %}"
SPEAKS_OF_IT = "{{ 'You are thinking. enable_thinking' }}" + CHATML


def rendered(template: str, thinking: bool | None) -> str:
    return ChatTemplate(make_tokenizer(template), thinking).render([USER]).partition("assistant\n")[2]


@pytest.mark.parametrize(
    ("template", "on", "off", "auto"),
    [
        (QWEN, "", "<think>\n\n</think>\n\n", ""),
        (DEEPSEEK, "<think>", "</think>", "</think>"),
        (CHATML, "", "", ""),
    ],
    ids=["enable_thinking", "thinking", "no switch"],
)
def test_a_template_is_told_by_the_name_that_it_knows(template: str, on: str, off: str, auto: str) -> None:
    assert [rendered(template, thinking) for thinking in (True, False, None)] == [on, off, auto]


@pytest.mark.parametrize(
    ("template", "switches"),
    [
        (QWEN, ["enable_thinking"]),
        (DEEPSEEK, ["thinking"]),
        (TRAINING, ["enable_thinking"]),
        (CHATML, []),
        (SPEAKS_OF_IT, []),
    ],
    ids=["Qwen", "DeepSeek", "with tags of transformers", "none", "only in its words"],
)
def test_a_switch_is_a_variable_that_the_template_asks_for(template: str, switches: list[str]) -> None:
    assert ChatTemplate(make_tokenizer(template)).switches == switches


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("thinking") / "copy"
    shutil.copytree(tiny_model(chat=True), copy)
    (copy / "chat_template.jinja").write_text(QWEN)
    return copy


def load(folder: Path, thinking: str | bool) -> Model:
    return load_model(str(folder), thinking=thinking, device_map="cpu")


def test_it_is_part_of_the_identity_unless_it_is_left_to_the_template(folder: Path) -> None:
    on, off, auto = (load(folder, thinking).identity for thinking in ("on", "off", "auto"))
    assert on.endswith(";thinking=on")
    assert off.endswith(";thinking=off")
    assert "thinking" not in auto
    assert auto == load_model(str(folder), device_map="cpu").identity


@pytest.mark.parametrize(("typed", "meant"), [(True, "on"), (False, "off"), ("true", "on")])
def test_what_yaml_makes_of_on_and_off_is_understood(folder: Path, typed: str | bool, meant: str) -> None:
    assert load(folder, typed).identity == load(folder, meant).identity


def test_the_model_reads_what_the_switch_says(folder: Path) -> None:
    off = answers(load(folder, "off"), generate("Hi", max_tokens=3))["Hi"]
    on = answers(load(folder, "on"), generate("Hi", max_tokens=3))["Hi"]
    assert off.usage is not None
    assert on.usage is not None
    assert (off.usage.prompt_tokens or 0) > (on.usage.prompt_tokens or 0)


@pytest.mark.parametrize("args", [{}, {"chat_template": "none"}], ids=["no switch", "no template"])
def test_a_switch_that_is_not_there_is_a_usage_error(folder: Path, args: dict[str, str]) -> None:
    place = folder if args else tiny_model(chat=True)
    with pytest.raises(UsageError, match="no chat template that turns thinking on or off: leave thinking out"):
        load_model(str(place), thinking="off", **args)
