"""The folder of an arena: its lock, its stores, its record."""

from __future__ import annotations

import time
from pathlib import Path
from typing import IO, Any

import msgspec

from llmuses.inference import Predictions
from llmuses.keeping.mark import check_format
from llmuses.records import Record, RegisterEvent, RegisterLine
from llmuses.store import JsonlStore, Sync, lock_folder, read_json, write_json


class Known(Record, kw_only=True, omit_defaults=False):
    """A model that answered: how it was named, and its identity, so that it need not be loaded to know its answers."""

    spec: str
    args: dict[str, str]
    identity: str
    tstamp: float


class ArenaState(Record, kw_only=True, omit_defaults=False):
    """``arena.json``: which config was carried out, and the models that answered."""

    config: str
    version: str
    command: str = ""
    models: dict[str, Known] = msgspec.field(default_factory=dict)
    began_hidden: bool = False
    """Whether it was hidden when it began: it is then until somebody publishes it."""
    updated: float = 0.0


class ArenaFolder:
    """``OUTPUTS/arena-NAME/``, locked while a process works in it. Raises RunLockedError and StoreError on entering."""

    def __init__(self, path: Path):
        self.path = path
        self.answers = Predictions(path / "answers")
        self.register = JsonlStore(path / "register.jsonl", RegisterLine, Sync.ALWAYS)
        self._lock: IO[str] | None = None

    def __enter__(self) -> ArenaFolder:
        check_format(self.path.parent)
        self._lock = lock_folder(self.path, "arena.lock", str(self.path))
        return self

    def __exit__(self, *_: object) -> None:
        self.answers.close()
        self.register.close()
        if self._lock:
            self._lock.close()

    def state(self) -> ArenaState | None:
        """Return what arena.json holds, None where there is none. Raises StoreError where it cannot be read."""
        path = self.path / "arena.json"
        return read_json(path, ArenaState) if path.exists() else None

    def save(self, state: ArenaState) -> None:
        """Write arena.json."""
        state.updated = time.time()
        write_json(self.path / "arena.json", state)

    def registered(self, model: str, spec: str | None) -> None:
        """Add a model to the register, unless it is known there."""
        if all(line.model != model for line in self.register):
            self.register.append(
                RegisterLine(model=model, event=RegisterEvent.ADDED, model_spec=spec, tstamp=time.time())
            )


def typed(args: dict[str, Any]) -> dict[str, str]:
    """Return model arguments as they would be typed: 8 and "8" are the same."""
    return {name: str(value) for name, value in args.items()}
