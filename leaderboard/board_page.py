"""The benchmark board's page, and what every page that shows that board shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import gradio as gr

from leaderboard.board import Board, make_board
from leaderboard.board_html import board_page
from leaderboard.board_words import Words
from leaderboard.boards_head import CITE, Data, citation
from leaderboard.demo_state import DemoState, Phase
from leaderboard.drawer import drawer
from leaderboard.export import caption, sheet
from leaderboard.published import PublishedResults
from leaderboard.results import Results, Runs
from leaderboard.samples import Shelf
from leaderboard.sheets import Sheet, to_csv
from llmuses.live_page import live_page
from llmuses.markup import Markup
from llmuses.visit import Visit


class Boards:
    """The benchmark board over some runs and results published elsewhere, public ones unless others are given, for any page,
    download or citation."""

    def __init__(self, results: Runs, published: PublishedResults | None = None):
        self.results = results
        self.published = published or PublishedResults(results.outputs)
        self._shelf = Shelf()

    def board(self, query: Mapping[str, str]) -> Board:
        """Return the board as a query chooses it."""
        return make_board(self.results.runs(), query, self.published.read())

    def sheet(self, query: Mapping[str, str]) -> Sheet:
        """Return the board as something to take away."""
        return sheet(self.board(query))

    def view(self, visit: Visit, demo: DemoState) -> Markup:
        """Return the page."""
        damaged = [*self.results.damaged(), *self.published.damaged()]
        return board_page(self.board(visit.query), visit, damaged, demo.phase is Phase.RUNNING)

    def beside(self, visit: Visit) -> Markup:
        """Return what opens beside the page: a figure, or the citation."""
        if CITE not in visit.query:
            return drawer(self.results.runs(), self._shelf, visit, self.published.read())
        board = self.board(visit.query)
        what = "llmuses benchmark board: " + caption(board).partition(";")[0]
        return citation("benchmarks", visit.query, Data(to_csv(sheet(board)), what), Words(visit.lang, "board"))


def build(page: gr.Blocks, _: Results, boards: Boards, demo: Callable[[], DemoState] = DemoState) -> None:
    """Place the page into the route that is open. ``demo`` says how the demo of the first start stands."""
    live_page(page, lambda visit: boards.view(visit, demo()), boards.beside)
