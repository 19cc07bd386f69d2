"""The boards and the charts as the room reads them: with what is hidden. What everybody reads knows nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from leaderboard.arena_board_page import sheets as board_sheets
from leaderboard.arena_board_page import shows_arena
from leaderboard.arena_board_view import arena_beside, arena_view
from leaderboard.board_words import Words
from leaderboard.charts import look
from leaderboard.charts_export import charts_beside, charts_sheet
from leaderboard.charts_html import charts_page
from leaderboard.demo_state import DemoState
from leaderboard.ready import Ready
from leaderboard.sheets import Sheet
from llmuses.markup import Markup, count, icon, link
from llmuses.visit import Visit
from llmuses.web.admin.deciding import Subject, seen_by
from llmuses.web.admin.parts import UP, drawing, section, table
from llmuses.web.admin.room import Room, Tab
from llmuses.web.admin.rules import Role
from llmuses.web.admin.sessions import Person


def _leaderboard(room: Room, person: Person, visit: Visit) -> Markup:
    if not shows_arena(room.desk, visit.query):
        return _benchmarks(room, person, visit)
    return _page("leaderboard", arena_view(room.desk, visit), arena_beside(room.desk, visit), visit)


def _benchmarks(room: Room, person: Person, visit: Visit) -> Markup:
    page = room.boards.view(visit, DemoState()) + _imported(room, person, visit)
    return _page("benchmarks", page, room.boards.beside(visit), visit)


def _charts(room: Room, person: Person, visit: Visit) -> Markup:
    page = charts_page(look(room.results, Ready(room.desk), visit), visit, drawing())
    return _page("charts", page, charts_beside(room.results, room.desk, visit), visit)


def _page(name: str, page: Markup, beside: Markup, visit: Visit) -> Markup:
    """Return a page below a line that says who sees it, and what opens beside it for static/admin.js."""
    say = Words(visit.lang, "admin")
    return Markup(
        '<div class="u-page u-stand"><div class="u-note warn" role="status">{}<span>{} <a href="{}">{}</a></span></div></div>{}'
        "<template data-drawn>{}</template>"
    ).format(icon("lock"), say("boards.room"), UP + link(name, **visit.query), say("boards.public"), page, beside)


def _imported(room: Room, person: Person, visit: Visit) -> Markup:
    """Return the sources of imported results, and who sees them; nothing where nothing was imported."""
    say = Words(visit.lang, "admin")
    rows = [
        Markup('<tr><td class="wrap">{}</td><td class="n">{}</td><td>{}</td></tr>').format(
            name, count(len(source.results)), seen_by(Subject(name, name, ""), source.hidden, person, say)
        )
        for name, source in room.published.sources().items()
    ]
    if not rows:
        return Markup("")
    heads = (say("boards.source"), say("boards.results"), say("eval.hidden"))
    return Markup('<div class="u-page">{}</div>').format(section(say("boards.imported"), table(heads, rows, (1,))))


def sheets(room: Room) -> dict[str, Callable[[Mapping[str, str]], Sheet | None]]:
    """Return what these pages offer to take away, by the names of the files."""
    return {
        **board_sheets(room.desk, room.boards),
        "charts": lambda query: charts_sheet(room.results, room.desk, query),
    }


PAGES = (
    Tab("leaderboard", Role.OPERATOR, _leaderboard),
    Tab("benchmarks", Role.OPERATOR, _benchmarks),
    Tab("charts", Role.OPERATOR, _charts),
)
NAMES = frozenset(page.name for page in PAGES)
