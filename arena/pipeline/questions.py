"""The questions of an arena: a JSONL file with one question, or one conversation's questions, a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from llmuses.errors import DataError

UNSORTED = "general"
"""The category of a question that names none."""


class Question(NamedTuple):
    """One question. ``turns`` are what the user says, one after the other; ``references`` right answers, one a turn."""

    question_id: str
    category: str
    language: str
    turns: tuple[str, ...]
    references: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return the first question."""
        return self.turns[0]


def read_questions(path: Path) -> list[Question]:
    """Return the questions of a file in its order. Raises DataError that names the line."""
    questions: dict[str, Question] = {}
    for place, row in rows(path):
        question = _question(row, place)
        if question.question_id in questions:
            raise DataError(f"{place}: question_id {question.question_id} is there twice.")
        questions[question.question_id] = question
    if not questions:
        raise DataError(f"{path}: there is no question in it.")
    return list(questions.values())


def rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of a JSONL file, or of a JSON list, each with its place. Raises DataError that names the line."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise DataError(f"cannot read {path}: {problem.strerror}.") from problem
    if content.lstrip()[:1] == b"[":
        yield from _listed(path, content)
        return
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            row = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise DataError(f"{place}: not JSON ({problem}).") from problem
        if not isinstance(row, dict):
            raise DataError(f"{place}: not a JSON object.")
        yield place, row


def _listed(path: Path, content: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        listed = msgspec.json.decode(content, type=list[dict[str, Any]])
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise DataError(f"{path}: not a list of JSON objects ({problem}).") from problem
    yield from ((f"{path}, entry {number}", row) for number, row in enumerate(listed, 1))


def _question(row: Mapping[str, Any], place: str) -> Question:
    identifier = row.get("question_id")
    if not isinstance(identifier, str | int) or identifier == "":
        raise DataError(f"{place}: a question needs a question_id.")
    turns = row.get("turns", row.get("text"))
    turns = (turns,) if isinstance(turns, str) else tuple(turns or ())
    if not turns or not all(isinstance(turn, str) and turn.strip() for turn in turns):
        raise DataError(f"{place}: a question needs a text, or turns with a text each.")
    reference = row.get("reference") or ()
    references = (reference,) if isinstance(reference, str) else tuple(map(str, reference))
    language = row.get("language") or language_of(turns[0])
    return Question(str(identifier), str(row.get("category") or UNSORTED), str(language), turns, references)


def language_of(text: str) -> str:
    """Return ``zh`` for a text with Chinese characters, else ``en``; a question in another language says so itself."""
    return "zh" if any("\u4e00" <= letter <= "\u9fff" for letter in text) else "en"
