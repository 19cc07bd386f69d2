"""The leaderboard's page."""

from __future__ import annotations

import gradio as gr

from leaderboard.board import make_board
from leaderboard.board_html import board_page
from leaderboard.drawer import drawer
from leaderboard.results import Results
from leaderboard.samples import Shelf
from llmuses.live_page import live_page
from llmuses.markup import Markup
from llmuses.visit import Visit


def build(page: gr.Blocks, results: Results) -> None:
    """Place the page into the route that is open."""
    shelf = Shelf()

    def view(visit: Visit) -> Markup:
        board = make_board(results.runs(), visit.query)
        return board_page(board, visit, results.damaged())

    def beside(visit: Visit) -> Markup:
        return drawer(results.runs(), shelf, visit)

    live_page(page, view, beside)
