"""Short ways to put requests to a model."""

from __future__ import annotations

from typing import Any

from llmuses.models import Model
from llmuses.records import Generate, GenerationConfig, Loglikelihood, Message, Request, Response


def generate(text: str, key: str | None = None, **config: Any) -> Request:
    """Return a request for a written answer to one user turn. The key defaults to the text."""
    ask = Generate(messages=(Message("user", text),), config=GenerationConfig(**config))
    return Request(key or text, ask)


def loglikelihood(context: str, *continuations: str, key: str | None = None) -> Request:
    """Return a request for log-probabilities. The key defaults to the context."""
    return Request(key or context, Loglikelihood(context=context, continuations=continuations))


def answers(model: Model, *requests: Request) -> dict[str, Response]:
    """Return the responses by key; every request has exactly one."""
    responses = list(model.run(iter(requests)))
    assert sorted(response.key for response in responses) == sorted(request.key for request in requests)
    return {response.key: response for response in responses}
