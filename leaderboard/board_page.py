"""The leaderboard's page: the board over all runs, or the first start while the demo runs."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from leaderboard.board import make_board
from leaderboard.board_html import CHOICES, board_page
from leaderboard.demo_state import DemoState, Phase
from leaderboard.drawer import drawer
from leaderboard.first_start import first_start
from leaderboard.results import Results, RunEntry
from leaderboard.samples import Shelf
from llmuses.live_page import live_page
from llmuses.markup import Markup
from llmuses.visit import Visit


def build(page: gr.Blocks, results: Results, demo: Callable[[], DemoState] = DemoState) -> None:
    """Place the page into the route that is open. ``demo`` says how the demo of the first start stands."""
    shelf = Shelf()

    def view(visit: Visit) -> Markup:
        state = demo()
        entries = results.runs()
        if starting(entries, state, visit):
            return first_start(entries, state, visit)
        return board_page(make_board(entries, visit.query), visit, results.damaged(), state.phase is Phase.RUNNING)

    def beside(visit: Visit) -> Markup:
        return drawer(results.runs(), shelf, visit)

    live_page(page, view, beside)


def starting(entries: list[RunEntry], state: DemoState, visit: Visit) -> bool:
    """Return whether the first start is shown: while the demo runs, or where it failed before there was any result.

    Who asks for a view of the board gets the board, and so does everybody once there is a run of one's own.
    """
    if any(name in visit.query for name in (*CHOICES, "run", "dataset")):
        return False
    if not all(entry.run.demo for entry in entries):
        return False
    return state.phase is Phase.RUNNING or (state.phase is Phase.FAILED and not any(entry.reports for entry in entries))
