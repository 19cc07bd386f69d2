"""What is known of a JSONL file of reviews or predictions without holding it in memory, and kept up to date.

A run's reviews may be a hundred thousand lines and its predictions hundreds of megabytes. What lists, filters and
"next" need is some ninety bytes a line: where it begins, its verdict, its marks, its place in the dataset's order.
Only what was appended since the last look is read (a run may grow while it is read); the lines themselves are read
from the file when they are shown.
"""

from __future__ import annotations

import math
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from io import FileIO
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from llmuses.records import Status


class Verdict(StrEnum):
    """What became of a (sample, repeat), as a reader sees it: ``scored`` is split into right and wrong."""

    CORRECT = "correct"
    WRONG = "wrong"
    UNPARSED = "unparsed"
    REJECTED = "rejected"
    FAILED = "failed"


VERDICTS = tuple(Verdict)
VERDICT_CODES = {name: code for code, name in enumerate(VERDICTS)}
_CORRECT, _WRONG = VERDICT_CODES[Verdict.CORRECT], VERDICT_CODES[Verdict.WRONG]
_STATUS_CODES = {status: VERDICT_CODES[Verdict(status.value)] for status in Status if status is not Status.SCORED}


def verdict(status: Status, scores: dict[str, float]) -> Verdict:
    """Return the verdict of a review: a scored one is correct where its main score, the first one, is 1."""
    return VERDICTS[_verdict_code(status, scores)]


def _verdict_code(status: Status, scores: dict[str, float]) -> int:
    if status is Status.SCORED:
        return _CORRECT if next(iter(scores.values()), 0.0) >= 1.0 else _WRONG
    return _STATUS_CODES[status]


class _ReviewLine(msgspec.Struct, gc=False):
    """What the index keeps of a review; the decoder passes over the rest."""

    sample_id: str
    subset: str
    status: Status
    target: str
    repeat: int = 0
    prompt: str = ""
    scores: dict[str, float] = {}
    truncated: bool = False
    tokens: int | None = None
    latency: float | None = None


class Identified(msgspec.Struct, gc=False):
    """Names one (sample, repeat)."""

    sample_id: str
    repeat: int = 0


def sample_hash(sample_id: str, repeat: int) -> int:
    """Return the name of a (sample, repeat) as 64 bits, equal for all files within one process."""
    return _bits(f"{repeat}\n{sample_id}")


def _question_hash(line: _ReviewLine) -> int:
    return _bits(f"{line.repeat}\n{line.sample_id}\n{line.target}\n{line.prompt}")


def _bits(name: str) -> int:
    return hash(name) & 0xFFFF_FFFF_FFFF_FFFF


_DIGITS = re.compile(r"[0-9]+")


def natural_key(subset: str, sample_id: str, repeat: int) -> bytes:
    """Return bytes that sort by subset, then by sample, numbers as numbers, then by repeat."""
    return f"{_natural_name(subset)}\0{_natural(sample_id)}"[:120].encode() + b"\0%04d" % repeat


def _natural(name: str) -> str:
    family, slash, number = name.rpartition("/")
    if number.isascii() and number.isdigit():  # nearly all ids end so
        return f"{_natural_name(family)}{slash}{number.zfill(9)}"
    return _DIGITS.sub(_padded, name)


def _padded(digits: re.Match[str]) -> str:
    return digits[0].zfill(9)


@lru_cache(1024)
def _natural_name(name: str) -> str:
    return _DIGITS.sub(_padded, name)


@dataclass(frozen=True)
class Rows:
    """The index of a reviews file at one moment, in the dataset's order: one entry a (sample, repeat), all arrays [n].

    ``latency`` is in seconds, NaN where unknown; ``tokens`` are those of the answer, −1 where unknown; ``subset``
    indexes ``subset_names``; ``broken`` counts lines that could not be read. ``name`` is a hash of the (sample,
    repeat), ``question`` one over its question and target as well: equal in two runs where they asked the same.
    """

    name: NDArray[np.uint64]
    question: NDArray[np.uint64]
    offset: NDArray[np.int64]
    verdict: NDArray[np.uint8]
    truncated: NDArray[np.bool_]
    latency: NDArray[np.float32]
    tokens: NDArray[np.int32]
    subset: NDArray[np.uint32]
    sort_key: NDArray[np.bytes_]
    subset_names: tuple[str, ...] = ()
    broken: int = 0

    def __len__(self) -> int:
        return len(self.name)

    def position(self, sample_id: str, repeat: int) -> int | None:
        """Return where a (sample, repeat) stands in the dataset's order, or None."""
        found = np.flatnonzero(self.name == np.uint64(sample_hash(sample_id, repeat)))
        return int(found[-1]) if len(found) else None

    def count(self, which: Verdict) -> int:
        """Return how many have a verdict."""
        return int(np.count_nonzero(self.verdict == VERDICT_CODES[which]))

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Return for each whether it is correct."""
        return np.asarray(self.verdict == VERDICT_CODES[Verdict.CORRECT])


NO_ROWS = Rows(
    name=np.array([], np.uint64),
    question=np.array([], np.uint64),
    offset=np.array([], np.int64),
    verdict=np.array([], np.uint8),
    truncated=np.array([], np.bool_),
    latency=np.array([], np.float32),
    tokens=np.array([], np.int32),
    subset=np.array([], np.uint32),
    sort_key=np.array([], "S1"),
)

_ARRAYS = ("name", "question", "offset", "verdict", "truncated", "latency", "tokens", "subset", "sort_key")


def _joined(old: Rows, new: Rows, broken: int) -> Rows:
    """Return both in the dataset's order; of several lines for one (sample, repeat) the last in the file counts."""
    columns = {column: np.concatenate([getattr(old, column), getattr(new, column)]) for column in _ARRAYS}
    newest_first = np.argsort(columns["offset"])[::-1]
    _, last = np.unique(columns["name"][newest_first], return_index=True)
    kept = newest_first[np.sort(last)[::-1]]
    kept = kept[np.argsort(columns["sort_key"][kept], kind="stable")]
    return Rows(
        **{column: values[kept] for column, values in columns.items()}, subset_names=new.subset_names, broken=broken
    )


S = TypeVar("S")

_BLOCK = 1 << 22
_NEWLINE = ord("\n")


class FileIndex(Generic[S]):
    """What is known of one JSONL file, brought up to date at each ``snapshot``; safe for many threads.

    The file is read again from its start when another file has taken its place: another inode, a shorter file, or
    another last line where the last one read began (a freed inode may be given out again).
    """

    def __init__(
        self, path: Path, line_type: type[Any], empty: S, extend: Callable[[S, Sequence[Any], Sequence[int], int], S]
    ):
        self._path = path
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(line_type)
        self._empty = empty
        self._extend = extend
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._snapshot = self._empty
        self._inode = 0
        self._end = 0
        self._last = b""
        self._broken = 0

    def snapshot(self) -> S:
        """Return the index with everything that was appended by now. A file that does not exist is empty."""
        with self._lock:
            try:
                with open(self._path, "rb", buffering=0) as file:
                    self._bring_up_to_date(file)
            except FileNotFoundError:
                self._forget()
            return self._snapshot

    def _bring_up_to_date(self, file: FileIO) -> None:
        status = os.fstat(file.fileno())
        if not self._goes_on(status, file.fileno()):
            self._forget()
            self._inode = status.st_ino
        lines: list[Any] = []
        offsets: list[int] = []
        broken = self._broken
        for block in self._complete_lines(file):
            records, starts = self._decode(block)
            lines += records
            offsets += (starts + self._end).tolist()
            self._end += len(block)
            self._last = block[block.rfind(b"\n", 0, -1) + 1 :]
        if lines or self._broken > broken:
            self._snapshot = self._extend(self._snapshot, lines, offsets, self._broken)

    def _goes_on(self, status: os.stat_result, fd: int) -> bool:
        if status.st_ino != self._inode or status.st_size < self._end:
            return False
        return os.pread(fd, len(self._last), self._end - len(self._last)) == self._last

    def _complete_lines(self, file: FileIO) -> Iterator[bytes]:
        """Yield what is new in pieces of a few megabytes that end in a newline."""
        file.seek(self._end)
        begun = b""
        while block := file.read(_BLOCK):
            whole, newline, begun = (begun + block).rpartition(b"\n")
            if newline:
                yield whole + newline

    def _decode(self, block: bytes) -> tuple[list[Any], NDArray[np.int64]]:
        """Return the records of some lines and where each begins; count those that are none."""
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == _NEWLINE)
        starts = np.concatenate([[0], ends[:-1] + 1])
        try:
            records = self._decoder.decode_lines(block)
            if len(records) == len(starts):
                return records, starts
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
        return self._decode_one_by_one(block, starts, ends)

    def _decode_one_by_one(
        self, block: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> tuple[list[Any], NDArray[np.int64]]:
        records, kept = [], []
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            line = block[start:end]
            if not line or line.isspace():
                continue
            try:
                records.append(self._decoder.decode(line))
                kept.append(start)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self._broken += 1
        return records, np.array(kept, np.int64)


def _extend_reviews(rows: Rows, lines: Sequence[_ReviewLine], offsets: Sequence[int], broken: int) -> Rows:
    codes = {name: code for code, name in enumerate(rows.subset_names)}
    sort_keys = [natural_key(line.subset, line.sample_id, line.repeat) for line in lines]
    new = Rows(
        np.array([sample_hash(line.sample_id, line.repeat) for line in lines], np.uint64),
        np.array([_question_hash(line) for line in lines], np.uint64),
        np.array(offsets, np.int64),
        np.array([_verdict_code(line.status, line.scores) for line in lines], np.uint8),
        np.array([line.truncated for line in lines], np.bool_),
        np.array([math.nan if line.latency is None else line.latency for line in lines], np.float32),
        np.array([-1 if line.tokens is None else line.tokens for line in lines], np.int32),
        np.array([codes.setdefault(line.subset, len(codes)) for line in lines], np.uint32),
        np.array(sort_keys or [b""], np.bytes_)[: len(lines)],
        tuple(codes),
    )
    return _joined(rows, new, broken)


@dataclass(frozen=True)
class Places:
    """Where predictions begin: 16 bytes each."""

    name: NDArray[np.uint64]
    offset: NDArray[np.int64]


def _extend_places(places: Places, lines: Sequence[Identified], offsets: Sequence[int], _broken: int) -> Places:
    name = np.array([sample_hash(line.sample_id, line.repeat) for line in lines], np.uint64)
    return Places(np.concatenate([places.name, name]), np.concatenate([places.offset, np.array(offsets, np.int64)]))


def reviews_index(path: Path) -> FileIndex[Rows]:
    """Return the index of a reviews file."""
    return FileIndex(path, _ReviewLine, NO_ROWS, _extend_reviews)


def predictions_index(path: Path) -> FileIndex[Places]:
    """Return the index of a predictions file."""
    nowhere = Places(np.array([], np.uint64), np.array([], np.int64))
    return FileIndex(path, Identified, nowhere, _extend_places)
