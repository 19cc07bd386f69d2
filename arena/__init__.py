"""The arena: battles of models, who judged them, and the ratings that come of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.counting import Follower as Follower
    from arena.pipeline.run import run_arena as run_arena
    from arena.rate_tables import WinRates as WinRates
    from arena.rate_tables import win_rates as win_rates
    from arena.rating import rate as rate
    from arena.rating_records import Ratings as Ratings
    from arena.rating_records import Rule as Rule

_PUBLIC = {
    "Follower": "arena.counting",
    "rate": "arena.rating",
    "run_arena": "arena.pipeline.run",
    "Ratings": "arena.rating_records",
    "Rule": "arena.rating_records",
    "win_rates": "arena.rate_tables",
    "WinRates": "arena.rate_tables",
}


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for: numpy is not needed to say what the commands are."""
    import importlib

    if name not in _PUBLIC:
        raise AttributeError(f"module 'arena' has no attribute '{name}'")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
