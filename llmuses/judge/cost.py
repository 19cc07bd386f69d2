"""What judging will take before the first call: calls and tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from llmuses.models.tokens import estimated_tokens
from llmuses.records import Message


class JudgeCost(NamedTuple):
    """What judge calls take. ``prompt_tokens`` is an estimate; ``max_answer_tokens`` is what verdicts may take at most."""

    calls: int
    prompt_tokens: int
    max_answer_tokens: int


def estimated_cost(asks: Iterable[tuple[Message, ...]], max_tokens: int) -> JudgeCost:
    """Return what these asks take, each answered with up to ``max_tokens`` tokens."""
    calls = tokens = 0
    for messages in asks:
        calls += 1
        tokens += sum(estimated_tokens(message.content) for message in messages)
    return JudgeCost(calls, tokens, calls * max_tokens)
