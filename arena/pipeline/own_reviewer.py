"""A reviewer of the user's own: a class that is named by ``ref: module:Class`` and needs one method.

    class Longer:
        \"\"\"Prefers the longer answer.\"\"\"

        def __init__(self, margin=0):           # args of the config
            self.margin = int(margin)

        def review(self, question, answer_a, answer_b):
            lead = len(answer_a) - len(answer_b)
            return "[[C]]" if abs(lead) <= self.margin else "[[A]]" if lead > 0 else "[[B]]"

``review`` gets the question and both answers as texts (``answer_b`` is None where one answer is scored) and returns a
verdict as a judge would end its text: ``[[A]]``, ``[[B]]``, ``[[C]]`` for a tie, ``[[7]]`` for a score; None or anything else
counts as unreadable, an exception as a failed call. What it returned is stored and not asked again; an attribute
``version`` that changes makes it judge anew. ``free = True`` says that no call costs money.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from llmuses.errors import UsageError
from llmuses.own_code import own_object
from llmuses.records import ErrorKind, Generate, Message, Mode, Request, Response, ResponseError


class OwnReviewer(Protocol):
    """What a class of the user's own has to have."""

    def review(self, question: str, answer_a: str, answer_b: str | None) -> str | None:
        """Return a verdict."""
        ...


class Material(msgspec.Struct):
    """What an own reviewer is given, as it is stored."""

    question: str
    answer_a: str
    answer_b: str | None = None


def own_messages(question: str, answer_a: str, answer_b: str | None) -> tuple[Message, ...]:
    """Return the material as the message that stands for it in a store."""
    return (Message("user", msgspec.json.encode(Material(question, answer_a, answer_b)).decode()),)


def load_own(ref: str, args: Mapping[str, Any]) -> OwnReviewer:
    """Return an object of the class that a config names. Raises UsageError where there is none or it has no ``review``."""
    try:
        kind = own_object(ref, "class")
    except UsageError as problem:
        raise UsageError(f"reviewer ref '{ref}': {problem}") from None
    if not callable(getattr(kind, "review", None)):
        raise UsageError(f"reviewer ref '{ref}' has no method review(question, answer_a, answer_b).")
    try:
        inspect.signature(kind).bind(**args)
    except TypeError as problem:
        raise UsageError(f"reviewer ref '{ref}': its args do not fit ({problem}).") from None
    reviewer: OwnReviewer = kind(**args)
    return reviewer


class OwnReviewerModel:
    """An own reviewer behind the one verb that everything is asked by; one call after the other."""

    prefers = Mode.GENERATE
    details: Mapping[str, Any] = {}

    def __init__(self, ref: str, args: Mapping[str, Any], reviewer: OwnReviewer):
        self.name = ref.rpartition(":")[2]
        settings = msgspec.json.encode(dict(args), order="sorted").decode()
        self.identity = f"reviewer:{ref} {settings} {getattr(reviewer, 'version', 1)}"
        self._reviewer = reviewer

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Yield a verdict for each request; an exception of the class is a failed call."""
        for request in requests:
            assert isinstance(request.ask, Generate)
            material = msgspec.json.decode(request.ask.messages[-1].content, type=Material)
            try:
                verdict = self._reviewer.review(material.question, material.answer_a, material.answer_b)
            except Exception as problem:  # whatever a user's class raises is its own affair
                error = ResponseError(kind=ErrorKind.FAILED, code=type(problem).__name__, message=str(problem))
                yield Response(key=request.key, error=error)
            else:
                yield Response(key=request.key, text="" if verdict is None else str(verdict), finish_reason="stop")

    def close(self) -> None:
        """Nothing is held."""
