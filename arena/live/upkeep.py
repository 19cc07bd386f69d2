"""What models cost and how they fail: who sits out, why, and until when."""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from llmuses.errors import StoreError
from llmuses.records import ErrorKind, PlayerEvent, PlayerLine, ResponseError
from llmuses.store import START, JsonlStore, Sync

_log = logging.getLogger(__name__)

FAILURES = 3
"""So many in a row, and a model sits out."""
FIRST_PAUSE = 60.0
LONGEST_PAUSE = 3600.0
READ_SECONDS = 5.0
"""How often what other processes spent is read."""

_LASTING = ("http_401", "http_403", "http_404", "insufficient_quota", "model_not_found")
"""Nothing that passes in a minute: a wrong key, a used-up account, a vanished model."""


HELD = {PlayerEvent.PAUSED: "paused", PlayerEvent.RETIRED: "retired"}
"""What an admin does to keep a model out, whatever it costs or answers, and how it stands from then on."""


class Away(NamedTuple):
    """Why a model sits out, and until when (a time stamp); None where somebody has to let it in again.

    ``state`` is how it stands: ``sits_out``, ``paused``, ``retired``.
    """

    reason: str
    until: float | None
    state: str = "sits_out"


class Book:
    """The lines of an arena's models, shared by its processes. A book that cannot be written stops no battle."""

    def __init__(self, path: Path, clock: Callable[[], float]):
        self._store = JsonlStore(path, PlayerLine, Sync.NEVER)
        self._clock = clock
        self._cursor = START
        self._day = ""
        self._spent: defaultdict[str, float] = defaultdict(float)
        self._lost: defaultdict[str, float] = defaultdict(float)
        self._held: dict[str, Away] = {}
        self._read_at = float("-inf")
        self._size: int | None = None
        self._lock = threading.Lock()

    def write(self, model: str, event: PlayerEvent, **said: float | str | None) -> None:
        """Add a line; where that fails it is said in the log."""
        try:
            self._store.append(PlayerLine(model=model, event=event, tstamp=self._clock(), **said))  # type: ignore[arg-type]
        except StoreError as problem:
            _log.error("a line of the arena's models is lost: %s", problem)
            cost = said.get("cost")
            self._lost[model] += cost if isinstance(cost, float) else 0.0

    def spent(self, model: str) -> float:
        """Return the money that a model cost today, in all processes, as far as was read some seconds ago."""
        with self._lock:
            now = self._clock()
            if now >= self._read_at + READ_SECONDS or _day(now) != self._day:
                self._read(now)
            return self._spent[model] + self._lost[model]

    def held(self, model: str) -> Away | None:
        """Return why an admin keeps a model out, None where nobody does. What any process wrote is seen at once."""
        try:
            size = os.stat(self._store.path).st_size
        except OSError:
            size = 0
        with self._lock:
            if size != self._size:
                self._size = size
                self._read(self._clock())
            return self._held.get(model)

    def look_again(self) -> None:
        """Have the next question read what was written since."""
        self._read_at = float("-inf")

    def _read(self, now: float) -> None:
        today = _day(now)
        if today != self._day:
            self._day, self._spent, self._lost = today, defaultdict(float), defaultdict(float)
        reader = self._store.read(self._cursor)
        try:
            for line in reader:
                note_held(self._held, line)
                if line.cost and _day(line.tstamp) == today:
                    self._spent[line.model] += line.cost
        except (StoreError, OSError) as problem:
            _log.error("what the arena's models cost cannot be read: %s", problem)
        self._cursor, self._read_at = reader.cursor, now

    def close(self) -> None:
        """Close the file."""
        self._store.close()


def note_held(held: dict[str, Away], line: PlayerLine) -> None:
    """Bring up to date, by one line of the book, which models an admin keeps out."""
    if line.event in HELD:
        held[line.model] = Away(line.reason or "", None, HELD[line.event])
    elif line.event is PlayerEvent.RESUMED:
        held.pop(line.model, None)


class Upkeep:
    """Counts failures and money for each model. ``budgets`` is money a day by model, None for no limit.

    ``answers`` and ``failures`` are of this process, since it started.
    """

    def __init__(self, book: Book, budgets: Mapping[str, float | None], clock: Callable[[], float]):
        self.answers: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._book = book
        self._budgets = budgets
        self._clock = clock
        self._in_a_row: Counter[str] = Counter()
        self._pauses: Counter[str] = Counter()
        self._away: dict[str, Away] = {}

    def close(self) -> None:
        """Close the book."""
        self._book.close()

    def sits_out(self, model: str) -> Away | None:
        """Return why a model sits out now, None where it may play. What an admin decided comes first.

        One that failed comes back when its pause is over, and sits out twice as long where it fails again at once.
        """
        if (held := self._book.held(model)) is not None:
            return held
        now = self._clock()
        away = self._away.get(model)
        if away is not None and away.until is not None and away.until <= now:
            del self._away[model]
            self._book.write(model, PlayerEvent.RETURNED)
            away = None
        budget = self._budgets.get(model)
        if away is None and budget is not None and self._book.spent(model) >= budget:
            away = self._send_away(model, f"its budget of {budget:g} a day is used up", _next_day(now))
        return away

    def spent(self, model: str) -> float:
        """Return the money that a model cost today."""
        return self._book.spent(model)

    def answered(self, model: str) -> None:
        """Note an answer that was whole."""
        self.answers[model] += 1
        self._in_a_row[model] = self._pauses[model] = 0

    def paid(self, model: str, cost: float) -> None:
        """Note what an answer cost, be it whole or not."""
        self._book.write(model, PlayerEvent.ANSWERED, cost=cost)
        self._book.look_again()

    def failed(self, model: str, error: ResponseError) -> None:
        """Note a failure. What the server refuses of one prompt says nothing of the others and is not counted."""
        if error.kind is ErrorKind.REJECTED:
            return
        self.failures[model] += 1
        self._in_a_row[model] += 1
        lasting = error.code in _LASTING
        if model in self._away or not (lasting or self._in_a_row[model] >= FAILURES or self._pauses[model]):
            return
        pause = LONGEST_PAUSE if lasting else min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._pauses[model], 16))
        self._pauses[model] += 1
        self._in_a_row[model] = 0
        self._send_away(model, f"it failed: {error.code} {error.message}".strip(), self._clock() + pause)

    def _send_away(self, model: str, reason: str, until: float) -> Away:
        away = self._away[model] = Away(reason, until)
        self._book.write(model, PlayerEvent.SITS_OUT, reason=reason, until=until)
        _log.warning("%s sits out: %s", model, reason)
        return away


def _day(tstamp: float) -> str:
    return datetime.fromtimestamp(tstamp, UTC).date().isoformat()


def _next_day(tstamp: float) -> float:
    today = datetime.fromtimestamp(tstamp, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1)).timestamp()
