"""Putting the options of a question into an order of its own, for rows that name the right one first."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def shuffled(options: Sequence[T], seed: str) -> tuple[list[T], int]:
    """Return the options in an order that follows from ``seed`` alone, and where the first of them went.

    Every order is equally likely over seeds; the same seed gives the same order on every machine and Python.
    """
    order = sorted(range(len(options)), key=lambda i: hashlib.blake2b(f"{i}/{seed}".encode()).digest())
    return [options[i] for i in order], order.index(0)
