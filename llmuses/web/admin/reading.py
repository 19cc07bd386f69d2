"""Pages of the site as the room reads them, below ``admin/``: with what is hidden, and battles before their pages are public.

They are the same functions of a visit as the public pages, given what the room may see. Their links are relative, so that
from one such page they lead to the next one.
"""

from __future__ import annotations

from leaderboard.battles_export import battles_sheet
from leaderboard.battles_page import battles_view
from leaderboard.board_words import Words
from leaderboard.browse import browse
from leaderboard.compare import compare_view
from leaderboard.compare_export import compare_sheet
from leaderboard.model_export import model_sheet
from leaderboard.model_page import model_view
from leaderboard.ready import Ready
from leaderboard.runs_html import More
from llmuses.markup import Markup, link
from llmuses.visibility import standing
from llmuses.visit import Visit
from llmuses.web.admin import boards
from llmuses.web.admin.deciding import Subject, above, arena_named, in_a_row
from llmuses.web.admin.parts import drawing
from llmuses.web.admin.room import Room, Tab
from llmuses.web.admin.rules import Role
from llmuses.web.admin.sessions import Person
from llmuses.web.downloads import Export, exporting

PUBLIC = ("catalogue", "arena")
"""Pages that the room reads as everybody does: a link to one of them leads there."""


def _browse(room: Room, person: Person, visit: Visit) -> Markup:
    say = Words(visit.lang, "admin")
    more = More(say("eval.hidden"), lambda entry: in_a_row(entry, person, say))
    page = browse(room.results, room.shelf, visit, room.comparer, more)
    entry = room.results.run(visit.query.get("run", ""))
    if entry is None:
        return page
    subject = Subject(entry.run_id, entry.run.model, link("browse", run=entry.run_id))
    return above(subject, entry.standing, person, say) + page


def _compare(room: Room, person: Person, visit: Visit) -> Markup:
    return compare_view(room.results, room.shelf, room.comparer, visit)


def _model(room: Room, person: Person, visit: Visit) -> Markup:
    return model_view(room.results, Ready(room.desk), room.battles, visit)


def _battles(room: Room, person: Person, visit: Visit) -> Markup:
    page = battles_view(Ready(room.desk, fresh=person.is_admin), room.battles, visit, drawing())
    source = arena_named(room, visit.query.get("arena", ""))
    if source is None:
        return page
    subject = Subject(source.name, source.title, link("battles", arena=source.name))
    return above(subject, standing(source.folder), person, Words(visit.lang, "admin")) + page


def export(room: Room) -> Export:
    """Return what hands out the files of all runs, and what these pages offer to take away."""
    return exporting(
        room.results,
        {
            **boards.sheets(room),
            "battles": lambda query: battles_sheet(room.desk, room.battles, query),
            "compare": lambda query: compare_sheet(room.results, room.comparer, query),
            "model": lambda query: model_sheet(room.results, room.desk, query),
        },
    )


PAGES = (
    Tab("browse", Role.OPERATOR, _browse),
    Tab("compare", Role.OPERATOR, _compare),
    Tab("model", Role.OPERATOR, _model),
    Tab("battles", Role.OPERATOR, _battles),
    *boards.PAGES,
)
