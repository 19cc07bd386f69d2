"""How far a job is, and the pieces that the list of jobs and the view of one of them share."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from leaderboard.results import RunEntry
from llmuses.i18n import Lang, points, text
from llmuses.jobs import Job, JobStatus
from llmuses.markup import Markup, attrs, count, icon, margin
from llmuses.visit import Visit
from llmuses.web.admin.battle_job import BattleJob, battle_job
from llmuses.web.admin.room import Room

_BARS = {JobStatus.DONE: "done", JobStatus.FAILED: "bad", JobStatus.CANCELLED: "stop"}


class Progress(NamedTuple):
    """How far a job is, over all its runs: answered and total samples, samples a second now, seconds left.

    Of battles it is their answers and verdicts. ``battles`` is None for an evaluation.
    """

    answered: int
    total: int
    rate: float | None
    left: float | None
    entries: list[RunEntry]
    battles: BattleJob | None = None

    @property
    def stores(self) -> list[Path]:
        """The files that its answers are written to, and the verdicts on its battles."""
        if self.battles is not None:
            return self.battles.stores
        return [entry.predictions(name) for entry in self.entries for name in entry.datasets()]

    @property
    def failed(self) -> int:
        """How many samples failed so far."""
        return sum(state.failed for entry in self.entries for state in entry.run.states.values())


def progress(room: Room, job: Job, entries: Sequence[RunEntry], now: float) -> Progress:
    """Return how far a job is. ``entries`` are all runs; those that carry the job's id are its own."""
    if (battles := battle_job(room, job)) is not None:
        answered, total = battles.answers + battles.battles, battles.all_answers + battles.all_battles
        return _paced(room, job, now, answered, total, [], battles)
    own = [entry for entry in entries if entry.run.job == job.job_id]
    states = [state for entry in own for state in entry.run.states.values()]
    answered, total = sum(state.answered for state in states), sum(state.total for state in states)
    return _paced(room, job, now, answered, total, own)


def _paced(
    room: Room,
    job: Job,
    now: float,
    answered: int,
    total: int,
    own: list[RunEntry],
    battles: BattleJob | None = None,
) -> Progress:
    rate = None
    if job.status is JobStatus.RUNNING:
        rate = room.paces.look(job.job_id, now, answered)
    else:
        room.paces.forget(job.job_id)
    left = max(total - answered, 0) / rate if rate else None
    return Progress(answered, total, rate, left, own, battles)


def subject(job: Job) -> tuple[str, str]:
    """Return what a job is about in two parts, as its title has them: the model or the name, and the rest."""
    head, _, rest = job.title.partition(": ")
    return head, rest


def bar(job: Job, answered: int, total: int, label: str) -> Markup:
    """Return the bar of a job, or of one dataset of it."""
    share = 100 * answered / total if total else (100.0 if job.status is JobStatus.DONE else 0.0)
    kind = "done" if total and answered >= total else _BARS.get(job.status, "")
    return Markup(
        '<span class="u-prog {}" role="progressbar" aria-valuenow="{:.0f}" aria-valuemin="0" aria-valuemax="100"'
        ' aria-label="{}"><i style="--p:{:.1f}"></i></span>'
    ).format(kind, share, label, share)


def of_all(answered: int, total: int) -> str:
    """Return ``733 / 1,319``, a dash where it is not known yet how many there are."""
    return f"{count(answered)} / {count(total)}" if total else "–"


def score_of(entry: RunEntry, name: str) -> tuple[float | None, tuple[float, float] | None]:
    """Return the score of a dataset with its interval: the one so far, or that of its report."""
    if (so_far := entry.so_far(name)) is not None:
        return so_far.score, so_far.ci95
    report = entry.reports.get(name)
    return (report.score, report.ci95) if report else (None, None)


def score(far: Progress, visit: Visit) -> Markup:
    """Return the score of a job with one dataset; of several, whose mean would mean nothing, how many there are."""
    datasets = [(entry, name) for entry in far.entries for name in entry.datasets()]
    if len(datasets) > 1:
        number = sum(score_of(*each)[0] is not None for each in datasets)
        words = text(visit.lang, "admin.job.scores", n=count(number)) if number else "–"
        return Markup('<span class="q">{}</span>').format(words)
    value, ci95 = score_of(*datasets[0]) if datasets else (None, None)
    if value is None:
        return Markup('<span class="qq">–</span>')
    return Markup('<span class="m">{}</span> <span class="q">{}</span>').format(points(value), margin(ci95))


def span(seconds: float) -> str:
    """Return a time as ``17:54`` or ``2:03:10``."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def moment(when: float | None) -> str:
    """Return a time of the day, with its date where that is not today."""
    if when is None:
        return "–"
    same_day = time.localtime(when)[:3] == time.localtime()[:3]
    return time.strftime("%H:%M" if same_day else "%m-%d %H:%M", time.localtime(when))


def again_words(job: Job, lang: Lang) -> str:
    """Return what is asked before a job is started once more as it is: that takes time, and maybe money."""
    return text(lang, "admin.job.same.sure", job=job.job_id)


def button(deed: str, about: str, sign: str, words: str, sure: str | None = None, kind: str = "ghost") -> Markup:
    """Return a button that does something to a job."""
    return Markup('<button class="g-btn sm {}" data-deed="{}" data-about="{}"{}>{}<span>{}</span></button>').format(
        kind, deed, about, attrs(data_sure=sure), icon(sign, small=True), words
    )
