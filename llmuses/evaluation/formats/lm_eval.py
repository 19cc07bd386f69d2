"""lm-evaluation-harness's sample logs (``--log_samples``): ``samples_TASK_DATE.jsonl``, a line a document and filter."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from llmuses.evaluation.formats.base import Answer, Format, Line, conversation, text_of, texts_in, written
from llmuses.records import Generate, Loglikelihood, Message, Response, Score


class _Sample(msgspec.Struct):
    doc_id: int
    doc: Any
    arguments: dict[str, dict[str, Any]] | list[list[Any]]
    resps: list[Any]
    filter: str | None = None


class _Turn(msgspec.Struct):
    role: str
    content: str


class _Asked(NamedTuple):
    context: str
    rest: Any
    """A continuation to be scored, or how an answer was to be written."""


def _read(lines: Iterable[Line], _: Path) -> Iterator[Answer]:
    """Yield the answers of one filter: the others repeat the same ones under another reading."""
    chosen: str | None = None
    for line in lines:
        known = msgspec.convert(line, _Sample)
        chosen = known.filter if chosen is None else chosen
        if known.filter != chosen:
            continue
        asked = _arguments(known.arguments)
        seen = "\n".join(texts_in(known.doc))
        if asked and isinstance(asked[0].rest, str):
            ask, response = _scored(asked, known.resps)
            yield Answer(index=known.doc_id, ask=ask, seen=seen, response=response)
        else:
            for text in _written(known.resps):
                response = written(text_of(text, "resps"))
                yield Answer(index=known.doc_id, ask=_conversation(asked[0].context), seen=seen, response=response)


def _arguments(arguments: Mapping[str, Mapping[str, Any]] | list[list[Any]]) -> list[_Asked]:
    """Return the requests of a document; logs before version 0.4.5 hold them as a list."""
    pairs = [list(pair.values()) for pair in arguments.values()] if isinstance(arguments, Mapping) else arguments
    if not pairs or any(len(pair) < 2 or not isinstance(pair[0], str) for pair in pairs):
        raise ValueError("'arguments' holds no requests of a context and what was asked of it")
    return [_Asked(pair[0], pair[1]) for pair in pairs]


def _conversation(context: str) -> Generate | None:
    """Return what was sent: one text, or for a chat API turns, which the log holds as JSON."""
    if context.startswith('[{"role"'):
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            turns = msgspec.json.decode(context, type=list[_Turn])
            return conversation((turn.role, turn.content) for turn in turns)
    return Generate(messages=(Message("user", context),))


def _written(resps: list[Any]) -> list[Any]:
    """Return the texts of one request, several where it was repeated."""
    if len(resps) != 1:
        raise ValueError(f"'resps' holds {len(resps)} requests, expected one for a written answer")
    return resps[0] if isinstance(resps[0], list) else resps


def _scored(asked: list[_Asked], resps: list[Any]) -> tuple[Loglikelihood, Response]:
    """Return the continuations after the document's context and their log-probabilities.

    With ``acc_mutual_info`` the log holds each continuation once more, without the context: these are left out.
    """
    context = asked[0].context
    pairs = [(one.rest, resp) for one, resp in zip(asked, resps, strict=True) if one.context == context]
    if any(one.context not in (context, "") for one in asked):
        raise ValueError("its continuations do not follow one context")
    scores = [_score(resp) for _, resp in pairs]
    return (
        Loglikelihood(context=context, continuations=tuple(str(text) for text, _ in pairs)),
        Response(key="", scores=scores),
    )


def _score(resp: Any) -> Score:
    """Return a continuation's score: ``[[logprob, greedy]]``, both of them texts in newer logs."""
    logprob, greedy = resp[0] if isinstance(resp[0], list) else resp
    return Score(logprob=float(logprob), greedy=str(greedy).lower() == "true")


LM_EVAL = Format(
    "lm-evaluation-harness samples",
    '{"doc_id": 0, "doc": {…}, "target": "…", "arguments": {…}, "resps": […], "filtered_resps": […]}',
    lambda line: {"doc_id", "doc", "arguments", "resps"} <= line.keys(),
    _read,
    in_model_folder=True,
)
