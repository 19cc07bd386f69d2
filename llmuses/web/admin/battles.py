"""The tab of AI battles: models answer questions, a judge compares the answers, a ranking comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from arena.pipeline.questions import read_questions
from leaderboard.arena_board_html import category_words
from leaderboard.board_words import Words
from llmuses.markup import Markup, attrs, count, join, link
from llmuses.models.obstacles import obstacle
from llmuses.settings import model_entries
from llmuses.visit import Visit
from llmuses.web.admin.battle_plan import (
    ORDERS,
    POLICIES,
    QUESTIONS,
    BattlesAsked,
    command_of,
    device_for,
    judge_names,
    plan_of,
    write_plan,
)
from llmuses.web.admin.evaluation import known_models
from llmuses.web.admin.parts import command_line
from llmuses.web.admin.room import Deed, Doing, Room, Tab
from llmuses.web.admin.rules import Role
from llmuses.web.admin.sessions import Person
from llmuses.web.admin.start_form import start_form


def view(room: Room, person: Person, visit: Visit) -> Markup:
    """Return the tab. What the address names is filled in: a copy of earlier battles."""
    say = Words(visit.lang, "admin")
    fields = (part(say, visit.query) for part in (_players, _questions, _judging))
    return start_form(say, visit.query, "battles", "scales", ("start-battles", "plan-battles"), *fields)


def _players(say: Words, query: Mapping[str, str]) -> Markup:
    chosen = query.get("models", "").split(",")
    return Markup(
        '<label class="g-field"><span>{0}</span><input class="g-input" name="name" pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*"'
        ' title="{1}" maxlength="60" required><small>{1}</small></label>{2}'
    ).format(
        say("battles.name"),
        say("battles.name.help"),
        _boxes(
            "models",
            say("battles.models"),
            [(name, name, name in chosen) for name in known_models()],
            say("battles.models.help"),
        ),
    )


def _questions(say: Words, query: Mapping[str, str]) -> Markup:
    categories = Counter(question.category for question in read_questions(QUESTIONS))
    chosen = query["categories"].split(",") if query.get("categories") else list(categories)
    board = Words(say.lang, "arena_board")
    boxes = [(name, f"{category_words(name, board)} {number}", name in chosen) for name, number in categories.items()]
    return Markup("{}{}").format(
        _boxes("categories", say("battles.categories"), boxes, say("battles.categories.help")),
        Markup('<div class="u-trio">{}{}{}</div>').format(
            _number("number", say("battles.number"), say("battles.number.help"), str(sum(categories.values())), query),
            _number("budget", say("battles.budget"), say("battles.budget.help"), "", query),
            _number("max_tokens", say("eval.max_tokens"), say("battles.max_tokens.help"), "", query),
        ),
    )


def _judging(say: Words, query: Mapping[str, str]) -> Markup:
    judges = [("", say("battles.judge.choose")), *((name, _able(name, say)) for name in judge_names())]
    return Markup("{}<div class='u-duo'>{}{}</div>").format(
        _choice("judge", say("battles.judge"), judges, say("battles.judge.help"), query),
        _choice("orders", say("battles.orders"), [(each, say(f"battles.orders.{each}")) for each in ORDERS], "", query),
        _choice(
            "policy", say("battles.policy"), [(each, say(f"battles.policy.{each}")) for each in POLICIES], "", query
        ),
    )


def _able(name: str, say: Words) -> str:
    """Return a judge's name, and behind it what stands in its way."""
    why = obstacle(name)
    return say("battles.judge.unable", judge=name, why=why) if why else name


def _boxes(name: str, title: str, boxes: list[tuple[str, str, bool]], help: str) -> Markup:
    chips = join(
        Markup(
            '<label class="g-chip"><input class="sr" type="checkbox" name="{}" value="{}" data-many{}>{}</label>'
        ).format(name, value, attrs(checked=checked), words)
        for value, words, checked in boxes
    )
    return Markup(
        '<fieldset class="g-field u-plain"><legend>{}</legend><span class="g-chips u-wrap u-scrollbox">{}</span>'
        "<small>{}</small></fieldset>"
    ).format(title, chips, help)


def _number(name: str, title: str, help: str, placeholder: str, query: Mapping[str, str]) -> Markup:
    return Markup(
        '<label class="g-field"><span>{}</span><input class="g-input" type="number" min="1" step="1" name="{}"'
        ' value="{}" placeholder="{}"><small>{}</small></label>'
    ).format(title, name, query.get(name, ""), placeholder, help)


def _choice(name: str, title: str, choices: list[tuple[str, str]], help: str, query: Mapping[str, str]) -> Markup:
    options = join(
        Markup('<option value="{}"{}>{}</option>').format(value, attrs(selected=value == query.get(name)), words)
        for value, words in choices
    )
    return Markup(
        '<label class="g-field"><span>{}</span><select class="g-input" name="{}" required>{}</select><small>{}</small></label>'
    ).format(title, name, options, help)


# --- what people do --------------------------------------------------------------------------------------------------


def _plan(doing: Doing, asked: BattlesAsked) -> Mapping[str, Any]:
    plan, say = plan_of(asked, doing.room), Words(doing.lang, "admin")
    facts = [
        ("questions", count(len(plan.questions))),
        ("pairs", count(plan.pairs)),
        ("answers", count(plan.wanted.answers)),
        ("all_battles", count(plan.wanted.battles)),
        ("calls", count(plan.wanted.calls)),
    ]
    rows = join(
        Markup('<tr><th scope="row">{}</th><td class="n">{}</td></tr>').format(say(f"battles.plan.{name}"), value)
        for name, value in facts
    )
    entry = model_entries().get(asked.judge)
    notes = [say("battles.own_judge", judge=asked.judge)] if asked.judge in asked.models else []
    price = say("battles.price" if entry and entry.price else "battles.no_price", judge=asked.judge)
    return {
        "html": str(
            Markup(
                '<h3>{}</h3><table class="u-tbl">{}</table><p class="sm q">{}</p><h3>{}</h3><pre class="u-code">{}</pre>'
                '<h3>{}</h3><div class="u-code">{}</div>'
            ).format(
                say("eval.estimate"),
                rows,
                join((*notes, price), Markup("<br>")),
                say("battles.config"),
                plan.text,
                say("eval.command"),
                command_line(command_of(plan, doing.room)),
            )
        )
    }


def _start(doing: Doing, asked: BattlesAsked) -> Mapping[str, Any]:
    room = doing.room
    plan = plan_of(asked, room)
    write_plan(plan)
    title = f"{asked.name}: {', '.join(asked.models)}"
    job = room.log.submit(command_of(plan, room), title, device_for(asked), doing.person.name)
    return {"go": link("admin", tab="jobs", job=job)}


TAB = Tab("battles", Role.OPERATOR, view)
DEEDS = {
    "plan-battles": Deed(Role.OPERATOR, BattlesAsked, _plan, audited=False),
    "start-battles": Deed(Role.OPERATOR, BattlesAsked, _start),
}
