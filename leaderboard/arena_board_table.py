"""The table of the arena board: heads, rows, the interval of each rating on the axis that all share."""

from __future__ import annotations

from typing import NamedTuple

from leaderboard.arena_board import Axis, Board, Row
from leaderboard.arena_board_choice import FIRST_DESCENDING, written_picked
from leaderboard.board_words import Words
from llmuses.markup import Markup, attrs, count, icon, interval, join, link

STEP = 100
"""How many rows are written at a time."""

PAGE = "leaderboard"


class Context(NamedTuple):
    """What every part of the page needs. ``battles`` is the name of the arena whose battles may be read, or nothing."""

    board: Board
    query: dict[str, str]
    say: Words
    battles: str = ""

    def go(self, **changes: str | None) -> str:
        """Return the address of this board with some parameters changed; ``None`` takes one out."""
        return link(PAGE, **{**self.query, **changes})

    @property
    def rows(self) -> int:
        """Return how many rows are written."""
        asked = self.query.get("rows", "")
        return max(STEP, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 7 else STEP


def rating_words(value: float | None) -> str:
    """Return a rating as it is written, ``1,318``."""
    return "–" if value is None else f"{value:,.0f}".replace("-", "−")


def margin_words(row: Row) -> str:
    """Return half the width of a rating's interval, ``±6``; nothing where there is none."""
    return "" if row.margin is None else f"±{row.margin:,.0f}" if row.margin >= 1 else f"±{row.margin:.1f}"


def rank_words(row: Row) -> str:
    """Return the range of ranks, ``2–4``."""
    if row.rank is None:
        return "–"
    best, worst = row.rank
    return f"{best}" if best == worst else f"{best}–{worst}"


def arena_table(context: Context) -> Markup:
    """Return the table."""
    board, say = context.board, context.say
    widths = (30, 84, 270, 66, 46, 0, 84, 150, 128)
    cols = join(Markup("<col{}>").format(attrs(style=f"width:{w}px" if w else None)) for w in widths)
    rows = join(_row(context, row) for row in board.rows[: context.rows])
    return Markup(
        '<div class="u-wide u-arenabox" role="region" aria-label="{}" tabindex="0"><table class="u-tbl u-arena" style="--steps:{:.4f}">'
        '<colgroup class="u-hide-phone">{}</colgroup>{}<tbody>{}</tbody></table></div>'
    ).format(say("title"), board.axis.steps if board.axis else 1, cols, _heads(context), rows)


def _heads(context: Context) -> Markup:
    say = context.say
    heads = [
        Markup('<th class="pick"><span class="sr">{}</span></th>').format(say("compare.pick")),
        _head(context, "rank", "n rank", say("rank")),
        _head(context, "name", "name", say("model")),
        _head(context, "rating", "n rat", say("rating")),
        Markup('<th scope="col" class="n pm">±</th>'),
        Markup('<th scope="col" class="axis">{}<span class="sr">{}</span></th>').format(
            _axis(context.board.axis), say("interval")
        ),
        _head(context, "votes", "n votes", say("votes" if context.board.choice.votes == "people" else "battles")),
        _head(context, "org", "org", say("organisation")),
        _head(context, "licence", "lic", say("licence")),
    ]
    return Markup("<thead><tr>{}</tr></thead>").format(join(heads))


def _head(context: Context, key: str, look: str, words: str) -> Markup:
    by, descending = context.board.choice.sorted_by
    active = key == by
    first = f"-{key}" if key in FIRST_DESCENDING else key
    flipped = (key if descending else f"-{key}") if active else first
    return Markup('<th scope="col" class="{}"{}><a data-go href="{}" title="{}">{}{}</a></th>').format(
        look,
        attrs(aria_sort=("descending" if descending else "ascending") if active else None),
        context.go(sort=None if flipped == "rank" else flipped, rows=None),
        context.say("sort"),
        words,
        icon("up" if descending == (key in ("rank", "name", "org", "licence")) else "down", small=True)
        if active
        else "",
    )


def _axis(axis: Axis | None) -> Markup:
    if axis is None:
        return Markup("")
    return Markup('<span class="u-axis" aria-hidden="true">{}</span>').format(
        join(
            Markup('<b style="left:{:.2f}%">{}</b>').format(100 * axis.place(tick), _tick(tick, axis.step))
            for tick in axis.ticks
        )
    )


def _tick(value: float, step: float) -> str:
    return (f"{value:,.0f}" if step >= 1 else f"{value:,.1f}").replace("-", "−")


def _row(context: Context, row: Row) -> Markup:
    board, say = context.board, context.say
    picked = row.model in board.choice.picked
    tags = [Markup('<span class="u-tag">{}</span>').format(say(f"state.{row.state}"))] if row.state else []
    if row.why:
        tags.append(Markup('<span class="sm qq u-why">{}</span>').format(say(f"why.{row.why}")))
    drawing = Markup("")
    if board.axis is not None and row.ci95 is not None and row.rating is not None:
        low, high = row.ci95
        drawing = interval(board.axis.place(low), board.axis.place(row.rating), board.axis.place(high))
    said = say("to", low=rating_words(row.ci95[0]), high=rating_words(row.ci95[1])) if row.ci95 else None
    return Markup(
        '<tr{}><td class="pick"><input type="checkbox" class="u-pick" form="u-arena" data-on="pick" value="{}"{} aria-label="{}">'
        '</td><td class="n rank{}">{}</td><th scope="row" class="name"><span class="u-name"><a class="cut" href="{}" title="{}">{}</a>{}'
        '</span></th><td class="n rat m"{}>{}</td><td class="n pm q">{}</td><td class="iv">{}</td><td class="n votes">{}</td>'
        '<td class="org q" title="{}">{}</td><td class="lic q" title="{}">{}</td></tr>'
    ).format(
        attrs(class_="on" if picked else None),
        written_picked(row.model),
        attrs(checked=picked),
        say("compare.pick_one", model=row.model),
        " b" if row.rank and row.rank[0] == 1 else "",
        rank_words(row),
        link("model", name=row.model),
        row.model,
        row.model,
        join(tags),
        attrs(title=said),
        rating_words(row.rating),
        margin_words(row),
        drawing,
        _votes(context, row),
        row.known.organisation or "",
        row.known.organisation or "–",
        row.known.licence or "",
        row.known.licence or "–",
    )


def _votes(context: Context, row: Row) -> Markup | str:
    if not context.battles:
        return count(row.votes)
    return Markup('<a href="{}">{}</a>').format(
        link("battles", arena=context.battles, model=row.model), count(row.votes)
    )
