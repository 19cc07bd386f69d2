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


class _AnswerLine(msgspec.Struct, gc=False):
    """What says of a review what was asked and whether the answer is right. ``scores`` stay as they are written: as
    dictionaries a hundred thousand of them would take as long as all the rest."""

    sample_id: str
    status: Status
    target: str
    repeat: int = 0
    prompt: str = ""
    scores: msgspec.Raw = msgspec.Raw(b"{}")


class _ReviewLine(_AnswerLine, kw_only=True, gc=False):
    """What the index keeps of a review; the decoder passes over the rest."""

    subset: str
    truncated: bool = False
    tokens: int | None = None
    latency: float | None = None


class Keyed(msgspec.Struct, gc=False):
    """Names one prediction."""

    key: str


class Identified(msgspec.Struct, gc=False):
    """Names one (sample, repeat)."""

    sample_id: str
    repeat: int = 0


def sample_hash(sample_id: str, repeat: int) -> int:
    """Return the name of a (sample, repeat) as 64 bits, equal for all files within one process."""
    return hash((repeat, sample_id)) & _64_BITS


_64_BITS = 0xFFFF_FFFF_FFFF_FFFF

_DIGITS = re.compile(r"[0-9]+")
_LONGEST = 15
"""A longer row of digits at the end of an id is no number."""


def natural_key(subset: str, sample_id: str, repeat: int) -> tuple[str, int, int]:
    """Return what sorts by subset, then by sample, numbers as numbers, then by repeat."""
    head, number = _split(sample_id)
    return natural_head(subset, head), number, repeat


def _split(sample_id: str) -> tuple[str, int]:
    """Return an id without the number at its end, and that number; −1 where there is none."""
    head = sample_id.rstrip("0123456789")
    digits = sample_id[len(head) :]
    return (head, int(digits)) if 0 < len(digits) <= _LONGEST else (sample_id, -1)


def natural_head(subset: str, head: str) -> str:
    """Return what families of samples are sorted by: a subset, and what their ids have in common."""
    return f"{_DIGITS.sub(_padded, subset)}\0{_DIGITS.sub(_padded, head)}"


def _padded(digits: re.Match[str]) -> str:
    return digits[0].zfill(9)


@dataclass(frozen=True)
class Rows:
    """The index of a reviews file at one moment, in the dataset's order: one entry a (sample, repeat), all arrays [n].

    ``latency`` is in seconds, NaN where unknown; ``tokens`` are those of the answer, −1 where unknown; ``subset``
    indexes ``subset_names`` and ``family`` ``families``: a subset, and what the ids of some samples in it have in common before
    the ``number`` at their end; ``broken`` counts lines that could not be read. ``name`` is a hash of the (sample,
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
    family: NDArray[np.uint32]
    number: NDArray[np.int64]
    repeat: NDArray[np.int32]
    subset_names: tuple[str, ...] = ()
    families: tuple[tuple[str, str], ...] = ()
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
    family=np.array([], np.uint32),
    number=np.array([], np.int64),
    repeat=np.array([], np.int32),
)

_ARRAYS = (
    "name", "question", "offset", "verdict", "truncated", "latency", "tokens", "subset", "family", "number", "repeat",
)  # fmt: skip


def _joined(old: Rows, new: Rows, broken: int) -> Rows:
    """Return both in the dataset's order; of several lines for one (sample, repeat) the last in the file counts."""
    columns = {column: np.concatenate([getattr(old, column), getattr(new, column)]) for column in _ARRAYS}
    newest_first = np.argsort(columns["offset"])[::-1]
    _, last = np.unique(columns["name"][newest_first], return_index=True)
    kept = newest_first[np.sort(last)[::-1]]
    natural = sorted(range(len(new.families)), key=lambda code: natural_head(*new.families[code]))
    rank = np.empty(len(natural), np.int64)
    rank[natural] = np.arange(len(natural))
    kept = kept[np.lexsort((columns["repeat"][kept], columns["number"][kept], rank[columns["family"][kept]]))]
    return Rows(
        **{column: values[kept] for column, values in columns.items()},
        subset_names=new.subset_names,
        families=new.families,
        broken=broken,
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
        self,
        path: Path,
        line_type: type[Any],
        empty: S,
        extend: Callable[[S, Sequence[Any], Sequence[int], int], S],
        skim: Callable[[bytes, Sequence[int]], list[Any] | None] | None = None,
        check: Callable[[Sequence[Any]], None] | None = None,
    ):
        self._path = path
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(line_type)
        self._empty = empty
        self._extend = extend
        self._check = check or (lambda _: None)
        """Raises DecodeError where a part of a line that was left as it is written is not what it has to be."""
        self._skim = skim
        """Reads the records of lines, by where these begin, without decoding them; None where it cannot tell."""
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
            end = block.rfind(b"\n") + 1
            if end:
                yield begun + block[:end] if begun else block[:end]
                begun = block[end:]
            else:
                begun += block

    def _decode(self, block: bytes) -> tuple[list[Any], NDArray[np.int64]]:
        """Return the records of some lines and where each begins; count those that are none."""
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == _NEWLINE)
        starts = np.concatenate([[0], ends[:-1] + 1])
        try:
            skimmed = self._skim(block, starts.tolist()) if self._skim else None
            records = self._decoder.decode_lines(block) if skimmed is None else skimmed
            self._check(records)
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
                record = self._decoder.decode(line)
                self._check([record])
                records.append(record)
                kept.append(start)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self._broken += 1
        return records, np.array(kept, np.int64)


def _extend_reviews(rows: Rows, lines: Sequence[_ReviewLine], offsets: Sequence[int], broken: int) -> Rows:
    codes = {name: code for code, name in enumerate(rows.subset_names)}
    families = {family: code for code, family in enumerate(rows.families)}
    names = [hash((line.repeat, line.sample_id)) for line in lines]
    placed = [_place(line.subset, line.sample_id, families) for line in lines]
    new = Rows(
        np.array(names, np.int64).view(np.uint64),
        _questions(lines),
        np.array(offsets, np.int64),
        _verdicts(lines),
        np.array([line.truncated for line in lines], np.bool_),
        np.array([math.nan if line.latency is None else line.latency for line in lines], np.float32),
        np.array([-1 if line.tokens is None else line.tokens for line in lines], np.int32),
        np.array([codes.setdefault(line.subset, len(codes)) for line in lines], np.uint32),
        np.array([family for family, _ in placed], np.uint32),
        np.array([number for _, number in placed], np.int64),
        np.array([line.repeat for line in lines], np.int32),
        tuple(codes),
        tuple(families),
    )
    return _joined(rows, new, broken)


def _place(subset: str, sample_id: str, families: dict[tuple[str, str], int]) -> tuple[int, int]:
    """Return the number of a sample's family, a new one where it is the first of it, and the number at the id's end."""
    head, number = _split(sample_id)
    return families.setdefault((subset, head), len(families)), number


def _verdicts(lines: Sequence[_AnswerLine]) -> NDArray[np.uint8]:
    """Return the codes of some lines' verdicts, [n]."""
    known: dict[bytes, int] = {}
    codes = []
    for line in lines:
        if line.status is not Status.SCORED:
            codes.append(_STATUS_CODES[line.status])
            continue
        written = bytes(line.scores)
        code = known.get(written)
        if code is None:
            code = known[written] = _verdict_code(line.status, _SCORES.decode(written))
        codes.append(code)
    return np.array(codes, np.uint8)


def _check_scores(lines: Sequence[_AnswerLine]) -> None:
    for written in {bytes(line.scores) for line in lines}:
        _SCORES.decode(written)


_SCORES = msgspec.json.Decoder(dict[str, float])


def _questions(lines: Sequence[_AnswerLine]) -> NDArray[np.uint64]:
    """Return hashes over what was asked, [n]."""
    hashes = [hash((line.repeat, line.sample_id, line.target, line.prompt)) for line in lines]
    return np.array(hashes, np.int64).view(np.uint64)


@dataclass(frozen=True)
class Answers:
    """What of a reviews file tells where two runs disagree, in no order: a hash of what was asked, and the verdict, [n]."""

    question: NDArray[np.uint64]
    verdict: NDArray[np.uint8]
    name: NDArray[np.uint64]


def _extend_answers(answers: Answers, lines: Sequence[_AnswerLine], _: Sequence[int], _broken: int) -> Answers:
    name = np.array([hash((line.repeat, line.sample_id)) for line in lines], np.int64).view(np.uint64)
    joined = Answers(
        np.concatenate([answers.question, _questions(lines)]),
        np.concatenate([answers.verdict, _verdicts(lines)]),
        np.concatenate([answers.name, name]),
    )
    _, last = np.unique(
        joined.name[::-1], return_index=True
    )  # of several lines for one (sample, repeat) the last one counts
    kept = len(joined.name) - 1 - last
    return Answers(joined.question[kept], joined.verdict[kept], joined.name[kept])


def answers_index(path: Path) -> FileIndex[Answers]:
    """Return the index of the answers of a reviews file: less than half of what ``reviews_index`` takes."""
    none = np.array([], np.uint64)
    empty = Answers(none, np.array([], np.uint8), none)
    return FileIndex(path, _AnswerLine, empty, _extend_answers, check=_check_scores)


@dataclass(frozen=True)
class Places:
    """Where predictions begin: 16 bytes each. ``key`` is a hash of a prediction's key."""

    key: NDArray[np.uint64]
    offset: NDArray[np.int64]


def key_hash(key: str) -> int:
    """Return a prediction's key as 64 bits, equal for all files within one process."""
    return hash(key) & _64_BITS


def _extend_places(places: Places, lines: Sequence[Keyed], offsets: Sequence[int], _broken: int) -> Places:
    key = np.array([hash(line.key) for line in lines], np.int64).view(np.uint64)
    return Places(np.concatenate([places.key, key]), np.concatenate([places.offset, np.array(offsets, np.int64)]))


def reviews_index(path: Path) -> FileIndex[Rows]:
    """Return the index of a reviews file."""
    return FileIndex(path, _ReviewLine, NO_ROWS, _extend_reviews, check=_check_scores)


def predictions_index(path: Path) -> FileIndex[Places]:
    """Return the index of a predictions file."""
    nowhere = Places(np.array([], np.uint64), np.array([], np.int64))
    return FileIndex(path, Keyed, nowhere, _extend_places, _keys_alone)


_KEY_FIRST = re.compile(rb'\{"key":"([0-9a-f]{24})",')


def _keys_alone(block: bytes, starts: Sequence[int]) -> list[Any] | None:
    """Return the keys of predictions as an evaluation writes them, the key first: without reading what follows it."""
    found = [_KEY_FIRST.match(block, start) for start in starts]
    return [Keyed(match[1].decode()) for match in found if match] if all(found) else None
