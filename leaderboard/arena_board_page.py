"""The leaderboard's page: the arena board; the first start while the demo runs; the benchmark board while there is no arena."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import gradio as gr

from leaderboard.arena_board_choice import CHOICES as OURS
from leaderboard.arena_board_choice import SORTS
from leaderboard.arena_board_ratings import Desk
from leaderboard.arena_board_view import arena_beside, arena_sheet, arena_view
from leaderboard.board_html import CHOICES as THEIRS
from leaderboard.board_page import Boards
from leaderboard.boards_head import CITE
from leaderboard.demo_state import DemoState
from leaderboard.first_start import first_start, starting
from leaderboard.results import Results
from leaderboard.sheets import Sheet
from llmuses.live_page import live_page
from llmuses.markup import Markup, link
from llmuses.visit import Visit


def build(
    page: gr.Blocks, results: Results, boards: Boards, desk: Desk, demo: Callable[[], DemoState] = DemoState
) -> None:
    """Place the page into the route that is open. ``demo`` says how the demo of the first start stands."""

    def view(visit: Visit) -> Markup:
        state = demo()
        entries = results.runs()
        if starting(entries, state, visit):
            return first_start(entries, state, visit)
        return arena_view(desk, visit) if shows_arena(desk, visit.query) else boards.view(visit, state)

    def beside(visit: Visit) -> Markup:
        return arena_beside(desk, visit) if shows_arena(desk, visit.query) else boards.beside(visit)

    live_page(page, view, beside)


def shows_arena(desk: Desk, query: Mapping[str, str]) -> bool:
    """Return whether the leaderboard shows the arena board: where there is an arena, or where its board is asked for."""
    return query.get("board") == "arena" or bool(desk.sources())


def sheets(desk: Desk, boards: Boards) -> dict[str, Callable[[Mapping[str, str]], Sheet | None]]:
    """Return what can be taken away, by the names of the files: each board as its address shows it."""

    def shown(query: Mapping[str, str]) -> Sheet | None:
        return arena_sheet(desk, query) if shows_arena(desk, query) and not moved(desk, query) else boards.sheet(query)

    return {"leaderboard": shown, "benchmarks": boards.sheet}


def moved(desk: Desk, query: Mapping[str, str]) -> str | None:
    """Return where an address of the benchmark board leads that was given out when it was the only one, else ``None``."""
    own = {"run", "dataset", *THEIRS} - {*OURS, CITE}
    sort = query.get("sort", "rank").removeprefix("-")
    if not (own & query.keys() or sort not in SORTS) or not shows_arena(desk, query):
        return None
    return link("benchmarks", **query)
