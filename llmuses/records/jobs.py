"""Jobs, and the deeds of the admin room."""

from __future__ import annotations

from enum import StrEnum

from llmuses.records.base import Record


class JobEvent(StrEnum):
    """What happened to a job. ``queued`` once more, after its end, means that somebody resumed it."""

    QUEUED = "queued"
    STARTED = "started"
    HEARTBEAT = "heartbeat"
    INTERRUPTED = "interrupted"
    """Its processes died without a word: it waits again by itself."""
    CANCEL = "cancel"
    """Somebody asked for its end; ``cancelled`` follows when it has ended."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobLine(Record, kw_only=True):
    """One line of the jobs log, which only grows and is the truth about all jobs.

    The first line of a job says what it is: ``title``, ``command`` (the arguments after ``llmuses``) and the ``device``
    that it occupies. ``by`` is who asked for the event, empty where nobody did; ``pid`` is the process that does the work.
    """

    job_id: str
    event: JobEvent
    title: str | None = None
    command: list[str] | None = None
    device: str | None = None
    clone_of: str | None = None
    by: str = ""
    reason: str = ""
    exit_code: int | None = None
    pid: int | None = None
    tstamp: float = 0.0


class AuditLine(Record, kw_only=True):
    """One deed in the admin room: who did it, what, to what (a job, a model, a battle), and from which address."""

    by: str
    deed: str
    about: str = ""
    address: str = ""
    tstamp: float = 0.0


class LogoutLine(Record, kw_only=True):
    """A session of the admin room that was ended: a hash of it, and when it would have ended by itself."""

    session: str
    until: float
