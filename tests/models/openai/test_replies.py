"""Answers in the shapes that servers send them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmuses.models.openai.gate import Fault
from llmuses.models.openai.logprobs import NoLogprobs, are_letters, echoed_score, first_token_scores
from llmuses.models.openai.replies import Reply, read_reply, usage_of, written_answer
from llmuses.records import ErrorKind, Response, Usage


def reply(message: dict[str, Any] | None = None, finish_reason: str = "stop", **more: Any) -> Reply:
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return read_reply(json.dumps({"model": "m", "choices": [choice], **more}).encode(), "")


def answer(message: dict[str, Any] | None, finish_reason: str = "stop") -> Response:
    return written_answer("k", reply(message, finish_reason))


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": "B"}, "B", None),
        ({"content": None}, "", None),
        ({"content": "B", "reasoning_content": "Hm."}, "B", "Hm."),
        ({"content": "B", "reasoning": "Hm."}, "B", "Hm."),
        ({"content": "B", "reasoning": {"effort": "low"}}, "B", None),
        ({"content": None, "reasoning_content": "Hm, I was cut"}, "", "Hm, I was cut"),
        ({"content": "<think>Hm.</think>B"}, "B", "Hm."),
        (
            {"content": "<think>a tag</think> as text", "reasoning_content": "Hm."},
            "<think>a tag</think> as text",
            "Hm.",
        ),
        ({"content": None, "refusal": "I cannot help."}, "I cannot help.", None),
        ({"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "B"}]}, "B", None),
    ],
)
def test_text_and_reasoning(message: dict[str, Any] | None, text: str, reasoning: str | None) -> None:
    response = answer(message)
    assert (response.text, response.reasoning) == (text, reasoning)
    assert response.error is None


def test_a_withheld_answer_is_rejected_and_a_cut_one_is_an_answer() -> None:
    withheld = answer({"content": ""}, "content_filter")
    assert withheld.text is None
    assert withheld.error is not None
    assert (withheld.error.kind, withheld.error.code) == (ErrorKind.REJECTED, "content_filter")
    assert answer({"content": "The answer"}, "content_filter").text == "The answer"
    assert answer({"content": "The answer"}, "length").truncated


@pytest.mark.parametrize("field", ["message", "delta"])
@pytest.mark.parametrize("reason", ["error", "abort", "network_error", "insufficient_system_resource"])
def test_an_answer_that_the_server_broke_off_is_asked_for_again(reason: str, field: str) -> None:
    choice = {"index": 0, field: {"content": "The ans"}, "finish_reason": reason}
    body = json.dumps({"choices": [choice]}).encode()
    with pytest.raises(Fault, match=reason) as raised:
        read_reply(body if field == "message" else b"data: " + body, "")
    assert raised.value.code == "broken_off"


def test_an_error_inside_a_choice_is_the_servers_and_says_which() -> None:
    choice = {"message": {"content": ""}, "finish_reason": "error", "error": {"code": 502, "message": "No provider."}}
    with pytest.raises(Fault, match="No provider") as raised:
        read_reply(json.dumps({"choices": [choice]}).encode(), "")
    assert raised.value.code == "http_502"


@pytest.mark.parametrize("choice", [{"finish_reason": "stop"}, {"text": "Answer: B", "finish_reason": "stop"}])
def test_a_choice_without_a_message_is_no_silence_of_the_models(choice: dict[str, Any]) -> None:
    with pytest.raises(Fault, match="no message"):
        written_answer("k", read_reply(json.dumps({"choices": [choice]}).encode(), ""))


def test_reasons_that_go_by_other_names_count_as_the_usual_ones() -> None:
    assert answer({"content": "The answer"}, "model_context_window_exceeded").truncated
    assert answer({"content": "The answer"}, "max_tokens").truncated
    filtered = answer({"content": ""}, "sensitive")
    assert filtered.error is not None
    assert filtered.error.code == "content_filter"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (rb'"so \ud83d"', "so \ufffd"),
        (rb'"\ude00 \ud83d\ude00"', "\ufffd \U0001f600"),
        (rb'"\\ud83d stays \udc00"', "\\ud83d stays \ufffd"),
        ('"18 元'.encode()[:-1] + b'"', "18 \ufffd"),
    ],
)
def test_an_answer_that_was_cut_inside_a_character_is_an_answer(content: bytes, text: str) -> None:
    body = b'{"choices": [{"message": {"content": ' + content + b'}, "finish_reason": "length"}]}'
    assert written_answer("k", read_reply(body, "")).text == text


def test_an_answer_behind_a_byte_order_mark_is_read() -> None:
    body = json.dumps({"choices": [{"message": {"content": "B"}, "finish_reason": "stop"}]})
    assert written_answer("k", read_reply(body.encode("utf-8-sig"), "")).text == "B"


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"<!DOCTYPE html><html>Sign in</html>", "bad_body", "a web page"),
        (b'{"error_code": 18, "error_msg": "Open api qps request limit reached"}', "no_choices", "qps request limit"),
    ],
)
def test_what_stands_in_place_of_an_answer_is_said(content: bytes, code: str, said: str) -> None:
    with pytest.raises(Fault, match=said) as raised:
        read_reply(content, "")
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 4}, Usage(prompt_tokens=3, completion_tokens=4)),
        ({"prompt_tokens": 3, "prompt_tokens_details": None, "prompt_cache_hit_tokens": 2}, Usage(prompt_tokens=3, cached_tokens=2)),
        ({"prompt_tokens_details": {"cached_tokens": 2}}, Usage(cached_tokens=2)),
        ({"completion_tokens_details": {"reasoning_tokens": 9}}, Usage(reasoning_tokens=9)),
        (None, None),
        ("none", None),
        ({"prompt_tokens": -5, "completion_tokens": 4.5}, Usage()),
        ({"prompt_tokens": 10**30, "completion_tokens": True}, Usage()),
        ({"prompt_tokens": 3, "completion_tokens_details": {"reasoning_tokens": "9"}}, Usage(prompt_tokens=3)),
        ({"prompt_tokens": 3, "completion_tokens_details": [], "prompt_tokens_details": 0}, Usage(prompt_tokens=3)),
    ],
)  # fmt: skip
def test_tokens_are_counted_as_far_as_the_server_does(usage: object, expected: Usage | None) -> None:
    assert usage_of(reply({"content": "B"}, usage=usage)) == expected


def test_a_stream_that_was_cut_off_is_no_answer() -> None:
    events = b'data: {"choices":[{"index":0,"delta":{"content":"The ans"}}]}\n\n'
    with pytest.raises(Fault):
        read_reply(events, "")


# --- Log-probabilities --------------------------------------------------------------------------------------------


def echoed(tokens: list[str], logprobs: list[float | None], tops: Any = None, generated: int = 1) -> Reply:
    table = {"tokens": tokens, "token_logprobs": logprobs, "top_logprobs": tops}
    usage = {"prompt_tokens": len(tokens) - generated, "completion_tokens": generated}
    return read_reply(json.dumps({"choices": [{"text": "", "logprobs": table}], "usage": usage}).encode(), "")


def test_a_continuation_is_the_sum_of_its_tokens() -> None:
    found = echoed_score(echoed(["Q", ":", " B", "lue", "!"], [None, -1, -2, -3, -9]), " Blue")
    assert found is not None
    assert (found.logprob, found.tokens, found.greedy) == (-5, 2, False)


def test_a_token_over_the_boundary_belongs_to_the_continuation() -> None:
    found = echoed_score(echoed(["Q", ": B", "x"], [None, -2, -9]), "B")
    assert found is not None
    assert (found.logprob, found.tokens) == (-2, 1)


def test_greedy_means_that_each_token_was_the_likeliest() -> None:
    tops = [None, {" B": -1.0}, {"lue": -0.5, "ird": -0.7}, {}]
    likeliest = echoed_score(echoed(["Q", " B", "lue", "x"], [None, -1, -0.5, -9], tops), " Blue")
    other = echoed_score(echoed(["Q", " B", "ird", "x"], [None, -1, -0.7, -9], tops), " Bird")
    assert likeliest is not None
    assert likeliest.greedy
    assert other is not None
    assert not other.greedy


def test_the_very_first_token_has_no_logprob() -> None:
    found = echoed_score(echoed(["B", "x"], [None, -9]), "B")
    assert found is not None
    assert found.logprob is None


@pytest.mark.parametrize("logprobs", [[None, -1, None, -2, -9], [None, -1, -2, None, -9]])
def test_an_option_never_loses_because_a_server_left_out_one_of_its_tokens(logprobs: list[float | None]) -> None:
    with pytest.raises(NoLogprobs):
        echoed_score(echoed(["Q", ":", " B", "lue", "x"], logprobs), " Blue")


def test_only_generated_tokens_are_no_echo() -> None:
    with pytest.raises(NoLogprobs):
        echoed_score(echoed(["x"], [-0.1]), " B")
    with pytest.raises(NoLogprobs):
        echoed_score(reply({"content": "B"}), " B")
    chat_shaped = {"choices": [{"text": "x", "logprobs": {"content": [{"token": "x", "logprob": -0.1}]}}]}
    with pytest.raises(NoLogprobs):
        echoed_score(read_reply(json.dumps(chat_shaped).encode(), ""), " B")


def test_variants_of_a_letter_are_added_up() -> None:
    tops = [{"token": t, "logprob": -v} for t, v in ((" B", 0.5), ("A", 1.0), ("B", 2.0), ("The", 0.1), ("AB", 3.0))]
    content = [{"token": "The", "logprob": -0.1, "top_logprobs": tops}]
    chat = {"choices": [{"message": {"content": "The"}, "logprobs": {"content": content}}]}
    a, b, c = first_token_scores(read_reply(json.dumps(chat).encode(), ""), [" A", " B", " C"])
    assert a.logprob == -1
    assert b.logprob == pytest.approx(-0.2986, abs=1e-4)
    assert c.logprob is None
    assert not (a.greedy or b.greedy or c.greedy)


def test_letters_are_short_and_distinct() -> None:
    assert are_letters([" A", " B"])
    assert are_letters(["10", "11"])
    assert not are_letters([" red", " blue"])
    assert not are_letters([" A", "A"])
    assert not are_letters([" "])
