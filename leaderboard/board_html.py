"""The benchmark board as HTML: head, filters, legend, table. Everything that comes from runs is escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from leaderboard.arena_board_html import language_words
from leaderboard.board import AVERAGE, EACH, Board, Choice
from leaderboard.board_filters import NAMES, narrow_chips, narrow_menu
from leaderboard.board_table import PAGE, STEP, Context, board_table
from leaderboard.board_words import Words, chance_words, column_title, setting_words
from leaderboard.boards_head import boards_head
from leaderboard.results import Damage
from llmuses.markup import Markup, attrs, icon, join, message, note
from llmuses.visit import Visit

EXAMPLES = (
    "llmuses eval --model Qwen/Qwen3-0.6B --datasets gsm8k --limit 200",
    "llmuses eval --model openai:my-model --model-args base_url=http://127.0.0.1:8000/v1 --datasets mmlu",
)
"""Commands that bring a model of one's own onto the board."""

CHOICES = ("q", "hide", "demo", "sort", "rows", "col", "view", "published", "runs", "until", "language", *NAMES)
"""The parameters of a query that choose a view of the board."""


def board_page(board: Board, visit: Visit, damaged: Sequence[Damage] = (), demo: bool = False) -> Markup:
    """Return the leaderboard's page. ``demo`` says that the demo is running, which is said above the rows."""
    say = Words(visit.lang, "board")
    kept = {name: value for name, value in visit.query.items() if name in (*CHOICES, "lang")}
    context = Context(board, kept, say, _current(board, visit.query.get("col", "")))
    live = demo or not board.models or any(row.running for row in board.rows)
    if not board.models:
        body = _empty(say)
    elif not board.rows:
        body = join([_filters(context), _active(context), _no_match(context)])
    else:
        parts = (_filters, _active, _chips, _legend, board_table, _more, _invitation)
        body = join(part(context) for part in parts)
    return Markup('<div id="main" class="u-page u-board" tabindex="-1"{}>{}{}{}{}</div>').format(
        attrs(data_live="2" if live else None),
        boards_head("benchmarks", PAGE, context.query, say, bool(board.rows)),
        _demo_note(demo, say),
        _damage(damaged, say),
        body,
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


def _demo_note(demo: bool, say: Words) -> Markup:
    if not demo:
        return Markup("")
    return Markup('<div class="u-gap" role="status">{}</div>').format(note(say("demo.running"), "", "clock"))


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


def _filters(context: Context) -> Markup:
    board, say, choice = context.board, context.say, context.board.choice
    return Markup(
        '<form class="u-filters row u-filterbar" data-resets="rows" role="search" aria-label="{label}">'
        '<input class="g-input sm" type="search" name="q" value="{words}" placeholder="{label}" aria-label="{label}"'
        ' autocomplete="off" data-find>'
        '{runs}{columns}{languages}{narrow}{published}{demo}<span class="md qq tn end" role="status">{count}{clear}</span></form>'
    ).format(
        label=say("filter"),
        words=board.choice.words,
        runs=_runs_menu(context),
        columns=_column_menu(context),
        languages=_languages(context),
        narrow=narrow_menu(board.choice.narrow, [row.known for row in board.everyone], say),
        published=_kind_chip(context, "published", choice.published, any(row.published for row in board.everyone)),
        demo=_kind_chip(context, "demo", choice.demo, any(row.demo for row in board.everyone)),
        count=say("count", n=len(board.rows), of=board.models),
        clear=_clear(context),
    )


def _column_menu(context: Context) -> Markup:
    board, say = context.board, context.say
    if len(board.all_columns) < 2:
        return Markup("")
    boxes = join(
        Markup(
            '<label><input class="u-pick" type="checkbox" data-off="hide" value="{}"{}><span>{} <small class="qq">{}</small>'
            "</span></label>"
        ).format(
            column.key,
            attrs(checked=column.key not in board.choice.hidden),
            column_title(column, say),
            setting_words(column, say),
        )
        for column in board.all_columns
    )
    return Markup(
        '<details class="u-menu u-hide-phone"><summary class="g-chip">{}{}</summary><div class="u-pop">{}</div>'
        "</details>"
    ).format(say("columns", n=len(board.columns), of=len(board.all_columns)), icon("down", small=True), boxes)


def _languages(context: Context) -> Markup:
    """Return the choice of benchmarks in one language, where there are several."""
    board, say = context.board, context.say
    there = sorted({language for column in board.all_columns for language in column.languages})
    if len(there) < 2:
        return Markup("")
    options = join(
        Markup('<option value="{}"{}>{}</option>').format(value, attrs(selected=value == board.choice.language), words)
        for value, words in (
            ("", say("languages.all")),
            *((each, language_words(each, Words(say.lang, "arena_board"))) for each in there),
        )
    )
    return Markup('<select class="g-chip u-hide-phone" name="language" aria-label="{}">{}</select>').format(
        say("languages"), options
    )


def _runs_menu(context: Context) -> Markup:
    """Return the choice of runs: the newest of each model, each run on its own, and none after some day."""
    choice, say = context.board.choice, context.say
    words = say("runs.each" if choice.each else "runs.newest")
    if choice.until:
        words += say("comma") + say("runs.until", day=choice.until)
    options = join(
        Markup('<label><input class="u-pick u-round" type="radio" name="runs" value="{}"{}>{}</label>').format(
            value, attrs(checked=(value == EACH) == choice.each), name
        )
        for value, name in (("", say("runs.newest")), (EACH, say("runs.each")))
    )
    return Markup(
        '<details class="u-menu u-hide-phone"><summary class="g-chip{}">{}{}</summary><div class="u-pop">{}'
        '<label>{}<input class="g-input sm" type="date" name="until" value="{}"></label></div></details>'
    ).format(
        " on" if choice.each or choice.until else "",
        words,
        icon("down", small=True),
        options,
        say("runs.day"),
        choice.until,
    )


def _kind_chip(context: Context, kind: str, shown: bool, there: bool) -> Markup:
    """Return the chip that shows or hides one kind of rows, ``published`` or ``demo``, where there are any."""
    if not there:
        return Markup("")
    return Markup(
        '<label class="g-chip" title="{}"><input class="sr" type="checkbox" data-off="{}" value="0"{}>{}{}</label>'
    ).format(
        context.say(f"{kind}.title"),
        kind,
        attrs(checked=shown),
        icon("correct", small=True),
        context.say(f"{kind}.chip"),
    )


def _active(context: Context) -> Markup:
    """Return the filters that are on, each with a way to take it off."""
    chips = narrow_chips(context.board.choice.narrow, context.say, context.go)
    return Markup('<div class="row wrap g-chips u-active">{}</div>').format(chips) if chips else Markup("")


def _clear(context: Context) -> Markup:
    choice = context.board.choice
    if choice._replace(sort="") == Choice(sort=""):
        return Markup("")
    return Markup(' · <a data-go href="{}">{}</a>').format(_cleared(context), context.say("clear"))


def _cleared(context: Context) -> str:
    return context.go(**dict.fromkeys(("q", "hide", "demo", "published", "runs", "until", "rows", "language", *NAMES)))


def _chips(context: Context) -> Markup:
    """Return what a phone shows above the rows: one chip a column, and what the chosen column is."""
    board, say = context.board, context.say
    titles = Counter(column_title(column, say) for column in board.columns)
    options = [
        (column.key, f"{title} {setting_words(column, say)}" if titles[title] > 1 else title)
        for column in board.columns
        for title in (column_title(column, say),)
    ]
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
    column = context.column
    about = [say("count.models", n=len(board.rows))]
    if column is not None:
        about += [setting_words(column, say), *chance_words(column, say)]
    return Markup(
        '<div class="u-phone"><div class="row g-scroll u-chips">{}</div>'
        '<p class="sm qq row u-about"><span>{}</span><span class="end">{}</span></p></div>'
    ).format(chips, " · ".join(about), say("axis"))


def _legend(context: Context) -> Markup:
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
        Markup('<span class="row u-ramped"><i class="u-hatch"></i> {}</span>').format(say("legend.published"))
        if any(row.published for row in context.board.rows)
        else "",
        Markup('<span class="qq">{}</span>').format(say("legend.pale")),
    ]
    return Markup('<div class="row wrap sm q u-boardlegend u-hide-phone">{}</div>').format(join(parts))


# --- below, and instead -------------------------------------------------------------------------------------------


def _more(context: Context) -> Markup:
    left = len(context.board.rows) - context.rows
    if left <= 0:
        return Markup("")
    return Markup('<p class="u-gap"><a class="g-btn sm" data-go href="{}">{}</a></p>').format(
        context.go(rows=str(context.rows + STEP)), context.say("more", n=min(STEP, left))
    )


def _invitation(context: Context) -> Markup:
    """Return how one's own models get here, as long as none of them is."""
    if not all(row.demo for row in context.board.everyone):
        return Markup("")
    commands = join((Markup('<span class="qq">$ </span>{}').format(line) for line in EXAMPLES), "\n")
    return Markup('<p class="sm qq u-invite">{}</p><div class="u-code">{}</div>').format(
        context.say("invite"), commands
    )


def _no_match(context: Context) -> Markup:
    clear = Markup('<p class="u-act"><a class="g-btn sm" data-go href="{}">{}</a></p>').format(
        _cleared(context), context.say("clear")
    )
    words = context.say("no_match.body", n=context.board.models)
    return message(context.say("no_match.title"), words, "find", clear)


def _empty(say: Words) -> Markup:
    command = Markup('<div class="u-code u-act">{}</div>').format(EXAMPLES[0])
    return message(say("empty.title"), say("empty.body"), "file", command)
