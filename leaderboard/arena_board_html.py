"""The arena board as HTML: head, filters, the line above the table, notes below it, and what stands in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from leaderboard.arena_board import Board
from leaderboard.arena_board_choice import CHOICES, MOST_PICKED, written_picked
from leaderboard.arena_board_table import PAGE, STEP, Context, arena_table
from leaderboard.arenas import Facts, Source
from leaderboard.board_filters import NAMES, narrow_chips, narrow_menu
from leaderboard.board_words import Words
from leaderboard.boards_head import boards_head
from leaderboard.browse_parts import when
from leaderboard.fields_html import select
from leaderboard.judges_html import judges_section
from llmuses.markup import Markup, attrs, count, icon, join, link, message, note
from llmuses.visit import Visit

if TYPE_CHECKING:
    from arena.audit_records import SameBattles

CHIPS = 7
"""So many categories are chips; the others are in a menu."""

PLACES = ("a", "b", "c", "d")
"""The parameters by which the comparison knows its models."""


class About(NamedTuple):
    """What a board is of: the arenas there are, the one that is shown, its battles, and how its ratings come about."""

    sources: Sequence[Source]
    source: Source
    facts: Facts
    languages: Sequence[str]
    when: float
    commands: Sequence[str] = ()
    judges: SameBattles | None = None


class Waiting(NamedTuple):
    """Votes of which no ratings were published yet, and how many there must be."""

    votes: int
    least: int


def arena_page(board: Board, about: About, visit: Visit) -> Markup:
    """Return the page with a board on it."""
    context = _context(board, about, visit)
    body = [_filters(context, about)]
    if board.rows:
        body += [_caption(context, about), arena_table(context), _more(context), _notes(context)]
        body += [judges_section(about.judges, context.say)] if about.judges else []
        body.append(_how(context, about))
    elif board.everyone:
        body.append(_no_match(context))
    else:
        body.append(message(context.say("none.title"), context.say("none.body"), "find", _clear_button(context)))
    return _page(context.say, join(body), boards_head("arena", PAGE, context.query, context.say, bool(board.rows)))


def waiting_page(board: Board, about: About, visit: Visit) -> Markup:
    """Return the page while its ratings are computed for the first time."""
    context = _context(board, about, visit)
    words = context.say("busy", n=count(sum(number for _, number in about.facts.judges)))
    body = join([_filters(context, about), note(words, "", "clock")])
    return _page(context.say, body, boards_head("arena", PAGE, context.query, context.say, False), live="1")


def refused_page(board: Board, about: About, problem: str, visit: Visit) -> Markup:
    """Return the page where the battles give no ratings of the chosen kind, with the reason."""
    context = _context(board, about, visit)
    reason = context.say("refused.style") if board.choice.style else problem
    words = message(context.say("refused"), reason, "info", _clear_button(context))
    body = join([_filters(context, about), Markup('<div class="u-gap">{}</div>').format(words)])
    return _page(context.say, body, boards_head("arena", PAGE, context.query, context.say, False))


def no_arena_page(visit: Visit, waiting: Waiting | None = None) -> Markup:
    """Return the page where there is no arena yet, or one whose votes are ``waiting`` for the first ratings."""
    say = Words(visit.lang, "arena_board")
    kept = {name: value for name, value in visit.query.items() if name in ("lang",)}
    command = Markup('<div class="u-code u-act">llmuses arena -c cfg.yaml</div>')
    way = Markup('<p class="u-act"><a class="g-btn sm" href="benchmarks">{}</a></p>').format(say("to_benchmarks"))
    if waiting is None:
        body = message(say("empty.title"), say("empty.body"), "info", join([command, way]))
    elif waiting.votes < waiting.least:
        title = say("few.title", n=count(waiting.votes), least=count(waiting.least))
        body = message(title, say("few.body"), "info", way)
    else:
        body = message(say("unpublished.title"), say("unpublished.body", n=count(waiting.votes)), "info", way)
    return _page(say, body, boards_head("arena", PAGE, kept, say, False), live="5")


def _context(board: Board, about: About, visit: Visit) -> Context:
    kept = {name: value for name, value in visit.query.items() if name in (*CHOICES, "lang")}
    return Context(board, kept, Words(visit.lang, "arena_board"), "" if about.source.live else about.source.name)


def _page(say: Words, body: Markup, head: Markup, live: str | None = None) -> Markup:
    return Markup('<div id="main" class="u-page u-board" tabindex="-1" data-title="{} · llmuses"{}>{}{}</div>').format(
        say("title"), attrs(data_live=live), head, body
    )


# --- filters ------------------------------------------------------------------------------------------------------


def _filters(context: Context, about: About) -> Markup:
    say = context.say
    return Markup(
        '<form id="u-arena" class="u-filters row g-scroll u-filterbar u-arenabar" data-resets="rows" role="search" aria-label="{}">'
        "{}{}{}{}{}{}{}{}{}</form>"
    ).format(
        say("filters"),
        _categories(context, about),
        _languages(context, about),
        _votes(context, about),
        _style(context, about),
        _arenas(context, about),
        _judges(context, about),
        narrow_menu(context.board.choice.narrow, [row.known for row in context.board.everyone], say.shared),
        narrow_chips(context.board.choice.narrow, say.shared, context.go),
        _compare(context),
    )


def _categories(context: Context, about: About) -> Markup:
    names = [name for name, _ in about.facts.categories]
    chosen = context.board.choice.category
    if len(names) < 2 and not chosen:
        return Markup("")
    first = names[:CHIPS] if chosen in ("", *names[:CHIPS]) else [chosen, *names[: CHIPS - 1]]
    chips = join(
        Markup('<label class="g-chip"><input class="sr" type="radio" name="category" value="{}"{}>{}</label>').format(
            name, attrs(checked=name == chosen, data_default=""), words
        )
        for name, words in [("", context.say("all")), *((name, category_words(name, context.say)) for name in first)]
    )
    rest = [name for name in names if name not in first]
    menu = Markup("")
    if rest:
        menu = Markup('<details class="u-menu"><summary class="g-chip">{}{}</summary><div class="u-pop">{}</div></details>').format(
            context.say("more_categories", n=len(rest)),
            icon("down", small=True),
            join(Markup('<label><input class="u-pick" type="radio" name="category" value="{}">{}</label>').format(n, category_words(n, context.say)) for n in rest),
        )  # fmt: skip
    return Markup('<fieldset class="g-chips"><legend class="sr">{}</legend>{}{}</fieldset>').format(
        context.say("category"), chips, menu
    )


def _languages(context: Context, about: About) -> Markup:
    chosen = context.board.choice.language
    names = [*about.languages, *([chosen] if chosen and chosen not in about.languages else [])]
    if len(names) < 2 and not chosen:
        return Markup("")
    options = [("", context.say("all")), *((name, language_words(name, context.say)) for name in names)]
    return select("language", context.say("language"), options, chosen)


def language_words(code: str, say: Words) -> str:
    """Return what a language is called; its code where there is no word for it here."""
    return _named(f"lang.{code}", code, say)


def category_words(name: str, say: Words) -> str:
    """Return what a category is called; its own name where there is no word for it here."""
    return _named(f"category.{name.lower()}", name, say)


def _named(key: str, otherwise: str, say: Words) -> str:
    try:
        return say(key)
    except KeyError:
        return otherwise


def _votes(context: Context, about: About) -> Markup:
    there = {"people": about.facts.people > 0, "judge": about.facts.judge is not None}
    there["both"] = all(there.values())
    if not there["both"]:
        words = (
            context.say("only_people") if there["people"] else context.say("only_judge", judge=about.facts.judge or "–")
        )
        return Markup('<span class="sm qq u-only">{}</span>').format(words)
    chips = join(
        Markup('<label class="g-chip"><input class="sr" type="radio" name="votes" value="{}" data-default="people"{}>{}</label>').format(
            each, attrs(checked=each == context.board.choice.votes), context.say(f"votes.{each}")
        )
        for each in there
    )  # fmt: skip
    return Markup(
        '<fieldset class="g-chips"><legend class="sr">{0}</legend><span class="lab">{0}</span><span class="g-join">{1}</span></fieldset>'
    ).format(context.say("votes_by"), chips)


def _style(context: Context, about: About) -> Markup:
    choice, say = context.board.choice, context.say
    if (
        choice.votes == "both" or about.source.live
    ):  # the one is rated another way, of the other one rating is published
        return Markup("")
    return Markup(
        '<label class="g-chip" title="{}"><input class="sr" type="checkbox" name="style" value="1"{}>{}{}</label>'
    ).format(say("style.why"), attrs(checked=choice.style), icon("correct", small=True), say("style"))


def _arenas(context: Context, about: About) -> Markup:
    if len(about.sources) < 2:
        return Markup("")
    options = [(source.name, source.title) for source in about.sources]
    return select("arena", context.say("arena"), options, about.source.name, default=about.sources[0].name)


def _judges(context: Context, about: About) -> Markup:
    names = [name for name, _ in about.facts.judges if name != "human"]
    if len(names) < 2 or context.board.choice.votes == "people":
        return Markup("")
    return select("judge", context.say("judge"), [(n, n) for n in names], context.board.choice.judge, default=names[0])


def _compare(context: Context) -> Markup:
    """Return the way to the comparison of the picked models, and those of them that are not in the table."""
    choice, say = context.board.choice, context.say
    written = {row.model for row in context.board.rows[: context.rows]}
    hidden = join(
        Markup('<input type="checkbox" class="sr" data-on="pick" value="{}" checked tabindex="-1" aria-hidden="true">').format(
            written_picked(name)
        )
        for name in choice.picked
        if name not in written
    )  # fmt: skip
    if not choice.picked:
        return hidden
    pairs = dict(zip(PLACES, choice.picked, strict=False))
    return Markup('{}<a class="g-btn sm u-hide-phone end" href="{}" title="{}">{}</a>').format(
        hidden,
        link("compare", **pairs),
        say("compare.most", n=MOST_PICKED),
        say("compare", n=len(choice.picked)),
    )


# --- around the table ---------------------------------------------------------------------------------------------


def _caption(context: Context, about: About) -> Markup:
    board, say = context.board, context.say
    shown = len(board.rows)
    models = say("count", n=shown) if shown == len(board.everyone) else say("count.of", n=shown, of=len(board.everyone))
    clear = Markup("")
    if shown < len(board.everyone):
        clear = Markup(' · <a data-go href="{}">{}</a>').format(_cleared(context), say("clear"))
    votes = say("n_votes" if board.choice.votes == "people" else "n_battles", n=count(board.votes))
    moment = Markup("")
    if about.when:
        moment = Markup('<span class="sm qq u-hide-phone end">{}</span>').format(
            say("published" if about.source.live else "as_of") + " " + when(about.when, say.lang)
        )
    return Markup(
        '<p class="row md u-caption"><span class="tn qq" role="status">{} · {}{}</span><span class="q cut grow">{}</span>{}</p>'
    ).format(models, votes, clear, say("rank.means"), moment)


def _more(context: Context) -> Markup:
    left = len(context.board.rows) - context.rows
    if left <= 0:
        return Markup("")
    return Markup('<p class="u-gap"><a class="g-btn sm" data-go href="{}">{}</a></p>').format(
        context.go(rows=str(context.rows + STEP)), context.say.shared("more", n=min(STEP, left))
    )


def _notes(context: Context) -> Markup:
    """Return why some models have no rating: too few votes, or nothing that ties them to the others."""
    board, say = context.board, context.say
    lines = [say(f"note.{reason}", models=_listed(names, say)) for reason, names in board.why.items()]
    if board.choice.grouped and (board.choice.category or board.choice.language) and board.spread is not None:
        lines.append(say("note.borrowed"))
    return join(Markup('<div class="u-gap">{}</div>').format(note(line, "", "info")) for line in lines)


NAMED = 4
"""So many models are named in a note; the others are counted."""


def _listed(names: Sequence[str], say: Words) -> str:
    shown = say("comma").join(names[:NAMED])
    return shown if len(names) <= NAMED else say("and_more", models=shown, n=len(names) - NAMED)


def _how(context: Context, about: About) -> Markup:
    if not about.commands:
        return Markup("")
    lines = (
        Markup('<div class="u-code u-gap"><span class="qq">$ </span>{}</div>').format(each) for each in about.commands
    )
    return Markup('<p class="sm qq u-invite">{}</p>{}').format(context.say("how"), join(lines))


def _cleared(context: Context) -> str:
    return context.go(q=None, rows=None, category=None, language=None, style=None, **dict.fromkeys(NAMES))


def _clear_button(context: Context) -> Markup:
    return Markup('<p class="u-act"><a class="g-btn sm" data-go href="{}">{}</a></p>').format(
        _cleared(context), context.say("clear")
    )


def _no_match(context: Context) -> Markup:
    say = context.say
    return message(
        say("no_match.title"), say("no_match.body", n=len(context.board.everyone)), "find", _clear_button(context)
    )
