"""What is known of a JSONL file, brought up to date with what was appended since the last look; free of what the lines mean."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from leaderboard.index_file import IndexFile, Mark

S = TypeVar("S")

_BLOCK = 1 << 22
_NEWLINE = ord("\n")
_WORTH_KEEPING = 1 << 20
"""Bytes that a file grew by since its index was kept last: reading two thousand lines again takes as long as opening the
index of many more, and a page may ask for a hundred files."""


def worth_keeping(grown: int, kept: int = 0) -> bool:
    """Return whether a file grew by so many bytes since its index was kept last, at so many, that it is worth to be kept
    again: the index of a long file is long too."""
    return grown >= max(_WORTH_KEEPING, kept // 32)


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
        kept: IndexFile[S] | None = None,
    ):
        self._path = path
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(line_type)
        self._empty = empty
        self._extend = extend
        self._check = check or (lambda _: None)
        """Raises DecodeError where a part of a line that was left as it is written is not what it has to be."""
        self._skim = skim
        """Reads the records of lines, by where these begin, without decoding them; None where it cannot tell."""
        self._kept = kept
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._snapshot = self._empty
        self._inode = 0
        self._end = self._kept_end = 0
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
            self._recall(status, file.fileno())
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
            self._keep(os.fstat(file.fileno()))

    def _recall(self, status: os.stat_result, fd: int) -> None:
        """Take up the index that was kept beside the file, where it is of this file as it is now or began."""
        found = self._kept.load() if self._kept and worth_keeping(status.st_size) else None
        if found is None:
            return
        mark, index = found
        self._end, self._last = mark.end, mark.last
        unchanged = status.st_mtime_ns == mark.changed or status.st_size > mark.end
        if mark.inode == status.st_ino and unchanged and self._goes_on(status, fd):
            self._snapshot, self._broken, self._kept_end = index, mark.broken, mark.end
        else:
            self._end, self._last = 0, b""

    def _keep(self, status: os.stat_result) -> None:
        if self._kept and worth_keeping(self._end - self._kept_end, self._kept_end):
            self._kept.save(Mark(self._inode, status.st_mtime_ns, self._end, self._last, self._broken), self._snapshot)
            self._kept_end = self._end

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
