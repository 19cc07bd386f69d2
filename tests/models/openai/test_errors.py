"""Refusals as real servers word them, and what follows from each."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.models.openai.errors import (
    LONGEST_MESSAGE,
    Meaning,
    Refused,
    as_exception,
    meaning,
    one_line,
    read_error,
)
from llmuses.models.openai.gate import Fault
from llmuses.models.openai.replies import read_reply

M = Meaning


def nested(message: str, code: str | None = None, param: str | None = None) -> bytes:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return msgspec.json.encode({"error": error})


# fmt: off
REFUSALS = [
    # OpenAI
    (401, nested("Incorrect API key provided: sk-***.", "invalid_api_key"), M.KEY, "http_401"),
    (404, nested("The model `gpt-9` does not exist or you do not have access to it.", "model_not_found"), M.MODEL, "model_not_found"),
    (429, nested("Rate limit reached for gpt-4o. Please try again in 120ms.", "rate_limit_exceeded"), M.BUSY, "http_429"),
    (429, nested("You exceeded your current quota, please check your plan.", "insufficient_quota"), M.QUOTA, "insufficient_quota"),
    (400, nested("This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.", "context_length_exceeded", "messages"), M.REJECTED, "context_length"),
    (400, nested("Invalid prompt: your prompt was flagged by our safety system.", "invalid_prompt"), M.REJECTED, "content_filter"),
    (400, nested("Unsupported value: 'reasoning_effort' does not support 'none'.", "unsupported_value", "reasoning_effort"), M.SETTING, "http_400"),
    (400, nested("Invalid 'messages[0].content': string too long.", "invalid_value", "messages"), M.REJECTED, "http_400"),
    (503, nested("The engine is currently overloaded."), M.BUSY, "http_503"),
    (500, nested("The server had an error."), M.RETRY, "http_500"),
    # Azure
    (400, nested("The response was filtered due to the prompt triggering Azure OpenAI's content management policy.", "content_filter", "prompt"), M.REJECTED, "content_filter"),
    # DashScope
    (400, nested("Input data may contain inappropriate content.", "data_inspection_failed"), M.REJECTED, "content_filter"),
    (400, nested("Range of input length should be [1, 30720]", "invalid_parameter_error"), M.REJECTED, "context_length"),
    (400, nested("Access denied, please make sure your account is in good standing.", "Arrearage"), M.QUOTA, "insufficient_quota"),
    (400, nested("parameter.enable_thinking must be set to false for non-streaming calls", "invalid_parameter_error"), M.SETTING, "http_400"),
    # DeepSeek
    (402, nested("Insufficient Balance"), M.QUOTA, "insufficient_quota"),
    # vLLM, in its older and its newer shape
    (404, b'{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}', M.MODEL, "model_not_found"),
    (400, b'{"object":"error","message":"This model\'s maximum context length is 1024 tokens.","type":"BadRequestError","param":null,"code":400}', M.REJECTED, "context_length"),
    (400, b'{"error":{"message":"As of transformers v4.44, default chat template is no longer allowed","type":"BadRequestError","param":null,"code":400}}', M.SETTING, "http_400"),
    (400, b'{"error":{"message":"thinking_token_budget is set but reasoning_config is not configured","param":"thinking_token_budget"}}', M.SETTING, "http_400"),
    # llama.cpp, Ollama
    (400, b'{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}', M.REJECTED, "context_length"),
    (404, b'{"error":{"message":"model \'x\' not found","type":"not_found_error","param":null,"code":null}}', M.MODEL, "model_not_found"),
    (400, b'{"error":{"message":"\\"x\\" does not support chat"}}', M.SETTING, "http_400"),
    # transformers serve, FastAPI
    (400, b'{"detail":"Server is pinned to \'a\'; requested \'b\'."}', M.MODEL, "model_not_found"),
    (422, b'{"detail":"Unexpected fields in the request: {\'top_k\'}"}', M.SETTING, "http_422"),
    (422, b'{"detail":[{"loc":["body","messages",0],"msg":"too odd"}]}', M.REJECTED, "http_422"),
    (404, b'{"detail":"Not Found"}', M.SETTING, "http_404"),
    (405, b'{"detail":"Method Not Allowed"}', M.SETTING, "http_405"),
    # proxies
    (403, b"<html>Forbidden</html>", M.SETTING, "http_403"),
    (413, b"<html>Request Entity Too Large</html>", M.REJECTED, "http_413"),
    (502, b"<html><body>Bad Gateway</body></html>", M.RETRY, "http_502"),
    (504, b"upstream timed out", M.RETRY, "http_504"),
    (529, nested("Overloaded"), M.BUSY, "http_529"),
    (408, b"", M.RETRY, "http_408"),
    (501, b"", M.FAILED, "http_501"),
    (418, b"", M.FAILED, "http_418"),
]
# fmt: on


@pytest.mark.parametrize(("status", "content", "expected", "code"), REFUSALS)
def test_a_refusal_means(status: int, content: bytes, expected: Meaning, code: str) -> None:
    error = read_error(status, content, {}, "")
    assert meaning(error) == (expected, code)
    assert error.message
    assert "<" not in error.message or "`" in error.message
    raised = as_exception(error)
    assert isinstance(raised, Fault) == (expected in (M.RETRY, M.BUSY))


def test_the_wait_that_is_asked_for_comes_with_the_fault() -> None:
    raised = as_exception(read_error(429, nested("Slow down."), {"retry-after": "3"}, ""))
    assert isinstance(raised, Fault)
    assert (raised.busy, raised.retry_after, raised.message) == (True, 3, "Slow down.")


def test_the_key_is_struck_out_of_what_the_server_says() -> None:
    error = read_error(401, nested("Incorrect API key provided: sk-secret."), {}, "sk-secret")
    assert error.message == "Incorrect API key provided: ***."


@given(status=st.integers(400, 599), content=st.binary(max_size=200))
def test_whatever_the_body_the_message_is_one_line_of_bearable_length(status: int, content: bytes) -> None:
    error = read_error(status, content, {}, "")
    assert 0 < len(error.message) <= LONGEST_MESSAGE
    assert "\n" not in error.message
    meaning(error)


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
_fields = st.sampled_from(["choices", "message", "content", "error", "code", "usage", "model", "logprobs", "delta"])
_shaped = st.recursive(_json, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_fields, inner, max_size=4))


@given(content=st.binary(max_size=100) | _shaped.map(msgspec.json.encode) | st.just(b"[" * 100_000))
def test_an_answer_that_is_none_is_a_fault_or_a_refusal_and_never_breaks_the_run(content: bytes) -> None:
    try:
        reply = read_reply(content, "")
    except (Fault, Refused):
        return
    assert reply.choices


def test_an_error_in_place_of_an_answer_is_read_as_one() -> None:
    with pytest.raises(Refused, match="flagged"):
        read_reply(b'{"error":{"code":403,"message":"flagged"}}', "")
    with pytest.raises(Fault, match="try later"):
        read_reply(b'{"error":{"code":429,"message":"try later"},"choices":[]}', "")
    with pytest.raises(Fault, match="try later"):
        read_reply(b'{"error":"try later"}', "")


def test_a_servers_words_move_no_terminal() -> None:
    assert one_line("busy\x1b[2J\x07\n\x9b31m again\x00") == "busy [2J 31m again"
