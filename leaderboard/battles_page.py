"""The battles of an arena or of a file, by category, question by question."""

from __future__ import annotations

import gradio as gr

from leaderboard.arena_board_ratings import Desk
from leaderboard.battle_html import battle_page
from leaderboard.battle_index import BattleShelf
from leaderboard.battles import Place, place
from leaderboard.battles_export import battles_beside
from leaderboard.battles_html import frame, head, list_page, nothing
from leaderboard.board_words import Words
from leaderboard.ready import Busy, Ready
from leaderboard.results import Results
from llmuses.live_page import live_page
from llmuses.markup import Markup, join, message, note
from llmuses.visit import Visit


def build(page: gr.Blocks, results: Results, desk: Desk, shelf: BattleShelf, files: tuple[str, str]) -> None:
    """Place the page into the route that is open. ``files`` are the addresses of Plotly's script and of the template."""
    live_page(
        page,
        lambda visit: battles_view(Ready(desk), shelf, visit, files),
        lambda visit: battles_beside(desk, shelf, visit),
    )


def battles_view(ready: Ready, shelf: BattleShelf, visit: Visit, files: tuple[str, str]) -> Markup:
    """Return the page that an address names. Whatever it names wrongly is said, with a way on."""
    say, there = Words(visit.lang, "battles"), place(visit.query)
    sources = ready.arenas.sources()
    source = next((each for each in sources if each.name == there.arena), None)
    if not sources:
        return frame(say, join([head(say), nothing(say)]), files)
    if source is None:
        if there.arena:
            way = Markup('<p class="u-act"><a class="g-btn sm" data-go href="battles">{}</a></p>').format(say("clear"))
            return frame(say, join([head(say), message(say("no_arena"), say("no_arena_why"), "find", way)]), files)
        source = sources[0]
    try:
        hall = ready.hall(shelf, source)
    except Busy:
        return frame(say, join([head(say), note(say("busy"), "", "clock")]), files, busy=True)
    if there.id is None:
        return frame(say, list_page(say, hall, sources, there), files)
    at = hall.shown(there.id)
    if at is None:
        back: Place = there._replace(id=None)
        way = Markup('<p class="u-act"><a class="g-btn sm" data-go href="{}">{}</a></p>').format(
            back.to(), say("clear")
        )
        return frame(say, join([head(say), message(say("no_battle"), say("no_battle_why"), "find", way)]), files)
    return frame(say, battle_page(say, hall, there, at), files, say("battle", id=there.id))
