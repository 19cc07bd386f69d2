"""The page of the first start: what the demo does now, what the interval means, answers as they arrive, what is next.

Every line has its place from the beginning, so that nothing moves while figures arrive.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from leaderboard.board_html import EXAMPLES
from leaderboard.board_words import Words, chance_words, setting_words
from leaderboard.browse_parts import duration
from leaderboard.browse_query import Place
from leaderboard.demo_state import DemoState, Phase
from leaderboard.figures import Cell, Column, cells
from leaderboard.results import RunEntry
from llmuses.benchmarks import get_benchmark
from llmuses.i18n import points
from llmuses.markup import Markup, attrs, count, escape, icon, interval, join, link, margin, note, verdict, verdict_of
from llmuses.records import Review, RunStatus
from llmuses.statistics.intervals import wilson
from llmuses.visit import Visit

PASSING = frozenset({"__theme", "view_transition", "utm_source"})
"""Parameters of a query that choose nothing here."""

LINES = 5
"""How many of the latest answers are shown."""

_TAIL = 1 << 16


class _Now(NamedTuple):
    """The run that is shown in the card, and the dataset whose score grows."""

    entry: RunEntry
    dataset: str
    title: str
    cell: Cell


def starting(entries: Sequence[RunEntry], state: DemoState, visit: Visit) -> bool:
    """Return whether the first start is shown: while the demo runs, or where it failed before there was any result.

    Who asks for a view of a board gets the board, and so does everybody once there is a run of one's own.
    """
    if visit.query.keys() - {"lang"} - PASSING:
        return False
    if not all(entry.run.demo for entry in entries):
        return False
    return state.phase is Phase.RUNNING or (state.phase is Phase.FAILED and not any(entry.reports for entry in entries))


def first_start(entries: Sequence[RunEntry], demo: DemoState, visit: Visit) -> Markup:
    """Return the page over the demo's runs (newest first) while it runs, or where it came to nothing."""
    say = Words(visit.lang, "start")
    ours = [entry for entry in entries if entry.run.demo]
    now = _now(ours, demo)
    live = demo.phase is Phase.RUNNING
    problem = note(say("failed", problem=demo.problem), "err", "failed") if demo.phase is Phase.FAILED else ""
    return Markup(
        '<div id="main" class="u-page u-start" tabindex="-1"{}><div class="u-starthead"><h1>{}</h1>'
        '<p class="q">{}</p></div>'
        '<div class="u-startgrid"><section>{}{}{}{}{}</section>{}</div></div>'
    ).format(
        attrs(data_live="1" if live else None),
        say("title" if live else "title.failed"),
        _intro(demo, say),
        problem,
        _card(ours, demo, now, say),
        _table(ours, demo, visit),
        _answers(now, say),
        _commands(),
        _next(now, say),
    )


def _intro(demo: DemoState, say: Words) -> str:
    real = [model for model in demo.models if not model.startswith("baseline:")]
    baselines = len(demo.models) - len(real)
    number = say(f"numeral.{baselines}") if 1 <= baselines <= 4 else str(baselines)
    return say("intro.model", n=number, model=", ".join(real)) if real else say("intro", n=number)


def _now(entries: Sequence[RunEntry], demo: DemoState) -> _Now | None:
    """Return what the card is about: the run that goes on, else the one that came last."""
    ordered = sorted(entries, key=lambda entry: (entry.running, entry.run.updated), reverse=True)
    for entry in ordered:
        found = list(cells(entry))
        if found:
            growing = [pair for pair in found if pair[1].report is None and pair[1].n] or found[-1:]
            column, cell = growing[0]
            return _Now(entry, cell.dataset, column.title, cell)
    return None


# --- the card -----------------------------------------------------------------------------------------------------


def _card(entries: Sequence[RunEntry], demo: DemoState, now: _Now | None, say: Words) -> Markup:
    answered, total = _progress(now)
    share = round(100 * answered / total) if total else 0
    model = now.entry.run.model if now else (demo.models[0] if demo.models else "")
    place = f"{demo.models.index(model) + 1} / {len(demo.models)}" if model in demo.models else ""
    return Markup(
        '<div class="u-card u-startcard"><div class="row"><span class="u-live{}">{}</span><span class="m cut">{}</span>'
        '<span class="md qq tn">{}</span><span class="md qq tn end">{}</span></div>'
        '<span class="u-prog" role="progressbar" aria-label="{}" aria-valuenow="{}" aria-valuemin="0"'
        ' aria-valuemax="100">'
        '<i style="--p:{}"></i></span><div class="u-startfig">{}</div></div>'
    ).format(
        "" if demo.phase is Phase.RUNNING else " done",
        say(f"phase.{demo.phase}"),
        say("demo", model=model),
        place,
        _speed(now, answered, total, say),
        say("progress"),
        share,
        share,
        _figure(now, say),
    )


def _progress(now: _Now | None) -> tuple[int, int]:
    states = now.entry.run.states.values() if now else ()
    return sum(state.answered for state in states), sum(state.total for state in states)


def _speed(now: _Now | None, answered: int, total: int, say: Words) -> str:
    if now is None or not total:
        return say("starting")
    parts = [say("answers", n=count(answered), total=count(total))]
    seconds = now.entry.run.seconds
    if now.entry.running and answered and seconds > 1:
        rate = answered / seconds
        parts += [
            say("rate", n=f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}"),
            say("left", t=duration(math.ceil((total - answered) / rate))),
        ]
    return " · ".join(parts)


def _figure(now: _Now | None, say: Words) -> Markup:
    if now is None or now.cell.score is None or now.cell.ci95 is None:
        return Markup(
            '<div><div class="sm qq">{}</div><div class="u-startnum"><span class="u-skel"></span></div></div>'
            '<p class="md q"></p>'
        ).format(say("waiting"))
    cell = now.cell
    low, high = cell.ci95 or (0.0, 0.0)
    words = [say("width", n=count(cell.n), width=f"{100 * (high - low):.0f}")]
    if cell.n < cell.total and cell.score is not None:
        end = wilson(cell.score * cell.total, cell.total)
        words.append(say("width.end", total=count(cell.total), width=f"{100 * (end[1] - end[0]):.0f}"))
    label = say("so_far" if cell.report is None else "final", model=now.entry.run.model, title=now.title)
    return Markup(
        '<div><div class="sm qq cut">{}</div><div class="u-startnum tn">'
        '<span class="b">{}</span> <span class="q">{}</span></div></div>'
        '<p class="md q">{}</p>'
    ).format(label, points(cell.score), margin(cell.ci95), say("between").join([*words, say("meaning")]))


# --- the table ----------------------------------------------------------------------------------------------------


def _table(entries: Sequence[RunEntry], demo: DemoState, visit: Visit) -> Markup:
    say, board = Words(visit.lang, "start"), Words(visit.lang, "board")
    columns: dict[str, Column] = {}
    found: dict[tuple[str, str], tuple[RunEntry, Cell]] = {}
    for entry in reversed(entries):
        for column, cell in cells(entry):
            columns[column.dataset] = column
            found[entry.run.model, column.dataset] = (entry, cell)
    bodies: list[Markup] = []
    for dataset in demo.datasets:
        bodies.append(_group(dataset, columns.get(dataset), board))
        for model in demo.models:
            bodies.append(_line(model, found.get((model, dataset)), columns.get(dataset), say, board))
    ticks = join(Markup('<b style="left:{0}%">{0}</b>').format(tick) for tick in (25, 50, 75))
    return Markup(
        '<div class="u-starttable"><div class="row"><h3>{}</h3><span class="sm qq">{}</span>'
        '<a class="sm end" href="{}">{}</a></div>'
        '<table class="u-tbl" style="--steps:4"><colgroup><col style="width:290px"><col style="width:64px">'
        '<col style="width:60px"><col>'
        '<col style="width:112px"></colgroup><thead><tr><th scope="col">{}</th><th scope="col" class="n">{}</th>'
        '<th scope="col" class="n">±</th>'
        '<th class="iv"><span class="u-axis" aria-hidden="true">{}</span></th><th scope="col" class="n">{}</th>'
        "</tr></thead><tbody>{}</tbody></table></div>"
    ).format(
        board("title"),
        say("size", benchmarks=len(demo.datasets), models=len(demo.models)),
        link("benchmarks"),
        say("full"),
        board("model"),
        say("score"),
        ticks,
        say("samples"),
        join(bodies),
    )


def _group(dataset: str, column: Column | None, board: Words) -> Markup:
    words = [setting_words(column, board), *chance_words(column, board)] if column else []
    return Markup(
        '<tr class="u-group"><th colspan="5" scope="colgroup">{} <span class="qq">{}</span></th></tr>'
    ).format(get_benchmark(dataset).title, " · ".join(words))


def _line(model: str, known: tuple[RunEntry, Cell] | None, column: Column | None, say: Words, board: Words) -> Markup:
    if known is None:
        return Markup(
            '<tr><td class="q">{}</td><td class="n"><span class="u-skel"></span></td><td></td><td class="iv"></td>'
            '<td class="n qq">–</td></tr>'
        ).format(model)
    entry, cell = known
    tags = [Markup('<span class="u-tag">{}</span>').format(board("demo.tag"))]
    if cell.report is None and entry.running:
        tags.append(Markup('<span class="u-tag acc">{}</span>').format(board("running")))
    elif cell.report is None and entry.status is RunStatus.INTERRUPTED:
        tags.append(Markup('<span class="u-tag">{}</span>').format(say("interrupted")))
    drawing = ""
    if cell.ci95 is not None and cell.score is not None:
        drawing = interval(cell.ci95[0], cell.score, cell.ci95[1], column.chance if column else None)
    return Markup(
        '<tr><td class="name"><a href="{}">{}</a> {}</td><td class="n m">{}</td><td class="n q">{}</td>'
        '<td class="iv">{}</td><td class="n q">{}</td></tr>'
    ).format(
        Place(run=entry.run_id, dataset=cell.dataset).to(),
        model,
        join(tags, " "),
        points(cell.score),
        margin(cell.ci95),
        drawing,
        say("of", n=count(cell.n), total=count(cell.total)),
    )


# --- answers as they arrive -----------------------------------------------------------------------------------------


def latest(path: Path, lines: int = LINES) -> list[Review]:
    """Return the last reviews of a file, the newest first; none where there is no file yet."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            whole = file.read().split(b"\n")
    except OSError:
        return []
    complete = whole[:-1] if size <= _TAIL else whole[1:-1]
    return list(_decoded(reversed(complete), lines))


def _decoded(lines: Iterator[bytes], most: int) -> Iterator[Review]:
    for line in lines:
        if most == 0:
            return
        try:
            yield msgspec.json.decode(line, type=Review)
        except msgspec.DecodeError:
            continue
        most -= 1


def _answers(now: _Now | None, say: Words) -> Markup:
    readable = now is not None and now.entry.samples_inside(now.dataset)
    reviews = latest(now.entry.reviews(now.dataset)) if now and readable else []
    rows = [_answer(review, now, say) for review in reviews if now]
    rows += [
        Markup(
            '<tr><td><span class="u-skel"></span></td><td></td><td><span class="u-skel"></span></td><td></td><td>'
            "</td></tr>"
        )
    ] * (LINES - len(rows))
    everything = ""
    if now is not None:
        everything = Markup('<a class="sm end" href="{}">{}</a>').format(
            Place(run=now.entry.run_id, dataset=now.dataset).to(), say("all")
        )
    return Markup(
        '<div class="u-starttable"><div class="row"><h3>{}</h3><span class="sm qq">{}</span>{}</div>'
        '<table class="u-tbl u-answers">'
        '<colgroup><col style="width:100px"><col style="width:170px"><col><col style="width:92px">'
        '<col style="width:72px"></colgroup>'
        '<thead><tr><th scope="col">{}</th><th scope="col">{}</th><th scope="col">{}</th>'
        '<th scope="col" class="n">{}</th><th scope="col" class="n">{}</th></tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(
        say("arriving"),
        now.entry.run.model if now else "",
        everything,
        say("col.verdict"),
        say("col.sample"),
        say("col.prompt"),
        say("col.read_out"),
        say("col.target"),
        join(rows),
    )


def _answer(review: Review, now: _Now, say: Words) -> Markup:
    read_out = (
        Markup('<span class="qq">{}</span>').format(say("none")) if review.extracted is None else review.extracted[:40]
    )
    return Markup(
        '<tr><td>{}</td><td class="tn qq">{}</td><td><a class="cut" href="{}">{}</a></td><td class="n">{}</td>'
        '<td class="n q">{}</td></tr>'
    ).format(
        verdict(verdict_of(review), say.lang, bare=True),
        review.sample_id,
        Place(run=now.entry.run_id, dataset=now.dataset, sample=review.sample_id, repeat=review.repeat).to(),
        review.prompt[:200] or review.sample_id,
        read_out,
        review.target[:40],
    )


def _commands() -> Markup:
    lines = join((Markup('<span class="qq">$ </span>{}').format(line) for line in EXAMPLES), "\n")
    return Markup('<div class="u-code">{}</div>').format(lines)


def _next(now: _Now | None, say: Words) -> Markup:
    samples = Place(run=now.entry.run_id, dataset=now.dataset).to() if now else "browse"
    steps = [
        (say("next.watch"), None, say("next.watch.why")),
        (say("next.read"), samples, say("next.read.why")),
        (say("next.model"), None, say("next.model.why")),
        (say("next.open"), None, say("next.open.why")),
    ]
    items = join(
        Markup(
            '<li{}><span class="u-num">{}</span><div><div class="m">{}</div><div class="md q">{}</div></div></li>'
        ).format(
            attrs(class_="on" if place == 1 else None),
            place,
            Markup('<a href="{}">{}</a>').format(href, words) if href else words,
            why,
        )
        for place, (words, href, why) in enumerate(steps, 1)
    )
    doctor = Markup('<div class="u-note">{}<span>{}</span></div>').format(
        icon("prompt"), escape(say("doctor")).format(command=Markup('<span class="mono">llmuses doctor</span>'))
    )
    return Markup('<aside><h3>{}</h3><ol class="u-next">{}</ol>{}</aside>').format(say("next"), items, doctor)
