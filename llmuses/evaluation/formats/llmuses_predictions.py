"""The predictions of one of our own runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from llmuses.evaluation.formats.base import Answer, Format, Line
from llmuses.records import Prediction


def _recognises(line: Line) -> bool:
    return {"key", "sample_id", "ask", "response"} <= line.keys()


def _read(lines: Iterable[Line], _: Path) -> Iterator[Answer]:
    for line in lines:
        known = msgspec.convert(line, Prediction)
        yield Answer(sample_id=known.sample_id, ask=known.ask, response=known.response, model=known.model)


LLMUSES = Format(
    "llmuses predictions", '{"key": "…", "sample_id": "…", "ask": {…}, "response": {…}}', _recognises, _read
)
