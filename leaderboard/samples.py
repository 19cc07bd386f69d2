"""The samples of one dataset in one run: lists of them, filtered and sorted, and single ones."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import IO

import msgspec
import numpy as np
from numpy.typing import NDArray

from leaderboard.hashing import hashes
from leaderboard.index_file import index_of
from leaderboard.sample_index import (
    VERDICT_CODES,
    Identified,
    Rows,
    Verdict,
    predictions_index,
    reviews_index,
    sample_hashes,
)
from llmuses.records import Prediction, Review
from llmuses.store import JsonlStore, query

PAGE_SIZE = 50
SLOWEST_PERCENT = 5.0


class Filter(StrEnum):
    """Which samples a list shows. ``slow`` are the slowest five per cent; ``disagree`` those on which runs differ."""

    ALL = "all"
    NOT_CORRECT = "not_correct"
    CORRECT = "correct"
    WRONG = "wrong"
    UNPARSED = "unparsed"
    REJECTED = "rejected"
    FAILED = "failed"
    TRUNCATED = "truncated"
    SLOW = "slow"
    DISAGREE = "disagree"


class Sort(StrEnum):
    """In which order a list shows its samples: the dataset's own, or by what stands out."""

    ORDER = "order"
    SLOWEST = "slowest"
    LONGEST = "longest"


class Samples:
    """The reviews and predictions of one dataset in one run."""

    def __init__(self, reviews: Path, predictions: Path):
        self._path = reviews
        self._reviews: JsonlStore[Review] = JsonlStore(reviews, Review)
        self._predictions: JsonlStore[Prediction] = JsonlStore(predictions, Prediction)
        self._review_index = reviews_index(reviews)
        self._asked = False
        self._prediction_index = predictions_index(predictions)
        self.weight = 0

    def rows(self) -> Rows:
        """Return the index of the reviews as they stand now."""
        rows = self._review_index.snapshot()
        self.weight = len(rows)
        return rows

    def reviews(self, rows: Rows, positions: Iterable[int]) -> list[Review]:
        """Return the reviews at positions of ``rows``."""
        offsets = [int(rows.offset[position]) for position in positions]
        return list(self._reviews.read_at(offsets)) if offsets else []

    def prediction(self, review: Review) -> Prediction | None:
        """Return the answer that a review is about, the newest with its key; None where it was not kept.

        The first one that is asked for is looked for in the file itself, which is quicker than an index of all of them.
        """
        if not self._asked:
            self._asked = True
            return find_prediction(self._predictions.path, review)
        places = self._prediction_index.snapshot()
        found = np.flatnonzero(places.key == hashes([review.key]))
        offsets = [int(places.offset[place]) for place in found[::-1]]
        for prediction in self._predictions.read_at(offsets) if offsets else ():
            if prediction.key == review.key and prediction.sample_id == review.sample_id:
                return prediction
        return None

    def search(self, words: str, in_prompts: bool = True) -> NDArray[np.uint64]:
        """Return the names of the samples whose id, or first words too, contain some text, whatever its case."""
        searched = "sample_id || ' ' || coalesce(prompt, '')" if in_prompts else "sample_id"
        found = query(
            [self._path],
            {"sample_id": "VARCHAR", "repeat": "INTEGER", "prompt": "VARCHAR"},
            f"SELECT sample_id, coalesce(repeat, 0) FROM lines WHERE contains(lower({searched}), lower($words))",
            {"words": words},
        )
        return sample_hashes(found)


def select(
    rows: Rows,
    which: Filter = Filter.ALL,
    subset: str | None = None,
    sort: Sort = Sort.ORDER,
    among: NDArray[np.uint64] | None = None,
    disagree: NDArray[np.bool_] | None = None,
) -> NDArray[np.intp]:
    """Return the positions in ``rows`` that a list shows, in its order.

    ``among`` narrows to these names (what a search found); ``disagree`` [n] says on which samples runs differ and is
    needed by that filter alone.
    """
    shown = _mask(rows, which, disagree)
    if subset is not None:
        known = subset in rows.subset_names
        shown = shown & (rows.subset == rows.subset_names.index(subset)) if known else np.zeros(len(rows), np.bool_)
    if among is not None:
        shown = shown & np.isin(rows.name, among)
    positions = np.flatnonzero(shown)
    if sort is Sort.SLOWEST:
        latency = np.nan_to_num(rows.latency[positions], nan=-1.0)
        positions = positions[np.argsort(-latency, kind="stable")]
    elif sort is Sort.LONGEST:
        positions = positions[np.argsort(-rows.tokens[positions], kind="stable")]
    return positions


def _mask(rows: Rows, which: Filter, disagree: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    everything = np.ones(len(rows), np.bool_)
    if which is Filter.ALL:
        return everything
    if which is Filter.NOT_CORRECT:
        return ~rows.correct
    if which is Filter.TRUNCATED:
        return rows.truncated
    if which is Filter.DISAGREE:
        return ~everything if disagree is None else disagree
    if which is Filter.SLOW:
        known = rows.latency[~np.isnan(rows.latency)]
        if not len(known):
            return ~everything
        with np.errstate(invalid="ignore"):
            return np.asarray(rows.latency >= np.percentile(known, 100 - SLOWEST_PERCENT, method="lower"))
    return np.asarray(rows.verdict == VERDICT_CODES[Verdict(which.value)])


def disagreements(rows: Rows, others: Iterable[Rows]) -> NDArray[np.bool_]:
    """Return [n]: whether another run was asked the same and is right where this one is not, or the reverse.

    What failed on either side has no answer and disagrees with nothing.
    """
    differs = np.zeros(len(rows), np.bool_)
    if not len(rows):
        return differs
    by_question = np.argsort(rows.question)
    for other in others:
        answered = other.verdict != VERDICT_CODES[Verdict.FAILED]
        question, correct = other.question[answered], other.verdict[answered] == VERDICT_CODES[Verdict.CORRECT]
        place = np.searchsorted(rows.question, question, sorter=by_question)
        here = by_question[np.minimum(place, len(rows) - 1)]
        same = rows.question[here] == question
        differs[here[same]] |= rows.correct[here[same]] != correct[same]
    return np.asarray(differs & (rows.verdict != VERDICT_CODES[Verdict.FAILED]))


def find_review(path: Path, sample_id: str, repeat: int) -> Review | None:
    """Return the last review of a (sample, repeat) in a file that has no index: the bytes are searched from the end.

    For one sample in many runs: 15 ms where decoding the 40 MB of a hundred thousand lines takes 200.
    """
    for line in _lines_with(path, msgspec.json.encode(sample_id)):
        try:
            named = msgspec.json.decode(line, type=Identified)
            if named.sample_id == sample_id and named.repeat == repeat:
                return msgspec.json.decode(line, type=Review)
        except msgspec.DecodeError:
            continue
    return None


def find_prediction(path: Path, review: Review) -> Prediction | None:
    """Return the newest answer that a review is about, in a file that has no index."""
    for line in _lines_with(path, msgspec.json.encode(review.key)):
        try:
            found = msgspec.json.decode(line, type=Prediction)
        except msgspec.DecodeError:
            continue
        if (found.key, found.sample_id, found.repeat) == (review.key, review.sample_id, review.repeat):
            return found
    return None


_BLOCK = 1 << 22


def _lines_with(path: Path, needle: bytes) -> Iterator[bytes]:
    """Yield the complete lines of a file that contain some bytes, the last one first, a few megabytes at a time."""
    try:
        with open(path, "rb") as file:
            yield from _backwards(file, needle)
    except FileNotFoundError:
        return


def _backwards(file: IO[bytes], needle: bytes) -> Iterator[bytes]:
    start = file.seek(0, os.SEEK_END)
    begun = b""  # the rest of a line that begins in the block before
    while start > 0:
        end, start = start, max(0, start - _BLOCK)
        file.seek(start)
        block = file.read(end - start) + begun
        first = block.find(b"\n") + 1 if start else 0
        if start and not first:
            begun = block
            continue
        begun = block[:first]
        stop = block.rfind(b"\n") + 1
        while (at := block.rfind(needle, first, stop)) >= 0:
            line = block.rfind(b"\n", 0, at) + 1
            yield block[line : block.find(b"\n", at) + 1]
            stop = line


# --- Kept between page views ---------------------------------------------------------------------------------


class Shelf:
    """Keeps the indexes that were used last, up to a number of lines in all (about 100 bytes each)."""

    def __init__(self, most_lines: int = 2_000_000):
        self._most = most_lines
        self._kept: OrderedDict[tuple[Path, Path], Samples] = OrderedDict()
        self._lock = threading.Lock()

    def samples(self, reviews: Path, predictions: Path) -> Samples:
        """Return the samples of a dataset in a run, by its two files."""
        place = (reviews, predictions)
        with self._lock:
            samples = self._kept.get(place) or Samples(reviews, predictions)
            self._kept[place] = samples
            self._kept.move_to_end(place)
            while len(self._kept) > 1 and sum(kept.weight for kept in self._kept.values()) > self._most:
                self._kept.popitem(last=False)
        return samples

    def at_hand(self, reviews: Path, predictions: Path) -> Samples | None:
        """Return the samples of a dataset in a run where their index is here or beside them: it need not be made first."""
        with self._lock:
            here = (reviews, predictions) in self._kept
        return self.samples(reviews, predictions) if here or index_of(reviews).exists() else None
