"""The page that sets models beside each other: the choice of models, the forest plot, the samples that decide."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from leaderboard.board_words import Words, column_title, setting_words
from leaderboard.boards_head import FORMATS
from leaderboard.comparing import PLACES, Block, Line, Versus
from llmuses.comparison.result import Pair
from llmuses.comparison.words import refusal_words
from llmuses.i18n import points
from llmuses.markup import Markup, attrs, count, icon, join, link, margin, message

MARKERS = (
    '<circle cx="6" cy="6" r="4"/>',
    '<rect x="2" y="2" width="8" height="8"/>',
    '<path d="M6 1.5L11 10.5H1z"/>',
    '<path d="M6 1l5 5-5 5-5-5z"/>',
)
"""Each model's marker beside its colour: circle, square, triangle, diamond."""

LEVEL = 0.05
"""Differences whose corrected p-value is below it are set in bold."""


class Context(NamedTuple):
    """What every part of the page needs. ``names`` are all models that can be chosen."""

    say: Words
    found: Versus
    names: list[str]
    query: dict[str, str]

    @property
    def labels(self) -> list[str]:
        """Return the chosen models' names, the baseline first."""
        return [name for name, _ in self.found.models]

    def go(self, **changes: str | None) -> str:
        """Return the address of this comparison with some parameters changed; ``None`` takes one out."""
        models = dict(zip(PLACES, self.labels, strict=False))
        return link("compare", **{**models, **self.query, **changes})


def marker(place: int) -> Markup:
    """Return the drawing of a chosen model, by its place from 0: screen readers skip it."""
    return Markup(
        f'<svg class="v-marker" width="12" height="12" viewBox="0 0 12 12" style="fill:var(--u-series-{place + 1})"'
        f' aria-hidden="true">{MARKERS[place]}</svg>'
    )


def probability(value: float) -> str:
    """Return a p-value with as many digits as mean something."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.0995 else f"{value:.2f}"


def test_words(value: float) -> str:
    """Return a p-value as it stands in a sentence, ``p = 0.031`` or ``p < 0.001``."""
    said = probability(value)
    return f"p {said}" if said.startswith("<") else f"p = {said}"


def signed(value: float) -> str:
    """Return a difference in points with its sign, ``+2.3``; ``±0.0`` where rounding leaves nothing of it."""
    said = points(value)
    if said in ("0.0", "−0.0"):
        return "±0.0"
    return f"+{said}" if value > 0 else said


def compare_page(context: Context, panel: Markup) -> Markup:
    """Return the page. ``panel`` is the part that shows samples, empty where no benchmark has two runs alike."""
    say, found = context.say, context.found
    if len(context.names) < 2:
        body = message(say("too_few"), say("too_few_why"), "info", _button("leaderboard", say("to_board")))
    elif len(found.models) < 2:
        body = message(say("one"), say("one_why"))
    elif not found.blocks:
        body = message(say("nothing"), say("nothing_why", models=say("comma").join(context.labels)), "find")
    else:
        body = _body(context, panel)
    title = " – ".join(context.labels) or say("title")
    return Markup('<div id="main" class="u-page v-page" tabindex="-1" data-title="{} · llmuses">{}{}</div>').format(
        title, _head(context), body
    )


def copy_button(words: str) -> Markup:
    """Return the button that copies the address of the view."""
    return Markup(
        '<button class="g-btn sm ghost" type="button" data-copy="">{}<span data-words>{}</span></button>'
    ).format(icon("link", small=True), words)


def downloads(page: str, query: Mapping[str, str], words: str) -> Markup:
    """Return the menu of what a view can be taken away as."""
    files = join(
        Markup('<a href="{}" download>{}</a>').format(link(f"export/{page}.{ending}", **query), name)
        for ending, name in FORMATS.items()
    )
    return Markup(
        '<details class="u-menu v-files"><summary class="g-btn sm ghost">{}{}</summary><div class="u-pop">{}</div></details>'
    ).format(icon("download", small=True), words, files)


def _button(href: str, words: str) -> Markup:
    return Markup('<p class="u-act"><a class="g-btn sm" href="{}">{}</a></p>').format(href, words)


# --- choosing ----------------------------------------------------------------------------------------------------


def _head(context: Context) -> Markup:
    say = context.say
    models = dict(zip(PLACES, context.labels, strict=False))
    actions = Markup('<div class="row end u-hide-phone">{}{}</div>').format(
        copy_button(say("copy")), downloads("compare", models, say("download"))
    )
    return Markup('<div class="u-head v-head"><h1>{}</h1>{}{}</div>').format(
        say("title"), _choice(context), actions if context.found.blocks else ""
    )


def _choice(context: Context) -> Markup:
    say = context.say
    fields = [_token(context, place, name) for place, name in enumerate(context.labels)]
    if len(fields) < min(len(PLACES), len(context.names)):
        fields.append(_adding(context, len(fields)))
    kept = join(
        Markup('<input type="hidden" name="{}" value="{}">').format(name, value)
        for name, value in context.query.items()
        if name in ("lang",)
    )
    return Markup('<form class="u-filters v-tokens" data-resets="on against show" aria-label="{}">{}{}</form>').format(
        say("choose"), kept, join(fields)
    )


def _token(context: Context, place: int, name: str) -> Markup:
    say = context.say
    options = join(
        Markup("<option{}>{}</option>").format(attrs(selected=other == name, value=other), other)
        for other in context.names
        if other == name or other not in context.labels
    )
    tail = (
        Markup('<span class="qq sm">{}</span>').format(say("baseline"))
        if place == 0
        else Markup('<a class="v-drop" data-go href="{}" aria-label="{}">{}</a>').format(
            _without(context, place), say("drop", model=name), icon("close", small=True)
        )
    )
    words = say("baseline_is") if place == 0 else say("against_n", n=place)
    return Markup('<span class="g-chip v-token">{}<select name="{}" aria-label="{}">{}</select>{}</span>').format(
        marker(place), PLACES[place], words, options, tail
    )


def _without(context: Context, place: int) -> str:
    left = [name for name in context.labels if name != context.labels[place]]
    return link("compare", **dict(zip(PLACES, left, strict=False)), lang=context.query.get("lang"))


def _adding(context: Context, place: int) -> Markup:
    options = join(
        Markup('<option value="{0}">{0}</option>').format(name) for name in context.names if name not in context.labels
    )
    return Markup(
        '<select class="g-chip v-add" name="{}" aria-label="{}"><option value="">{}</option>{}</select>'
    ).format(PLACES[place], context.say("add"), context.say("add"), options)


# --- the forest plot -----------------------------------------------------------------------------------------------


class Axis(NamedTuple):
    """The axis that all rows share, in points."""

    low: float
    high: float
    step: float

    def at(self, value: float) -> float:
        """Return where a difference (a fraction) stands, in per cent of the axis."""
        return min(100.0, max(0.0, 100 * (100 * value - self.low) / (self.high - self.low)))

    def ticks(self) -> list[float]:
        """Return the numbers that are written, the ends left out."""
        number = round((self.high - self.low) / self.step)
        return [self.low + place * self.step for place in range(1, number)]


def axis(pairs: Sequence[Pair]) -> Axis:
    """Return the axis that holds all intervals and zero, with about eight steps."""
    low = min([0.0, *(100 * pair.ci95[0] for pair in pairs)])
    high = max([0.0, *(100 * pair.ci95[1] for pair in pairs)])
    wide = max(high - low, 2.0)
    step = next(each for each in (0.5, 1, 2, 4, 5, 8, 10, 20, 25, 50) if wide / each <= 8)
    low, high = math.floor(low / step - 0.2) * step, math.ceil(high / step + 0.2) * step
    return Axis(low, high, step)


def _body(context: Context, panel: Markup) -> Markup:
    say, found = context.say, context.found
    lead = Markup("{}").format(say("lead.none"))
    if found.pairs:
        words = say("lead", n=len(found.pairs), method=say(_method(found)))
        lead = Markup('{} <b class="m">{}</b>').format(words, say("bold"))
    return Markup('<p class="md q v-lead">{}</p><div class="v-grid{}">{}{}</div>{}').format(
        lead,
        "" if panel else " v-alone",
        _table(context, axis(found.pairs)),
        panel,
        _refused(context),
    )


def _method(found: Versus) -> str:
    methods = {pair.method for pair in found.pairs}
    return f"p.{methods.pop()}" if len(methods) == 1 else "p.both"


def _table(context: Context, scale: Axis) -> Markup:
    say = context.say
    ticks = join(
        Markup('<b style="left:{:.2f}%">{}</b>').format(scale.at(tick / 100), _tick(tick)) for tick in scale.ticks()
    )
    heads = Markup(
        '<tr><th scope="col">{}</th><th scope="col" class="n">{}</th><th scope="col">{}</th><th scope="col" class="n">{}</th>'
        '<th scope="col" class="n">±</th><th class="v-axis" aria-hidden="true"><span class="u-axis">{}</span></th>'
        '<th scope="col" class="n">p</th></tr>'
    ).format(say("benchmark"), say("baseline_score"), say("against"), say("points"), ticks)
    steps = round((scale.high - scale.low) / scale.step)
    return Markup(
        '<div class="u-wide v-tablebox" role="region" aria-label="{}" tabindex="0"><table class="u-tbl v-forest"'
        ' style="--steps:{}"><colgroup><col class="v-c1"><col class="v-c2"><col class="v-c3"><col class="v-c4"><col class="v-c5">'
        '<col><col class="v-c7"></colgroup><thead>{}</thead>{}</table></div>'
    ).format(say("forest"), steps, heads, join(_block(context, block, scale) for block in context.found.blocks))


def _tick(value: float) -> str:
    said = f"{value:+g}" if value else "0"
    return said.replace("-", "−")


def _block(context: Context, block: Block, scale: Axis) -> Markup:
    chosen = context.query.get("on") == block.column.key
    rows = []
    for place, line in enumerate(block.lines):
        head = _benchmark(context, block, chosen) if place == 0 else ""
        rows.append(Markup("<tr>{}{}</tr>").format(head, _line(context, block, place + 1, line, scale)))
    return Markup("<tbody{}>{}</tbody>").format(attrs(class_="on" if chosen else None), join(rows))


def _benchmark(context: Context, block: Block, chosen: bool) -> Markup:
    sizes = {line.pair.n for line in block.lines if line.pair}
    n = (
        f"n = {count(min(sizes))}"
        if len(sizes) == 1
        else f"n = {count(min(sizes))}–{count(max(sizes))}"
        if sizes
        else ""
    )
    span = len(block.lines)
    return Markup(
        '<th scope="rowgroup" rowspan="{}"><a class="m" data-go href="{}"{}>{}</a><small class="q">{}</small>'
        '<small class="qq tn">{}</small></th><td class="n v-base" rowspan="{}" data-label="{}">{}</td>'
    ).format(
        span,
        context.go(on=block.column.key, against=None, show=None),
        attrs(aria_current="true" if chosen else None),
        column_title(block.column, context.say),
        setting_words(block.column, context.say),
        n,
        span,
        context.say("baseline_score"),
        points(block.cell.score),
    )


def _line(context: Context, block: Block, place: int, line: Line, scale: Axis) -> Markup:
    name = context.labels[place]
    pair = line.pair
    if pair is None:
        why = _why(context, line)
        return Markup(
            '<th scope="row"><span class="row v-who">{}<span class="cut q">{}</span></span></th><td colspan="4" class="qq cut" title="{}">{}</td>'
        ).format(marker(place), name, why, why)
    sure = pair.p_corrected < LEVEL
    href = context.go(on=block.column.key, against=PLACES[place], show=None)
    drawing = Markup(
        '<i class="u-iv s{}" aria-hidden="true" style="--a:{:.2f};--m:{:.2f};--b:{:.2f}"><span class="ref" style="--r:{:.2f}">'
        "</span></i>"
    ).format(place + 1, scale.at(pair.ci95[0]), scale.at(pair.difference), scale.at(pair.ci95[1]), scale.at(0))
    return Markup(
        '<th scope="row"><span class="row v-who">{}<a class="cut q" data-go href="{}" title="{}">{}</a></span></th>'
        '<td class="n {}">{}</td><td class="n q">{}</td><td class="iv" aria-hidden="true">{}</td><td class="n{}" title="{}">{}</td>'
    ).format(
        marker(place),
        href,
        context.say("outcomes", won=count(pair.won), lost=count(pair.lost), tied=count(pair.tied)),
        name,
        "b" if sure else "q",
        signed(pair.difference),
        margin(pair.ci95),
        drawing,
        "" if sure else " qq",
        context.say("p_alone", p=test_words(pair.p_value), least=points(pair.detectable)),
        probability(pair.p_corrected),
    )


def _why(context: Context, line: Line) -> str:
    if line.refusal is not None:
        return context.say(f"refused.{line.refusal.reason}")
    return line.problem or context.say("not_run")


def _refused(context: Context) -> Markup:
    """Return in sentences which results are not compared, and what they differ in."""
    said = []
    for block in context.found.blocks:
        for place, line in enumerate(block.lines, 1):
            if line.refusal is not None:
                labels = {line.refusal.first: context.labels[place], line.refusal.second: context.labels[0]}
                said.append(
                    (column_title(block.column, context.say), refusal_words(line.refusal, labels, context.say.lang))
                )
    if not said:
        return Markup("")
    items = join(Markup("<li><b class='m'>{}</b> {}</li>").format(title, words) for title, words in said)
    return Markup(
        '<details class="v-refused"><summary class="md q">{}</summary><ul class="md q">{}</ul></details>'
    ).format(context.say("refused", n=len(said)), items)
