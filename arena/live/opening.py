"""From a folder and the files of rules and models to an arena that can be played in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from arena.live.arena import LiveArena
from arena.live.images import read_image
from arena.live.pane import PaneWriter
from arena.live.players import ArenaPlayers
from arena.live.register import enrol
from arena.live.rules import Rules, load_rules
from llmuses.errors import UnknownNameError
from llmuses.settings import ModelEntry, arena_dir, arena_entries, model_entries, read_only


@contextmanager
def open_arena(outputs: Path) -> Iterator[LiveArena]:
    """Yield the arena of a site; what it holds is let go with the context. Models are loaded when the first visitor comes.

    Raises UsageError for rules or models that cannot be meant, StoreError where the folder cannot be used.
    """
    folder, rules = arena_dir(outputs), load_rules()
    if read_only():
        rules = msgspec.structs.replace(rules, voting="closed")
    take = partial(read_image, most_bytes=rules.sizes.image_bytes, most_pixels=rules.sizes.image_pixels)
    entries = _entries(rules)
    players = ArenaPlayers(folder, entries)
    try:
        enrol(folder, {name: entry for name, entry in entries.items() if entry.arena}, time.time())
        arena = LiveArena(folder, rules, players, PaneWriter, take)
        try:
            yield arena
        finally:
            arena.close()
    finally:
        players.close()


def _entries(rules: Rules) -> dict[str, ModelEntry]:
    if rules.models is None:
        return arena_entries()
    known = model_entries()
    for name in rules.models:
        if name not in known or known[name].arena is None:
            raise UnknownNameError("model of the arena", name, (name for name, entry in known.items() if entry.arena))
    return {name: known[name] for name in rules.models}
