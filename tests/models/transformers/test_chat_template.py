"""Conversations as text: what a template is given, and what happens where it cannot take it."""

from __future__ import annotations

import pytest

from llmuses.models.transformers.chat_template import ChatTemplate, plain_text
from llmuses.models.transformers.prompting import Prompter
from llmuses.models.transformers.tokenization import Codec
from llmuses.records import ErrorKind, Generate, Image, Message, Response
from tests.support.tiny_models import CHATML, make_tokenizer

USER = Message("user", "What is 2 + 2?")
SYSTEM = Message("system", "Answer briefly.")
REFUSES_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}"
)
DROPS_SYSTEM = "{% for m in messages if m['role'] != 'system' %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}"


def template(text: str) -> ChatTemplate:
    return ChatTemplate(make_tokenizer(text))


def test_the_text_ends_where_the_answer_begins() -> None:
    assert template(CHATML).render([SYSTEM, USER]) == (
        "<|im_start|>system\nAnswer briefly.<|im_end|>\n<|im_start|>user\nWhat is 2 + 2?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_a_last_turn_of_the_assistant_is_gone_on_with() -> None:
    text = template(CHATML).render([USER, Message("assistant", "The answer is")])
    assert text.endswith("<|im_start|>assistant\nThe answer is")


@pytest.mark.parametrize("text", [REFUSES_SYSTEM, DROPS_SYSTEM], ids=["refused", "silently dropped"])
def test_a_system_turn_that_the_template_cannot_place_opens_the_user_turn(text: str) -> None:
    assert template(text).render([SYSTEM, USER]) == "[user]Answer briefly.\n\nWhat is 2 + 2?"
    assert template(text).render([USER]) == "[user]What is 2 + 2?"
    assert template(text).render([SYSTEM]) == "[user]Answer briefly."


def test_a_conversation_that_the_template_refuses_is_a_value_error() -> None:
    picky = (
        "{% if messages | length > 1 %}{{ raise_exception('one turn only') }}{% endif %}{{ messages[0]['content'] }}"
    )
    with pytest.raises(ValueError, match="one turn only"):
        template(picky).render([USER, Message("assistant", "4"), USER])


@pytest.mark.parametrize("broken", ["{{ messages[0]['content'] + 1 }}", "{{ 1 / 0 }}", "{{ messages[7].content.x }}"])
def test_an_error_in_a_template_is_one_of_the_conversation_and_ends_nothing_else(broken: str) -> None:
    once = "{% if messages | length == 1 %}" + CHATML + "{% else %}" + broken + "{% endif %}"
    found = template(once)
    assert found.render([USER]).startswith("<|im_start|>user")
    with pytest.raises(ValueError, match="the chat template refuses this conversation"):
        found.render([USER, Message("assistant", "4"), USER])


def test_a_conversation_of_which_a_template_makes_nothing_is_rejected() -> None:
    prompter = Prompter(Codec(make_tokenizer(None)), template("{{ '' }}"), 512)
    found = prompter.prompt("key", Generate(messages=(USER,)))
    assert isinstance(found, Response)
    assert found.error is not None
    assert (found.error.kind, found.error.code) == (ErrorKind.REJECTED, "chat_template")


def test_the_fingerprint_follows_the_template_s_text() -> None:
    assert template(CHATML).fingerprint == template(CHATML).fingerprint
    assert template(CHATML).fingerprint != template(CHATML + " ").fingerprint


def test_without_a_template_the_contents_follow_each_other() -> None:
    assert plain_text([USER]) == "What is 2 + 2?"
    assert plain_text([SYSTEM, USER]) == "Answer briefly.\n\nWhat is 2 + 2?"


def test_a_conversation_with_an_image_is_refused_and_never_answered_without_it() -> None:
    seen = Message("user", "What is this?", (Image("image/png", b"x"),))
    for read in (template(CHATML).render, plain_text):
        with pytest.raises(ValueError, match="no images"):
            read([seen])
