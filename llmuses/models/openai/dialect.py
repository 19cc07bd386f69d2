"""What is sent to an OpenAI-compatible server.

Servers differ in which parameters they take. The differences live here: those that are known beforehand by the host
(how a thinking budget is called), and those that a server's refusal teaches (``Dialect.learn``).
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

import msgspec

from llmuses.errors import UsageError
from llmuses.models.openai.errors import ServerError
from llmuses.records import Generate, Message

_encode = msgspec.json.Encoder().encode

MOST_TOP_LOGPROBS = 20


class Body(msgspec.Struct, frozen=True):
    """An encoded request and the state of the dialect that it was written in."""

    content: bytes
    version: int


class Dialect:
    """How requests are put for one server, learnt as it goes. ``learnt`` lists in words what was changed."""

    def __init__(self, model: str, system_prompt: str | None, reasoning: dict[str, Any]):
        self.learnt: list[str] = []
        self.streams = False
        self._model = model
        self._system = (Message("system", system_prompt),) if system_prompt else ()
        self._reasoning = reasoning
        self._length_field = "max_tokens"
        self._temperature = True
        self._counts_streams = True
        self._top_logprobs = MOST_TOP_LOGPROBS

    # -- writing

    def chat(self, ask: Generate, stream: bool = False) -> Body:
        """Return the body that asks for a written answer; ``stream`` asks for it as it is written."""
        config = ask.config
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [_wire(message) for message in self._system + ask.messages],
            self._length_field: config.max_tokens,
            **self._reasoning,
        }
        if self._temperature:
            body["temperature"] = config.temperature
        for name in ("top_p", "top_k", "repetition_penalty", "seed"):
            if (value := getattr(config, name)) is not None:
                body[name] = value
        if config.stop:
            body["stop"] = config.stop
        if self.streams or stream:
            body["stream"] = True
            if self._counts_streams:
                body["stream_options"] = {"include_usage": True}
        return Body(_encode(body), len(self.learnt))

    def first_token(self, context: str) -> Body:
        """Return the body that asks chat for the likeliest first tokens after a context."""
        body: dict[str, Any] = {
            "model": self._model,
            "messages": (*self._system, Message("user", context)),
            self._length_field: 1,
            "logprobs": True,
            "top_logprobs": self._top_logprobs,
            **self._reasoning,
        }
        if self._temperature:
            body["temperature"] = 0
        return Body(_encode(body), len(self.learnt))

    def echo(self, prompt: str) -> Body:
        """Return the body that asks for the log-probability of each token of a prompt.

        One token is generated, because some servers refuse to generate none.
        """
        body = {"model": self._model, "prompt": prompt, "max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 1}
        return Body(_encode(body), len(self.learnt))

    # -- learning

    def learn(self, error: ServerError, sent: Body) -> bool:
        """Change what a refusal says must be changed. Return whether asking again now means asking otherwise."""
        if error.status not in (400, 422):
            return False
        if sent.version < len(self.learnt):
            return True  # it was written before another refusal taught better
        said = error.message.lower()
        if self._length_field == "max_tokens" and "max_completion_tokens" in said and _is_about(error, "max_tokens"):
            self._length_field = "max_completion_tokens"
            return self._learnt("max_completion_tokens in place of max_tokens")
        if self._temperature and _is_about(error, "temperature") and re.search(r"support|default|deprecated", said):
            self._temperature = False
            return self._learnt("temperature left to the server")
        if _is_about(error, "top_logprobs") and (limit := _next_lower(said, self._top_logprobs)):
            self._top_logprobs = limit
            return self._learnt(f"{limit} top log-probabilities")
        if self._counts_streams and ("stream_options" in said or (error.param or "").startswith("stream_options")):
            self._counts_streams = False
            return self._learnt("tokens of streams not counted")
        if not self.streams and re.search(r"only (be )?supports? stream|stream(ing)? mode|non-streaming", said):
            self.streams = True
            return self._learnt("answers streamed")
        return False

    def _learnt(self, what: str) -> bool:
        self.learnt.append(what)
        return True


def _wire(message: Message) -> Message | dict[str, Any]:
    """Return a message as it is sent: one with images as typed parts, the images first, as data URLs."""
    if not message.images:
        return message
    urls = (f"data:{image.media_type};base64,{b64encode(image.data).decode()}" for image in message.images)
    parts: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    if message.content:
        parts.append({"type": "text", "text": message.content})
    return {"role": message.role, "content": parts}


def _is_about(error: ServerError, parameter: str) -> bool:
    """Whether a refusal is about a parameter: it names it as such, or says that it is unsupported or out of range."""
    if error.param is not None:
        return error.param == parameter
    said = error.message.lower()
    return parameter in said and bool(re.search(r"support|invalid|must be|less than|deprecated|not allowed", said))


def _next_lower(said: str, current: int) -> int | None:
    """Return the largest number below ``current`` that a refusal names, 5 where it names none, None at the end."""
    named = [int(number) for number in re.findall(r"\d+", said) if 0 < int(number) < current]
    return max(named, default=5 if current > 5 else 0) or None


def reasoning_fields(base_url: str, effort: str | None, budget: int | None) -> dict[str, Any]:
    """Return the parameters that ask for a reasoning effort and a thinking budget (tokens; 0 for no thinking).

    The effort has one name everywhere. The budget is called differently: Qwen's own interface (DashScope, ModelScope,
    SiliconFlow), Anthropic, Google and OpenRouter by their documentation, anything else as vLLM and SGLang read it.
    Raises UsageError where the server is known to have no such setting.
    """
    fields: dict[str, Any] = {"reasoning_effort": effort} if effort else {}
    if budget is None:
        return fields
    host = urlsplit(base_url).hostname or ""
    match host.split(".")[-2:]:
        case ["openai", "com"]:
            raise UsageError(
                "reasoning_budget: OpenAI takes no budget in tokens; use reasoning_effort=low|medium|high."
            )
        case ["aliyuncs" | "siliconflow" | "modelscope", _]:
            fields |= {"enable_thinking": budget > 0} | ({"thinking_budget": budget} if budget else {})
        case ["anthropic", "com"]:
            on = {"type": "enabled", "budget_tokens": budget}
            fields |= {"thinking": on if budget else {"type": "disabled"}}
        case ["googleapis", "com"]:
            fields |= {"extra_body": {"google": {"thinking_config": {"thinking_budget": budget}}}}
        case ["openrouter", "ai"]:
            fields |= {"reasoning": {"max_tokens": budget} if budget else {"enabled": False}}
        case _:
            fields |= {"chat_template_kwargs": {"enable_thinking": budget > 0}}
            fields |= {"thinking_token_budget": budget} if budget else {}
    return fields
