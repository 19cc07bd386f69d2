"""Which pages the app has: one line each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from fastapi import FastAPI

from arena import battle_page
from arena.live.arena import LiveArena
from arena.live.opening import open_arena
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
from leaderboard.arenas import Arenas, Source
from leaderboard.battle_index import BattleShelf
from leaderboard.battles_export import battles_sheet
from leaderboard.charts_export import charts_sheet
from leaderboard.compare_export import compare_sheet
from leaderboard.comparing import Comparer
from leaderboard.first_start import starting
from leaderboard.indexing import indexing
from leaderboard.model_export import model_sheet
from leaderboard.results import AllResults, Results
from llmuses.visit import Visit
from llmuses.web import assets
from llmuses.web.admin.door import is_there
from llmuses.web.admin.site import add_room, opened_room
from llmuses.web.arena_api import add_arena
from llmuses.web.demo import Demo
from llmuses.web.downloads import SheetOf
from llmuses.web.health import add_health
from llmuses.web.login import add_login
from llmuses.web.shell import Page, create_app


@contextlib.contextmanager
def create_site(outputs: Path, demo: bool = True, battles: Sequence[Source] = ()) -> Iterator[FastAPI]:
    """Yield the app over a folder of runs, and files of battles from elsewhere; what it started ends with the context."""
    everything = AllResults(outputs)
    results = Results(outputs, everything)
    """All that a page is ever given."""
    first = Demo(everything)
    comparer, shelf = Comparer(), BattleShelf()
    boards, desk = board_page.Boards(results), Desk(Arenas(outputs, battles))
    board = partial(arena_board_page.build, boards=boards, desk=desk, demo=first.state)
    moved = partial(arena_board_page.moved, desk)
    drawn = (assets.plotly_address(), assets.address("plotly_template.json"))
    pages = [
        Page("", "leaderboard", board, moved),
        Page("leaderboard", "leaderboard", board, moved),
        Page("benchmarks", "leaderboard", partial(board_page.build, boards=boards, demo=first.state)),
        Page("charts", "leaderboard", partial(charts_page.build, desk=desk, files=drawn)),
        Page("compare", "compare", partial(compare_page.build, comparer=comparer)),
        Page("model", "leaderboard", partial(model_page.build, desk=desk, shelf=shelf)),
        Page("browse", "browse", partial(browse_page.build, comparer=comparer)),
        Page("battles", "browse", partial(battles_page.build, desk=desk, shelf=shelf, files=drawn)),
        Page("catalogue", "browse", catalogue_page.build),
    ]
    try:
        with contextlib.ExitStack() as stack:
            live = stack.enter_context(open_arena(outputs))
            room = stack.enter_context(opened_room(everything, live))
            routes = [
                partial(add_arena, arena=live),
                partial(add_login, arena=live),
                partial(add_room, room=room),
                partial(add_health, results=everything),
            ]
            sheets: dict[str, SheetOf] = {
                **arena_board_page.sheets(desk, boards),
                "battles": partial(battles_sheet, desk, shelf),
                "charts": partial(charts_sheet, results, desk),
                "compare": partial(compare_sheet, results, comparer),
                "model": partial(model_sheet, results, desk),
            }
            home = partial(_first, results, first)
            app = create_app(results, _with_arena(pages, live, home), sheets, routes, partial(is_there, room))
            stack.enter_context(indexing(everything))
            if demo:
                first.start()
            yield app
    finally:
        first.close()
        desk.close()


def _first(results: Results, demo: Demo, query: Mapping[str, str]) -> str | None:
    """Return where home leads as long as the first start is what there is to see."""
    return "leaderboard" if starting(results.runs(), demo.state(), Visit("en", dict(query))) else None


def _with_arena(pages: Sequence[Page], live: LiveArena, moved: Callable[[Mapping[str, str]], str | None]) -> list[Page]:
    """Return the pages with the arena: at home where two models may play, and under its own address in any case."""
    arena = Page("arena", "arena", partial(battle_page.build, arena=live))
    home = arena._replace(path="", moved=moved) if live.playable else pages[0]
    return [home, arena, *pages[1:]]
