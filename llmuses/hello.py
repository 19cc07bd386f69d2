"""``python -m llmuses.hello SPEC ARGS LANG``: loads a model, says hello, prints what it answered as JSON."""

from __future__ import annotations

import sys
import time
from typing import Any

import msgspec

from llmuses.errors import LlmusesError, ModelError
from llmuses.models import load_model
from llmuses.reach import guard_connections
from llmuses.records import Generate, GenerationConfig, Message, Request
from llmuses.settings import stay_quiet

_WORDS = {"en": "Hello! Who are you? Answer in one sentence.", "zh": "你好！你是谁？请用一句话回答。"}


class Hello(msgspec.Struct, frozen=True):
    """What a model answered; seconds of loading it and of its answer."""

    text: str
    load: float
    seconds: float


def say_hello(spec: str, args: dict[str, Any], lang: str) -> Hello:
    """Return a model's answer to a short question. Raises ModelError and UsageError where there is none."""
    started = time.perf_counter()
    model = load_model(spec, **args)
    try:
        loaded = time.perf_counter()
        ask = Generate(
            messages=(Message("user", _WORDS.get(lang, _WORDS["en"])),), config=GenerationConfig(max_tokens=48)
        )
        (response,) = model.run([Request("hello", ask)])
    finally:
        model.close()
    if response.error is not None:
        raise ModelError(f"{spec}: {response.error.message or response.error.code}")
    return Hello((response.text or response.reasoning or "").strip(), loaded - started, time.perf_counter() - loaded)


if __name__ == "__main__":
    stay_quiet()
    guard_connections()
    try:
        hello = say_hello(sys.argv[1], msgspec.json.decode(sys.argv[2]), sys.argv[3])
    except LlmusesError as problem:
        sys.exit(f"llmuses: {problem}")
    sys.stdout.buffer.write(msgspec.json.encode(hello))
