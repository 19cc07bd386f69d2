"""What a log of another program is to us: answers in the log's order, each with its place among a benchmark's samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from llmuses.models.reasoning import split_reasoning
from llmuses.records import (
    Ask,
    ErrorKind,
    Generate,
    Message,
    Response,
    ResponseError,
    Usage,
)

Line = Mapping[str, Any]
"""One record of a log: a JSON object."""


class Answer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One answer of a log.

    Its sample is named by ``sample_id`` or by ``index``, its place in its subset's file, counted from 0. ``ask`` is
    what the model was asked and ``seen`` what else the log holds of the sample's row: texts by which an index is
    checked. ``model`` is what the log calls the model. ``line`` is set by whoever reads the file.
    """

    response: Response
    sample_id: str | None = None
    index: int | None = None
    ask: Ask | None = None
    seen: str = ""
    model: str = ""
    line: int = 0
    file: int = 0


class Format(NamedTuple):
    """A kind of log: how it is told from others and how it is read.

    ``recognises`` looks at a file's first record alone; ``read`` yields answers and raises KeyError, ValueError,
    TypeError or msgspec.ValidationError for a record of another shape. ``in_model_folder`` says that the program
    writes into a folder which is named after the model, ``in_parts`` that it spreads one dataset over numbered files.
    """

    name: str
    example: str
    recognises: Callable[[Line], bool]
    read: Callable[[Iterable[Line], Path], Iterator[Answer]]
    in_model_folder: bool = False
    in_parts: bool = False


def text_of(value: object, name: str) -> str | None:
    """Return a written answer, None for null. Raises ValueError for anything but a text."""
    if value is None or isinstance(value, str):
        return value
    raise ValueError(f"'{name}' must be a text or null, not {type(value).__name__}")


_LENGTH = {"max_tokens", "model_length", "max_length"}
"""What other programs call it where an answer stopped because its length was used up."""


def written(
    text: str | None,
    *,
    reasoning: str | None = None,
    finish_reason: str | None = None,
    usage: Usage | None = None,
    latency: float | None = None,
) -> Response:
    """Return the response that a text is, its thinking set apart. No text at all is no answer; an empty one is."""
    if text is None:
        return missing("no_output", "the log holds null for the answer")
    if reasoning is None:
        reasoning, text = split_reasoning(text)
    return Response(
        key="",
        text=text,
        reasoning=reasoning or None,
        finish_reason="length" if finish_reason in _LENGTH else finish_reason,
        usage=usage,
        latency=latency,
    )


def missing(code: str, message: str) -> Response:
    """Return the response of a sample without an answer."""
    return Response(key="", error=ResponseError(kind=ErrorKind.FAILED, code=code, message=message))


_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "bot": "assistant",
}


def conversation(turns: Iterable[tuple[str, str]]) -> Generate | None:
    """Return what was asked, of (role, text) pairs up to the answer; None where a turn is of another role."""
    messages = []
    for role, text in turns:
        if role.lower() not in _ROLES:
            return None
        messages.append(Message(_ROLES[role.lower()], text))  # type: ignore[arg-type]
    while messages and messages[-1].role == "assistant":
        messages.pop()
    return Generate(messages=tuple(messages)) if messages else None


def texts_in(value: object) -> Iterator[str]:
    """Yield all texts of a JSON value, in its order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from texts_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts_in(part)
