"""Whether stores are whole: each is read once, and of what grew since only the rest."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from arena.live.published import MARKS
from llmuses.records import AuditLine, JobLine, LogoutLine, PlayerLine, RegisterLine, VoterMark
from llmuses.store import START, Cursor, Reader

STORES = ("predictions", "reviews", "answers")
"""The folders of a run, or of an arena, that hold its stores."""

_MOST = 300_000_000
"""Bytes of the runs' stores that are read for one look at the page: the rest waits for the next."""


class _About(msgspec.Struct):
    """A line of a file of battles: whatever it says, it names a battle."""

    battle_id: str


class _Keyed(msgspec.Struct):
    """A line of a run's store: an answer or a review, known by its key."""

    key: str


_TYPES: dict[str, type[msgspec.Struct]] = {
    "audit.jsonl": AuditLine,
    "battles.jsonl": _About,
    "jobs.jsonl": JobLine,
    "logouts.jsonl": LogoutLine,
    "players.jsonl": PlayerLine,
    "register.jsonl": RegisterLine,
    MARKS: VoterMark,
}


class Checked(NamedTuple):
    """What was found in a store: bytes, lines, lines that are no record, and pieces of lines that writers left who died."""

    size: int
    lines: int
    broken: int
    torn: int


class _Known(NamedTuple):
    cursor: Cursor
    broken: int


_known: dict[Path, _Known] = {}
"""How far each store was looked through: it only grows, and what was read is not read again."""

_mutex = threading.Lock()


def checked(path: Path) -> Checked:
    """Return what is in a store now. Raises OSError where it cannot be read."""
    kind = _Keyed if path.parent.name in STORES else _TYPES.get(path.name, dict)
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind)
    with _mutex:
        known = _known.get(path, _Known(START, 0))
        reader = Reader(path, decoder.decode, known.cursor)
        for _ in reader:
            pass
        again = reader.cursor.inode != known.cursor.inode or reader.cursor.line < known.cursor.line
        broken = len(reader.broken) + (0 if again else known.broken)
        _known[path] = _Known(reader.cursor, broken)
    torn = path.with_name(f"{path.name}.torn")
    pieces = torn.read_bytes().count(b"\n") if torn.exists() else 0
    return Checked(path.stat().st_size, reader.cursor.line, broken, pieces)


class RunStores(NamedTuple):
    """What was found in the stores of runs and arenas: how many were looked at and how many are left for the next time,
    lines that are no record, and where they are."""

    looked_at: int
    left: int
    broken: int
    damaged: list[Path]


def run_stores(outputs: Path) -> RunStores:
    """Return what is in the stores of all runs now. One that vanishes meanwhile, or cannot be read, is left out."""
    paths = sorted(path for name in STORES for path in outputs.glob(f"*/{name}/*.jsonl"))
    looked_at = broken = read = 0
    damaged: list[Path] = []
    for place, path in enumerate(paths):
        try:
            new = max(0, path.stat().st_size - (_known[path].cursor.offset if path in _known else 0))
            if read and new and read + new > _MOST:
                return RunStores(looked_at, len(paths) - place, broken, damaged)
            read += new
            found = checked(path)
        except OSError:
            continue
        looked_at += 1
        broken += found.broken + found.torn
        if found.broken or found.torn:
            damaged.append(path)
    return RunStores(looked_at, 0, broken, damaged)
