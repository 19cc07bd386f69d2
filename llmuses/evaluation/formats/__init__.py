"""The logs of other programs that ``llmuses score`` reads, told by their content.

A new format is a module with a ``Format`` and one line in the table.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import msgspec

from llmuses.errors import DataError, in_words
from llmuses.evaluation.formats.base import Answer, Format, Line
from llmuses.evaluation.formats.evalscope import PREDICTIONS, REVIEWS
from llmuses.evaluation.formats.lines import LINES
from llmuses.evaluation.formats.llmuses_predictions import LLMUSES
from llmuses.evaluation.formats.lm_eval import LM_EVAL
from llmuses.evaluation.formats.opencompass import OPENCOMPASS

__all__ = ["FORMATS", "Answer", "Format", "LogFile"]

FORMATS = (LINES, LLMUSES, PREDICTIONS, REVIEWS, LM_EVAL, OPENCOMPASS)
"""Every format that is understood; no record is of two of them."""

_SHOWN = 60


class LogFile:
    """One file of answers: iterate over it once. Raises DataError with file and line for what cannot be read.

    ``format`` is known from the start. Afterwards ``sha256`` is over the file's content, unpacked where it was
    packed, and ``torn`` says that its last line was cut off: the program that wrote it was stopped in the middle.
    """

    def __init__(self, path: Path):
        self.path = path
        self.torn = False
        self._line = 0
        self._digest = hashlib.sha256()
        first = next(self._records(), None)
        if first is None:
            raise DataError(f"{path}: it holds no answers; expected {_examples()}")
        self.format = self._recognised(first)

    @property
    def sha256(self) -> str:
        """Return the hash of what was read, 64 hex digits."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[Answer]:
        answers = self.format.read(self._records(), self.path)
        while True:
            try:
                answer = next(answers)
            except StopIteration:
                return
            except (KeyError, ValueError, TypeError, msgspec.ValidationError) as problem:
                raise DataError(f"{self._place}: not a line of {self.format.name} ({_words(problem)}).") from problem
            answer.line = self._line
            yield answer

    @property
    def _place(self) -> str:
        return f"{self.path}:{self._line}"

    def _recognised(self, record: Line) -> Format:
        found = [known for known in FORMATS if known.recognises(record)]
        if len(found) != 1:
            names = ", ".join(f"'{name}'" for name in record)[:_SHOWN] or "nothing"
            raise DataError(f"{self._place}: a record of {names} is none that is understood: {_examples()}")
        return found[0]

    def _records(self) -> Iterator[Line]:
        """Yield the file's records: a line each, or, where the whole file is one JSON value, that or its items."""
        self._line, self._digest, self.torn = 0, hashlib.sha256(), False
        try:
            with _opened(self.path) as file:
                yield from self._lines(file)
        except OSError as problem:
            raise DataError(f"cannot read {self.path}: {problem.strerror or problem}.") from problem
        except (EOFError, zlib.error) as problem:
            raise DataError(f"{self.path}: the packed file is cut off or damaged ({problem}).") from problem

    def _lines(self, file: BufferedIOBase) -> Iterator[Line]:
        began = False
        for number, raw in enumerate(file, 1):
            self._digest.update(raw)
            text = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
            if text.isspace() or not text:
                continue
            self._line = number
            try:
                value = _decoded(text)
            except ValueError as problem:
                if not began:
                    yield from self._whole(text + self._rest(file))
                    return
                if not raw.endswith(b"\n"):
                    self.torn = True
                    return
                raise DataError(f"{self._place}: not JSON ({problem}).") from problem
            began = True
            yield from self._checked(value)

    def _rest(self, file: BufferedIOBase) -> bytes:
        rest = file.read()
        self._digest.update(rest)
        return rest

    def _whole(self, text: bytes) -> Iterator[Line]:
        try:
            value = _decoded(text)
        except ValueError as problem:
            raise DataError(f"{self._place}: not JSON ({problem}); expected {_examples()}") from problem
        yield from self._checked(value)

    def _checked(self, value: Any) -> Iterator[Line]:
        for record in value if isinstance(value, list) else [value]:
            if not isinstance(record, dict):
                raise DataError(f"{self._place}: expected an object, found {type(record).__name__}.")
            yield record


def _opened(path: Path) -> BufferedIOBase:
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else open(path, "rb")


def _decoded(text: bytes) -> Any:
    """Return a JSON value. Python's reader takes what others write and JSON forbids: NaN, half a surrogate pair."""
    try:
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _spelled_out(json.loads(text))
    except RecursionError as problem:
        raise ValueError("nested too deeply") from problem


def _spelled_out(value: Any) -> Any:
    """Return a JSON value in which what UTF-8 cannot hold is spelled out."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_spelled_out(part) for part in value]
    if isinstance(value, dict):
        return {_spelled_out(name): _spelled_out(part) for name, part in value.items()}
    return value


def _words(problem: Exception) -> str:
    if isinstance(problem, KeyError):
        return f"no {' or '.join(map(str, problem.args))}"
    return in_words(problem) if isinstance(problem, msgspec.ValidationError) else str(problem)


def _examples() -> str:
    return "; ".join(f"{known.name}, such as {known.example}" for known in FORMATS) + "."
