"""A model's page: ``model?name=NAME``."""

from __future__ import annotations

import gradio as gr

from leaderboard.arenas import Arenas
from leaderboard.battle_index import BattleShelf
from leaderboard.battles import Hall, Place
from leaderboard.board_words import Words
from leaderboard.model import find_model
from leaderboard.model_html import missing_page, model_page
from leaderboard.results import Results
from llmuses.live_page import live_page
from llmuses.markup import Markup
from llmuses.visit import Visit

LATEST = 6
"""So many battles stand on the page."""


def build(page: gr.Blocks, results: Results, arenas: Arenas) -> None:
    """Place the page into the route that is open."""
    shelf = BattleShelf()
    live_page(page, lambda visit: model_view(results, arenas, shelf, visit))


def model_view(results: Results, arenas: Arenas, shelf: BattleShelf, visit: Visit) -> Markup:
    """Return the page of the model that the query names."""
    say, name = Words(visit.lang, "model"), visit.query.get("name", "")[:300]
    model = find_model(name, results.runs(), arenas, visit.query) if name else None
    if model is None:
        return missing_page(say, name)
    battles = []
    if model.arena is not None:
        hall = Hall(shelf, model.arena.source)
        battles = hall.read(hall.newest(hall.select(Place(model=model.name)))[:LATEST])
    return model_page(say, model, battles, visit.query.get("met") == "all")
