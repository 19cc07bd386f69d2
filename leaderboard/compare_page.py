"""The compare page: two to four models, paired differences on every benchmark that they share."""

from __future__ import annotations

import gradio as gr

from leaderboard.compare import compare_view
from leaderboard.comparing import Comparer
from leaderboard.results import Results
from leaderboard.samples import Shelf
from llmuses.live_page import live_page


def build(page: gr.Blocks, results: Results, comparer: Comparer) -> None:
    """Place the page into the route that is open."""
    shelf = Shelf()
    live_page(page, lambda visit: compare_view(results, shelf, comparer, visit))
