"""Who sees a run, an arena, or what a source published: what the room says of that, and the deeds that change it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from leaderboard.arenas import Source
from leaderboard.board_words import Words
from leaderboard.results import RunEntry
from llmuses.errors import UsageError
from llmuses.markup import Markup, attrs, icon
from llmuses.visibility import Standing, copies, decide
from llmuses.web.admin.parts import UP, asking, moment
from llmuses.web.admin.room import Asked, Deed, Doing, Room
from llmuses.web.admin.rules import Role
from llmuses.web.admin.sessions import Person


class Subject(NamedTuple):
    """A run, an arena or a source: its id, what it is called, and its public page."""

    name: str
    title: str
    address: str


def above(subject: Subject, stands: Standing | None, person: Person, say: Words) -> Markup:
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


def in_a_row(entry: RunEntry, person: Person, say: Words) -> Markup:
    """Return what stands in a run's row of the list: whether everybody sees it, and what changes that."""
    return seen_by(Subject(entry.run_id, entry.run.model, ""), entry.hidden, person, say)


def seen_by(subject: Subject, hidden: bool, person: Person, say: Words) -> Markup:
    """Return what stands in a row: whether everybody sees what it names, and what changes that."""
    tag = Markup('<span class="q">{}</span>').format(say("run.open"))
    if hidden:
        tag = Markup('<span class="row u-locked">{}<b>{}</b></span>').format(icon("lock", small=True), say("run.tag"))
    if not person.is_admin:
        return tag
    return Markup('<span class="row u-rowact">{}{}</span>').format(
        tag, _button("publish-run" if hidden else "hide-run", subject, say, "ghost")
    )


def _button(deed: str, subject: Subject, say: Words, kind: str) -> Markup:
    """Return the button of a deed; what everybody then sees is asked for twice."""
    publishes = deed == "publish-run"
    return Markup('<button class="g-btn sm {}" data-deed="{}" data-about="{}"{}>{}</button>').format(
        kind,
        deed,
        msgspec.json.encode({"run": subject.name}).decode(),
        attrs(data_sure=say("run.publish.sure", what=subject.title) if publishes else None),
        say("run.publish" if publishes else "run.hide"),
    )


def arena_named(room: Room, name: str) -> Source | None:
    """Return the arena of this name that can be hidden: not the one on this site, whose battles are public by its rules."""
    source = room.arenas.source(name) if name else None
    return None if source is None or source.live or source.folder.parent != room.outputs else source


class _Run(Asked, kw_only=True, frozen=True):
    """A run, an arena or a source of imported results, and why."""

    run: str
    reason: str = ""


def _decide(doing: Doing, asked: _Run, hidden: bool) -> Mapping[str, Any]:
    room, say = doing.room, Words(doing.lang, "admin")
    entry, source = room.results.run(asked.run), arena_named(room, asked.run)
    if entry is None and source is None and asked.run in room.published.sources():
        room.published.decide(asked.run, hidden, asked.reason, doing.person.name)
        return {"say": say("run.did.hidden" if hidden else "run.did.published", what=asked.run)}
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


DEEDS = {
    "hide-run": Deed(Role.ADMIN, _Run, _hidden),
    "publish-run": Deed(Role.ADMIN, _Run, _published),
}
