"""A model's page: its entry in the register, five figures, ratings by category, opponents, benchmarks, runs, battles."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.board_words import Words
from leaderboard.browse_parts import when
from leaderboard.compare_html import copy_button, downloads
from leaderboard.model import Event, Model, against_average, few
from leaderboard.model_arena_html import battles_section, groups_section, met_section
from leaderboard.model_parts import half, section, signed_points, whole
from leaderboard.model_scores_html import benchmarks_section, kinds_section, runs_section
from leaderboard.sub_pages import sub_pages
from llmuses.i18n import points
from llmuses.markup import Markup, attrs, count, crumbs, join, link, margin, message, note
from llmuses.records import Battle, RegisterEvent


def missing_page(say: Words, name: str) -> Markup:
    """Return what is said where nothing is known of a model, or none was named."""
    way = Markup('<p class="u-act"><a class="g-btn sm" href="leaderboard">{}</a></p>').format(say("to_board"))
    why = say("missing.why", model=name[:100]) if name else say("unnamed.why")
    title = say("missing" if name else "unnamed")
    return _frame(say, title, message(title, why, "find", way))


def computing_page(say: Words, name: str) -> Markup:
    """Return what is said while the arenas that may know a model are read."""
    return _frame(say, name, note(say("busy"), "", "clock"), busy=True)


def model_page(say: Words, model: Model, battles: Sequence[Battle], all_met: bool) -> Markup:
    """Return the page. ``battles`` are the latest ones; ``all_met`` shows every opponent."""
    figures = model.arena
    left: list[Markup] = []
    if figures is not None:
        left += [groups_section(say, model, figures), met_section(say, figures, all_met)]
    left.append(_register(say, model))
    right = [
        benchmarks_section(say, model),
        kinds_section(say, model),
        runs_section(say, model),
        battles_section(say, model, battles),
    ]
    body = join(
        [
            _head(say, model),
            note(model.problem, "warn", "failed") if model.problem else "",
            note(say("busy"), "", "clock") if model.busy else "",
            _figures(say, model),
            Markup('<div class="v-model"><div class="v-stack">{}</div><div class="v-stack">{}</div></div>').format(
                join(left), join(right)
            ),
        ]
    )
    return _frame(say, model.name, body, model.busy)


def _frame(say: Words, title: str, body: Markup, busy: bool = False) -> Markup:
    return Markup('<div id="main" class="u-page v-page" tabindex="-1" data-title="{} · llmuses"{}>{}</div>').format(
        title, attrs(data_live="1" if busy else None), body
    )


# --- head and figures ----------------------------------------------------------------------------------------------


def _head(say: Words, model: Model) -> Markup:
    known, entry = model.known, model.entry
    facts: list[str | None] = [known.organisation, known.licence]
    facts += [say("parameters", n=f"{known.size:.3g}" if known.size >= 0.001 else "<0.001") if known.size else None]
    facts += [say(f"kind.{known.kind}") if known.kind else None]
    if entry is not None and entry.price:
        facts.append(say("price", low=f"{entry.price[0]:g}", high=f"{entry.price[1]:g}", currency=entry.currency))
    if entry is not None and entry.homepage and entry.homepage.startswith("https://"):
        facts.append(
            Markup('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>').format(
                entry.homepage, say("homepage")
            )
        )
    state = _state(model.events)
    tag = Markup('<span class="u-tag">{}</span>').format(say(f"state.{state}")) if state else ""
    return Markup(
        '<div class="v-crumbs row">{}<span class="end">{}</span></div><div class="v-modelhead row"><h1>{}</h1>{}<p class="q v-facts">{}</p><div class="row end u-hide-phone">'
        '<a class="g-btn sm" href="{}">{}</a><a class="g-btn sm" href="{}">{}</a>{}{}</div></div>'
    ).format(
        crumbs((say("leaderboard"), "leaderboard"), (model.name, None)),
        sub_pages(say.lang, ""),
        model.name,
        tag,
        Markup(" · ").join(fact for fact in facts if fact),
        link("compare", a=model.name),
        say("compare"),
        link("charts", a=model.name),
        say("charts"),
        copy_button(say("copy")),
        downloads("model", {"name": model.name}, say("download")),
    )


def _state(events: Sequence[Event]) -> str:
    """Return ``paused`` or ``retired`` where that is the last that a register says."""
    last = [event.line.event for event in events if event.line.event is not RegisterEvent.VARIANT]
    return last[-1].value if last and last[-1] in (RegisterEvent.PAUSED, RegisterEvent.RETIRED) else ""


def _figures(say: Words, model: Model) -> Markup:
    cards: list[tuple[str, str, str, str]] = []
    figures = model.arena
    if figures is not None and figures.line.rating is not None and not few(figures.line):
        line = figures.line
        assert line.rating is not None
        rank = _rank(say, line.rank, figures.rated)
        cards.append((say("rating"), whole(line.rating), half(line.ci95), rank))
        if (expected := against_average(figures)) is not None:
            share, ci95 = expected
            battles = say(f"votes.{figures.votes}", n=count(line.battles))
            cards.append((say("wins"), f"{100 * share:.1f}%", margin(ci95), battles))
        if figures.styled is not None and figures.styled.rating is not None:
            apart = figures.styled.rating - line.rating
            moved = say("styled.moved", n=signed_points(apart))
            cards.append((say("styled"), whole(figures.styled.rating), half(figures.styled.ci95), moved))
    elif figures is not None:
        cards.append((say("rating"), "–", "", say("few", n=count(figures.line.battles))))
    if model.row is not None and model.row.mean is not None:
        mean = model.row.mean
        place = [row.mean.score for row in model.board.rows if row.mean is not None and row.mean.score > mean.score]
        averaged = model.board.averaged
        cards.append(
            (
                say("average", n=len(model.board.basis)),
                points(mean.score),
                margin(mean.ci95),
                Words(say.lang, "board")("from_to", low=points(mean.ci95[0]), high=points(mean.ci95[1]))
                + Words(say.lang, "board")("comma")
                + say("place", n=len(place) + 1, of=averaged),
            )
        )
    if (unread := _unread(say, model)) is not None:
        cards.append(unread)
    if not cards:
        return Markup("")
    return Markup('<div class="u-card v-five">{}</div>').format(
        join(
            Markup(
                '<div><div class="sm qq">{}</div><div class="tn"><span class="b v-big">{}</span> <span class="q">{}</span></div>'
                '<div class="sm q tn">{}</div></div>'
            ).format(*card)
            for card in cards
        )
    )


def _unread(say: Words, model: Model) -> tuple[str, str, str, str] | None:
    counts = [each.cell.report.counts for each in model.benchmarks if each.cell.report is not None]
    n = sum(each.scored + each.unparsed + each.rejected for each in counts)
    if not n:
        return None
    unparsed, rejected = sum(each.unparsed for each in counts) / n, sum(each.rejected for each in counts) / n
    failed = sum(each.failed for each in counts)
    detail = say("unread.detail", unparsed=points(unparsed), rejected=points(rejected), failed=count(failed))
    return say("unread"), f"{100 * (unparsed + rejected):.1f}%", "", detail


def _rank(say: Words, rank: tuple[int, int] | None, of: int) -> str:
    if rank is None:
        return ""
    best, worst = rank
    return say("rank.one", n=best, of=of) if best == worst else say("rank", best=best, worst=worst, of=of)


def _register(say: Words, model: Model) -> Markup:
    items = [_event(say, model.name, event) for event in model.events]
    for run in model.runs[-1:]:
        items.append(
            Markup('<li><span class="tn q">{}</span><span>{}</span></li>').format(
                when(run.run.started, say.lang), say("event.first_run", spec=run.run.model_spec)
            )
        )
    if model.entry is not None:
        items.append(
            Markup('<li><span class="tn q">models.yaml</span><span class="mono">{}</span></li>').format(
                model.entry.model
            )
        )
    if not items:
        return Markup("")
    body = Markup('<ul class="v-events md">{}</ul>').format(join(items))
    return section(say("register"), say("register.note"), body, "register")


def _event(say: Words, name: str, event: Event) -> Markup:
    line = event.line
    if line.event is RegisterEvent.VARIANT and line.variant_of == name:
        words: object = Markup('{} <a href="{}">{}</a>').format(
            say("event.has_variant"), link("model", name=line.model), line.model
        )
    elif line.event is RegisterEvent.VARIANT and line.variant_of:
        words = Markup('{} <a href="{}">{}</a>').format(
            say("event.variant"), link("model", name=line.variant_of), line.variant_of
        )
    else:
        words = say(f"event.{line.event.value}")
    spec = Markup(' <span class="mono q">{}</span>').format(line.model_spec) if line.model_spec else ""
    reason = Markup(' <span class="q">{}</span>').format(line.reason) if line.reason else ""
    return Markup('<li><span class="tn q">{}</span><span>{}{}{} <span class="qq">· {}</span></span></li>').format(
        when(line.tstamp, say.lang), words, spec, reason, event.arena
    )
