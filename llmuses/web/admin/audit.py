"""The audit log: who did what in the admin room."""

from __future__ import annotations

import time
from pathlib import Path

from llmuses.records import AuditLine
from llmuses.store import JsonlStore, Sync


class AuditLog:
    """``audit.jsonl`` beside the jobs. What a person did is on disk before it is done."""

    def __init__(self, folder: Path):
        self._store = JsonlStore(folder / "audit.jsonl", AuditLine, Sync.ALWAYS)

    def say(self, by: str, deed: str, about: str = "", address: str = "") -> None:
        """Write down what somebody is about to do, or tried. Raises StoreError: the deed is then left undone."""
        self._store.append(AuditLine(by=by, deed=deed, about=about[:2000], address=address, tstamp=time.time()))

    def last(self, number: int) -> list[AuditLine]:
        """Return the last lines, newest first."""
        return list(self._store)[-number:][::-1]
