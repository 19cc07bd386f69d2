"""Who works, in the room's head: whether jobs are started, how many run and how many wait."""

from __future__ import annotations

from leaderboard.board_words import Words
from llmuses.errors import StoreError
from llmuses.jobs import JobStatus
from llmuses.markup import Markup, count, icon
from llmuses.visit import Visit
from llmuses.web.admin.room import Room


def at_work(room: Room, visit: Visit) -> Markup:
    """Return the state of the jobs in a line."""
    say = Words(visit.lang, "admin")
    jobs = room.log.jobs()
    waiting = sum(job.status is JobStatus.QUEUED for job in jobs)
    try:
        alive = room.supervisor.holder() is not None
    except StoreError:
        alive = False
    sign = Markup('<span class="u-v bare wrong">{}{}</span>').format(icon("failed", small=True), say("head.dead"))
    if alive:
        running = sum(job.status.works for job in jobs)
        sign = Markup('<span class="u-live">{}</span>').format(say("head.alive", n=count(running)))
    return Markup("{}{}").format(
        sign, Markup(' <span class="tn">{}</span>').format(say("head.queued", n=count(waiting))) if waiting else ""
    )
