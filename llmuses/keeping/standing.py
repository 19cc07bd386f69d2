"""How the copy of a folder on a hub stands, ``OUTPUTS/.backup.json``: what became of it, and which state of it the folder knows."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import msgspec

from llmuses.errors import StoreError
from llmuses.records import MirrorState
from llmuses.store import read_json, write_json

WHERE_ENV = "LLMUSES_BACKUP"
_NAME = ".backup.json"


def wanted() -> str:
    """Return where the server keeps a copy, "" where it keeps none."""
    return os.environ.get(WHERE_ENV, "").strip()


def state_of(outputs: Path, where: str) -> MirrorState:
    """Return how the copy at a place stands; where it was never heard of, as of one that was never tried."""
    try:
        state = read_json(outputs / _NAME, MirrorState)
    except StoreError:
        return MirrorState(where=where)
    return state if state.where == where else MirrorState(where=where)


def mirror_state(outputs: Path) -> MirrorState | None:
    """Return how the copy of a folder stands, None where none is kept or none was tried yet."""
    state = state_of(outputs, wanted())
    return state if state.tried else None


def note(outputs: Path, where: str, **changes: Any) -> None:
    """Write down what changed of it. A disk that takes nothing keeps no backup from being made."""
    with contextlib.suppress(StoreError):
        write_json(outputs / _NAME, msgspec.structs.replace(state_of(outputs, where), **changes))
