"""The tab of jobs: what runs, what waits, what became of the rest; and stopping, resuming and repeating them."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from leaderboard.results import RunEntry
from llmuses.i18n import points, text
from llmuses.jobs import Job, JobStatus
from llmuses.markup import Markup, attrs, count, icon, join, link, margin
from llmuses.visit import Visit
from llmuses.web.admin.room import Asked, Deed, Doing, Room, Tab
from llmuses.web.admin.rules import Role
from llmuses.web.admin.sessions import Person

_SHOWN = 100
"""The last so many jobs are listed; the log keeps all."""

_LINES = 200
_ICONS = {
    JobStatus.QUEUED: "clock",
    JobStatus.DONE: "correct",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELLED: "stop",
}
_BARS = {JobStatus.DONE: "done", JobStatus.FAILED: "bad", JobStatus.CANCELLED: "stop"}


class Progress(NamedTuple):
    """How far a job is, over all its runs: answered and total samples, samples a second, seconds left."""

    answered: int
    total: int
    rate: float | None
    left: float | None
    entries: list[RunEntry]


def progress(job: Job, entries: list[RunEntry], now: float) -> Progress:
    """Return how far a job is. ``entries`` are all runs; those that carry the job's id are its own."""
    own = [entry for entry in entries if entry.run.job == job.job_id]
    states = [state for entry in own for state in entry.run.states.values()]
    answered, total = sum(state.answered for state in states), sum(state.total for state in states)
    seconds = sum(state.seconds for state in states)
    rate = answered / seconds if answered and seconds >= 1 else None
    left = (total - answered) / rate if rate and job.status is JobStatus.RUNNING else None
    return Progress(answered, total, rate, left, own)


def view(room: Room, person: Person, visit: Visit) -> Markup:
    """Return the tab: the list, and one job whole."""
    jobs = room.log.jobs()[::-1]
    entries = room.results.runs()
    now = time.time()
    chosen = next((job for job in jobs if job.job_id == visit.query.get("job")), jobs[0] if jobs else None)
    if chosen is None:
        return _empty(visit)
    rows = join(_row(job, progress(job, entries, now), chosen is job, jobs, visit) for job in jobs[:_SHOWN])
    heads = join(
        Markup('<th scope="col"{}>{}</th>').format(
            attrs(class_="n" if name in _NUMBERS else None), text(visit.lang, f"admin.job.{name}")
        )
        for name in _HEADS
    )
    return Markup(
        '<div class="u-wide" data-live="2"><table class="u-tbl cozy u-jobs"><thead><tr>{}<th scope="col">'
        '<span class="sr">{}</span></th></tr></thead><tbody>{}</tbody></table></div>{}'
    ).format(
        heads, text(visit.lang, "admin.job.actions"), rows, _detail(room, chosen, progress(chosen, entries, now), visit)
    )


_HEADS = ("status", "id", "title", "device", "progress", "samples", "rate", "left", "so_far", "started")
_NUMBERS = ("samples", "rate", "left", "so_far", "started")


def _empty(visit: Visit) -> Markup:
    return Markup('<div class="u-card u-msg">{}<h3>{}</h3><p class="md">{}</p></div>').format(
        icon("clock"), text(visit.lang, "admin.job.none"), text(visit.lang, "admin.job.none.body")
    )


def _row(job: Job, far: Progress, chosen: bool, jobs: list[Job], visit: Visit) -> Markup:
    say = visit.lang
    return Markup(
        '<tr{on}><td>{status}</td><td class="mono qq">{id}</td><th scope="row" class="name"><a href="{href}" data-go>{title}</a>'
        '</th><td class="q">{device}</td><td>{bar}</td><td class="n q">{samples}</td><td class="n">{rate}</td>'
        '<td class="n q">{left}</td><td class="n">{score}</td><td class="n q">{started}</td><td class="u-acts">{acts}</td></tr>'
    ).format(
        on=attrs(class_="on" if chosen else None),
        status=_status(job, visit),
        id=job.job_id,
        href=link("admin", tab="jobs", job=job.job_id),
        title=job.title,
        device=job.device,
        bar=_bar(job, far),
        samples=f"{count(far.answered)} / {count(far.total)}" if far.total else "–",
        rate=f"{far.rate:.1f}/s" if far.rate else "–",
        left=_left(job, far, jobs, visit),
        score=_score(far),
        started=_moment(job.started),
        acts=_actions(job, say),
    )


def _status(job: Job, visit: Visit) -> Markup:
    word = text(visit.lang, f"admin.status.{job.status}")
    if job.status.works:
        return Markup('<span class="u-live">{}</span>').format(word)
    kind = {JobStatus.DONE: "u-v bare correct", JobStatus.FAILED: "u-v bare wrong"}.get(job.status, "row q")
    return Markup('<span class="{}">{}{}</span>').format(kind, icon(_ICONS[job.status], small=True), word)


def _bar(job: Job, far: Progress) -> Markup:
    share = 100 * far.answered / far.total if far.total else (100.0 if job.status is JobStatus.DONE else 0.0)
    return Markup(
        '<span class="u-prog {}" role="progressbar" aria-valuenow="{:.0f}" aria-valuemin="0" aria-valuemax="100"'
        ' aria-label="{}"><i style="--p:{:.1f}"></i></span>'
    ).format(_BARS.get(job.status, ""), share, job.job_id, share)


def _left(job: Job, far: Progress, jobs: list[Job], visit: Visit) -> str:
    if job.status is JobStatus.FAILED:
        return job.reason[:40]
    if job.status is JobStatus.QUEUED:
        before = [other for other in jobs if other.status.works and other.device == job.device]
        return text(visit.lang, "admin.job.after", job=before[0].job_id) if before else "–"
    if job.status.ended and job.started and job.ended:
        return text(visit.lang, "admin.job.took", time=_span(job.ended - job.started))
    return _span(far.left) if far.left is not None else "–"


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def _moment(when: float | None) -> str:
    if when is None:
        return "–"
    same_day = time.localtime(when)[:3] == time.localtime()[:3]
    return time.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M", time.localtime(when))


def _score(far: Progress) -> Markup:
    """Return the score of a job with one dataset; of several there is none that means anything."""
    datasets = [(entry, name) for entry in far.entries for name in entry.datasets()]
    if len(datasets) != 1:
        return Markup("–")
    entry, name = datasets[0]
    so_far = entry.so_far(name)
    report = entry.reports.get(name)
    score, ci95 = (so_far.score, so_far.ci95) if so_far else (report.score, report.ci95) if report else (None, None)
    if score is None:
        return Markup("–")
    return Markup('<span class="m">{}</span> <span class="q">{}</span>').format(points(score), margin(ci95))


def _actions(job: Job, lang: Any) -> Markup:
    about = f'{{"job": "{job.job_id}"}}'
    own = []
    if not job.status.ended:
        sure = text(lang, "admin.job.cancel.sure", job=job.job_id)
        own.append(_button("cancel", about, "stop", text(lang, "admin.job.cancel"), sure))
    elif job.status is not JobStatus.DONE or job.exit_code:
        own.append(_button("resume", about, "again", text(lang, "admin.job.resume")))
    own.append(_button("clone", about, "copy", text(lang, "admin.job.clone")))
    return join(own)


def _button(deed: str, about: str, sign: str, words: str, sure: str | None = None) -> Markup:
    return Markup('<button class="g-btn sm ghost" data-deed="{}" data-about="{}"{}>{}<span>{}</span></button>').format(
        deed, about, attrs(data_sure=sure), icon(sign, small=True), words
    )


def _detail(room: Room, job: Job, far: Progress, visit: Visit) -> Markup:
    lang = visit.lang
    datasets = join(_dataset(entry, name, visit) for entry in far.entries for name in entry.datasets())
    return Markup(
        '<section class="u-jobgrid"><div class="u-card"><div class="row u-cardhead"><h3>{id}</h3><span class="q cut">{title}</span></div>'
        '<div class="u-cardbody">{reason}<table class="u-tbl"><tbody>{datasets}</tbody></table><p class="sm q">{note}</p>'
        '<div class="u-code">{command}</div></div></div>'
        '<div class="u-card"><div class="row u-cardhead"><h3>{log}</h3><span class="sm qq">{newest}</span>'
        '<a class="g-btn sm ghost end" href="admin/log/{id}" download="{id}.txt">{icon}{whole}</a></div>'
        '<pre class="u-log" role="log" aria-label="{log} {id}" tabindex="0">{lines}</pre></div></section>'
    ).format(
        id=job.job_id,
        title=job.title,
        reason=Markup('<p class="u-note err">{}</p>').format(job.reason) if job.reason else "",
        datasets=datasets,
        note=text(lang, "admin.job.note"),
        command=shlex.join(["llmuses", *job.command]),
        log=text(lang, "admin.job.log"),
        newest=text(lang, "admin.job.newest", n=_LINES),
        icon=icon("download", small=True),
        whole=text(lang, "admin.job.whole"),
        lines="\n".join(_printed(room, job)),
    )


def _dataset(entry: RunEntry, name: str, visit: Visit) -> Markup:
    so_far, report = entry.so_far(name), entry.reports.get(name)
    state = entry.run.states.get(name)
    answered, total = (state.answered, state.total) if state else (0, 0)
    score, ci95 = (so_far.score, so_far.ci95) if so_far else (report.score, report.ci95) if report else (None, None)
    return Markup(
        '<tr><th scope="row" class="m"><a href="{}">{}</a></th><td class="q">{}</td><td class="n q">{} / {}</td>'
        '<td class="n m">{}</td><td class="n q">{}</td></tr>'
    ).format(
        link("browse", run=entry.run_id, dataset=name),
        name,
        entry.run.model,
        count(answered),
        count(total),
        points(score),
        margin(ci95),
    )


def _printed(room: Room, job: Job) -> list[str]:
    """Return the last lines that a job printed, newest first."""
    path = room.log.place(job.job_id) / "log.txt"
    try:
        with open(path, "rb") as file:
            file.seek(max(0, file.seek(0, 2) - 64_000))
            return file.read().decode("utf-8", "replace").splitlines()[-_LINES:][::-1]
    except OSError:
        return []


# --- what people do ------------------------------------------------------------------------------------------------


class _Named(Asked, kw_only=True, frozen=True):
    """A job."""

    job: str


def _cancel(doing: Doing, asked: _Named) -> Mapping[str, Any]:
    doing.room.log.cancel(asked.job, doing.person.name)
    return {"say": text(doing.lang, "admin.job.cancelled", job=asked.job)}


def _resume(doing: Doing, asked: _Named) -> Mapping[str, Any]:
    doing.room.log.resume(asked.job, doing.person.name)
    return {"say": text(doing.lang, "admin.job.resumed", job=asked.job)}


def _clone(doing: Doing, asked: _Named) -> Mapping[str, Any]:
    copy = doing.room.log.clone(asked.job, doing.person.name)
    return {"say": text(doing.lang, "admin.job.cloned", job=asked.job, copy=copy)}


TAB = Tab("jobs", Role.OPERATOR, view)
DEEDS = {
    "cancel": Deed(Role.OPERATOR, _Named, _cancel),
    "resume": Deed(Role.OPERATOR, _Named, _resume),
    "clone": Deed(Role.OPERATOR, _Named, _clone),
}
