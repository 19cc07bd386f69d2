"""The catalogue's page: all benchmarks, and beside them what is known of one."""

from __future__ import annotations

import gradio as gr

from leaderboard.catalogue import catalogue, catalogue_drawer
from leaderboard.results import Results
from llmuses.live_page import live_page


def build(page: gr.Blocks, _: Results) -> None:
    """Place the page into the route that is open."""
    live_page(page, catalogue, catalogue_drawer)
