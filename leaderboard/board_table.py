"""The table of the benchmark board: heads, rows, figures with their marks, the drawing of the intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from leaderboard.board import AVERAGE, NAME, SIZE, Board, Row, heat
from leaderboard.board_words import Words, chance_words, column_title, setting_words
from leaderboard.browse_parts import when
from leaderboard.figures import Cell, Column, Kind
from llmuses.i18n import points
from llmuses.markup import Markup, attrs, count, icon, interval, join, link, lopsided, margin

PAGE = "benchmarks"

STEP = 100
"""How many rows are written at a time."""

ROOMY = 6
"""Up to so many columns leave room for a drawing of the interval."""

_COLUMN = 132
"""Width of a column in pixels, where there is room for a drawing beside the columns."""


class Context(NamedTuple):
    """What every part of the page needs. ``current`` is the column that a phone shows and whose interval is drawn."""

    board: Board
    query: dict[str, str]
    say: Words
    current: str

    def go(self, **changes: str | None) -> str:
        """Return the address of this board with some parameters changed; ``None`` takes one out."""
        return link(PAGE, **{**self.query, **changes})

    @property
    def column(self) -> Column | None:
        """Return the current column, ``None`` where the average is current."""
        return next((column for column in self.board.columns if column.key == self.current), None)

    @property
    def rows(self) -> int:
        """Return how many rows are written."""
        asked = self.query.get("rows", "")
        return max(STEP, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 7 else STEP


def board_table(context: Context) -> Markup:
    board = context.board
    sized = any(row.size is not None for row in board.rows)
    drawn = len(board.columns) <= ROOMY
    places = {id(row): place for place, row in enumerate(board.rows)}
    rows = join(_row(context, row, places[id(row)], sized, drawn) for row in board.rows[: context.rows])
    return Markup(
        '<div class="u-wide" role="region" aria-label="{}" tabindex="0">'
        '<table class="u-tbl u-bench u-own" style="min-width:{}px;--steps:4">'
        "{}{}<tbody>{}</tbody></table></div>"
    ).format(
        context.say("title"),
        _name_width(context) + 56 * sized + 104 + _COLUMN * len(board.columns) + 200 * drawn,
        _widths(context, sized, drawn),
        _heads(context, sized, drawn),
        rows,
    )


def _name_width(context: Context) -> int:
    """Return the width of the column of names, in which a run's date may stand too."""
    return 372 if context.board.choice.each else 264


def _widths(context: Context, sized: bool, drawn: bool) -> Markup:
    fixed = f"width:{_COLUMN}px" if drawn else ""
    cols = [f"width:{_name_width(context)}px", *(["width:56px"] if sized else []), "width:104px"]
    cols += [fixed] * len(context.board.columns)
    return Markup('<colgroup class="u-hide-phone">{}{}</colgroup>').format(
        join(Markup("<col{}>").format(attrs(style=each or None)) for each in cols), Markup("<col>") if drawn else ""
    )


def _heads(context: Context, sized: bool, drawn: bool) -> Markup:
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
    averaged = say("average.of" if board.averaged else "average.none", n=len(board.basis))
    over = "; ".join(f"{column_title(column, say)} {setting_words(column, say)}" for column in board.basis)
    about = say("average.over", columns=over)
    second.append(_head_cell(context, AVERAGE, say("average"), "", averaged, "\u00a0", about=about))
    for _, members in _grouped(board.columns):
        for index, column in enumerate(members):
            small = [setting_words(column, say), " ".join(chance_words(column, say)) or "\u00a0"]
            second.append(
                _head_cell(context, column.key, column_title(column, say), "first" if index == 0 else "", *small)
            )
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


def _head_cell(context: Context, key: str, words: str, kind: str, *small: str, about: str = "") -> Markup:
    by, descending = context.board.choice.sorted_by
    active = key == by
    first = "" if key == NAME else "-"
    flipped = key if active and descending else f"-{key}" if active else f"{first}{key}"
    sign = icon("down" if descending else "up", small=True) if active else ""
    return Markup('<th scope="col"{}><a data-go href="{}" title="{}">{}{}</a>{}</th>').format(
        attrs(class_=kind or None, aria_sort=("descending" if descending else "ascending") if active else None),
        context.go(sort=None if flipped == "-avg" else flipped, col=None, rows=None),
        " · ".join(filter(None, [context.say("sort"), about])),
        words,
        sign,
        join(Markup("<small>{}</small>").format(each) for each in small),
    )


def _axis(context: Context) -> Markup:
    ticks = join(Markup('<b style="left:{0}%">{0}</b>').format(tick) for tick in (25, 50, 75))
    column = context.column
    words = column_title(column, context.say) if column is not None else context.say("average")
    return Markup(
        '<th class="first axis"><span>{}</span><small>{}</small><span class="u-axis" aria-hidden="true">{}</span></th>'
    ).format(words, context.say("axis.title"), ticks)


def _row(context: Context, row: Row, place: int, sized: bool, drawn: bool) -> Markup:
    cells = [_name(context, row)]
    if sized:
        cells.append(Markup('<td class="n sz q">{}</td>').format("–" if row.size is None else _size(row.size)))
    cells.append(_average(context, row))
    for _, members in _grouped(context.board.columns):
        for index, column in enumerate(members):
            cells.append(_cell(context, row, column, index == 0))
    if drawn:
        cells.append(_drawing(context, row))
    return Markup('<tr{} style="--o:{}">{}</tr>').format(
        attrs(class_="pubrow" if row.published else None), place, join(cells)
    )


def _size(billions: float) -> str:
    if billions < 0.001:
        return "<0.01"  # the column holds five figures
    return f"{billions:.0f}" if billions >= 2 else f"{billions:.1f}" if billions >= 0.95 else f"{billions:.2g}"


def _name(context: Context, row: Row) -> Markup:
    say = context.say
    tags = []
    if row.backend:
        tags.append(Markup('<span class="u-tag" title="{}">{}</span>').format(row.spec, row.backend))
    if row.demo:
        tags.append(Markup('<span class="u-tag" title="{}">{}</span>').format(say("demo.title"), say("demo.tag")))
    if row.started is not None:
        tags.append(Markup('<span class="sm qq tn">{}</span>').format(when(row.started, say.lang)))
    if row.running:
        tags.append(Markup('<span class="u-tag acc">{}</span>').format(say("running")))
    return Markup(
        '<th scope="row" class="name"><span class="u-name"><a class="cut" href="{}" title="{}">{}</a>{}</span></th>'
    ).format(_way(row), row.spec, row.model, join(tags, " "))


def _way(row: Row) -> str:
    """Return where a row's name leads: to the model, or to the one run that the row is of."""
    if row.published:
        return link("benchmarks", published_by=row.published, of=row.spec)
    return (
        link("browse", run=row.runs[0])
        if row.started is not None
        else link("model", name=row.spec if row.backend else row.model)
    )


def _average(context: Context, row: Row) -> Markup:
    current = context.current == AVERAGE
    if row.mean is None:
        return Markup('<td class="c none avg{}"><span>–</span></td>').format(" cur" if current else "")
    return Markup(
        '<td class="c avg{}" style="{}" title="{}"><span class="u-fig"><b>{}</b><small>{}</small></span></td>'
    ).format(
        " cur" if current else "",
        _whisker(row.mean.score, row.mean.ci95),
        _said(row.mean.score, row.mean.ci95, context.say),
        points(row.mean.score),
        margin(row.mean.ci95),
    )


def _cell(context: Context, row: Row, column: Column, first: bool) -> Markup:
    kind = ["c"]
    cell = row.cells.get(column.key)
    kind += ["first"] * first + ["cur"] * (column.key == context.current)
    if cell is None:
        return Markup(f'<td class="{" ".join(kind)} none"><span>–</span></td>')
    if cell.published is not None:
        return _published(context, row, column, cell, " ".join([*kind, "pub"]))
    if not cell.ranked:
        kind.append("part")
    elif cell.chancy:
        kind.append("chance")
    else:
        kind.append(f"h{heat(cell, context.board.best[column.key])}")
    lang = context.say.lang
    inside = cell.once(f"html {lang} {row.model} {column.title}", lambda: _figure(context.say, row, column, cell))
    return Markup(f'<td class="{" ".join(kind)}"{inside}</td>')


def _figure(say: Words, row: Row, column: Column, cell: Cell) -> Markup:
    """Return the end of a cell's tag and what is in it: made once for a figure, since a board has thousands of them."""
    said = describe(cell, say)
    query = link("", run=cell.run_id, dataset=cell.dataset).lstrip("?")
    return Markup(
        ' style="{}"><a href="{}" data-drawer="{}" title="{}" aria-label="{}">{} <small>{}</small>{}</a>'
    ).format(
        _whisker(cell.score, cell.ci95),
        link("browse", run=cell.run_id, dataset=cell.dataset),
        query,
        said,
        f"{row.model}, {column_title(column, say)}: {said}",
        points(cell.score),
        margin(cell.ci95),
        _mark(cell),
    )


def _published(context: Context, row: Row, column: Column, cell: Cell, look: str) -> Markup:
    """Return a figure that others published: hatched, with an interval only where they said one, and leading to its source."""
    assert cell.published is not None
    said = f"{describe(cell, context.say)}; {cell.published.source}"
    query = {"published_by": row.published, "of": row.spec, "column": column.key}
    return Markup(
        '<td class="{}" style="{}"><a href="{}" data-drawer="{}" title="{}" aria-label="{}">{} <small>{}</small></a></td>'
    ).format(
        look,
        _whisker(cell.score, cell.ci95 or (cell.score or 0.0, cell.score or 0.0)),
        link(PAGE, **query),
        link("", **query).lstrip("?"),
        said,
        f"{row.model}, {column_title(column, context.say)}: {said}",
        points(cell.score),
        margin(cell.ci95),
    )


def _whisker(score: float | None, ci95: tuple[float, float] | None) -> str:
    """Return what a phone draws the interval from: its ends in per cent of the axis, and where in it the score is."""
    if score is None or ci95 is None:
        return "--a:0;--b:0;--at:0"
    low, high = ci95
    place = (score - low) / (high - low) if high > low else 0.5
    return f"--a:{100 * low:.1f};--b:{100 * high:.1f};--at:{min(1.0, max(0.0, place)):.3f}"


def describe(cell: Cell, say: Words) -> str:
    """Return a figure in words: score, interval, what is remarkable about it."""
    if cell.published is not None:
        parts = [points(cell.score)]
        if cell.ci95 is not None:
            parts = [_said(cell.score, cell.ci95, say)]
    elif cell.score is None or cell.ci95 is None:
        parts = [say("cell.none")]
    else:
        parts = [
            _said(cell.score, cell.ci95, say),
            f"n = {count(cell.n)}",
        ]
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


def _said(score: float | None, ci95: tuple[float, float], say: Words) -> str:
    """Return a score and its interval as they are read out: what stands in the cell comes first."""
    ends = {"low": points(ci95[0]), "high": points(ci95[1])}
    if score is not None and lopsided(score, ci95):
        return f"{points(score)}{say('comma')}{say('from_to', **ends)}"
    return f"{points(score)} {margin(ci95)} ({say('to', **ends)})"


_MARKS = {Kind.INCOMPLETE: "failed", Kind.INTERRUPTED: "failed", Kind.RUNNING: "clock", Kind.UNSCORED: "clock"}


def _mark(cell: Cell) -> Markup:
    name = _MARKS.get(cell.kind)
    if name is None:
        name = "unparsed" if cell.unread else "truncated" if cell.truncated else None
    both = cell.unread and cell.truncated and name == "unparsed"
    if name is None:
        return Markup("")
    return Markup("<span>{}{}</span>").format(icon(name, small=True), icon("truncated", small=True) if both else "")


def _drawing(context: Context, row: Row) -> Markup:
    figure = row.figure(context.current)
    if figure is None:
        return Markup('<td class="first iv"></td>')
    score, (low, high) = figure
    column = context.column
    return Markup('<td class="first iv">{}</td>').format(interval(low, score, high, column.chance if column else None))
