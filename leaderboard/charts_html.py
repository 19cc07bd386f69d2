"""The charts page as HTML: filters as the board has them, one card a chart, each with its figures as a table."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from leaderboard.arena_board_html import category_words, language_words
from leaderboard.board_filters import NAMES, narrow_chips, read_narrow
from leaderboard.board_words import Words
from leaderboard.boards_head import boards_head
from leaderboard.chart_cards import Card, Look
from leaderboard.chart_figures import Figure, Table
from leaderboard.comparing import PLACES
from leaderboard.fields_html import joined, select
from llmuses.markup import Markup, attrs, count, icon, join, link, message, note
from llmuses.visit import Visit

KEPT = ("of", "arena", "category", "language", "votes", "judge", "style", "x", "y", "rates", *PLACES, *NAMES, "lang")


def charts_page(look: Look, visit: Visit, files: tuple[str, str]) -> Markup:
    """Return the page. ``files`` are the addresses of Plotly's script and of the template for both themes."""
    say = Words(visit.lang, "charts")
    query = {name: visit.query[name] for name in KEPT if name in visit.query}
    if look.problem:
        body = message(say("problem"), look.problem, "info")
    elif not look.cards and look.busy:
        body = note(say("busy.all"), "", "clock")
    elif not look.cards:
        way = Markup('<p class="u-act"><a class="g-btn sm" href="leaderboard">{}</a></p>').format(say("to_board"))
        body = message(say("nothing"), say("nothing_why"), "info", way)
    else:
        stacks = (join(_card(card, query, say) for card in stack) for stack in _stacks(look.cards))
        body = Markup('<div class="v-cards">{}</div>').format(
            join(Markup('<div class="v-stack">{}</div>').format(s) for s in stacks)
        )
    return Markup(
        '<div id="main" class="u-page v-page v-charts" tabindex="-1" data-title="{} · llmuses" data-plotly="{}" data-template="{}"{}>'
        "{}{}{}</div>"
    ).format(
        say("title"),
        *files,
        attrs(data_live="1" if look.busy else None),
        boards_head("charts", "charts", query, say, bool(look.cards) and not look.busy),
        _filters(look, query, say),
        body,
    )


def _stacks(cards: Sequence[Card]) -> tuple[list[Card], list[Card]]:
    """Return two columns of cards, each card in the one that is shorter so far."""
    left: list[Card] = []
    right: list[Card] = []
    heights = [0, 0]
    for card in cards:
        side = 0 if heights[0] <= heights[1] else 1
        (left, right)[side].append(card)
        heights[side] += 90 + (card.figure.height if card.figure else 40)
    return left, right


# --- filters -------------------------------------------------------------------------------------------------------


def _filters(look: Look, query: dict[str, str], say: Words) -> Markup:
    fields = [_of(look, say)]
    if look.of == "arena":
        fields += _arena_fields(look, say)
    elif look.columns:
        fields.append(select("y", say("column"), look.columns, look.column, look.columns[0][0]))
    if len(look.models) > 1:
        fields.append(_lines(look, say))
    kept = join(
        Markup('<input type="hidden" name="{}" value="{}">').format(name, query[name])
        for name in ("x", "rates", "lang", *NAMES)
        if name in query
    )
    fields.append(
        narrow_chips(
            read_narrow(query), Words(say.lang, "board"), lambda **changes: link("charts", **{**query, **changes})
        )
    )
    return Markup('<form class="u-filters row v-filters" role="search" aria-label="{}">{}{}</form>').format(
        say("filters"), kept, join(fields)
    )


def _of(look: Look, say: Words) -> Markup:
    if not look.sources:
        return Markup("")
    return joined("of", say("of"), [("arena", say("of.arena")), ("benchmarks", say("of.benchmarks"))], look.of, "arena")


def _arena_fields(look: Look, say: Words) -> list[Markup]:
    fields, facts, choice = [], look.facts, look.choice
    if len(look.sources) > 1 and look.source is not None:
        names = [(source.name, source.title) for source in look.sources]
        fields.append(select("arena", say("arena"), names, look.source.name, names[0][0]))
    everything, board = ("", say("all")), Words(say.lang, "arena_board")
    if len(facts.categories) > 1:
        named = ((name, category_words(name, board), n) for name, n in facts.categories)
        kinds = [everything, *((name, f"{words} ({count(n)})") for name, words, n in named)]
        fields.append(select("category", say("category"), kinds, choice.category))
    if len(look.languages) > 1:
        tongues = [everything, *((name, language_words(name, board)) for name in look.languages)]
        fields.append(select("language", say("language"), tongues, choice.language))
    if facts.people and facts.judge:
        voters = [(each, say(f"votes.{each}")) for each in ("people", "judge", "both")]
        fields.append(joined("votes", say("votes"), voters, choice.votes, "people"))
    return fields


def _lines(look: Look, say: Words) -> Markup:
    """Return the menu of the models that lines are drawn of."""
    fields = []
    for place, name in enumerate(PLACES):
        chosen = look.picked[place] if place < len(look.picked) else ""
        options = [("", "–"), *((model, model) for model in look.models)]
        fields.append(select(name, say("line_n", n=place + 1), options, chosen))
    return Markup(
        '<details class="u-menu"><summary class="g-chip">{}{}</summary><div class="u-pop v-lines">{}</div></details>'
    ).format(say("lines", n=len(look.picked)), icon("down", small=True), join(fields))


# --- one chart -----------------------------------------------------------------------------------------------------


def _card(card: Card, query: dict[str, str], say: Words) -> Markup:
    title = say(f"card.{card.name}")
    head = Markup(
        '<div class="row v-cardhead"><h2 class="v-h" id="v-{}">{}</h2><span class="sm qq">{}</span>{}</div>'
    ).format(card.name, title, card.note, _choices(card, query))
    if card.figure is None:
        return Markup(
            '<section class="u-card v-chart v-{}" aria-labelledby="v-{}">{}<p class="md q v-none">{}</p></section>'
        ).format(card.name, card.name, head, card.why)
    return Markup('<section class="u-card v-chart v-{}" aria-labelledby="v-{}">{}{}{}</section>').format(
        card.name, card.name, head, drawing(card.figure), table_twin(card.figure.table, say, title)
    )


def _choices(card: Card, query: dict[str, str]) -> Markup:
    if card.choices is None:
        return Markup("")
    name, values, shown = card.choices
    chips = join(
        Markup('<a class="g-chip{}" data-go href="{}"{}>{}</a>').format(
            " on" if value == shown else "",
            link("charts", **{**query, name: None if value == values[0][0] else value}),
            attrs(aria_current="true" if value == shown else None),
            words,
        )
        for value, words in values
    )
    return Markup('<span class="g-join end v-choices">{}</span>').format(chips)


def drawing(figure: Figure) -> Markup:
    """Return the place that static/charts.js draws a figure in, which says for itself what it shows."""
    content = msgspec.json.encode({"data": figure.data, "layout": figure.layout}).decode()
    return Markup('<div class="v-plot" role="img" aria-label="{}" data-figure="{}" style="height:{}px"></div>').format(
        figure.sentence, content, figure.height
    )


def table_twin(table: Table, say: Words, title: str) -> Markup:
    """Return a chart's figures as a table under a line that opens it."""
    heads = join(
        Markup('<th scope="col"{}>{}</th>').format(attrs(class_="n" if place else None), head)
        for place, head in enumerate(table.heads)
    )
    rows = join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            row[0], join(Markup('<td class="n">{}</td>').format(cell) for cell in row[1:])
        )
        for row in table.rows
    )
    return Markup(
        '<details class="v-twin" data-fold="twin-{}"><summary class="sm">{}</summary><div class="u-wide" role="region" aria-label="{}"'
        ' tabindex="0"><table class="u-tbl v-plain"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div></details>'
    ).format(title, say("as_table"), title, heads, rows)
