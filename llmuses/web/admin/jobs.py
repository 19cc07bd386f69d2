"""The tab of jobs: what runs, what waits, what became of the rest; and stopping, resuming and repeating them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from llmuses.i18n import Lang, text
from llmuses.jobs import Job, JobStatus
from llmuses.markup import Markup, attrs, icon, join, link
from llmuses.visibility import standing
from llmuses.visit import Visit
from llmuses.web.admin.clone import copy_link
from llmuses.web.admin.job_detail import detail
from llmuses.web.admin.job_progress import (
    Progress,
    again_words,
    bar,
    button,
    moment,
    of_all,
    progress,
    score,
    span,
    subject,
)
from llmuses.web.admin.parts import run_page
from llmuses.web.admin.room import Asked, Deed, Doing, Room, Tab
from llmuses.web.admin.rules import Role
from llmuses.web.admin.sessions import Person
from llmuses.web.admin.working import at_work

_SHOWN = 100
"""The last so many jobs are listed; the log keeps all."""

_ICONS = {
    JobStatus.QUEUED: "clock",
    JobStatus.DONE: "correct",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELLED: "stop",
}


def view(room: Room, person: Person, visit: Visit) -> Markup:
    """Return the tab: the list, and one job whole."""
    jobs = room.log.jobs()[::-1]
    entries = room.results.runs()
    now = time.time()
    chosen = next((job for job in jobs if job.job_id == visit.query.get("job")), jobs[0] if jobs else None)
    if chosen is None:
        return _empty(visit)
    far = {job.job_id: progress(room, job, entries, now) for job in [*jobs[:_SHOWN], chosen]}
    rows = join(_row(job, far[job.job_id], chosen is job, jobs, visit) for job in jobs[:_SHOWN])
    heads = join(
        Markup('<th scope="col"{}>{}</th>').format(
            attrs(class_="n" if name in _NUMBERS else None), text(visit.lang, f"admin.job.{name}")
        )
        for name in _HEADS
    )
    return Markup(
        '<template data-work>{}</template><div class="u-wide u-joblist" data-live="2"><table class="u-tbl cozy u-jobs"><thead><tr>{}<th scope="col">{}</th>'
        "</tr></thead><tbody>{}</tbody></table></div>{}"
    ).format(
        at_work(room, visit),
        heads,
        text(visit.lang, "admin.job.actions"),
        rows,
        detail(room, chosen, far[chosen.job_id], visit),
    )


_HEADS = ("status", "id", "subject", "of", "progress", "samples", "rate", "left", "score", "started")
_NUMBERS = ("samples", "rate", "left", "score", "started")


def _empty(visit: Visit) -> Markup:
    return Markup('<div class="u-card u-msg">{}<h3>{}</h3><p class="md">{}</p></div>').format(
        icon("clock"), text(visit.lang, "admin.job.none"), text(visit.lang, "admin.job.none.body")
    )


def _row(job: Job, far: Progress, chosen: bool, jobs: list[Job], visit: Visit) -> Markup:
    head, rest = subject(job)
    return Markup(
        '<tr{on}><td>{status}</td><td class="mono qq">{id}</td><th scope="row" class="name"><a href="{href}" data-go title="{title}">'
        '{head}</a>{lock}</th><td class="q" title="{rest}">{rest}</td><td>{bar}</td><td class="n q">{samples}</td><td class="n">{rate}</td>'
        '<td class="n q" title="{left}">{left}</td><td class="n">{score}</td><td class="n q">{started}</td>'
        '<td class="u-acts">{acts}</td></tr>'
    ).format(
        on=attrs(class_="on" if chosen else None),
        status=_status(job, far, visit),
        id=job.job_id,
        href=link("admin", tab="jobs", job=job.job_id),
        title=job.title,
        head=head,
        lock=_lock(far, visit.lang),
        rest=rest,
        bar=bar(job, far.answered, far.total, job.job_id),
        samples=of_all(far.answered, far.total),
        rate=f"{far.rate:.1f}/s" if far.rate else Markup('<span class="qq">–</span>'),
        left=_left(job, far, jobs, visit),
        score=score(far, visit),
        started=moment(job.started),
        acts=_actions(job, far, visit.lang),
    )


def _lock(far: Progress, lang: Lang) -> Markup:
    """Return the mark of a job whose run only the room shows."""
    fought = far.battles.source if far.battles else None
    stands = standing(fought.folder) if fought else None
    if not any(entry.hidden for entry in far.entries) and not (stands and stands.hidden):
        return Markup("")
    word = text(lang, "admin.run.tag")
    return Markup(' <span class="q" title="{0}">{1}<span class="sr">{0}</span></span>').format(
        word, icon("lock", small=True)
    )


def _status(job: Job, far: Progress, visit: Visit) -> Markup:
    if job.status is JobStatus.DONE and far.battles and far.battles.undecided:
        words = text(visit.lang, "admin.status.undecided")
        return Markup('<span class="u-v bare wrong">{}{}</span>').format(icon("wrong", small=True), words)
    word = text(visit.lang, f"admin.status.{job.status}")
    if job.status.works:
        return Markup('<span class="u-live">{}</span>').format(word)
    kind = {JobStatus.DONE: "u-v bare correct", JobStatus.FAILED: "u-v bare wrong"}.get(job.status, "row q")
    return Markup('<span class="{}">{}{}</span>').format(kind, icon(_ICONS[job.status], small=True), word)


def _left(job: Job, far: Progress, jobs: list[Job], visit: Visit) -> str:
    if job.status is JobStatus.FAILED:
        return job.reason or "–"
    if job.status is JobStatus.QUEUED:
        before = [other for other in jobs if other.status.works and other.device == job.device]
        return text(visit.lang, "admin.job.after", job=before[0].job_id) if before else "–"
    if job.status.ended and job.started and job.ended:
        return text(visit.lang, "admin.job.took", time=span(job.ended - job.started))
    return span(far.left) if far.left is not None else "–"


def _actions(job: Job, far: Progress, lang: Lang) -> Markup:
    about = f'{{"job": "{job.job_id}"}}'
    own = []
    if not job.status.ended:
        sure = text(lang, "admin.job.cancel.sure", job=job.job_id)
        own.append(button("cancel", about, "stop", text(lang, "admin.job.cancel"), sure))
    elif job.status is not JobStatus.DONE or job.exit_code:
        own.append(button("resume", about, "again", text(lang, "admin.job.resume")))
    else:
        own.append(_report(far, lang))
    if form := copy_link(job):
        words = text(lang, "admin.job.clone")
        own.append(
            Markup('<a class="g-btn sm ghost" href="{}" title="{}">{}<span>{}</span></a>').format(
                form, text(lang, "admin.job.clone.form"), icon("copy", small=True), words
            )
        )
    else:
        own.append(button("clone", about, "copy", text(lang, "admin.job.clone"), again_words(job, lang)))
    return join(own)


def _report(far: Progress, lang: Lang) -> Markup:
    if far.battles and far.battles.source:
        address = link("admin/battles", arena=far.battles.name)
    elif far.entries:
        address = run_page(far.entries[0].run_id)
    else:
        return Markup("<span></span>")
    words = text(lang, "admin.job.report")
    return Markup('<a class="g-btn sm ghost" href="{}">{}<span>{}</span></a>').format(
        address, icon("right", small=True), words
    )


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
