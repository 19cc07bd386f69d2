"""What there is in the admin room: one line for each tab."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from fastapi import FastAPI

from arena.live.arena import LiveArena
from leaderboard.results import AllResults
from llmuses.errors import StoreError
from llmuses.reach import clients_reach
from llmuses.settings import read_only
from llmuses.web.admin import arena_tab, battles, deciding, evaluate, health_tab, jobs, models
from llmuses.web.admin.door import add_admin
from llmuses.web.admin.room import Room
from llmuses.web.admin.rules import read_rules

_log = logging.getLogger(__name__)

TABS = (jobs.TAB, evaluate.TAB, battles.TAB, models.TAB, arena_tab.TAB, health_tab.TAB)
DEEDS = {**jobs.DEEDS, **evaluate.DEEDS, **battles.DEEDS, **models.DEEDS, **arena_tab.DEEDS, **deciding.DEEDS}


@contextlib.contextmanager
def opened_room(results: AllResults, arena: LiveArena) -> Iterator[Room | None]:
    """Give the room over a folder of runs and look after its jobs; None where nothing may or can be written there.

    As long as there is one, clients of models in this process call only what its rules allow.

    Raises UsageError for rules that cannot be meant.
    """
    rules = read_rules()
    room = None
    if not read_only():
        try:
            room = Room(results, rules, arena)
        except StoreError as problem:
            _log.warning("there is no admin room: %s", problem)
    if room is None:
        yield None
        return
    room.supervisor.start()
    try:
        with clients_reach(room.reachable_here):
            yield room
    finally:
        room.close()


def add_room(app: FastAPI, room: Room | None) -> None:
    """Add the room to the app, where there is one."""
    if room is not None:
        add_admin(app, room, TABS, DEEDS)
