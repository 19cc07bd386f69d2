"""What a job's answers tell of how they came: how many a second, how long each took, how many tokens.

All of it is read from the stores that its answers, and the verdicts on its battles, are written to, so that it is there for a job of
last month as for one that runs.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from llmuses.jobs import Job
from llmuses.store import START, Cursor, Reader

LONGEST = 960.0
"""Seconds over which the pace is drawn, at most."""

_BINS = 20
_SHORTEST = 20.0
"""The pace over less than so many seconds is no line."""

_FILES = 200
"""So many stores are remembered, those that were looked at last."""


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Response(msgspec.Struct):
    usage: _Usage | None = None
    latency: float | None = None
    attempts: int = 1


class _Answer(msgspec.Struct):
    """Of a prediction what is looked at here."""

    response: _Response
    tstamp: float = 0.0


class Flow(NamedTuple):
    """Answers a second in equal parts of the last ``seconds``, [] where there is too little to draw; all tokens, None where
    nobody counted; seconds of an answer, at the median and below which 95% lie, None where none was timed; how many requests
    were asked again."""

    pace: list[float]
    seconds: float
    tokens: int | None
    latency: tuple[float, float] | None
    again: int


class _Seen:
    """What was read of one store so far."""

    def __init__(self) -> None:
        self.cursor: Cursor = START
        self.forget()

    def forget(self) -> None:
        self.times, self.latencies = array("d"), array("f")
        self.tokens, self.counted, self.again = 0, False, 0

    def take(self, answer: _Answer) -> None:
        response = answer.response
        self.times.append(answer.tstamp)
        if response.latency is not None:
            self.latencies.append(response.latency)
        if response.usage is not None:
            self.counted = True
            self.tokens += (response.usage.prompt_tokens or 0) + (response.usage.completion_tokens or 0)
        self.again += max(0, response.attempts - 1)


class Flows:
    """Reads the stores of runs, of each only what is new. Safe for many threads."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(_Answer).decode
        self._seen: OrderedDict[Path, _Seen] = OrderedDict()
        self._mutex = threading.Lock()

    def of(self, job: Job, stores: Sequence[Path], now: float) -> Flow:
        """Return how the answers of a job came that these stores hold. One that cannot be read counts as empty."""
        with self._mutex:
            seen = [self._look(path) for path in stores]
            times = sorted(time for each in seen for time in each.times)
            latencies = np.concatenate(
                [np.array(each.latencies, np.float32) for each in seen] or [np.empty(0, np.float32)]
            )
            end = now if job.status.works else (times[-1] if times else now)
            pace, seconds = _pace(times, end)
            return Flow(
                pace,
                seconds,
                sum(each.tokens for each in seen) if any(each.counted for each in seen) else None,
                (float(np.median(latencies)), float(np.quantile(latencies, 0.95))) if len(latencies) else None,
                sum(each.again for each in seen),
            )

    def _look(self, path: Path) -> _Seen:
        seen = self._seen.setdefault(path, _Seen())
        self._seen.move_to_end(path)
        while len(self._seen) > _FILES:
            self._seen.popitem(last=False)
        reader, before = Reader(path, self._decode, seen.cursor), seen.cursor
        try:
            for place, answer in enumerate(reader):
                if not place and before != START and reader.offset < before.offset:
                    seen.forget()  # another file stands in this place
                seen.take(answer)
        except OSError:
            seen.forget()
            seen.cursor = START  # what was taken of it would be taken once more
            return seen
        if reader.cursor == START:
            seen.forget()  # it is gone: another may come in its place
        seen.cursor = reader.cursor
        return seen


def _pace(times: list[float], end: float) -> tuple[list[float], float]:
    """Return answers a second in equal parts of the time up to ``end``, and how long that is."""
    first = bisect_left(times, end - LONGEST)
    seconds = end - times[first] if first < len(times) else 0.0
    if seconds < _SHORTEST:
        return [], seconds
    if end - LONGEST > times[0]:
        seconds = LONGEST
    step = seconds / _BINS
    edges = [bisect_left(times, end - seconds + step * place) for place in range(_BINS)] + [len(times)]
    return [(edges[place + 1] - edges[place]) / step for place in range(_BINS)], seconds
