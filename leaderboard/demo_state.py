"""How the demo of the first start stands, for the page that shows it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Phase(StrEnum):
    """``IDLE``: there is no demo, or none was needed."""

    IDLE = "idle"
    RUNNING = "running"
    FAILED = "failed"
    DONE = "done"


class DemoState(NamedTuple):
    """Where the demo stands: all its models and datasets in their order, and what went wrong in one line."""

    phase: Phase = Phase.IDLE
    models: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    problem: str = ""
