"""The benchmark board as HTML: head, filters, legend, table. Everything that comes from runs is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from leaderboard.board import AVERAGE, NAME, SIZE, Board, Cell, Column, Kind, Row, heat
from leaderboard.board_words import Words, chance_words, setting_words
from leaderboard.results import Damage
from llmuses.i18n import points
from llmuses.markup import (
    Markup,
    attrs,
    count,
    half_width,
    icon,
    interval,
    join,
    link,
    margin,
    message,
    note,
)
from llmuses.visit import Visit

STEP = 100
"""How many rows are written at a time."""

ROOMY = 6
"""Up to so many columns leave room for a drawing of the interval."""


class _Context(NamedTuple):
    board: Board
    query: dict[str, str]
    say: Words
    current: str
    """The one column that a phone shows, and whose interval is drawn."""

    def go(self, **changes: str | None) -> str:
        """Return the address of this board with some parameters changed; ``None`` takes one out."""
        return link("leaderboard", **{**self.query, **changes})


def board_page(board: Board, visit: Visit, damaged: Sequence[Damage] = ()) -> Markup:
    """Return the leaderboard's page."""
    say = Words(visit.lang, "board")
    kept = {
        name: value
        for name, value in visit.query.items()
        if name in ("q", "hide", "demo", "sort", "rows", "col", "lang")
    }
    context = _Context(board, kept, say, _current(board, visit.query.get("col", "")))
    live = any(row.running for row in board.rows)
    if not board.models:
        body = _empty(say)
    elif not board.rows:
        body = join([_filters(context), _no_match(context)])
    else:
        body = join([_filters(context), _chips(context), _legend(context), _table(context), _more(context)])
    return Markup('<div id="main" class="u-page u-board" tabindex="-1"{}>{}{}{}</div>').format(
        attrs(data_live="2" if live else None), _head(context), _damage(damaged, say), body
    )


def _current(board: Board, wished: str) -> str:
    keys = [column.key for column in board.columns]
    if wished in keys or wished == AVERAGE:
        return wished
    key, _ = board.choice.sorted_by
    if key in keys:
        return key
    return AVERAGE if board.averaged or not keys else keys[0]


# --- above the table --------------------------------------------------------------------------------------------


def _head(context: _Context) -> Markup:
    say = context.say
    actions = Markup("")
    if context.board.rows:
        actions = Markup(
            '<div class="row end u-hide-phone"><button class="g-btn sm ghost" type="button" data-copy="">{}<span data-words>{}</span>'
            '</button><a class="g-btn sm ghost" href="{}" download>{}CSV</a><a class="g-btn sm ghost" href="{}" download>JSON</a></div>'
        ).format(
            icon("link", small=True),
            say("copy"),
            link("export/leaderboard.csv", **context.query),
            icon("download", small=True),
            link("export/leaderboard.json", **context.query),
        )
    return Markup('<div class="u-head"><h1>{}</h1>{}</div>').format(say("title"), actions)


def _damage(damaged: Sequence[Damage], say: Words) -> Markup:
    if not damaged:
        return Markup("")
    lines = join(
        Markup("<li><span class='mono'>{}</span> {}</li>").format(
            f"{one.path.parent.name}/{one.path.name}", one.problem
        )
        for one in damaged[:5]
    )
    words = Markup("{}<ul class='u-plain'>{}</ul>").format(say("damaged", n=len(damaged)), lines)
    return Markup('<div class="u-gap">{}</div>').format(note(words, "warn", "failed"))


def _filters(context: _Context) -> Markup:
    board, say = context.board, context.say
    return Markup(
        '<form class="u-filters row u-filterbar" data-resets="rows" role="search" aria-label="{label}">'
        '<input class="g-input sm" type="search" name="q" value="{words}" placeholder="{label}" aria-label="{label}" autocomplete="off" data-find>'
        '{columns}{demo}<span class="md qq tn end" role="status">{count}{clear}</span></form>'
    ).format(
        label=say("filter"),
        words=board.choice.words,
        columns=_column_menu(context),
        demo=_demo_chip(context),
        count=say("count", n=len(board.rows), of=board.models),
        clear=_clear(context),
    )


def _column_menu(context: _Context) -> Markup:
    board, say = context.board, context.say
    if len(board.all_columns) < 2:
        return Markup("")
    boxes = join(
        Markup(
            '<label><input type="checkbox" data-off="hide" value="{}"{}><span>{} <small class="qq">{}</small></span></label>'
        ).format(
            column.key, attrs(checked=column.key not in board.choice.hidden), column.title, setting_words(column, say)
        )
        for column in board.all_columns
    )
    return Markup(
        '<details class="u-menu u-hide-phone"><summary class="g-chip">{}{}</summary><div class="u-pop">{}</div></details>'
    ).format(say("columns", n=len(board.columns), of=len(board.all_columns)), icon("down", small=True), boxes)


def _demo_chip(context: _Context) -> Markup:
    return Markup(
        '<label class="g-chip" title="{}"><input class="sr" type="checkbox" data-off="demo" value="0"{}>{}{}</label>'
    ).format(
        context.say("demo.title"),
        attrs(checked=context.board.choice.demo),
        icon("correct", small=True),
        context.say("demo.chip"),
    )


def _clear(context: _Context) -> Markup:
    choice = context.board.choice
    if not choice.words and not choice.hidden and choice.demo:
        return Markup("")
    return Markup(' · <a data-go href="{}">{}</a>').format(
        context.go(q=None, hide=None, demo=None, rows=None), context.say("clear")
    )


def _chips(context: _Context) -> Markup:
    """Return what a phone shows above the rows: one chip a column, and what the chosen column is."""
    board, say = context.board, context.say
    options = [(column.key, column.title) for column in board.columns]
    if board.averaged:
        options.insert(0, (AVERAGE, say("average")))
    chips = join(
        Markup('<a class="g-chip{}" data-go href="{}"{}>{}</a>').format(
            " on" if key == context.current else "",
            context.go(col=key, sort=f"-{key}", rows=None),
            attrs(aria_current="true" if key == context.current else None, data_cur=key == context.current),
            title,
        )
        for key, title in options
    )
    column = next((each for each in board.columns if each.key == context.current), None)
    about = [say("count.models", n=len(board.rows))]
    if column is not None:
        about += [setting_words(column, say), *chance_words(column, say)]
    return Markup(
        '<div class="u-phone"><div class="row g-scroll u-chips">{}</div>'
        '<p class="sm qq row u-about"><span>{}</span><span class="end">{}</span></p></div>'
    ).format(chips, " · ".join(about), say("axis"))


def _legend(context: _Context) -> Markup:
    say = context.say
    ramp = join(Markup('<i style="--h:var(--u-heat-{})"></i>').format(level) for level in range(7))
    parts = [
        Markup('<span class="row u-ramped">{} <span class="u-ramp">{}</span> {}</span>').format(
            say("legend.chance"), ramp, say("legend.best")
        ),
        Markup("<span>{}</span>").format(say("legend.interval")),
        Markup("<span>{} {}</span>").format(icon("unparsed", small=True), say("legend.unread")),
        Markup("<span>{} {}</span>").format(icon("truncated", small=True), say("legend.truncated")),
        Markup("<span>{} {}</span>").format(icon("failed", small=True), say("legend.incomplete")),
        Markup('<span class="qq">{}</span>').format(say("legend.pale")),
    ]
    return Markup('<div class="row wrap sm q u-boardlegend u-hide-phone">{}</div>').format(join(parts))


# --- the table ----------------------------------------------------------------------------------------------------


def _table(context: _Context) -> Markup:
    board = context.board
    sized = any(row.size is not None for row in board.rows)
    drawn = len(board.columns) <= ROOMY
    places = {id(row): place for place, row in enumerate(board.rows)}
    rows = join(_row(context, row, places[id(row)], sized, drawn) for row in board.rows[: _shown(context)])
    return Markup(
        '<div class="u-wide" role="region" aria-label="{}" tabindex="0"><table class="u-tbl u-bench u-own" style="min-width:{}px;--steps:4">'
        "{}{}<tbody>{}</tbody></table></div>"
    ).format(
        context.say("title"),
        264 + 56 * sized + 104 * (1 + len(board.columns)) + 200 * drawn,
        _widths(context, sized, drawn),
        _heads(context, sized, drawn),
        rows,
    )


def _widths(context: _Context, sized: bool, drawn: bool) -> Markup:
    fixed = "width:{}px" if drawn else None
    cols = ["width:264px", *(["width:56px"] if sized else []), "width:104px"]
    cols += [fixed.format(104) if fixed else ""] * len(context.board.columns)
    return Markup('<colgroup class="u-hide-phone">{}{}</colgroup>').format(
        join(Markup("<col{}>").format(attrs(style=each or None)) for each in cols), Markup("<col>") if drawn else ""
    )


def _heads(context: _Context, sized: bool, drawn: bool) -> Markup:
    board, say = context.board, context.say
    groups = join(
        Markup('<th class="g" colspan="{}" scope="colgroup"><span>{}</span></th>').format(
            len(members), _group(group, say)
        )
        for group, members in _grouped(board.columns)
    )
    first = join([Markup('<th class="name"></th>'), *([Markup("<th></th>")] if sized else []), Markup("<th></th>")])
    second = [_head_cell(context, NAME, say("model"), "name")]
    if sized:
        second.append(_head_cell(context, SIZE, say("size"), ""))
    averaged = say("average.of", n=len(board.columns)) if board.averaged else say("average.none")
    second.append(_head_cell(context, AVERAGE, say("average"), "", averaged, "\u00a0"))
    for place, (_, members) in enumerate(_grouped(board.columns)):
        for index, column in enumerate(members):
            small = [setting_words(column, say), " ".join(chance_words(column, say)) or "\u00a0"]
            second.append(_head_cell(context, column.key, column.title, "first" if index == 0 else "", *small))
    if drawn:
        second.append(_axis(context))
    return Markup("<thead><tr>{}{}{}</tr><tr>{}</tr></thead>").format(
        first, groups, Markup('<th class="first"></th>') if drawn else "", join(second)
    )


def _grouped(columns: Sequence[Column]) -> Iterator[tuple[str, list[Column]]]:
    return ((group, list(members)) for group, members in groupby(columns, key=lambda column: column.group))


def _group(group: str, say: Words) -> str:
    try:
        return say(f"group.{group}")
    except KeyError:
        return group


def _head_cell(context: _Context, key: str, words: str, kind: str, *small: str) -> Markup:
    by, descending = context.board.choice.sorted_by
    active = key == by
    first = "" if key == NAME else "-"
    flipped = key if active and descending else f"-{key}" if active else f"{first}{key}"
    sign = icon("down" if descending else "up", small=True) if active else ""
    return Markup('<th scope="col"{}><a data-go href="{}" title="{}">{}{}</a>{}</th>').format(
        attrs(class_=kind or None, aria_sort=("descending" if descending else "ascending") if active else None),
        context.go(sort=None if flipped == "-avg" else flipped, col=None, rows=None),
        context.say("sort"),
        words,
        sign,
        join(Markup("<small>{}</small>").format(each) for each in small),
    )


def _axis(context: _Context) -> Markup:
    ticks = join(Markup('<b style="left:{0}%">{0}</b>').format(tick) for tick in (25, 50, 75))
    column = next((each for each in context.board.columns if each.key == context.current), None)
    words = column.title if column is not None else context.say("average")
    return Markup(
        '<th class="first axis"><span>{}</span><small>{}</small><span class="u-axis" aria-hidden="true">{}</span></th>'
    ).format(words, context.say("axis.title"), ticks)


def _row(context: _Context, row: Row, place: int, sized: bool, drawn: bool) -> Markup:
    cells = [_name(context, row)]
    if sized:
        cells.append(Markup('<td class="n sz q">{}</td>').format("–" if row.size is None else _size(row.size)))
    cells.append(_average(context, row))
    for _, members in _grouped(context.board.columns):
        for index, column in enumerate(members):
            cells.append(_cell(context, row, column, index == 0))
    if drawn:
        cells.append(_drawing(context, row))
    return Markup('<tr style="--o:{}">{}</tr>').format(place, join(cells))


def _size(billions: float) -> str:
    return f"{billions:.0f}" if billions >= 2 else f"{billions:.1f}"


def _name(context: _Context, row: Row) -> Markup:
    say = context.say
    tags = []
    if row.backend:
        tags.append(Markup('<span class="u-tag" title="{}">{}</span>').format(row.spec, row.backend))
    if row.demo:
        tags.append(Markup('<span class="u-tag" title="{}">{}</span>').format(say("demo.title"), say("demo.tag")))
    if row.running:
        tags.append(Markup('<span class="u-tag acc">{}</span>').format(say("running")))
    return Markup(
        '<td class="name"><span class="u-name"><a class="cut" href="{}" title="{}">{}</a>{}</span></td>'
    ).format(link("browse", run=row.runs[0]), row.spec, row.model, join(tags, " "))


def _average(context: _Context, row: Row) -> Markup:
    current = context.current == AVERAGE
    if row.mean is None:
        return Markup('<td class="c none avg{}"><span>–</span></td>').format(" cur" if current else "")
    return Markup(
        '<td class="c avg{}" style="--v:{:.1f};--e:{:.1f}"><span class="u-fig"><b>{}</b><small>{}</small></span></td>'
    ).format(
        " cur" if current else "",
        100 * row.mean.score,
        100 * half_width(row.mean.ci95),
        points(row.mean.score),
        margin(row.mean.ci95),
    )


def _cell(context: _Context, row: Row, column: Column, first: bool) -> Markup:
    kind = ["c"]
    cell = row.cells.get(column.key)
    kind += ["first"] * first + ["cur"] * (column.key == context.current)
    if cell is None:
        return Markup('<td class="{} none"><span>–</span></td>').format(" ".join(kind))
    if not cell.ranked:
        kind.append("part")
    elif cell.chancy:
        kind.append("chance")
    else:
        kind.append(f"h{heat(cell, context.board.best[column.key])}")
    said = describe(cell, context.say)
    half = half_width(cell.ci95) if cell.ci95 else 0.0
    query = link("", run=cell.run_id, dataset=cell.dataset).lstrip("?")
    return Markup(
        '<td class="{}" style="--v:{:.1f};--e:{:.1f}"><a href="{}" data-drawer="{}" title="{}" aria-label="{}">{}<small>{}</small>{}</a></td>'
    ).format(
        " ".join(kind),
        100 * (cell.score or 0.0),
        100 * half,
        link("browse", run=cell.run_id, dataset=cell.dataset),
        query,
        said,
        f"{row.model}, {column.title}: {said}",
        points(cell.score),
        margin(cell.ci95),
        _mark(cell),
    )


def describe(cell: Cell, say: Words) -> str:
    """Return a figure in words: score, interval, what is remarkable about it."""
    if cell.score is None or cell.ci95 is None:
        parts = [say("cell.none")]
    else:
        parts = [f"{points(cell.score)} ({say('to', low=points(cell.ci95[0]), high=points(cell.ci95[1]))})"]
    if cell.kind is not Kind.SCORED:
        parts.append(
            say(f"cell.{cell.kind}", n=count(cell.n), total=count(cell.total), left=count(cell.total - cell.n))
        )
    if cell.bounds:
        parts.append(say("cell.bounds", low=points(cell.bounds[0]), high=points(cell.bounds[1])))
    if cell.unread:
        parts.append(say("legend.unread"))
    if cell.truncated:
        parts.append(say("legend.truncated"))
    if cell.kind is Kind.SCORED and cell.chancy:
        parts.append(say("cell.chance"))
    return "; ".join(parts)


def _mark(cell: Cell) -> Markup:
    name = {Kind.INCOMPLETE: "failed", Kind.INTERRUPTED: "failed", Kind.RUNNING: "clock"}.get(cell.kind)
    if name is None:
        name = "unparsed" if cell.unread else "truncated" if cell.truncated else None
    both = cell.unread and cell.truncated and name == "unparsed"
    if name is None:
        return Markup("")
    return Markup("<span>{}{}</span>").format(icon(name, small=True), icon("truncated", small=True) if both else "")


def _drawing(context: _Context, row: Row) -> Markup:
    figure = row.figure(context.current)
    if figure is None:
        return Markup('<td class="first iv"></td>')
    score, (low, high) = figure
    column = next((each for each in context.board.columns if each.key == context.current), None)
    return Markup('<td class="first iv">{}</td>').format(interval(low, score, high, column.chance if column else None))


# --- below, and instead -------------------------------------------------------------------------------------------


def _shown(context: _Context) -> int:
    asked = context.query.get("rows", "")
    return max(STEP, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 7 else STEP


def _more(context: _Context) -> Markup:
    left = len(context.board.rows) - _shown(context)
    if left <= 0:
        return Markup("")
    return Markup('<p class="u-gap"><a class="g-btn sm" data-go href="{}">{}</a></p>').format(
        context.go(rows=str(_shown(context) + STEP)), context.say("more", n=min(STEP, left))
    )


def _no_match(context: _Context) -> Markup:
    clear = Markup('<p class="u-act"><a class="g-btn sm" data-go href="{}">{}</a></p>').format(
        context.go(q=None, hide=None, demo=None, rows=None), context.say("clear")
    )
    words = context.say("no_match.body", n=context.board.models)
    return message(context.say("no_match.title"), words, "find", clear)


def _empty(say: Words) -> Markup:
    command = Markup(
        '<div class="u-code u-act">llmuses eval --model Qwen/Qwen3-0.6B --datasets gsm8k --limit 200</div>'
    )
    return message(say("empty.title"), say("empty.body"), "file", command)
