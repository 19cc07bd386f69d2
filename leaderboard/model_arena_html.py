"""What arenas say of a model: ratings by category, opponents, its latest battles."""

from __future__ import annotations

import math
from collections.abc import Sequence

from leaderboard.battles import question_of
from leaderboard.battles_html import outcome
from leaderboard.board_words import Words
from leaderboard.model import ArenaFigures, Group, Met, Model
from leaderboard.model_parts import FEW_ROWS, axis, half, section, table, whole
from llmuses.markup import Markup, attrs, count, interval, join, link, margin
from llmuses.records import Battle


def groups_section(say: Words, model: Model, figures: ArenaFigures) -> Markup:
    line = figures.line
    if line.rating is None or line.ci95 is None:
        return Markup("")
    shown = [Group("", say("overall"), line), *figures.groups]
    ends = [bound for group in shown if group.line.ci95 for bound in group.line.ci95]
    step = next(each for each in (10, 20, 25, 50, 100, 200, 500, 1000, 10_000) if (max(ends) - min(ends)) / each <= 7)
    low, high = math.floor(min(ends) / step) * step, math.ceil(max(ends) / step) * step

    def at(value: float) -> float:
        return (value - low) / (high - low)

    number = round((high - low) / step)
    ticks = [(at(low + place * step), whole(low + place * step)) for place in range(1, number) if place % 2]
    rows = join(_group(say, figures, group, at, at(line.rating)) for group in shown)
    heads = [
        ("v-k", say("category")),
        ("n v-f", say("rating")),
        ("n v-e", "±"),
        ("v-i", axis(ticks)),
        ("n v-n", say("votes")),
    ]
    about = join([_arena_choice(model, figures), say("overall.line")], Markup(" · "))
    return section(say("by_category"), about, table(say("by_category"), heads, rows, "v-groups", number), "groups")


def _arena_choice(model: Model, figures: ArenaFigures) -> Markup:
    if len(model.arenas) < 2:
        return Markup("{}").format(figures.source.title)
    return join(
        (
            Markup('<a data-go href="{}"{}>{}</a>').format(
                link("model", name=model.name, arena=source.name),
                attrs(
                    aria_current="true" if source == figures.source else None,
                    class_="b" if source == figures.source else None,
                ),
                source.title,
            )
            for source in model.arenas
        ),
        " ",
    )


def _group(say: Words, figures: ArenaFigures, group: Group, at: object, overall: float) -> Markup:
    line = group.line
    assert line.rating is not None and line.ci95 is not None and callable(at)
    name = group.name
    if group.kind:
        name = language(say, group.name) if group.kind == "language" else category(say, group.name)
    few_votes = group.kind and line.battles < FEW_ROWS
    drawn = interval(at(line.ci95[0]), at(line.rating), at(line.ci95[1]), overall)
    return Markup(
        '<tr><th scope="row"{}>{}</th><td class="n m">{}</td><td class="n q">{}</td><td class="iv" aria-hidden="true">{}</td><td class="n q"><a href="{}">{}</a></td></tr>'
    ).format(
        attrs(class_=None if group.kind else "b"),
        name,
        "–" if few_votes else whole(line.rating),
        "" if few_votes else half(line.ci95),
        drawn,
        link(
            "battles",
            arena=figures.source.name,
            model=line.model,
            group=group.name if group.kind == "category" else None,
            language=group.name if group.kind == "language" else None,
        ),
        count(line.battles),
    )


def language(say: Words, code: str) -> str:
    """Return what a language is called; its code where there is no word for it here."""
    from leaderboard.arena_board_html import language_words

    return language_words(code, Words(say.lang, "arena_board"))


def category(say: Words, name: str) -> str:
    """Return what a category is called; its own name where there is no word for it here."""
    from leaderboard.arena_board_html import category_words

    return category_words(name, Words(say.lang, "arena_board"))


def met_section(say: Words, figures: ArenaFigures, everything: bool) -> Markup:
    if not figures.met:
        return Markup("")
    shown = figures.met if everything else figures.met[:FEW_ROWS]
    low = min([0.3, *(met.ci95[0] for met in shown)])
    high = max([0.7, *(met.ci95[1] for met in shown)])
    reach = max(0.5 - low, high - 0.5)

    def at(share: float) -> float:
        return min(1.0, max(0.0, (share - 0.5 + reach) / (2 * reach)))

    rows = join(_opponent(figures, met, at) for met in shown)
    ticks = [(at(share), f"{100 * share:.0f}%") for share in (0.5 - reach / 2, 0.5, 0.5 + reach / 2)]
    heads = [
        ("v-k", say("opponent")),
        ("n v-n", say("battles")),
        ("n v-f", say("won")),
        ("n v-e", "±"),
        ("v-i", axis(ticks)),
    ]
    about: object = say("met.note")
    if len(figures.met) > len(shown):
        more = link("model", name=figures.line.model, arena=figures.source.name, met="all")
        about = Markup('{} · <a data-go href="{}">{}</a>').format(about, more, say("all_of", n=len(figures.met)))
    return section(say("head_to_head"), about, table(say("head_to_head"), heads, rows, "v-met"), "met")


def _opponent(figures: ArenaFigures, met: Met, at: object) -> Markup:
    assert callable(at)
    return Markup(
        '<tr><th scope="row"><a class="cut" href="{}">{}</a></th><td class="n q"><a href="{}">{}</a></td><td class="n m">{}</td><td class="n q">{}</td>'
        '<td class="iv" aria-hidden="true">{}</td></tr>'
    ).format(
        link("model", name=met.model),
        met.model,
        link("battles", arena=figures.source.name, model=figures.line.model, other=met.model),
        count(met.n),
        f"{100 * met.share:.1f}%",
        margin(met.ci95),
        interval(at(met.ci95[0]), at(met.share), at(met.ci95[1]), at(0.5)),
    )


def battles_section(say: Words, model: Model, battles: Sequence[Battle]) -> Markup:
    if model.arena is None or not battles:
        return Markup("")
    other = Words(say.lang, "battles")
    source = model.arena.source

    def row(battle: Battle) -> Markup:
        asked = " ".join(" ".join(question_of(battle)).split()) or battle.battle_id
        opponent = battle.model_b if battle.model_a == model.name else battle.model_a
        return Markup(
            '<tr><td>{}</td><th scope="row"><a class="cut" href="{}">{}</a></th><td class="cut">{}</td><td class="q">{}</td></tr>'
        ).format(
            outcome(other, battle, model.name),
            link("battles", arena=source.name, model=model.name, id=battle.battle_id),
            asked[:200],
            opponent,
            other("person") if battle.judge == "human" else battle.judge,
        )

    heads = [("v-t", other("result")), ("", other("col.prompt")), ("v-o", say("opponent")), ("v-t", other("judged_by"))]
    every = Markup('<a href="{}">{}</a>').format(
        link("battles", arena=source.name, model=model.name), say("all_of", n=count(model.arena.line.battles))
    )
    rows = join(row(battle) for battle in battles)
    return section(say("latest"), every, table(say("latest"), heads, rows, "v-latest"), "latest")
