"""The register of an arena's models, which only grows: who was added, who pauses, who is back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from llmuses.errors import RunLockedError
from llmuses.records import RegisterEvent, RegisterLine
from llmuses.settings import ModelEntry
from llmuses.store import JsonlStore, Sync, lock_folder

_AWAY = (RegisterEvent.PAUSED, RegisterEvent.RETIRED)


def enrol(folder: Path, entries: Mapping[str, ModelEntry], now: float) -> None:
    """Write down who plays from now on and did not before, and who did and does not any more. Raises StoreError.

    Where another process of the same arena is at it, that is enough.
    """
    try:
        lock = lock_folder(folder, ".register", str(folder))
    except RunLockedError:
        return
    with lock, JsonlStore(folder / "register.jsonl", RegisterLine, Sync.ALWAYS) as store:
        last = {line.model: line.event for line in store}
        lines = []
        for name, entry in entries.items():
            if name not in last:
                lines.append(RegisterLine(model=name, event=RegisterEvent.ADDED, model_spec=entry.model, tstamp=now))
            elif last[name] in _AWAY:
                lines.append(RegisterLine(model=name, event=RegisterEvent.RESUMED, model_spec=entry.model, tstamp=now))
        lines += [
            RegisterLine(model=name, event=RegisterEvent.PAUSED, reason="not among the arena's models", tstamp=now)
            for name, event in last.items()
            if name not in entries and event not in _AWAY
        ]
        store.append_all(lines)
