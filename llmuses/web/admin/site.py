"""What there is in the admin room: one line for each tab."""

from __future__ import annotations

from fastapi import FastAPI

from llmuses.web.admin import evaluate, jobs
from llmuses.web.admin.door import add_admin
from llmuses.web.admin.room import Room

TABS = (jobs.TAB, evaluate.TAB)
DEEDS = {**jobs.DEEDS, **evaluate.DEEDS}


def add_room(app: FastAPI, room: Room) -> None:
    """Add the room to the app."""
    add_admin(app, room, TABS, DEEDS)
