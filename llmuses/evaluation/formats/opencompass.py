"""OpenCompass's predictions: ``predictions/MODEL/DATASET.json``, one object that holds all samples by their index.

A large dataset comes in parts, ``DATASET_0.json``, ``DATASET_1.json``, each counted from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from llmuses.errors import in_words
from llmuses.evaluation.formats.base import Answer, Format, Line, conversation, text_of, written
from llmuses.records import Generate


class _Turn(msgspec.Struct):
    role: str
    prompt: str


class _Entry(msgspec.Struct):
    prediction: str | list[str | None] | None
    origin_prompt: str | list[_Turn] = ""


def _recognises(line: Line) -> bool:
    first = next(iter(line.items()), None)
    if first is None:
        return False
    index, entry = first
    return index.isdecimal() and isinstance(entry, Mapping) and "prediction" in entry


def _read(lines: Iterable[Line], _: Path) -> Iterator[Answer]:
    for entries in lines:
        for index, entry in entries.items():
            try:
                yield from _answers(int(index), entry)
            except msgspec.ValidationError as problem:
                raise ValueError(f"sample {index}: {in_words(problem)}") from problem


def _answers(index: int, entry: Mapping[str, Any]) -> Iterator[Answer]:
    if any(name.startswith("label: ") for name in entry):
        raise ValueError("it holds perplexities, from which no log-probabilities of the options can be had")
    known = msgspec.convert(entry, _Entry)
    predictions = known.prediction if isinstance(known.prediction, list) else [known.prediction]
    for prediction in predictions:
        yield Answer(index=index, ask=_asked(known.origin_prompt), response=written(text_of(prediction, "prediction")))


def _asked(prompt: str | list[_Turn]) -> Generate | None:
    turns = [("user", prompt)] if isinstance(prompt, str) else [(turn.role, turn.prompt) for turn in prompt]
    return conversation(turns) if prompt else None


OPENCOMPASS = Format(
    "OpenCompass predictions",
    '{"0": {"origin_prompt": "…", "prediction": "…", "gold": "…"}, "1": {…}}',
    _recognises,
    _read,
    in_model_folder=True,
    in_parts=True,
)
