"""The answers of another program, read once from its files and kept in a temporary one: memory does not grow with them."""

from __future__ import annotations

import hashlib
import re
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from llmuses.errors import DataError, UsageError
from llmuses.evaluation.formats import Answer, LogFile
from llmuses.records import Mode

_VERSION = 1
"""Raised whenever the same files are read into other answers."""


class AnswerLog:
    """All answers of some files, in the files' order.

    ``format`` is the one format of all files, ``mode`` how the model was asked, ``model`` what it is called: by the log
    itself, else by its folder or its file. ``identity`` follows from the files' content. ``torn`` names the files
    whose last line was cut off. Raises DataError for a file that cannot be read, and for files of different kinds.
    """

    def __init__(self, paths: Sequence[Path]):
        if not paths:
            raise UsageError("no file of answers is named: --predictions FILE.jsonl")
        self.paths = _parts_in_order(paths)
        self.format = ""
        self.torn: list[Path] = []
        self._spool = tempfile.TemporaryFile(prefix="llmuses-answers-")
        self._offsets = array("Q")
        self._decode = msgspec.json.Decoder(Answer).decode
        self._modes: dict[Mode, str] = {}
        digest = hashlib.sha256()
        size = 0
        try:
            for number, path in enumerate(self.paths):
                log = self._opened(path)
                first = size if log.format.in_parts and self._goes_on(number) else 0
                size = self._take_in(log, number, first)
                digest.update(log.sha256.encode())
        except BaseException:
            self.close()
            raise
        self._spool.flush()
        self.identity = f"answers:{_VERSION}:{digest.hexdigest()}"
        self.mode = next(iter(self._modes), Mode.GENERATE)

    def _opened(self, path: Path) -> LogFile:
        log = LogFile(path)
        if not self.format:
            self.format = log.format.name
            self.model = path.resolve().parent.name if log.format.in_model_folder else _stem(path)
        elif log.format.name != self.format:
            raise DataError(f"{self.paths[0]} is {self.format}, {path} is {log.format.name}: score one kind at once.")
        return log

    def _take_in(self, log: LogFile, number: int, first: int) -> int:
        """Copy the answers of one file, whose index 0 stands for ``first``; return where the next part begins."""
        encode = msgspec.json.Encoder().encode
        offset = self._spool.seek(0, 2)
        end = first
        for answer in log:
            answer.file = number
            if answer.index is not None:
                answer.index += first
                end = max(end, answer.index + 1)
            self._check_mode(answer)
            self.model = answer.model or self.model
            line = encode(answer) + b"\n"
            self._spool.write(line)
            self._offsets.append(offset)
            offset += len(line)
        if log.torn:
            self.torn.append(log.path)
        return end

    def _check_mode(self, answer: Answer) -> None:
        if answer.response.error is None:
            mode = Mode.GENERATE if answer.response.scores is None else Mode.LOGPROB
            self._modes.setdefault(mode, self.place(answer))
        if len(self._modes) > 1:
            places = " and ".join(self._modes.values())
            raise DataError(f"{places}: one holds a text, the other log-probabilities; score one kind at once.")

    def _goes_on(self, number: int) -> bool:
        """Whether a file is the next part of the file before it."""
        before = _part(self.paths[number - 1]) if number else None
        return before is not None and _part(self.paths[number]) == (before[0], before[1] + 1)

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, number: int) -> Answer:
        """Return an answer by its number, counted from 0 over all files."""
        self._spool.seek(self._offsets[number])
        return self._decode(self._spool.readline())

    def __iter__(self) -> Iterator[Answer]:
        return (self[number] for number in range(len(self)))

    def place(self, answer: Answer) -> str:
        """Return how a message names an answer: ``FILE:LINE``."""
        return f"{self.paths[answer.file]}:{answer.line}"

    def close(self) -> None:
        """Remove the temporary file."""
        self._spool.close()


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".json")


def _part(path: Path) -> tuple[Path, int] | None:
    """Return the name without the part's number, and the number, of a file such as ``gsm8k_0.json``."""
    match = re.fullmatch(r"(.+)_(\d{1,4})", _stem(path))
    return (path.with_name(match[1]), int(match[2])) if match else None


def _parts_in_order(paths: Sequence[Path]) -> list[Path]:
    """Return files as they were given, but the parts of one file together and in their order."""
    first: dict[Path, int] = {}
    keys = [_part(path) or (path, 0) for path in paths]
    for number, (whole, _) in enumerate(keys):
        first.setdefault(whole, number)
    return [
        path
        for _, _, path in sorted((first[whole], part, path) for (whole, part), path in zip(keys, paths, strict=True))
    ]
