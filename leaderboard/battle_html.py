"""One battle as HTML: what was asked, both answers, who decided and how, the others over the same question."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.arena_board_html import language_words
from leaderboard.battles import PAGE, Hall, Place, by_people, question_of
from leaderboard.battles_html import category, code_of, table
from leaderboard.board_words import Words
from leaderboard.browse_parts import facts, trail, turning, when, words
from leaderboard.model_text import as_written, rendered
from llmuses.markup import Markup, attrs, count, icon, join, link
from llmuses.records import Battle, Winner


def battle_page(say: Words, hall: Hall, there: Place, place: int) -> Markup:
    """Return one battle: what was asked, both answers, who decided and how, the others over the same question."""
    (battle,) = hall.read([place])
    places = hall.newest(hall.select(there)).tolist()
    at = places.index(place) if place in places else None
    sides = (
        _side(say, there, battle, "a", battle.model_a, battle.output_a),
        _side(say, there, battle, "b", battle.model_b, battle.output_b),
    )
    return join(
        [
            _head(say, hall, there, battle, places, at),
            _question(say, battle),
            Markup('<div class="v-two">{}</div>').format(join(sides)),
            _verdict(say, hall, battle, place),
            _others(say, hall, there, place),
        ]
    )


def _head(say: Words, hall: Hall, there: Place, battle: Battle, places: Sequence[int], at: int | None) -> Markup:
    def turned(place: int | None) -> str | None:
        return None if place is None else there.to(id=hall.read([place])[0].battle_id)

    before = turned(places[at - 1]) if at else None
    after = turned(places[at + 1]) if at is not None and at + 1 < len(places) else None
    where = words(say.lang)("nth", n=count(at + 1), total=count(len(places))) if at is not None else ""
    path = trail(
        (say("battles"), Place(arena=there.arena).to()),
        (category(say, there.group) or say("all_categories"), there.to(id=None)),
        (battle.battle_id, None),
    )
    return turning(say.lang, path, where, before, after)


def _question(say: Words, battle: Battle) -> Markup:
    turns = question_of(battle)
    body = join(
        Markup('<div class="b-turns">{}<div class="u-text"{}>{}</div></div>').format(
            Markup('<div class="sm qq">{}</div>').format(say("turn", n=number)) if len(turns) > 1 else "",
            attrs(lang=code_of(battle)),
            as_written(turn, say.lang),
        )
        for number, turn in enumerate(turns, 1)
    )
    tongue = battle.language and language_words(battle.language, Words(say.lang, "arena_board"))
    tags = " · ".join(filter(None, [category(say, battle.category), tongue]))
    return Markup(
        '<div class="row b-h"><h2 class="v-h">{}</h2><span class="sm qq">{}</span></div><div class="u-card b-pad b-gap">{}</div>'
    ).format(say("asked"), tags, body or Markup('<span class="qq">{}</span>').format(say("no_text")))


def _side(say: Words, there: Place, battle: Battle, side: str, model: str, output: str | None) -> Markup:
    won = battle.winner is (Winner.MODEL_A if side == "a" else Winner.MODEL_B)
    badge = (
        Markup('<span class="u-v correct">{}{}</span>').format(icon("correct", small=True), say("won")) if won else ""
    )
    score = (battle.scores or {}).get(f"model_{side}")
    about = [say("score", n=f"{score:g}")] if score is not None else []
    seconds = battle.latency_a if side == "a" else battle.latency_b
    about += [f"{seconds:.1f} s"] if seconds is not None else []
    text = (
        rendered(output, say.lang)
        if output and output.strip()
        else Markup('<p class="qq">{}</p>').format(say("no_text" if output is None else "empty"))
    )
    return Markup(
        '<section class="u-card v-card" aria-label="{}"><div class="u-pane-head"><span class="u-letter" aria-hidden="true">{}</span><div class="v-whose">'
        '<div class="who cut"><a href="{}">{}</a></div>{}</div><span class="end">{}</span></div>'
        '<div class="v-body"{}>{}</div></section>'
    ).format(
        model,
        side.upper(),
        link("model", name=model),
        model,
        Markup('<div class="sub tn cut">{}</div>').format(" · ".join(about)) if about else "",
        badge,
        attrs(lang=code_of(battle)),
        text,
    )


def _verdict(say: Words, hall: Hall, battle: Battle, place: int) -> Markup:
    def said(winner: Winner) -> str:
        return {
            Winner.MODEL_A: say("won_by", model=battle.model_a),
            Winner.MODEL_B: say("won_by", model=battle.model_b),
        }.get(winner) or say(f"winner.{winner.value}")

    pairs: list[tuple[str, object]] = [
        (say("decided"), said(battle.winner)),
        (say("judged_by"), say("person") if by_people(battle) else battle.judge),
    ]
    if battle.verdicts:
        orders = [(battle.model_a, battle.model_b), (battle.model_b, battle.model_a)]
        for (first, second), winner in zip(orders, battle.verdicts, strict=False):
            pairs.append((say("order", first=first, second=second), said(winner)))
    elif not by_people(battle):
        pairs.append((say("orders"), say("one_order")))
    pairs.append((say("col.when"), when(battle.tstamp, say.lang, seconds=True)))
    if reason := hall.reason(place):
        pairs.append((say("not_counted"), reason))
    pairs.append((say("names"), say("names.hidden" if battle.anony else "names.shown") if by_people(battle) else None))
    return Markup(
        '<section class="u-card b-pad v-decided" aria-labelledby="v-decided"><h2 class="v-h" id="v-decided">{}</h2>{}</section>'
    ).format(say("decision"), facts(pairs))


def _others(say: Words, hall: Hall, there: Place, place: int) -> Markup:
    same = [each for each in hall.same_question(place).tolist() if each != place]
    if not same:
        return Markup("")
    shown = same[:PAGE]
    rows = table(say, hall, there._replace(model=None, other=None), hall.read(shown), shown)
    return Markup(
        '<div class="row v-cardhead"><h2 class="v-h">{}</h2><span class="sm qq tn">{}</span></div><div class="u-card b-card">{}</div>'
    ).format(say("same_question"), count(len(same)), rows)
