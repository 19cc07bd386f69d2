"""What comes back from an OpenAI-compatible server, read without trust."""

from __future__ import annotations

import codecs
import re
from typing import Any

import msgspec

from llmuses.models.openai.errors import Refused, as_exception, error_of, one_line
from llmuses.models.openai.gate import Fault
from llmuses.models.openai.secrecy import without_key
from llmuses.models.reasoning import split_reasoning
from llmuses.records import ErrorKind, Response, ResponseError, Usage


class WireMessage(msgspec.Struct):
    """A message, or a piece of one in a stream. ``content`` may be a list of typed parts."""

    content: str | list[dict[str, Any]] | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None


class TokenLogprob(msgspec.Struct):
    token: str
    logprob: float


class FirstToken(msgspec.Struct):
    token: str
    top_logprobs: list[TokenLogprob] | None = None


class PromptLogprobs(msgspec.Struct):
    """Log-probabilities as chat gives them (``content``) and as completions do (the others)."""

    content: list[FirstToken] | None = None
    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None


class Choice(msgspec.Struct):
    message: WireMessage | None = None
    delta: WireMessage | None = None
    finish_reason: str | None = None
    logprobs: PromptLogprobs | None = None
    error: Any = None


class Reply(msgspec.Struct):
    """``usage`` is read by ``usage_of``: an answer is not lost because its tokens are counted strangely."""

    model: str | None = None
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(Reply).decode
_HALF_PAIR = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def decode_event(content: bytes) -> Reply:
    """Return one event of a stream, or a whole reply. Raises msgspec.DecodeError or RecursionError.

    An answer that was cut in the middle of a character (half a surrogate pair, half of its bytes) has U+FFFD there.
    """
    try:
        return _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        mended = content.decode(errors="replace").encode()
        return _decode(_HALF_PAIR.sub(lambda found: found[1] or b"\\ufffd", mended))


_FINISH = {
    "sensitive": "content_filter",  # GLM
    "model_context_window_exceeded": "length",
    "max_tokens": "length",  # gateways before Anthropic's models
}
"""What some servers call a reason that has a usual name."""
_BROKEN_OFF = frozenset(
    (
        "error",  # gateways whose upstream fell silent
        "abort",  # vLLM, SGLang
        "network_error",  # GLM
        "insufficient_system_resource",  # DeepSeek
    )
)
"""Reasons why an answer ended that are no fault of the model's."""


def ending(choice: Choice, secret: str) -> str | None:
    """Return why an answer ended, by its usual name. Raises Fault or Refused where the server broke it off."""
    if choice.error:
        raise error_in_place(choice.error, secret)
    if choice.finish_reason in _BROKEN_OFF:
        raise Fault("broken_off", f"the server broke the answer off ({choice.finish_reason})")
    return _FINISH.get(choice.finish_reason or "", choice.finish_reason)


def read_reply(content: bytes, secret: str) -> Reply:
    """Return the reply in the body of an HTTP 200, with at least one choice; ``secret`` is struck out of it.

    Raises Fault for an empty body and for what is no such reply; Fault or Refused for an error in its place, as gateways
    send it.
    """
    content = content.strip().removeprefix(codecs.BOM_UTF8)
    if not content:
        raise Fault("empty_body", "the server sent an empty body")
    try:
        streamed = content.startswith((b"data:", b"event:", b":"))
        reply = strike(_read_stream(content, secret) if streamed else decode_event(content), secret)
    except (msgspec.DecodeError, RecursionError) as problem:
        what = "a web page" if content.startswith(b"<") else problem
        raise Fault("bad_body", f"the server sent something else than an answer ({what})") from problem
    if reply.choices:
        reply.choices[0].finish_reason = ending(reply.choices[0], secret)
        return reply
    if reply.error:
        raise error_in_place(reply.error, secret)
    said = "" if streamed else f": {one_line(content.decode(errors='replace'), secret)}"
    raise Fault("no_choices", f"the server's answer holds no choices{said}")


def strike(reply: Reply, secret: str) -> Reply:
    """Return a reply after the key was struck out of all its words."""
    if not secret:
        return reply
    reply.model = reply.model and without_key(reply.model, secret)
    for choice in reply.choices or ():
        choice.finish_reason = choice.finish_reason and without_key(choice.finish_reason, secret)
        for message in filter(None, (choice.message, choice.delta)):
            for field in message.__struct_fields__:
                if isinstance(said := getattr(message, field), str):
                    setattr(message, field, without_key(said, secret))
            if isinstance(message.content, list):
                message.content = [{"type": "text", "text": without_key(text_of(message), secret)}]
    return reply


def _read_stream(content: bytes, secret: str) -> Reply:
    """Return the one reply that the events of a stream add up to."""
    whole = Reply(choices=[])
    text: list[str] = []
    thoughts: list[str] = []
    finish_reason = None
    for line in content.splitlines():
        if not line.startswith(b"data:") or (data := line[5:].strip()) == b"[DONE]":
            continue
        event = decode_event(data)
        whole.model = event.model or whole.model
        whole.usage = event.usage or whole.usage
        whole.error = event.error or whole.error
        for choice in event.choices or ():
            finish_reason = ending(choice, secret) or finish_reason
            if choice.delta:
                text.append(text_of(choice.delta))
                thoughts.append(thoughts_of(choice.delta))
    if finish_reason and not whole.error:
        message = WireMessage(content="".join(text), reasoning_content="".join(thoughts))
        whole.choices = [Choice(message=message, finish_reason=finish_reason)]
    return whole


def error_in_place(error: Any, secret: str) -> Fault | Refused:
    """Return what is raised for an error that stands where an answer should."""
    status = error.get("code") if isinstance(error, dict) else None
    return as_exception(error_of(status if isinstance(status, int) else 500, {"error": error}, secret))


def withheld() -> ResponseError:
    """Return the error of an answer that the server's filter kept back."""
    return ResponseError(kind=ErrorKind.REJECTED, code="content_filter", message="the server withheld the answer")


def text_of(message: WireMessage) -> str:
    """Return the words of a message; a refusal is words too."""
    if isinstance(message.content, list):
        return "".join(str(part.get("text") or "") for part in message.content if part.get("type") == "text")
    refusal = message.refusal if isinstance(message.refusal, str) else ""
    return message.content or refusal


def thoughts_of(message: WireMessage) -> str:
    """Return the thoughts that a message has in a field of their own."""
    for thoughts in (message.reasoning_content, message.reasoning):
        if isinstance(thoughts, str) and thoughts:
            return thoughts
    return ""


def written_answer(key: str, reply: Reply) -> Response:
    """Return the response that a chat reply holds; one without text whose content was filtered is rejected.

    Raises Fault where there is no message: that is not the model's silence.
    """
    assert reply.choices
    choice = reply.choices[0]
    if choice.message is None and choice.finish_reason != "content_filter":
        raise Fault("no_message", "the server's answer holds no message")
    message = choice.message or WireMessage()
    text = text_of(message)
    thoughts: str | None = thoughts_of(message).strip() or None
    if thoughts is None:
        thoughts, text = split_reasoning(text)
    response = Response(
        key=key,
        text=text,
        reasoning=thoughts,
        finish_reason=choice.finish_reason,
        usage=usage_of(reply),
        served_model=reply.model,
    )
    if choice.finish_reason == "content_filter" and not text.strip():
        response.text = response.reasoning = None
        response.error = withheld()
    return response


def usage_of(reply: Reply) -> Usage | None:
    """Return the tokens that a reply counts, as far as what stands there can be a count."""
    usage = reply.usage
    if not isinstance(usage, dict):
        return None
    prompt, answer = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    details = prompt if isinstance(prompt, dict) else {}
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        reasoning_tokens=_count(answer.get("reasoning_tokens")) if isinstance(answer, dict) else None,
        cached_tokens=_count(details.get("cached_tokens", usage.get("prompt_cache_hit_tokens"))),
    )


def _count(value: Any) -> int | None:
    """Return a number of tokens, None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None
