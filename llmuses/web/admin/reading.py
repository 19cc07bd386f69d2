"""Pages of the site as the room reads them, below ``admin/``: with hidden runs, and battles before their pages are public.

They are the same functions of a visit as the public pages, given what the room may see. Their links are relative, so that
from one such page they lead to the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from leaderboard.arenas import Source
from leaderboard.battles_export import battles_sheet
from leaderboard.battles_page import battles_view
from leaderboard.board_words import Words
from leaderboard.browse import browse
from leaderboard.compare import compare_view
from leaderboard.compare_export import compare_sheet
from leaderboard.model_export import model_sheet
from leaderboard.model_page import model_view
from leaderboard.ready import Ready
from leaderboard.results import RunEntry
from leaderboard.runs_html import More
from llmuses.errors import UsageError
from llmuses.markup import Markup, attrs, icon, link
from llmuses.visibility import Standing, copies, decide, standing
from llmuses.visit import Visit
from llmuses.web import assets
from llmuses.web.admin.parts import asking, moment
from llmuses.web.admin.room import Asked, Deed, Doing, Room, Tab
from llmuses.web.admin.rules import Role
from llmuses.web.admin.sessions import Person
from llmuses.web.downloads import Export, exporting

UP = "../"
"""What leads from the address of such a page to where the site is served."""

PUBLIC = ("leaderboard", "benchmarks", "charts", "catalogue", "arena")
"""Pages that the room reads as everybody does: a link to one of them leads there."""


def _browse(room: Room, person: Person, visit: Visit) -> Markup:
    say = Words(visit.lang, "admin")
    more = More(say("eval.hidden"), lambda entry: _in_a_row(entry, person, say))
    page = browse(room.results, room.shelf, visit, room.comparer, more)
    entry = room.results.run(visit.query.get("run", ""))
    if entry is None:
        return page
    subject = _Subject(entry.run_id, entry.run.model, link("browse", run=entry.run_id))
    return _above(subject, entry.standing, person, say) + page


def _compare(room: Room, person: Person, visit: Visit) -> Markup:
    return compare_view(room.results, room.shelf, room.comparer, visit)


def _model(room: Room, person: Person, visit: Visit) -> Markup:
    return model_view(room.results, Ready(room.desk), room.battles, visit)


def _battles(room: Room, person: Person, visit: Visit) -> Markup:
    files = (UP + assets.plotly_address(), UP + assets.address("plotly_template.json"))
    page = battles_view(Ready(room.desk, fresh=person.is_admin), room.battles, visit, files)
    source = _arena(room, visit.query.get("arena", ""))
    if source is None:
        return page
    subject = _Subject(source.name, source.title, link("battles", arena=source.name))
    return _above(subject, standing(source.folder), person, Words(visit.lang, "admin")) + page


def _arena(room: Room, name: str) -> Source | None:
    """Return the arena of this name that can be hidden: not the one on this site, whose battles are public by its rules."""
    source = room.arenas.source(name) if name else None
    return None if source is None or source.live or source.folder.parent != room.outputs else source


def export(room: Room) -> Export:
    """Return what hands out the files of all runs, and what these pages offer to take away."""
    return exporting(
        room.results,
        {
            "battles": lambda query: battles_sheet(room.desk, room.battles, query),
            "compare": lambda query: compare_sheet(room.results, room.comparer, query),
            "model": lambda query: model_sheet(room.results, room.desk, query),
        },
    )


# --- whether a run is public -----------------------------------------------------------------------------------------


class _Subject(NamedTuple):
    """A run or an arena: its id, what it is called, and its public page."""

    name: str
    title: str
    address: str


def _above(subject: _Subject, stands: Standing | None, person: Person, say: Words) -> Markup:
    """Return the line above a page: who sees what it shows, who decided that and why, and what changes it."""
    hidden, decision = (stands.hidden, stands.decision) if stands else (False, None)
    words = say("run.hidden" if hidden else "run.public")
    if stands and stands.unreadable:
        words = say("run.unreadable")
    elif decision is not None:
        words += " " + say("run.decided", by=decision.by or "–", when=moment(decision.tstamp))
        words += say("run.reason", reason=decision.reason) if decision.reason else ""
    elsewhere = Markup("")
    if not hidden:
        elsewhere = Markup(' <a href="{}">{}</a>').format(UP + subject.address, say("run.public.page"))
    acts = Markup("")
    if person.is_admin and hidden:
        acts = _button("publish-run", subject, say, "")
    elif person.is_admin:
        acts = asking("run", subject.name, say("run.why"), ("hide-run", say("run.hide")))
    return Markup(
        '<div class="u-page u-stand"><div class="u-note{}" role="status">{}<span>{}{}</span>{}</div></div>'
    ).format(" warn" if hidden else "", icon("lock" if hidden else "info"), words, elsewhere, acts)


def _in_a_row(entry: RunEntry, person: Person, say: Words) -> Markup:
    """Return what stands in a run's row of the list: whether everybody sees it, and what changes that."""
    tag = Markup('<span class="q">{}</span>').format(say("run.open"))
    if entry.hidden:
        tag = Markup('<span class="row u-locked">{}<b>{}</b></span>').format(icon("lock", small=True), say("run.tag"))
    if not person.is_admin:
        return tag
    subject = _Subject(entry.run_id, entry.run.model, "")
    return Markup('<span class="row u-rowact">{}{}</span>').format(
        tag, _button("publish-run" if entry.hidden else "hide-run", subject, say, "ghost")
    )


def _button(deed: str, subject: _Subject, say: Words, kind: str) -> Markup:
    """Return the button of a deed; what everybody then sees is asked for twice."""
    publishes = deed == "publish-run"
    return Markup('<button class="g-btn sm {}" data-deed="{}" data-about="{}"{}>{}</button>').format(
        kind,
        deed,
        msgspec.json.encode({"run": subject.name}).decode(),
        attrs(data_sure=say("run.publish.sure", what=subject.title) if publishes else None),
        say("run.publish" if publishes else "run.hide"),
    )


class _Run(Asked, kw_only=True, frozen=True):
    """A run or an arena, and why."""

    run: str
    reason: str = ""


def _decide(doing: Doing, asked: _Run, hidden: bool) -> Mapping[str, Any]:
    room, say = doing.room, Words(doing.lang, "admin")
    entry, source = room.results.run(asked.run), _arena(room, asked.run)
    if entry is not None:
        folder, title = entry.folder, entry.run.model
    elif source is not None:
        folder, title = source.folder, source.title
    else:
        raise UsageError(say("run.gone"))
    for each in copies(folder):
        decide(each, hidden, asked.reason, doing.person.name)
    return {"say": say("run.did.hidden" if hidden else "run.did.published", what=title)}


def _hidden(doing: Doing, asked: _Run) -> Mapping[str, Any]:
    return _decide(doing, asked, True)


def _published(doing: Doing, asked: _Run) -> Mapping[str, Any]:
    return _decide(doing, asked, False)


PAGES = (
    Tab("browse", Role.OPERATOR, _browse),
    Tab("compare", Role.OPERATOR, _compare),
    Tab("model", Role.OPERATOR, _model),
    Tab("battles", Role.OPERATOR, _battles),
)
DEEDS = {
    "hide-run": Deed(Role.ADMIN, _Run, _hidden),
    "publish-run": Deed(Role.ADMIN, _Run, _published),
}
