"""What takes long to compute, kept for as long as the files that it comes from stay the same."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

V = TypeVar("V")


def sign(path: Path) -> tuple[int, int, int] | None:
    """Return what changes with a file's content: time, size, inode. None where there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


class Kept:
    """Values by their keys, the ``most`` that were asked for last. Who asks while one is computed waits for it.

    A key holds the ``sign`` of each file that the value comes from, so that a changed file asks for another one.
    """

    def __init__(self, most: int):
        self._most = most
        self._futures: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        self._mutex = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """Return the value under a key; ``make`` computes it where it is not there. What it raises is not kept."""
        with self._mutex:
            future = self._futures.get(key)
            mine = future is None
            if future is None:
                future = self._futures[key] = Future()
            self._futures.move_to_end(key)
            while len(self._futures) > self._most:
                self._futures.popitem(last=False)
        if mine:
            try:
                future.set_result(make())
            except BaseException as problem:
                with self._mutex:
                    self._futures.pop(key, None)
                future.set_exception(problem)
                raise
        result: V = future.result()
        return result
