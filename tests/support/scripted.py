"""A model whose answers a test writes down, and which remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from llmuses.records import (
    Ask,
    ErrorKind,
    Generate,
    Mode,
    Request,
    Response,
    ResponseError,
    Score,
    prediction_key,
)

Answer = Callable[[Ask], str | list[float] | ResponseError]


def failure(code: str = "http_500") -> ResponseError:
    """Return an error that may pass."""
    return ResponseError(kind=ErrorKind.FAILED, code=code, message="the server is tired")


def rejection(code: str = "content_filter") -> ResponseError:
    """Return an error that is for good."""
    return ResponseError(kind=ErrorKind.REJECTED, code=code, message="not this one")


class ScriptedModel:
    """Answers each ask by a function: a text, log-probabilities, or an error."""

    name = "scripted"
    details: Mapping[str, Any] = {}

    def __init__(self, answer: Answer, identity: str = "scripted-1", prefers: Mode = Mode.GENERATE):
        self._answer = answer
        self.identity = identity
        self.prefers = prefers
        self.asked: list[Ask] = []

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        for request in requests:
            assert request.key == request.key.lower()
            self.asked.append(request.ask)
            yield self._respond(request)

    def _respond(self, request: Request) -> Response:
        answer = self._answer(request.ask)
        if isinstance(answer, str):
            return Response(key=request.key, text=answer, finish_reason="stop", latency=0.01)
        if isinstance(answer, ResponseError):
            return Response(key=request.key, error=answer)
        return Response(key=request.key, scores=[Score(logprob=value) for value in answer])

    def close(self) -> None:
        pass


def last_message(ask: Ask) -> str:
    """Return the text of an ask's last message, or its context."""
    return ask.messages[-1].content if isinstance(ask, Generate) else ask.context


def key_of(model: ScriptedModel, ask: Ask, repeat: int = 0) -> str:
    """Return the key under which a model's answer is stored."""
    return prediction_key(ask, model.identity, repeat)
