"""What is sent, and what a server's refusals change in it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from llmuses.errors import UsageError
from llmuses.models.openai.dialect import Body, Dialect, reasoning_fields
from llmuses.models.openai.errors import ServerError
from llmuses.records import Generate, GenerationConfig, Image, Message


def ask(**config: Any) -> Generate:
    return Generate(messages=(Message("user", "Hello"),), config=GenerationConfig(**config))


def sent(body: Body) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(body.content)
    return found


def dialect() -> Dialect:
    return Dialect("m", None, {})


def refusal(message: str, param: str | None = None, status: int = 400) -> ServerError:
    return ServerError(status=status, message=message, param=param)


def test_only_what_is_set_is_sent() -> None:
    assert sent(dialect().chat(ask(max_tokens=5))) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 5,
        "temperature": 0.0,
    }


def test_every_setting_is_sent_under_its_name() -> None:
    config = {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "repetition_penalty": 1.1, "seed": 7}
    body = sent(dialect().chat(ask(stop=("\n\n", "Q:"), **config)))
    assert {name: body[name] for name in config} == config
    assert body["stop"] == ["\n\n", "Q:"]


def test_the_system_prompt_and_the_reasoning_settings_are_in_every_request() -> None:
    body = sent(Dialect("m", "Be brief.", {"reasoning_effort": "low"}).chat(ask()))
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert body["reasoning_effort"] == "low"


def test_an_image_is_sent_as_a_data_url_before_the_words_and_other_turns_stay_plain() -> None:
    picture = Image("image/png", b"\x89PNG")
    turns = (Message("user", "What is this?", (picture,)), Message("assistant", "A file."), Message("user", "Sure?"))
    assert sent(dialect().chat(Generate(messages=turns)))["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
                {"type": "text", "text": "What is this?"},
            ],
        },
        {"role": "assistant", "content": "A file."},
        {"role": "user", "content": "Sure?"},
    ]


def test_an_image_without_words_is_sent_alone() -> None:
    (turn,) = sent(dialect().chat(Generate(messages=(Message("user", "", (Image("image/jpeg", b"x"),)),))))["messages"]
    assert [part["type"] for part in turn["content"]] == ["image_url"]


# fmt: off
LESSONS = [
    (refusal("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "max_tokens"),
     {"max_completion_tokens": 5, "max_tokens": None, "temperature": 0.0}),
    (refusal("Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.", "temperature"),
     {"max_tokens": 5, "temperature": None}),
    (refusal("temperature is not supported by this model", status=422), {"temperature": None}),
    (refusal("This model only support stream mode, please enable the stream parameter to access the model."),
     {"stream": True, "stream_options": {"include_usage": True}}),
    (refusal("parameter.enable_thinking must be set to false for non-streaming calls"), {"stream": True}),
]
# fmt: on


@pytest.mark.parametrize(("error", "changed"), LESSONS)
def test_a_refusal_teaches_what_to_send_instead(error: ServerError, changed: dict[str, Any]) -> None:
    taught = dialect()
    assert taught.learn(error, taught.chat(ask(max_tokens=5)))
    body = sent(taught.chat(ask(max_tokens=5)))
    assert {name: body.get(name) for name in changed} == changed
    assert len(taught.learnt) == 1


@pytest.mark.parametrize(("error", "changed"), LESSONS)
def test_the_same_refusal_teaches_nothing_twice(error: ServerError, changed: dict[str, Any]) -> None:
    taught = dialect()
    taught.learn(error, taught.chat(ask()))
    assert not taught.learn(error, taught.chat(ask()))


def test_a_body_written_before_the_lesson_is_written_again() -> None:
    taught = dialect()
    error, _ = LESSONS[0]
    early = taught.chat(ask())
    assert taught.learn(error, early)
    assert taught.learn(error, early)
    assert len(taught.learnt) == 1


@pytest.mark.parametrize(
    "error",
    [
        refusal("This model's maximum context length is 10 tokens, lower max_tokens.", "messages"),
        refusal("The prompt asks for the temperature of the sun.", "messages"),
        refusal("'max_tokens' is not supported, use 'max_completion_tokens'", status=500),
        refusal("'max_tokens' or 'max_completion_tokens' is too large: 512. The maximum context length is 400."),
        refusal("Invalid 'temperature': decimal above maximum value. Expected a value <= 2.", "temperature"),
        refusal("No such model."),
    ],
)
def test_other_refusals_teach_nothing(error: ServerError) -> None:
    taught = dialect()
    assert not taught.learn(error, taught.chat(ask()))
    assert taught.learnt == []


def test_fewer_top_logprobs_are_asked_for_where_20_are_too_many() -> None:
    taught = dialect()
    error = refusal("Invalid value for 'top_logprobs': must be less than or equal to 5.", "top_logprobs")
    assert taught.learn(error, taught.first_token("Q"))
    assert sent(taught.first_token("Q"))["top_logprobs"] == 5


def test_a_limit_that_is_not_named_is_taken_for_five_and_then_the_end() -> None:
    taught = dialect()
    error = refusal("Invalid value.", "top_logprobs")
    assert taught.learn(error, taught.first_token("Q"))
    assert not taught.learn(error, taught.first_token("Q"))


@pytest.mark.parametrize(
    ("server", "budget", "fields"),
    [
        ("https://dashscope.aliyuncs.com/compatible-mode/v1", 9, {"enable_thinking": True, "thinking_budget": 9}),
        ("https://dashscope.aliyuncs.com/compatible-mode/v1", 0, {"enable_thinking": False}),
        ("https://api-inference.modelscope.cn/v1", 9, {"enable_thinking": True, "thinking_budget": 9}),
        ("https://api.anthropic.com/v1", 9, {"thinking": {"type": "enabled", "budget_tokens": 9}}),
        ("https://api.anthropic.com/v1", 0, {"thinking": {"type": "disabled"}}),
        ("https://openrouter.ai/api/v1", 9, {"reasoning": {"max_tokens": 9}}),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai",
            9,
            {"extra_body": {"google": {"thinking_config": {"thinking_budget": 9}}}},
        ),
        (
            "http://localhost:8000/v1",
            9,
            {"thinking_token_budget": 9, "chat_template_kwargs": {"enable_thinking": True}},
        ),
        ("http://localhost:8000/v1", 0, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("http://localhost:8000/v1", None, {}),
    ],
)
def test_a_thinking_budget_has_the_name_that_the_server_knows(server: str, budget: int | None, fields: object) -> None:
    assert reasoning_fields(server, None, budget) == fields
    assert reasoning_fields(server, "low", budget) == {"reasoning_effort": "low", **fields}  # type: ignore[dict-item]


def test_openai_itself_has_no_budget_and_says_so() -> None:
    with pytest.raises(UsageError, match="reasoning_effort"):
        reasoning_fields("https://api.openai.com/v1", None, 100)
