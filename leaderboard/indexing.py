"""Long runs are indexed before anybody looks at them, in a thread of its own."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from leaderboard.browse_parts import datasets
from leaderboard.file_index import worth_keeping
from leaderboard.kept import sign
from leaderboard.results import AllResults
from leaderboard.sample_index import reviews_index

_FIRST, _EVERY = 2.0, 30.0
"""Seconds from the start to the first look for what is new, and from one to the next."""

_REST = 3
"""It rests so many times as long as it worked: visitors come first."""

_LONGEST = 1 << 30
"""Bytes. A longer file is indexed when it is asked for: it takes memory that nobody may have wanted to spend."""


@contextlib.contextmanager
def indexing(results: AllResults, first: float = _FIRST) -> Iterator[None]:
    """Keep an index beside the reviews of every long run that is not being worked on, as long as the context lasts."""
    ended = threading.Event()
    thread = threading.Thread(target=_work, args=(results, first, ended), name="indexing", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()


def _work(results: AllResults, first: float, ended: threading.Event) -> None:
    done: set[object] = set()
    pause = first
    while not ended.wait(pause):
        pause = _EVERY
        for path in _long_files(results):
            state = path, sign(path)
            if state in done or ended.is_set():
                continue
            done.add(state)
            began = time.monotonic()
            with contextlib.suppress(OSError):
                reviews_index(path).snapshot()
            ended.wait(_REST * (time.monotonic() - began))


def _long_files(results: AllResults) -> list[Path]:
    """Return the reviews that are worth an index, of the newest run first."""
    files = [
        entry.reviews(dataset)
        for entry in results.runs()
        if not entry.running
        for dataset in datasets(entry)
        if entry.samples_inside(dataset)
    ]
    return [path for path in files if (found := sign(path)) and worth_keeping(found[1]) and found[1] <= _LONGEST]
