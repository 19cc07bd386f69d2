"""What lists and filters need of a file of battles, some sixty bytes each, kept up to date as the file grows.

Battles that were withdrawn are not in the index at all: a page cannot show what it does not know of.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from leaderboard.file_index import FileIndex
from llmuses.records import HUMAN, Battle, Winner
from llmuses.store import JsonlStore

WINNERS = {Winner.MODEL_A: 0, Winner.MODEL_B: 1, Winner.TIE: 2, Winner.BOTH_BAD: 3}
"""Outcomes as the index has them."""


class _Line(msgspec.Struct):
    """As much of a line as the index keeps. Exclusions, restorations and withdrawals have a battle's id, and no models."""

    battle_id: str
    question_id: str = ""
    model_a: str | None = None
    model_b: str | None = None
    winner: Winner | None = None
    judge: str = HUMAN
    category: str | None = None
    language: str | None = None
    question: str | None = None
    verdicts: list[Winner] | None = None
    reason: str | None = None
    restored: str | None = None
    redacted: bool = False
    tstamp: float = 0.0


@dataclass(frozen=True)
class Battles:
    """The battles of one file in its order [n]: ``a`` and ``b`` are places in ``models``, ``category``, ``language`` and
    ``judge`` in their names. ``excluded`` holds the reason by the battle's name."""

    name: NDArray[np.uint64]
    offset: NDArray[np.int64]
    a: NDArray[np.int32]
    b: NDArray[np.int32]
    outcome: NDArray[np.uint8]
    category: NDArray[np.int32]
    language: NDArray[np.int32]
    judge: NDArray[np.int32]
    question: NDArray[np.uint64]
    tstamp: NDArray[np.float64]
    torn: NDArray[np.bool_]
    """Whether the judge named another winner when the answers changed places."""
    models: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    excluded: dict[int, str] = field(default_factory=dict)
    withdrawn: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.name)

    def place(self, battle_id: str) -> int | None:
        """Return where a battle stands, None where there is none of this id."""
        found = np.flatnonzero(self.name == np.uint64(hash_of(battle_id)))
        return int(found[-1]) if len(found) else None


_ARRAYS = ("name", "offset", "a", "b", "outcome", "category", "language", "judge", "question", "tstamp", "torn")
_KINDS: tuple[Any, ...] = (
    np.uint64, np.int64, np.int32, np.int32, np.uint8, np.int32, np.int32, np.int32, np.uint64, np.float64, np.bool_
)  # fmt: skip
_EMPTY: dict[str, Any] = {name: np.array([], kind) for name, kind in zip(_ARRAYS, _KINDS, strict=True)}

NOTHING = Battles(**_EMPTY)

UNSORTED = ""
"""The category of a battle that names none."""


def hash_of(words: str) -> int:
    """Return a text as a number that is as good as unique."""
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8).digest(), "little")


def _extend(known: Battles, lines: Sequence[Any], offsets: Sequence[int], _broken: int) -> Battles:
    withdrawn = known.withdrawn | {hash_of(line.battle_id) for line in lines if line.redacted}
    excluded = dict(known.excluded)
    for line in lines:
        if line.model_a is None and line.restored is not None:
            excluded.pop(hash_of(line.battle_id), None)
        elif line.model_a is None and line.reason is not None and not line.redacted:
            excluded[hash_of(line.battle_id)] = line.reason
    models, categories, languages, judges = (
        {name: code for code, name in enumerate(names)}
        for names in (known.models, known.categories, known.languages, known.judges)
    )
    rows = []
    for line, offset in zip(lines, offsets, strict=True):
        if line.model_a is None or line.model_b is None or line.winner is None or line.model_a == line.model_b:
            continue
        said = line.verdicts or []
        rows.append(
            (
                hash_of(line.battle_id),
                offset,
                models.setdefault(line.model_a, len(models)),
                models.setdefault(line.model_b, len(models)),
                WINNERS[line.winner],
                categories.setdefault(line.category or UNSORTED, len(categories)),
                languages.setdefault(line.language or UNSORTED, len(languages)),
                judges.setdefault(line.judge, len(judges)),
                hash_of(line.question_id or line.question or line.battle_id),
                line.tstamp,
                len(said) == 2 and said[0] != said[1],
            )
        )
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(_ARRAYS)
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(known, name), np.array(column, kind)])
        for name, kind, column in zip(_ARRAYS, _KINDS, columns, strict=True)
    }
    if withdrawn:
        kept = ~np.isin(arrays["name"], np.array(list(withdrawn), np.uint64))
        arrays = {name: values[kept] for name, values in arrays.items()}
    return replace(
        known,
        **arrays,
        models=tuple(models),
        categories=tuple(categories),
        languages=tuple(languages),
        judges=tuple(judges),
        excluded=excluded,
        withdrawn=frozenset(withdrawn),
    )


class BattleShelf:
    """The indexes of the files that were looked at, and single battles by their place. May be used from many threads."""

    def __init__(self) -> None:
        self._indexes: dict[Path, FileIndex[Battles]] = {}
        self._mutex = threading.Lock()

    def battles(self, path: Path) -> Battles:
        """Return the index of a file as it is now."""
        with self._mutex:
            index = self._indexes.setdefault(path, FileIndex(path, _Line, NOTHING, _extend))
        return index.snapshot()

    def read(self, path: Path, battles: Battles, places: Sequence[int]) -> list[Battle]:
        """Return the battles at some places of the index, whole."""
        offsets = [int(battles.offset[place]) for place in places]
        return list(JsonlStore(path, Battle).read_at(offsets)) if offsets else []
