"""The browse page: the way from a score down to the prompt and the answer that it was read from."""

from __future__ import annotations

import gradio as gr

from leaderboard.browse import browse
from leaderboard.comparing import Comparer
from leaderboard.results import Results
from leaderboard.samples import Shelf
from llmuses.live_page import live_page


def build(page: gr.Blocks, results: Results, comparer: Comparer | None = None) -> None:
    """Place the page into the route that is open. The indexes that it reads are shared by all readers."""
    shelf, pairs = Shelf(), comparer or Comparer()
    live_page(page, lambda visit: browse(results, shelf, visit, pairs))
