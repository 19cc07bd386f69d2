"""The charts page: what the boards show, drawn. Plotly's script comes from the installed package, when it is needed."""

from __future__ import annotations

import gradio as gr

from leaderboard.arena_board_ratings import Desk
from leaderboard.charts import look
from leaderboard.charts_export import charts_beside
from leaderboard.charts_html import charts_page
from leaderboard.ready import Ready
from leaderboard.results import Results
from llmuses.live_page import live_page


def build(page: gr.Blocks, results: Results, desk: Desk, files: tuple[str, str]) -> None:
    """Place the page into the route that is open. ``files`` are the addresses of Plotly's script and of the template."""
    live_page(
        page,
        lambda visit: charts_page(look(results, Ready(desk), visit), visit, files),
        lambda visit: charts_beside(results, desk, visit),
    )
