"""Ratings for the arena board: computed beside the page, kept for each state of a file, never waited for long."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from leaderboard.arenas import Arenas, Facts, Source
from leaderboard.kept import sign
from llmuses.errors import LlmusesError

if TYPE_CHECKING:
    from arena.rating_records import Ratings, Rule

V = TypeVar("V")

PATIENCE = 0.8
"""Seconds that a page waits for figures before it says that they are on their way."""

PATIENT = 60.0
"""Seconds that a download waits for its figures: a file cannot be asked for again by itself."""

_PAUSE = 10
"""A file that grows is rated anew once so many times as long as it took have passed: a tenth of one core at the most."""


class Answer(NamedTuple, Generic[V]):
    """A value, or why there is none: ``problem`` in a sentence, or ``busy`` while it is computed for the first time.
    ``when`` is the time (seconds since 1970) of the state of the file that it is about."""

    value: V | None = None
    problem: str = ""
    busy: bool = False
    when: float = 0.0


class _Entry:
    """What is known under a key: the last value with the state that it is about, and the computation that goes on."""

    def __init__(self) -> None:
        self.state: Hashable = None
        self.answer: Answer[Any] | None = None
        self.future: Future[None] | None = None
        self.due = 0.0


class Desk:
    """Figures of battle files. All methods may be called from many threads; one thread computes what
    was asked for, another one what will be asked for next.

    A visit gets the figures of the file as it is now where they are ready within ``patience`` seconds, else the last ones,
    else word that they are being computed.
    """

    def __init__(self, arenas: Arenas, patience: float = PATIENCE):
        self.arenas = arenas
        self._patience = patience
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._mutex = threading.Lock()
        self._worker = ThreadPoolExecutor(1, "ratings")
        self._ahead = ThreadPoolExecutor(1, "ratings ahead")

    def sources(self) -> list[Source]:
        """Return the arenas that have something to show: the live one first, once ratings were published there."""
        found = [
            source for source in self.arenas.sources() if not source.live or self.arenas.published(source) is not None
        ]
        return sorted(found, key=lambda source: not source.live)

    def facts(self, source: Source, patience: float | None = None) -> Answer[Facts]:
        """Return what an arena's battles are of."""
        return self._ask(source, "facts", lambda: self.arenas.facts(source), patience)

    def languages(self, source: Source) -> list[str]:
        """Return the languages of an arena's battles by their ISO codes, none while they are told apart."""
        found = self._ask(source, "languages", lambda: self.arenas.languages(source), patience=0.1)
        return [name for name, _ in found.value or ()]

    def ratings(self, source: Source, rule: Rule, patience: float | None = None) -> Answer[Ratings]:
        """Return an arena's ratings under a rule."""
        return self._ask(source, rule, lambda: self.arenas.ratings(source, rule), patience)

    def made(self, source: Source, what: Hashable, make: Callable[[], V], patience: float | None = None) -> Answer[V]:
        """Return what ``make`` makes of an arena's battles, known by the name ``what``."""
        return self._ask(source, what, make, patience)

    def prepare(self, source: Source, rule: Rule) -> None:
        """Compute ratings that will be asked for next, when there is time."""
        self._ask(source, rule, lambda: self.arenas.ratings(source, rule), patience=0, worker=self._ahead)

    def close(self) -> None:
        """Drop what waits to be computed."""
        for worker in (self._worker, self._ahead):
            worker.shutdown(wait=False, cancel_futures=True)

    def _ask(
        self,
        source: Source,
        what: Hashable,
        make: Callable[[], V],
        patience: float | None = None,
        worker: ThreadPoolExecutor | None = None,
    ) -> Answer[V]:
        state = sign(source.counted)
        with self._mutex:
            entry = self._entries.setdefault((source.battles, what), _Entry())
            self._entries.move_to_end((source.battles, what))
            while len(self._entries) > 200:
                self._entries.popitem(last=False)
            if entry.answer is not None and (entry.state == state or time.monotonic() < entry.due):
                return entry.answer
            if entry.future is None:
                entry.future = (worker or self._worker).submit(self._compute, source, entry, state, make)
            future = entry.future
        wait_for([future], self._patience if patience is None else patience)
        return entry.answer or Answer(busy=True)

    def _when(self, source: Source, state: Any) -> float:
        """Return the time of what is shown: when ratings were published, whatever became of their file since."""
        if source.live:
            with contextlib.suppress(LlmusesError):
                found = self.arenas.published(source)
                return found.tstamp if found else 0.0
        return state[0] / 1e9 if state else 0.0

    def _compute(self, source: Source, entry: _Entry, state: Any, make: Callable[[], Any]) -> None:
        started = time.monotonic()
        when = self._when(source, state)
        try:
            answer = Answer(make(), when=when)
        except LlmusesError as problem:
            answer = Answer(problem=str(problem), when=when)
        except BaseException:
            with self._mutex:
                entry.future = None
            raise
        ended = time.monotonic()
        with self._mutex:
            entry.answer, entry.state, entry.future = answer, state, None
            entry.due = ended + _PAUSE * (ended - started) if ended - started > 0.1 else 0.0
