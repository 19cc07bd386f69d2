"""What benchmarks say of a model: its scores, what it is good and bad at, its runs."""

from __future__ import annotations

from leaderboard.board_table import describe
from leaderboard.board_words import Words, column_title, setting_words
from leaderboard.browse_parts import setting_words as said_setting
from leaderboard.browse_parts import title, title_words, when
from leaderboard.compare_html import signed
from leaderboard.figures import Kind as CellKind
from leaderboard.model import Benchmark, Kind, Model
from leaderboard.model_parts import FEW_ROWS, axis, section, table
from llmuses.i18n import points
from llmuses.markup import Markup, count, icon, interval, join, link, margin


def benchmarks_section(say: Words, model: Model) -> Markup:
    if not model.benchmarks:
        return Markup("")
    rows = join(_benchmark(say, each) for each in model.benchmarks)
    ticks = [(share, f"{100 * share:.0f}") for share in (0.25, 0.5, 0.75)]
    heads = [("v-k", say("benchmark")), ("v-s", say("setting")), ("n v-f", say("score")), ("n v-e", "±"), ("v-i", axis(ticks)), ("n v-p", say("by_score")), ("v-m", say("marks"))]  # fmt: skip
    return section(
        say("benchmarks"), say("chance.line"), table(say("benchmarks"), heads, rows, "v-bench"), "benchmarks"
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


def kinds_section(say: Words, model: Model) -> Markup:
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
    return section(say("kinds"), say("kinds.note"), body, "kinds")


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


def runs_section(say: Words, model: Model) -> Markup:
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
    return section(say("runs"), more, table(say("runs"), heads, rows, "v-runsof"), "runs")
