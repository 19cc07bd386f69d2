"""What is known of a JSONL file of reviews or predictions without holding it in memory, and kept up to date.

A run's reviews may be a hundred thousand lines and its predictions hundreds of megabytes. What lists, filters and
"next" need is some ninety bytes a line: where it begins, its verdict, its marks, its place in the dataset's order.
Only what was appended since the last look is read (a run may grow while it is read); the lines themselves are read
from the file when they are shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from leaderboard.file_index import FileIndex
from leaderboard.hashing import Hashes, hashes, with_texts
from leaderboard.index_file import IndexFile
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
    """What the index keeps of a review; the decoder passes over the rest. ``scores`` stay as they are written: as
    dictionaries a hundred thousand of them would take as long as all the rest."""

    sample_id: str
    subset: str
    status: Status
    target: str
    repeat: int = 0
    prompt: str = ""
    scores: msgspec.Raw = msgspec.Raw(b"{}")
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


def sample_hashes(samples: Sequence[tuple[str, int]]) -> Hashes:
    """Return the names of (sample, repeat) pairs as 64 bits, [n], equal for all files."""
    return hashes([f"{repeat} {sample_id}" for sample_id, repeat in samples])


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
        found = np.flatnonzero(self.name == sample_hashes([(sample_id, repeat)]))
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


def _extend_reviews(rows: Rows, lines: Sequence[_ReviewLine], offsets: Sequence[int], broken: int) -> Rows:
    codes = {name: code for code, name in enumerate(rows.subset_names)}
    families = {family: code for code, family in enumerate(rows.families)}
    family, number = _places(lines, families)
    name = sample_hashes([(line.sample_id, line.repeat) for line in lines])
    new = Rows(
        name,
        with_texts(name, [(line.target, line.prompt) for line in lines]),
        np.array(offsets, np.int64),
        _verdicts(lines),
        np.array([line.truncated for line in lines], np.bool_),
        np.array([math.nan if line.latency is None else line.latency for line in lines], np.float32),
        np.array([-1 if line.tokens is None else line.tokens for line in lines], np.int32),
        np.array([codes.setdefault(line.subset, len(codes)) for line in lines], np.uint32),
        np.array(family, np.uint32),
        np.array(number, np.int64),
        np.array([line.repeat for line in lines], np.int32),
        tuple(codes),
        tuple(families),
    )
    return _joined(rows, new, broken)


def _places(lines: Sequence[_ReviewLine], families: dict[tuple[str, str], int]) -> tuple[list[int], list[int]]:
    """Return the numbers of samples' families, a new one where a sample is the first of it, and those at their ids' ends."""
    codes, numbers = [], []
    for line in lines:
        head, number = _split(line.sample_id)
        codes.append(families.setdefault((line.subset, head), len(families)))
        numbers.append(number)
    return codes, numbers


def _verdicts(lines: Sequence[_ReviewLine]) -> NDArray[np.uint8]:
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


def _check_scores(lines: Sequence[_ReviewLine]) -> None:
    for written in {bytes(line.scores) for line in lines}:
        _SCORES.decode(written)


_SCORES = msgspec.json.Decoder(dict[str, float])


@dataclass(frozen=True)
class Places:
    """Where predictions begin: 16 bytes each. ``key`` is a hash of a prediction's key."""

    key: NDArray[np.uint64]
    offset: NDArray[np.int64]


def _extend_places(places: Places, lines: Sequence[Keyed], offsets: Sequence[int], _broken: int) -> Places:
    key = hashes([line.key for line in lines])
    return Places(np.concatenate([places.key, key]), np.concatenate([places.offset, np.array(offsets, np.int64)]))


_VERSION = 1
"""Of the indexes that are kept: another one where the arrays or what they mean change."""


def reviews_index(path: Path) -> FileIndex[Rows]:
    """Return the index of a reviews file."""
    kept = IndexFile(path, Rows, _VERSION)
    return FileIndex(path, _ReviewLine, NO_ROWS, _extend_reviews, check=_check_scores, kept=kept)


def predictions_index(path: Path) -> FileIndex[Places]:
    """Return the index of a predictions file."""
    nowhere, kept = Places(np.array([], np.uint64), np.array([], np.int64)), IndexFile(path, Places, _VERSION)
    return FileIndex(path, Keyed, nowhere, _extend_places, _keys_alone, kept=kept)


_KEY_FIRST = re.compile(rb'\{"key":"([0-9a-f]{24})",')


def _keys_alone(block: bytes, starts: Sequence[int]) -> list[Any] | None:
    """Return the keys of predictions as an evaluation writes them, the key first: without reading what follows it."""
    found = [_KEY_FIRST.match(block, start) for start in starts]
    return [Keyed(match[1].decode()) for match in found if match] if all(found) else None
