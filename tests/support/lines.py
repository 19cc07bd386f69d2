"""A store of small records, and a process that appends to one: ``python -m tests.support.lines FOLDER WORKER FIRST LAST`` prints
each number once its record is acknowledged."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from llmuses.store import JsonlStore, Sync


class Line(msgspec.Struct, omit_defaults=True):
    """A record."""

    name: str
    number: int = 0


def store_in(folder: Path, sync: Sync = Sync.NEVER) -> JsonlStore[Line]:
    """Return the store of a folder."""
    return JsonlStore(folder / "lines.jsonl", Line, sync)


def main(folder: str, worker: str, first: str, last: str) -> None:
    store = store_in(Path(folder))
    for number in range(int(first), int(last)):
        store.append(Line(worker + "x" * (number % 1500), number))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
