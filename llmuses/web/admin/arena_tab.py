"""The tab of the live arena: its models, votes and voters; publishing; the words and terms that hold there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from arena.live import votes
from arena.live.arena import LiveArena
from arena.live.filtering import words_of
from arena.live.house import House, HouseFile
from arena.live.published import MARKS, Publisher
from arena.live.register import decide
from arena.live.texts import texts
from leaderboard.board_words import Words
from llmuses.errors import UsageError
from llmuses.i18n import LANGUAGES
from llmuses.markup import Markup, attrs, count, icon, join, link
from llmuses.records import RegisterEvent, VoterMark, Winner
from llmuses.settings import arena_dir
from llmuses.store import JsonlStore
from llmuses.visit import Visit
from llmuses.web.admin.parts import asking, moment, section, table
from llmuses.web.admin.room import Asked, Deed, Doing, Room, Tab
from llmuses.web.admin.rules import Role
from llmuses.web.admin.sessions import Person

_SHOWN = 100
"""So many votes are listed."""

_HELD = ("paused", "retired")
_SIGNS = {"playing": "correct", "unavailable": "wrong"}


def view(room: Room, person: Person, visit: Visit) -> Markup:
    """Return the tab."""
    say = Words(visit.lang, "admin")
    folder = arena_dir(room.outputs)
    marks = _marks(folder)
    parts = [_models(room.arena, say)] if room.arena is not None else []
    parts += [_votes(folder, marks, visit.query, say), _voters(marks, say)]
    parts += [_publishing(room.arena, say), _house(room.arena, folder, say)] if room.arena is not None else []
    return join(parts)


# --- what there is to see ------------------------------------------------------------------------------------------


def _models(arena: LiveArena, say: Words) -> Markup:
    rows = []
    for state in arena.player_states():
        held = state.state in _HELD
        deeds = (("resume-model", "resume"),) if held else (("pause-model", "pause"), ("retire-model", "retire"))
        word = Markup("{}").format(say(f"models.state.{state.state}"))
        if sign := _SIGNS.get(state.state):
            word = Markup('<span class="u-v bare {}">{}{}</span>').format(sign, icon(sign, small=True), word)
        until = say("arena.until", when=moment(state.until)) if state.until else ""
        money = f"{state.spent:.2f} {state.currency}" if state.currency else "–"
        rows.append(
            Markup(
                '<tr><th scope="row" class="name">{}</th><td>{}</td><td class="q wrap">{} {}</td><td class="n"{}>{}</td>'
                '<td class="n"{}>{}</td><td class="n"{}>{}</td><td>{}</td></tr>'
            ).format(
                state.name,
                word,
                state.reason or "",
                until,
                attrs(data_head=say("arena.answers")),
                count(state.answers),
                attrs(data_head=say("arena.failures")),
                count(state.failures),
                attrs(data_head=say("arena.spent")),
                money,
                asking(
                    "model", state.name, say("arena.reason"), *((deed, say(f"arena.{word}")) for deed, word in deeds)
                ),
            )
        )
    heads = [say(f"arena.{name}") for name in ("model", "state", "why", "answers", "failures", "spent", "acts")]
    return section(say("arena.models"), table(heads, rows, (3, 4, 5)), about=say("arena.models.about"))


def _votes(folder: Path, marks: Mapping[str, VoterMark], query: Mapping[str, str], say: Words) -> Markup:
    show = query.get("show", "")
    wanted = votes.Wanted(
        voter=query.get("voter") or None,
        model=query.get("model") or None,
        excluded=show == "excluded",
        voters=list(marks) if show == "marked" else None,
    )
    found = votes.last_votes(folder / "battles.jsonl", wanted, _SHOWN)
    heads = [say(f"arena.{name}") for name in ("when", "vote", "question", "voter", "counts", "acts")]
    content = table(heads, (_vote(vote, folder.name, marks, say) for vote in found))
    if not found:
        content = Markup('<p class="md q">{}</p>').format(say("arena.votes.none"))
    return section(say("arena.votes"), _filters(query, show, say), content, about=say("arena.votes.about", n=_SHOWN))


def _filters(query: Mapping[str, str], show: str, say: Words) -> Markup:
    options = join(
        Markup('<option value="{}"{}>{}</option>').format(
            name, attrs(selected=name == show), say(f"arena.show.{name or 'all'}")
        )
        for name in ("", "excluded", "marked")
    )
    fields = join(
        Markup('<label class="g-chips"><span class="lab">{0}</span><input class="g-input sm" type="search" name="{1}"'
               ' value="{2}"></label>').format(say(f"arena.{name}"), name, query.get(name, ""))
        for name in ("voter", "model")
    )  # fmt: skip
    return Markup(
        '<form class="u-filters row u-wrap" role="search" aria-label="{0}">{1}<label class="g-chips"><span class="lab">{2}'
        '</span><select class="g-chip" name="show" data-default="">{3}</select></label></form>'
    ).format(say("arena.votes"), fields, say("arena.show"), options)


def _vote(vote: votes.Vote, arena: str, marks: Mapping[str, VoterMark], say: Words) -> Markup:
    mark = marks.get(vote.voter or "")
    deed = (
        ("restore-vote", say("arena.restore")) if vote.excluded is not None else ("exclude-vote", say("arena.exclude"))
    )
    gone = Markup(
        '<button class="g-btn sm ghost" type="button" data-deed="withdraw-vote" data-about="{}" data-sure="{}">'
        "<span>{}</span></button>"
    ).format(
        msgspec.json.encode({"battle": vote.battle_id}).decode(), say("arena.withdraw.sure"), say("arena.withdraw")
    )
    return Markup(
        '<tr><td class="q">{when}</td><th scope="row" class="name">{said}</th><td class="cut" title="{question}">{asked}</td>'
        '<td><a class="mono" href="{href}" data-go>{voter}</a> <span class="q">{tier}</span>{marked}</td><td class="wrap">{counts}</td>'
        "<td>{acts}</td></tr>"
    ).format(
        when=moment(vote.tstamp),
        said=_said(vote, say),
        question=vote.question or vote.battle_id,
        asked=_asked(vote, arena),
        href=link("admin", tab="arena", voter=vote.voter),
        voter=vote.voter or "–",
        tier=vote.tier or "",
        marked=Markup(' <span class="u-v bare failed" title="{}">{}{}</span>').format(
            "; ".join(mark.reasons), icon("failed", small=True), say("arena.marked")
        ) if mark else "",
        counts=say("arena.excluded", why=vote.excluded) if vote.excluded is not None else say("arena.counted"),
        acts=asking("battle", vote.battle_id, say("arena.reason.needed"), deed, more=gone, required=True),
    )  # fmt: skip


def _asked(vote: votes.Vote, arena: str) -> Markup:
    """Return the prompt. It leads to the battle with both answers as the room reads it, also before its page is public."""
    href = link("admin/battles", arena=arena, id=vote.battle_id)
    return Markup('<a href="{}">{}</a>').format(href, vote.question or vote.battle_id)


def _said(vote: votes.Vote, say: Words) -> Markup:
    one, two = vote.model_a, vote.model_b
    if vote.winner in (Winner.TIE, Winner.BOTH_BAD):
        return Markup('{} · {} <span class="q">{}</span>').format(one, two, say(f"arena.{vote.winner}"))
    if vote.winner == Winner.MODEL_B:
        one, two = two, one
    return Markup('<b>{}</b> <span class="q">{}</span> {}').format(one, say("arena.beat"), two)


def _voters(marks: Mapping[str, VoterMark], say: Words) -> Markup:
    rows = (
        Markup(
            '<tr><th scope="row" class="mono"><a href="{}" data-go>{}</a></th><td class="n">{}</td><td class="wrap">{}</td>'
            '<td class="q">{}</td><td>{}</td></tr>'
        ).format(
            link("admin", tab="arena", voter=mark.voter),
            mark.voter,
            count(mark.votes),
            "; ".join(mark.reasons),
            moment(mark.tstamp),
            asking(
                "voter",
                mark.voter,
                say("arena.reason.needed"),
                ("exclude-voter", say("arena.exclude.all")),
                required=True,
            ),
        )
        for mark in sorted(marks.values(), key=lambda mark: -mark.tstamp)
    )
    heads = [say(f"arena.{name}") for name in ("voter", "cast", "odd", "when", "acts")]
    shown = table(heads, rows, (1,)) if marks else Markup('<p class="md q">{}</p>').format(say("arena.voters.none"))
    return section(say("arena.voters"), shown, about=say("arena.voters.about"))


def _marks(folder: Path) -> dict[str, VoterMark]:
    """Return the newest mark of each odd voter."""
    return {mark.voter: mark for mark in JsonlStore(folder / MARKS, VoterMark)}


def _publishing(arena: LiveArena, say: Words) -> Markup:
    last = arena.standing()
    words = say("arena.published.none")
    if last is not None:
        words = say("arena.published", votes=count(last.votes), models=last.models, when=moment(last.tstamp))
    button = Markup('<button class="g-btn sm" data-deed="publish" data-about="{{}}"><span>{}</span></button>')
    return section(say("arena.publishing"), button.format(say("arena.publish")), about=words)


def _house(arena: LiveArena, folder: Path, say: Words) -> Markup:
    file = HouseFile(folder)
    house = file.now()
    ruled = words_of(arena.rules.filter)
    fields = [("words", list(ruled if house.words is None else house.words))]
    fields += [(f"terms_{lang}", list(house.terms.get(lang, texts(lang, "terms")))) for lang in LANGUAGES]
    areas = join(
        Markup(
            '<label class="g-field"><span>{label}</span><textarea class="g-input" name="{name}" rows="6" data-list>{lines}'
            "</textarea><small>{help}</small></label>"
        ).format(
            label=say(f"arena.{name}"),
            name=name,
            lines="\n".join(lines),
            help=say(f"arena.{name.partition('_')[0]}.help"),
        )
        for name, lines in fields
    )
    form = Markup(
        '<form class="u-yaml" data-deed="save-house"><input type="hidden" name="seen" value="{}">{}<div class="row">'
        '<button class="g-btn primary">{}</button></div></form>'
    ).format(file.stamp, areas, say("arena.save"))
    return section(say("arena.house"), form, about=say("arena.house.about"))


# --- what people do ------------------------------------------------------------------------------------------------


class _Model(Asked, kw_only=True, frozen=True):
    """A model of the arena, and why."""

    model: str
    reason: str = ""


class _Vote(Asked, kw_only=True, frozen=True):
    """A battle that was voted on, and why."""

    battle: str
    reason: str = ""


class _Voter(Asked, kw_only=True, frozen=True):
    """A voter, and why."""

    voter: str
    reason: str = ""


class _Nothing(Asked, kw_only=True, frozen=True):
    """Nothing has to be said."""


class _House(Asked, kw_only=True, frozen=True):
    """The lines of each field. No words: nothing is filtered; no terms: those that come with the page."""

    words: tuple[str, ...] = ()
    terms_en: tuple[str, ...] = ()
    terms_zh: tuple[str, ...] = ()
    seen: str = ""


def _pause(doing: Doing, asked: _Model) -> Mapping[str, Any]:
    return _decide(doing, asked, RegisterEvent.PAUSED)


def _retire(doing: Doing, asked: _Model) -> Mapping[str, Any]:
    return _decide(doing, asked, RegisterEvent.RETIRED)


def _resume(doing: Doing, asked: _Model) -> Mapping[str, Any]:
    return _decide(doing, asked, RegisterEvent.RESUMED)


def _decide(doing: Doing, asked: _Model, event: RegisterEvent) -> Mapping[str, Any]:
    arena = _arena(doing.room)
    standing = {state.name: state.state in _HELD for state in arena.player_states()}
    if asked.model not in standing:
        raise UsageError(f"{asked.model} is no model of this arena.")
    say = Words(doing.lang, "admin")
    if standing[asked.model] is not (event is RegisterEvent.RESUMED):
        raise UsageError(say("arena.already", model=asked.model))
    decide(arena_dir(doing.room.outputs), asked.model, event, asked.reason[:200], time.time())
    return {"say": say(f"arena.did.{event}", model=asked.model)}


def _exclude(doing: Doing, asked: _Vote) -> Mapping[str, Any]:
    votes.exclude(_battles(doing), [asked.battle], _why(asked.reason, doing))
    return {"say": Words(doing.lang, "admin")("arena.did.excluded", n=1)}


def _exclude_voter(doing: Doing, asked: _Voter) -> Mapping[str, Any]:
    number = votes.exclude_voter(_battles(doing), asked.voter, _why(asked.reason, doing))
    return {"say": Words(doing.lang, "admin")("arena.did.excluded", n=number)}


def _restore(doing: Doing, asked: _Vote) -> Mapping[str, Any]:
    votes.restore(_battles(doing), [asked.battle], _why(asked.reason, doing))
    return {"say": Words(doing.lang, "admin")("arena.did.restored")}


def _withdraw(doing: Doing, asked: _Vote) -> Mapping[str, Any]:
    votes.withdraw(_battles(doing), [asked.battle])
    return {"say": Words(doing.lang, "admin")("arena.did.withdrawn")}


def _publish(doing: Doing, asked: _Nothing) -> Mapping[str, Any]:
    folder = arena_dir(doing.room.outputs)
    say = Words(doing.lang, "admin")
    if not (folder / "battles.jsonl").exists():
        raise UsageError(say("arena.votes.none"))
    publisher = Publisher(folder, _arena(doing.room).rules.publishing, time.time)
    latest = publisher.latest() if publisher.publish() else None
    if latest is None:
        raise UsageError(say("arena.did.nothing"))
    return {"say": say("arena.did.published", votes=count(latest.votes))}


def _save_house(doing: Doing, asked: _House) -> Mapping[str, Any]:
    say = Words(doing.lang, "admin")
    file = HouseFile(arena_dir(doing.room.outputs))
    if asked.seen != file.stamp:
        raise UsageError(say("models.stale"))
    ruled = tuple(line.strip() for line in words_of(_arena(doing.room).rules.filter) if line.strip())
    given: dict[str, tuple[str, ...]] = {"en": asked.terms_en, "zh": asked.terms_zh}
    terms: dict[str, tuple[str, ...]] = {
        lang: given[lang] for lang in LANGUAGES if given[lang] and list(given[lang]) != texts(lang, "terms")
    }
    file.write(House(words=None if asked.words == ruled else asked.words, terms=terms))
    return {"say": say("arena.did.saved")}


def _arena(room: Room) -> LiveArena:
    if room.arena is None:
        raise UsageError("no arena is served here.")
    return room.arena


def _battles(doing: Doing) -> Path:
    return arena_dir(doing.room.outputs) / "battles.jsonl"


def _why(reason: str, doing: Doing) -> str:
    """Return the reason that was given. Raises UsageError where none was: it stands in the public file for good."""
    if not reason.strip():
        raise UsageError(Words(doing.lang, "admin")("arena.say_why"))
    return reason.strip()[:200]


TAB = Tab("arena", Role.ADMIN, view)
DEEDS = {
    "pause-model": Deed(Role.ADMIN, _Model, _pause),
    "retire-model": Deed(Role.ADMIN, _Model, _retire),
    "resume-model": Deed(Role.ADMIN, _Model, _resume),
    "exclude-vote": Deed(Role.ADMIN, _Vote, _exclude),
    "exclude-voter": Deed(Role.ADMIN, _Voter, _exclude_voter),
    "restore-vote": Deed(Role.ADMIN, _Vote, _restore),
    "withdraw-vote": Deed(Role.ADMIN, _Vote, _withdraw),
    "publish": Deed(Role.ADMIN, _Nothing, _publish),
    "save-house": Deed(Role.ADMIN, _House, _save_house),
}
