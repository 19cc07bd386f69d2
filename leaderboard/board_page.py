"""The leaderboard's page."""

from __future__ import annotations

import gradio as gr

from leaderboard.results import Results
from llmuses.live_page import live_page
from llmuses.markup import Markup
from llmuses.visit import Visit


def build(page: gr.Blocks, results: Results) -> None:
    """Place the page into the route that is open."""

    def view(visit: Visit) -> Markup:
        return Markup(
            '<div id="main" class="u-page"><div class="u-head"><h1>Leaderboard</h1></div><p>{}</p></div>'
        ).format(len(results.runs()))

    live_page(page, view)
