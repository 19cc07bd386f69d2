"""Which pages the app has: one line each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from fastapi import FastAPI

from leaderboard import (
    arena_board_page,
    battles_page,
    board_page,
    browse_page,
    catalogue_page,
    charts_page,
    compare_page,
    model_page,
)
from leaderboard.arena_board_ratings import Desk
from leaderboard.arenas import Arenas
from leaderboard.results import Results
from llmuses.web import assets
from llmuses.web.demo import Demo
from llmuses.web.shell import Page, create_app


@contextlib.contextmanager
def create_site(outputs: Path, demo: bool = True) -> Iterator[FastAPI]:
    """Yield the app over a folder of runs; what it started ends with the context."""
    results = Results(outputs)
    first = Demo(results)
    arenas = Arenas(outputs)
    boards, desk = board_page.Boards(results), Desk(arenas)
    board = partial(arena_board_page.build, boards=boards, desk=desk, demo=first.state)
    moved = partial(arena_board_page.moved, desk)
    drawn = (assets.plotly_address(), assets.address("plotly_template.json"))
    pages = [
        Page("", "leaderboard", board, moved),
        Page("leaderboard", "leaderboard", board, moved),
        Page("benchmarks", "leaderboard", partial(board_page.build, boards=boards, demo=first.state)),
        Page("charts", "leaderboard", partial(charts_page.build, arenas=arenas, files=drawn)),
        Page("compare", "compare", compare_page.build),
        Page("model", "leaderboard", partial(model_page.build, arenas=arenas)),
        Page("browse", "browse", browse_page.build),
        Page("battles", "browse", partial(battles_page.build, arenas=arenas, files=drawn)),
        Page("catalogue", "browse", catalogue_page.build),
    ]
    if demo:
        first.start()
    try:
        yield create_app(results, pages, arena_board_page.sheets(desk, boards))
    finally:
        first.close()
        desk.close()
