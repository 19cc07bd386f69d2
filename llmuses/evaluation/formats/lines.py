"""Lines of a sample's id and its answer, as any script writes them; HumanEval's ``samples.jsonl`` is of this kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from llmuses.evaluation.formats.base import Answer, Format, Line, text_of, written

_IDS = ("id", "sample_id", "task_id")
_OUTPUTS = ("output", "response", "prediction", "completion", "solution")
"""EvalPlus writes whole programs as ``solution``; beside an ``id`` that word is the reference's, so it is not taken."""


def _outputs(line: Line) -> tuple[str, ...]:
    return tuple(name for name in _OUTPUTS if name in line and (name != "solution" or "task_id" in line))


def _recognises(line: Line) -> bool:
    texts = [name for name in _outputs(line) if line[name] is None or isinstance(line[name], str)]
    return bool(texts) and any(name in line for name in _IDS)


def _only(names: Iterable[str], wanted: tuple[str, ...]) -> str:
    """Return the one name that is there. Raises KeyError for none, ValueError for several."""
    found = list(names)
    if not found:
        raise KeyError(" or ".join(wanted))
    if len(found) > 1:
        raise ValueError(f"both '{found[0]}' and '{found[1]}' are there: keep the one that counts")
    return found[0]


def _read(lines: Iterable[Line], _: Path) -> Iterator[Answer]:
    for line in lines:
        own = line[_only((name for name in _IDS if name in line), _IDS)]
        if isinstance(own, bool) or not isinstance(own, str | int):
            raise ValueError(f"an id must be a text or a whole number, not {type(own).__name__}")
        output = _only(_outputs(line), _OUTPUTS)
        reason = text_of(line.get("finish_reason"), "finish_reason")
        yield Answer(sample_id=str(own), response=written(text_of(line[output], output), finish_reason=reason))


LINES = Format(
    "id and output",
    '{"id": "SAMPLE_ID", "output": "…"} or {"task_id": "HumanEval/0", "completion": "…"}',
    _recognises,
    _read,
)
