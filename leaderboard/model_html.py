"""A model's page: its entry in the register, five figures, ratings by category, opponents, benchmarks, runs, battles."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from leaderboard.battles import question_of
from leaderboard.battles_html import outcome
from leaderboard.board_table import describe
from leaderboard.board_words import Words, column_title, setting_words
from leaderboard.browse_parts import setting_words as said_setting
from leaderboard.browse_parts import title, title_words, when
from leaderboard.compare_html import copy_button, downloads, signed
from leaderboard.figures import Kind as CellKind
from leaderboard.model import ArenaFigures, Benchmark, Event, Group, Kind, Met, Model, against_average, few
from leaderboard.sub_pages import sub_pages
from llmuses.i18n import points
from llmuses.markup import Markup, attrs, count, crumbs, half_width, icon, interval, join, link, margin, message, note
from llmuses.records import Battle, RegisterEvent

FEW_ROWS = 8
"""So many opponents, runs and battles stand on the page; one click shows all."""


def missing_page(say: Words, name: str) -> Markup:
    """Return what is said where nothing is known of a model."""
    way = Markup('<p class="u-act"><a class="g-btn sm" href="leaderboard">{}</a></p>').format(say("to_board"))
    return _frame(say, say("missing"), message(say("missing"), say("missing.why", model=name[:100]), "find", way))


def computing_page(say: Words, name: str) -> Markup:
    """Return what is said while the arenas that may know a model are read."""
    return _frame(say, name, note(say("busy"), "", "clock"), busy=True)


def model_page(say: Words, model: Model, battles: Sequence[Battle], all_met: bool) -> Markup:
    """Return the page. ``battles`` are the latest ones; ``all_met`` shows every opponent."""
    figures = model.arena
    left: list[Markup] = []
    if figures is not None:
        left += [_groups(say, model, figures), _met(say, figures, all_met)]
    left.append(_register(say, model))
    right = [_benchmarks(say, model), _kinds(say, model), _runs(say, model), _battles(say, model, battles)]
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
    facts += [say("parameters", n=f"{known.size:.3g}") if known.size else None]
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
        cards.append((say("rating"), _whole(line.rating), _half(line.ci95), rank))
        if (expected := against_average(figures)) is not None:
            share, ci95 = expected
            battles = say(f"votes.{figures.votes}", n=count(line.battles))
            cards.append((say("wins"), f"{100 * share:.1f}%", margin(ci95), battles))
        if figures.styled is not None and figures.styled.rating is not None:
            apart = figures.styled.rating - line.rating
            moved = say("styled.moved", n=_signed(apart))
            cards.append((say("styled"), _whole(figures.styled.rating), _half(figures.styled.ci95), moved))
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


def _whole(value: float) -> str:
    return f"{value:,.0f}".replace("-", "−")


def _half(ci95: tuple[float, float] | None) -> str:
    return "" if ci95 is None else f"±{half_width(ci95):.0f}"


def _signed(value: float) -> str:
    return "±0" if abs(value) < 0.5 else f"{value:+.0f}".replace("-", "−")


def _rank(say: Words, rank: tuple[int, int] | None, of: int) -> str:
    if rank is None:
        return ""
    best, worst = rank
    return say("rank.one", n=best, of=of) if best == worst else say("rank", best=best, worst=worst, of=of)


# --- the arena -------------------------------------------------------------------------------------------------------


def _section(title: str, about: object, body: Markup, key: str) -> Markup:
    return Markup(
        '<section aria-labelledby="v-{0}"><div class="row v-cardhead"><h2 class="v-h" id="v-{0}">{1}</h2><span class="sm qq end">{2}</span></div>{3}</section>'
    ).format(key, title, about, body)


def _table(label: str, heads: Iterable[tuple[str, str]], rows: Markup, look: str, steps: float = 4) -> Markup:
    """Return a table; a head is (its class, its words or Markup)."""
    written = join(Markup('<th scope="col" class="{}">{}</th>').format(kind, words) for kind, words in heads)
    return Markup(
        '<div class="u-wide" role="region" aria-label="{}" tabindex="0"><table class="u-tbl v-rows {}" style="--steps:{}"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(label, look, f"{steps:g}", written, rows)


def _axis(ticks: Iterable[tuple[float, str]]) -> Markup:
    marks = join(Markup('<b style="left:{:.1f}%">{}</b>').format(100 * at, words) for at, words in ticks)
    return Markup('<span class="u-axis" aria-hidden="true">{}</span>').format(marks)


def _groups(say: Words, model: Model, figures: ArenaFigures) -> Markup:
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
    ticks = [(at(low + place * step), _whole(low + place * step)) for place in range(1, number) if place % 2]
    rows = join(_group(say, figures, group, at, at(line.rating)) for group in shown)
    heads = [
        ("v-k", say("category")),
        ("n v-f", say("rating")),
        ("n v-e", "±"),
        ("v-i", _axis(ticks)),
        ("n v-n", say("votes")),
    ]
    about = join([_arena_choice(model, figures), say("overall.line")], Markup(" · "))
    return _section(say("by_category"), about, _table(say("by_category"), heads, rows, "v-groups", number), "groups")


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
    name = language(say, group.name) if group.kind == "language" else group.name
    few_votes = group.kind and line.battles < FEW_ROWS
    drawn = interval(at(line.ci95[0]), at(line.rating), at(line.ci95[1]), overall)
    return Markup(
        '<tr><th scope="row"{}>{}</th><td class="n m">{}</td><td class="n q">{}</td><td class="iv" aria-hidden="true">{}</td><td class="n q"><a href="{}">{}</a></td></tr>'
    ).format(
        attrs(class_=None if group.kind else "b"),
        name,
        "–" if few_votes else _whole(line.rating),
        "" if few_votes else _half(line.ci95),
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


def _met(say: Words, figures: ArenaFigures, everything: bool) -> Markup:
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
        ("v-i", _axis(ticks)),
    ]
    about: object = say("met.note")
    if len(figures.met) > len(shown):
        more = link("model", name=figures.line.model, arena=figures.source.name, met="all")
        about = Markup('{} · <a data-go href="{}">{}</a>').format(about, more, say("all_of", n=len(figures.met)))
    return _section(say("head_to_head"), about, _table(say("head_to_head"), heads, rows, "v-met"), "met")


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
    return _section(say("register"), say("register.note"), body, "register")


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


# --- benchmarks --------------------------------------------------------------------------------------------------------


def _benchmarks(say: Words, model: Model) -> Markup:
    if not model.benchmarks:
        return Markup("")
    rows = join(_benchmark(say, each) for each in model.benchmarks)
    ticks = [(share, f"{100 * share:.0f}") for share in (0.25, 0.5, 0.75)]
    heads = [("v-k", say("benchmark")), ("v-s", say("setting")), ("n v-f", say("score")), ("n v-e", "±"), ("v-i", _axis(ticks)), ("n v-p", say("by_score")), ("v-m", say("marks"))]  # fmt: skip
    return _section(
        say("benchmarks"), say("chance.line"), _table(say("benchmarks"), heads, rows, "v-bench"), "benchmarks"
    )


def _benchmark(say: Words, each: Benchmark) -> Markup:
    column, cell = each.column, each.cell
    board = Words(say.lang, "board")
    drawn = Markup("")
    if cell.score is not None and cell.ci95 is not None:
        drawn = interval(cell.ci95[0], cell.score, cell.ci95[1], column.chance)
    words = describe(cell, board)
    marks = []
    if cell.kind is not CellKind.SCORED:
        marks.append(
            Markup('<span title="{}">{} {}</span>').format(
                words, icon("failed", small=True), say(f"state.{cell.kind.value}")
            )
        )
    if cell.report is not None:
        counts = cell.report.counts
        for name, n in (("unparsed", counts.unparsed), ("rejected", counts.rejected), ("truncated", counts.truncated)):
            if n:
                words_of = say(f"n_{name}", n=count(n))
                marks.append(
                    Markup(
                        '<span title="{}">{} <span aria-hidden="true">{}</span><span class="sr">{}</span></span>'
                    ).format(words_of, icon(name, small=True), count(n), words_of)
                )
    place = say("place.short", n=each.place, of=each.of) if each.place else "–"
    return Markup(
        '<tr><th scope="row"><a href="{}" title="{}">{}</a></th><td class="q v-whole">{}</td><td class="n m">{}</td><td class="n q" title="{}">{}</td><td class="iv" aria-hidden="true">{}</td>'
        '<td class="n q">{}</td><td class="q v-marksof">{}</td></tr>'
    ).format(
        link("browse", run=cell.run_id, dataset=cell.dataset),
        words,
        column_title(column, board),
        setting_words(column, board),
        points(cell.score),
        words,
        margin(cell.ci95),
        drawn,
        place,
        join(marks, " "),
    )


def _kinds(say: Words, model: Model) -> Markup:
    if not model.benchmarks:
        return Markup("")
    lists = [
        Markup('<div><h3 class="sm q">{}</h3>{}</div>').format(
            say(name),
            Markup('<ul class="v-kinds md">{}</ul>').format(join(_kind(say, kind) for kind in kinds))
            if kinds
            else Markup('<p class="md qq">{}</p>').format(say("none_certain")),
        )
        for name, kinds in (("strongest", model.strongest), ("weakest", model.weakest))
    ]
    body = Markup('<div class="v-pairs">{}</div>').format(join(lists))
    return _section(say("kinds"), say("kinds.note"), body, "kinds")


def _kind(say: Words, kind: Kind) -> Markup:
    name = kind.name.replace("_", " ") or say("whole")
    href = link(
        "browse", run=kind.cell.run_id, dataset=kind.cell.dataset, subset=kind.name or None, filter="not_correct"
    )
    against = say("against", n=kind.against) if kind.against else say("against.own")
    return Markup(
        '<li><a href="{}" class="cut">{} <span class="qq">{}</span></a><span class="tn">{} <small class="q">±{}</small></span><span class="tn q" title="{}">{}</span></li>'
    ).format(
        href,
        name,
        title_words(kind.cell.dataset, kind.title, say.lang),
        signed(kind.apart),
        f"{100 * kind.margin:.1f}",
        against,
        points(kind.estimate.score),
    )


# --- runs and battles ----------------------------------------------------------------------------------------------------


def _runs(say: Words, model: Model) -> Markup:
    if not model.runs:
        return Markup("")
    rows = join(
        Markup(
            '<tr><th scope="row"><a class="mono cut" href="{}" title="{}">{}</a></th><td class="tn q">{}</td><td class="cut">{}</td><td class="q">{}</td></tr>'
        ).format(
            link("browse", run=run.run_id),
            run.run_id,
            run.run.plan_hash[:8],
            when(run.run.started, say.lang),
            ", ".join(
                f"{title(run, name, say.lang)} {said_setting(report.setting, say.lang)}"
                for name, report in run.reports.items()
            )
            or ", ".join(run.datasets()),
            say(f"run.{run.status.value}"),
        )
        for run in model.runs[:FEW_ROWS]
    )
    heads = [("v-r", say("run")), ("v-w", say("started")), ("", say("benchmarks")), ("v-t", say("status"))]
    more: object = ""
    if len(model.runs) > FEW_ROWS:
        more = Markup('<a href="{}">{}</a>').format(link("browse", q=model.name), say("all_of", n=len(model.runs)))
    return _section(say("runs"), more, _table(say("runs"), heads, rows, "v-runsof"), "runs")


def _battles(say: Words, model: Model, battles: Sequence[Battle]) -> Markup:
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
    return _section(say("latest"), every, _table(say("latest"), heads, rows, "v-latest"), "latest")
