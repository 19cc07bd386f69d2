"""Comparing mathematical answers in processes that can be killed.

Most answers are decided by their plain forms and need no process. The others go to a worker, which is started when the
first one comes, and replaced when a comparison ended it: an expression such as 10^{10^{10}} keeps a computer algebra
system busy for ever, or fills its memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from queue import LifoQueue
from types import TracebackType
from typing import NamedTuple

from llmuses.errors import LlmusesError
from llmuses.metrics import math_worker
from llmuses.metrics.math_plain import LONGEST, decide

_ROOT = Path(__file__).parents[2]
_MOST_ASKED = 1000
"""Comparisons that one process makes before a fresh one takes its place: an algebra system keeps what it worked out."""
_STARTING = 120.0
"""Seconds in which a worker must have loaded its libraries."""


class Comparison(NamedTuple):
    """Whether two answers were shown to be equal, and why not where the comparison itself had no result."""

    equal: bool
    reason: str | None = None


class _Ended(Exception):
    """The worker ended before it answered."""


class MathPool:
    """A few processes that compare mathematical answers; a context manager, and safe to use from several threads.

    ``workers`` bounds how many comparisons run at once, ``computing`` the seconds of computing that one may take.
    Leaving the context ends all processes.
    """

    def __init__(self, workers: int | None = None, computing: float = 5.0):
        size = workers or max(1, min(4, os.cpu_count() or 1))
        self._places: LifoQueue[_Worker | None] = LifoQueue()
        for _ in range(size):
            self._places.put(None)
        self._size = size
        self._computing = computing
        self._reasons = _reasons(computing)
        self._closed = False

    def __enter__(self) -> MathPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all processes, waiting for comparisons that run."""
        if self._closed:
            return
        self._closed = True
        for _ in range(self._size):
            worker = self._places.get()
            if worker is not None:
                worker.close()

    def compare(self, target: str, answer: str) -> Comparison:
        """Return whether an answer means the same as the target.

        A comparison that takes too long, too much memory or ends its process counts as not equal, with a reason. Raises
        LlmusesError where no worker can be started.
        """
        if max(len(target), len(answer)) > LONGEST:
            return Comparison(False, f"the answer is longer than {LONGEST} characters and was not compared")
        verdict = decide(target, answer)
        if verdict is not None:
            return Comparison(verdict)
        if self._closed:
            raise ValueError("the pool is closed")
        worker = self._places.get()
        try:
            for last in (False, True):
                if worker is None:
                    worker = _Worker(self._computing)
                try:
                    return Comparison(worker.ask(target, answer))
                except _Ended:
                    code, worker = worker.close(), None
                    # Killed by somebody else, for memory say: once more, with a new one.
                    if last or code in self._reasons:
                        return Comparison(False, self._reasons.get(code, "the comparison ended its process"))
            raise AssertionError
        finally:
            if worker is not None and worker.asked >= _MOST_ASKED:
                worker.close()
                worker = None
            self._places.put(worker)


def _reasons(computing: float) -> dict[int, str]:
    """Return what a worker's exit code says of the comparison that ended it."""
    if sys.platform == "win32":
        return {}
    return {
        -signal.SIGPROF: f"not shown to be equal within {computing:g} seconds of computing",
        -signal.SIGALRM: f"not shown to be equal within {math_worker.WAITING} seconds",
        -signal.SIGSEGV: "the comparison crashed",
    }


class _Worker:
    """One process; used by one thread at a time."""

    def __init__(self, computing: float) -> None:
        # The parent's own path: what it can import the worker can, and a math.py in the working directory is not in it.
        path = os.pathsep.join([str(_ROOT), *filter(None, sys.path)])
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", math_worker.__name__, str(computing)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
            start_new_session=True,  # Ctrl-C is the parent's to answer
        )
        self.asked = 0
        if self._line(_STARTING) != "ready":
            self._process.kill()
            _, said = self._process.communicate()
            why = said.strip().splitlines()[-1:] or ["it said nothing"]
            raise LlmusesError(f"the process that compares mathematical answers did not start: {why[0]}")

    def ask(self, target: str, answer: str) -> bool:
        """Return what the worker says of a pair. Raises _Ended."""
        assert self._process.stdin is not None
        self.asked += 1
        try:
            self._process.stdin.write(json.dumps([target, answer]) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise _Ended from None
        line = self._line(math_worker.WAITING + 5.0)
        if line not in ("true", "false"):
            raise _Ended
        return line == "true"

    def _line(self, seconds: float) -> str:
        """Return the next line that the worker writes, "" where it ends before or does not write in time."""
        assert self._process.stdout is not None
        timer = threading.Timer(seconds, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            return self._process.stdout.readline().strip()
        finally:
            timer.cancel()

    def close(self) -> int:
        """End the process and return its exit code."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
        code = self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        return code
