"""Texts as 64 bits that are the same in every process, so that an index may be kept on disk."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

_FACTOR = 0x9E37_79B9_7F4A_7C15


def hashes(texts: Sequence[str]) -> Hashes:
    """Return a hash of each text, [n]: a polynomial over its characters, with its bits mixed. For short texts such as ids.

    Equal texts have equal hashes; two others have with a chance of about 2⁻⁶⁴. It keeps out accidents, not attackers.
    """
    if not texts:
        return np.array([], np.uint64)
    whole = "\0".join([*texts, ""]).encode(
        "utf-32-le", "surrogatepass"
    )  # all at once: one by one takes four times as long
    lengths = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
    starts = np.cumsum(lengths) - lengths
    places = np.arange(int(lengths.sum())) - np.repeat(starts, lengths)
    values = np.frombuffer(whole, "<u4").astype(np.uint64) + np.uint64(1)
    return _mixed(np.add.reduceat(values * _powers(int(lengths.max()))[places], starts))


def with_texts(names: Hashes, texts: Sequence[tuple[str, str]]) -> Hashes:
    """Return hashes over what has these hashes and two texts more, [n], such as what a sample of this name asked.

    Where the names are equal, other texts have another hash except with a chance of 2⁻³².
    """
    sums = [crc32(f"{one}\0{two}".encode("utf-8", "replace")) for one, two in texts]
    return _mixed(names ^ _mixed(np.array(sums, np.uint64)))


def _powers(number: int) -> Hashes:
    """Return the powers of an odd number, modulo 2⁶⁴."""
    with np.errstate(over="ignore"):
        return np.cumprod(np.full(number, _FACTOR, np.uint64), dtype=np.uint64)


def _mixed(values: Hashes) -> Hashes:
    """Return 64 bits that each depend on all. Source: Steele, Lea & Flood (2014), "Fast splittable pseudorandom number
    generators", OOPSLA, in Stafford's variant 13."""
    values = values ^ (values >> np.uint64(30))
    values = values * np.uint64(0xBF58_476D_1CE4_E5B9)
    values = values ^ (values >> np.uint64(27))
    values = values * np.uint64(0x94D0_49BB_1331_11EB)
    return np.asarray(values ^ (values >> np.uint64(31)), np.uint64)
