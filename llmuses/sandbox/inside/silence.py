"""Standard streams that lead nowhere."""

from __future__ import annotations

import io
import sys
from typing import Any


class _Nowhere(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return memoryview(data).nbytes


_former: list[Any] = []
"""The streams before: what they had not written yet was the parent's to write, not this process's."""


def silence() -> None:
    """Let what this process prints go nowhere and its standard input be empty."""
    _former.extend([sys.stdin, sys.stdout, sys.stderr])
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.BytesIO())  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = io.TextIOWrapper(io.BufferedWriter(_Nowhere()), "utf-8", "backslashreplace")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = io.TextIOWrapper(io.BufferedWriter(_Nowhere()), "utf-8", "backslashreplace")  # type: ignore[misc]
