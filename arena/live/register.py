"""The register of an arena's models, which only grows: who was added, who pauses, who is back.

What an admin decided stands in the arena's book as well (``players.jsonl``): all its processes follow it at once, and no
start undoes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from arena.live.upkeep import Away, note_held
from llmuses.errors import RunLockedError, UsageError
from llmuses.records import PlayerEvent, PlayerLine, RegisterEvent, RegisterLine
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
        held = _held(folder)
        lines = []
        for name, entry in entries.items():
            if name not in last:
                lines.append(RegisterLine(model=name, event=RegisterEvent.ADDED, model_spec=entry.model, tstamp=now))
            elif last[name] in _AWAY and name not in held:
                lines.append(RegisterLine(model=name, event=RegisterEvent.RESUMED, model_spec=entry.model, tstamp=now))
        lines += [
            RegisterLine(model=name, event=RegisterEvent.PAUSED, reason="not among the arena's models", tstamp=now)
            for name, event in last.items()
            if name not in entries and event not in _AWAY
        ]
        store.append_all(lines)


_IN_BOOK = {
    RegisterEvent.PAUSED: PlayerEvent.PAUSED,
    RegisterEvent.RETIRED: PlayerEvent.RETIRED,
    RegisterEvent.RESUMED: PlayerEvent.RESUMED,
}


def decide(folder: Path, model: str, event: RegisterEvent, reason: str, now: float) -> None:
    """Pause, retire or resume a model of the arena: for all its processes, from now on. Battles under way go on.

    Raises UsageError for any other event, StoreError.
    """
    if event not in _IN_BOOK:
        raise UsageError(f"a model is paused, retired or resumed, not {event}.")
    with JsonlStore(folder / "players.jsonl", PlayerLine, Sync.ALWAYS) as book:
        book.append(PlayerLine(model=model, event=_IN_BOOK[event], reason=reason or None, tstamp=now))
    with JsonlStore(folder / "register.jsonl", RegisterLine, Sync.ALWAYS) as store:
        store.append(RegisterLine(model=model, event=event, reason=reason or None, tstamp=now))


def _held(folder: Path) -> dict[str, Away]:
    held: dict[str, Away] = {}
    for line in JsonlStore(folder / "players.jsonl", PlayerLine):
        note_held(held, line)
    return held
