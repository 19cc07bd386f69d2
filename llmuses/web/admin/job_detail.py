"""One job whole: its figures, its benchmarks or its battles, what it printed, and the command that does the same."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from leaderboard.board_words import Words
from leaderboard.browse_parts import setting_words, title
from leaderboard.results import RunEntry
from llmuses.evaluation.report import setting
from llmuses.i18n import points
from llmuses.jobs import Job
from llmuses.markup import Markup, attrs, count, icon, join, link, margin
from llmuses.visit import Visit
from llmuses.web.admin.battles_detail import battles_table
from llmuses.web.admin.clone import form_link
from llmuses.web.admin.flow import Flow
from llmuses.web.admin.job_progress import Progress, again_words, bar, button, moment, of_all, score_of, span, subject
from llmuses.web.admin.parts import command_line, run_page
from llmuses.web.admin.room import Room

_LINES = 200
_WARNING = re.compile(
    r"warning|error|traceback|refused|killed|(?<![\d,.])(?!0\b)[\d,]+ (failed|of .* missing)|^llmuses: ", re.IGNORECASE
)
"""What a line of a log looks like that tells of trouble."""


def detail(room: Room, job: Job, far: Progress, visit: Visit) -> Markup:
    """Return one job whole, in two cards."""
    say = Words(visit.lang, "admin")
    return Markup('<section class="u-jobgrid">{}{}</section>').format(
        _about(room, job, far, visit, say), _log(room, job, visit, say)
    )


def _about(room: Room, job: Job, far: Progress, visit: Visit, say: Words) -> Markup:
    body = battles_table(room, far.battles, job.status.ended, say) if far.battles else _datasets(job, far, visit, say)
    flow = room.flows.of(job, far.stores, time.time()) if far.stores else None
    kind = "battles" if far.battles else "job"
    return Markup(
        '<div class="u-card"><div class="row u-cardhead"><h3>{id}</h3><span class="q cut">{head}</span>'
        '<span class="row end">{acts}</span></div>'
        '<div class="u-cardbody">{reason}<div class="u-figures">{figures}</div>{body}<dl class="u-facts u-four">{facts}</dl>'
        '{note}<div class="u-code">{command}</div></div></div>'
    ).format(
        id=job.job_id,
        head=subject(job)[0],
        acts=_leads(job, far, say),
        reason=Markup('<p class="u-note err">{}</p>').format(job.reason) if job.reason else "",
        figures=_figures(job, far, flow, say),
        body=body,
        facts=_facts(job, far, flow, say),
        note="" if job.status.ended else Markup('<p class="sm q">{}</p>').format(say(f"{kind}.note")),
        command=command_line(job.command),
    )


def _leads(job: Job, far: Progress, say: Words) -> Markup:
    found = []
    if far.entries:
        words = say("job.report" if job.status.ended else "job.live_report")
        found.append(Markup('<a class="g-btn sm" href="{}">{}</a>').format(run_page(far.entries[0].run_id), words))
    if far.battles and far.battles.source:
        address = link("admin/battles", arena=far.battles.name)
        found.append(Markup('<a class="g-btn sm" href="{}">{}</a>').format(address, say("battles.read")))
    if job.status.ended and form_link(job.command):
        about, sure = f'{{"job": "{job.job_id}"}}', again_words(job, say.lang)
        found.append(button("clone", about, "again", say("job.same"), sure, kind=""))
    return join(found)


def _figures(job: Job, far: Progress, flow: Flow | None, say: Words) -> Markup:
    took = job.ended - job.started if job.ended and job.started and job.status.ended else None
    left = span(took) if took is not None else span(far.left) if far.left is not None else "–"
    pairs = [
        ("took_head" if took is not None else "left", left, ""),
        ("rate", f"{far.rate:.1f}" if far.rate else "–", "/s" if far.rate else ""),
    ]
    if far.battles:
        pairs += [
            ("answers", of_all(min(far.battles.answers, far.battles.all_answers), far.battles.all_answers), ""),
            ("battles", of_all(far.battles.battles, far.battles.all_battles), ""),
        ]
    else:
        pairs += [
            ("samples", of_all(far.answered, far.total), ""),
            ("failed_all" if job.status.ended else "failed", count(far.failed), ""),
        ]
    if flow is not None and flow.tokens is not None:
        pairs.insert(-1, ("tokens", f"{flow.tokens / 1e6:.1f} M" if flow.tokens >= 100_000 else count(flow.tokens), ""))
    shown = join(
        Markup(
            '<div><div class="sm qq">{}</div><div class="tn b u-figure">{}<span class="q">{}</span></div></div>'
        ).format(say(f"job.{name}"), value, unit)
        for name, value, unit in pairs
    )
    if flow is None or not flow.pace:
        return shown
    return shown + _line_of(flow.pace, flow.seconds, "battles.pace" if far.battles else "job.pace", say)


def _line_of(pace: Sequence[float], seconds: float, about: str, say: Words) -> Markup:
    """Return the pace as a line over the time that it was taken over. ``about`` names what it is a pace of."""
    most = max(pace)
    step = 240 / (len(pace) - 1)
    points = " ".join(f"{place * step:.0f},{32 - 28 * value / most:.1f}" for place, value in enumerate(pace))
    words = say(about, n=max(1, round(seconds / 60)), most=f"{most:.1f}")
    return Markup(
        '<figure class="u-pace"><svg viewBox="0 0 240 34" height="34" preserveAspectRatio="none" role="img" aria-label="{0}"><path d="M0 33.5H240"/>'
        '<polyline points="{1}"/></svg><figcaption class="qq">{0}</figcaption></figure>'
    ).format(words, points)


def _facts(job: Job, far: Progress, flow: Flow | None, say: Words) -> Markup:
    runs = join(
        (
            Markup('<a class="mono" href="{}">{}</a>').format(run_page(entry.run_id), entry.run.plan_hash[:8])
            for entry in far.entries
        ),
        " ",
    )
    pairs: list[tuple[str, str]] = [("runs", runs)] if far.entries else []
    pairs += [
        ("device", job.device),
        ("started", moment(job.started)),
        ("by", job.by or "–"),
        ("attempts", count(job.attempts)),
    ]
    if flow is not None and flow.latency is not None and flow.latency[1] >= 0.05:
        pairs.append(("latency", say("job.latency.is", median=f"{flow.latency[0]:.1f}", most=f"{flow.latency[1]:.1f}")))
    if flow is not None and flow.again:
        pairs.append(("again", say("job.again.is", n=count(flow.again))))
    if job.clone_of:
        from_job = link("admin", tab="jobs", job=job.clone_of)
        pairs.append(("clone_of", Markup('<a href="{}" data-go>{}</a>').format(from_job, job.clone_of)))
    return join(Markup("<dt>{}</dt><dd>{}</dd>").format(say(f"job.{name}"), value) for name, value in pairs)


def _datasets(job: Job, far: Progress, visit: Visit, say: Words) -> Markup:
    rows = join(_dataset(job, entry, name, visit, say) for entry in far.entries for name in entry.datasets())
    if not rows:
        return Markup("")
    score = "score" if job.status.ended else "so_far"
    heads = join(
        Markup('<th scope="col"{}>{}</th>').format(
            attrs(class_="n" if name in ("samples", score, "half") else None), say(f"job.{name}")
        )
        for name in ("benchmark", "setting", "progress", "samples", score, "half", "marks")
    )
    return Markup(
        '<div class="u-wide"><table class="u-tbl u-jobparts"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(heads, rows)


def _dataset(job: Job, entry: RunEntry, name: str, visit: Visit, say: Words) -> Markup:
    state, plan = entry.run.states.get(name), entry.plan(name)
    answered, total = (state.answered, state.total) if state else (0, 0)
    value, ci95 = score_of(entry, name)
    asked = setting_words(setting(plan, state.borrowed_shots if state else False), visit.lang) if plan else ""
    return Markup(
        '<tr><th scope="row" class="name"><a href="{}">{}</a></th><td class="q" title="{}">{}</td><td>{}</td>'
        '<td class="n q">{}</td><td class="n m">{}</td><td class="n q">{}</td><td class="q tn">{}</td></tr>'
    ).format(
        run_page(entry.run_id, dataset=name),
        title(entry, name, visit.lang),
        asked,
        asked,
        bar(job, answered, total, name),
        of_all(answered, total),
        points(value),
        margin(ci95),
        _marks(entry, name, say),
    )


def _marks(entry: RunEntry, name: str, say: Words) -> str:
    """Return what is to be known beside a score: answers that could not be read, were cut off, failed."""
    report, state = entry.reports.get(name), entry.run.states.get(name)
    if report is None or entry.so_far(name) is not None:
        numbers = {"unparsed": state.unparsed, "failed": state.failed} if state else {}
    else:
        counts = report.counts
        numbers = {kind: getattr(counts, kind) for kind in ("unparsed", "rejected", "failed", "truncated")}
    return say("job.comma").join(say(f"job.n_{kind}", n=count(n)) for kind, n in numbers.items() if n) or "–"


# --- what it printed -------------------------------------------------------------------------------------------------


def _log(room: Room, job: Job, visit: Visit, say: Words) -> Markup:
    lines = _printed(room, job)
    warnings = [line for line in lines if is_warning(line)]
    only = visit.query.get("log") == "warnings"
    chips = join(
        Markup('<a class="g-chip{}" href="{}" data-go{}>{}</a>').format(
            " on" if on else "",
            link("admin", tab="jobs", job=job.job_id, log=log),
            attrs(aria_current="true" if on else None),
            words,
        )
        for on, log, words in (
            (not only, None, say("job.all")),
            (only, "warnings", say("job.warnings", n=count(len(warnings)))),
        )
    )
    return Markup(
        '<div class="u-card"><div class="row u-cardhead"><h3>{log}</h3><span class="sm qq cut">{newest}</span>'
        '<span class="row end">{chips}<a class="g-btn sm ghost" href="admin/log/{id}" download="{id}.txt">{icon}{whole}</a>'
        '</span></div><div class="u-log" role="log" aria-label="{log} {id}" tabindex="0"><pre>{lines}</pre></div></div>'
    ).format(
        id=job.job_id,
        log=say("job.log"),
        newest=say("job.newest", n=_LINES),
        chips=chips,
        icon=icon("download", small=True),
        whole=say("job.whole"),
        lines=join(map(_line, warnings if only else lines), "\n"),
    )


def is_warning(line: str) -> bool:
    """Return whether a printed line tells of trouble."""
    return _WARNING.search(line) is not None


def _line(line: str) -> Markup:
    """Return a line. A row of a table, which has wide gaps, is not folded: its columns stand under their headings."""
    kinds = [] if "  " in line.strip() else ["fold"]
    if is_warning(line):
        kinds.append("e" if line.startswith("llmuses: ") else "w")
    return Markup("<span{}>{}</span>").format(attrs(class_=" ".join(kinds) or None), line)


def _printed(room: Room, job: Job) -> Sequence[str]:
    """Return the last lines that a job printed, in their order."""
    path = room.log.place(job.job_id) / "log.txt"
    try:
        with open(path, "rb") as file:
            file.seek(max(0, file.seek(0, 2) - 64_000))
            return file.read().decode("utf-8", "replace").splitlines()[-_LINES:]
    except OSError:
        return []
