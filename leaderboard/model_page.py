"""A model's page: ``model?name=NAME``."""

from __future__ import annotations

import gradio as gr

from leaderboard.arena_board_ratings import Desk
from leaderboard.battle_index import BattleShelf
from leaderboard.battles import Place
from leaderboard.board_words import Words
from leaderboard.model import find_model
from leaderboard.model_html import computing_page, missing_page, model_page
from leaderboard.ready import Busy, Ready
from leaderboard.results import Results, Runs
from llmuses.live_page import live_page
from llmuses.markup import Markup
from llmuses.records import Battle
from llmuses.visit import Visit

LATEST = 6
"""So many battles stand on the page."""


def build(page: gr.Blocks, results: Results, desk: Desk, shelf: BattleShelf) -> None:
    """Place the page into the route that is open."""
    live_page(page, lambda visit: model_view(results, Ready(desk), shelf, visit))


def model_view(results: Runs, ready: Ready, shelf: BattleShelf, visit: Visit) -> Markup:
    """Return the page of the model that the query names."""
    say, name = Words(visit.lang, "model"), visit.query.get("name", "")[:300]
    try:
        model = find_model(name, results.runs(), ready, visit.query) if name else None
    except Busy:
        return computing_page(say, name)
    if model is None:
        return missing_page(say, name)
    battles: list[Battle] = []
    if model.arena is not None:
        try:
            hall = ready.hall(shelf, model.arena.source)
            battles = hall.read(hall.newest(hall.select(Place(model=model.name)))[:LATEST])
        except Busy:
            model = model._replace(busy=True)
    return model_page(say, model, battles, visit.query.get("met") == "all")
