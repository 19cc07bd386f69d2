"""How fast a job goes on now: what was answered before it was started, or taken up again, is not its pace."""

from __future__ import annotations

import threading
from collections import deque

_WINDOW = 60.0
"""Seconds over which a pace is taken."""

_LEAST = 4.0
"""A pace over less than so many seconds says nothing."""


class Paces:
    """Remembers how far each job was at the last looks of any page. Safe for many threads."""

    def __init__(self) -> None:
        self._looks: dict[str, deque[tuple[float, int]]] = {}
        self._mutex = threading.Lock()

    def look(self, job_id: str, now: float, answered: int) -> float | None:
        """Return samples a second over the last minute, None where there were no two looks a while apart."""
        with self._mutex:
            looks = self._looks.setdefault(job_id, deque(maxlen=600))
            if looks and answered < looks[-1][1]:
                looks.clear()  # it was started anew
            looks.append((now, answered))
            while now - looks[0][0] > _WINDOW:
                looks.popleft()
            since, before = looks[0]
            return (answered - before) / (now - since) if now - since >= _LEAST else None

    def forget(self, job_id: str) -> None:
        """Let go of a job that does not run."""
        with self._mutex:
            self._looks.pop(job_id, None)
