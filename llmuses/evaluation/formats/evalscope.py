"""What EvalScope 1.x leaves of a run: ``predictions/MODEL/BENCHMARK_SUBSET.jsonl`` and ``reviews/…``, a line a sample.

Both name a sample by its index in the subset. With repeats the index counts all attempts; reviews alone tell which
sample an attempt belongs to (``group_id``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from llmuses.evaluation.formats.base import Answer, Format, Line, conversation, missing, written
from llmuses.records import Usage


class _Message(msgspec.Struct):
    role: str
    content: str | list[dict[str, Any]]

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "".join(str(part.get("text", "")) for part in self.content if part.get("type") == "text")

    @property
    def reasoning(self) -> str | None:
        if isinstance(self.content, str):
            return None
        parts = [str(part["reasoning"]) for part in self.content if part.get("type") == "reasoning"]
        return "\n".join(parts) or None


class _Choice(msgspec.Struct):
    message: _Message
    stop_reason: str | None = None


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Output(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    time: float | None = None
    error: str | None = None


class _Prediction(msgspec.Struct):
    index: int
    model_output: _Output | None
    messages: list[_Message] = []
    model: str = ""


class _Score(msgspec.Struct):
    prediction: str | None


class _SampleScore(msgspec.Struct):
    score: _Score
    group_id: int | None = None


class _Review(msgspec.Struct):
    index: int
    sample_score: _SampleScore
    messages: list[_Message] = []
    input: str = ""


def _asked(messages: list[_Message]) -> dict[str, Any]:
    """Return what was asked; where a tool spoke, too, the texts alone."""
    ask = conversation((message.role, message.text) for message in messages)
    return {"ask": ask} if ask else {"seen": "\n".join(message.text for message in messages)}


def _predictions(lines: Iterable[Line], _: Path) -> Iterator[Answer]:
    for line in lines:
        known = msgspec.convert(line, _Prediction)
        output = known.model_output
        if output is None or output.error or not output.choices:
            response = missing("no_output", (output and output.error) or "EvalScope has no output for it")
        else:
            choice, usage = output.choices[0], output.usage or _Usage()  # EvalScope itself scores the first one alone
            response = written(
                choice.message.text,
                reasoning=choice.message.reasoning,
                finish_reason=choice.stop_reason,
                usage=Usage(
                    prompt_tokens=usage.input_tokens,
                    completion_tokens=usage.output_tokens,
                    reasoning_tokens=usage.reasoning_tokens,
                ),
                latency=output.time,
            )
        yield Answer(index=known.index, response=response, model=known.model, **_asked(known.messages))


def _reviews(lines: Iterable[Line], _: Path) -> Iterator[Answer]:
    for line in lines:
        known = msgspec.convert(line, _Review)
        group = known.sample_score.group_id
        yield Answer(
            index=known.index if group is None else group,
            response=written(known.sample_score.score.prediction),
            **_asked(known.messages or ([_Message("user", known.input)] if known.input else [])),
        )


PREDICTIONS = Format(
    "EvalScope predictions",
    '{"index": 0, "model": "…", "model_output": {"choices": […]}, "messages": […]}',
    lambda line: {"index", "model_output"} <= line.keys(),
    _predictions,
    in_model_folder=True,
)
REVIEWS = Format(
    "EvalScope reviews",
    '{"index": 0, "target": "…", "sample_score": {"score": {"prediction": "…"}}}',
    lambda line: {"index", "sample_score"} <= line.keys(),
    _reviews,
    in_model_folder=True,
)
