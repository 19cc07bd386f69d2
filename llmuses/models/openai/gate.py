"""Who may send now: a number of slots, a shared back-off, requests and tokens per minute.

Everything here is plain state on one event loop; time comes from the loop's clock, chance from the caller.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
LONGEST_RETRY_AFTER = 300.0
"""A server that asks for a longer wait is not waited for: the request fails and says so."""


class Fault(Exception):
    """An attempt that brought no answer, but might if it is repeated.

    ``code`` is short and stable (``http_500``, ``timeout``). ``busy`` says that the server as a whole turns requests
    away (429, 503, 529), ``retry_after`` how many seconds it asks to be left alone, ``most_retries`` that this many
    repetitions are enough.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        busy: bool = False,
        retry_after: float | None = None,
        most_retries: int | None = None,
    ):
        super().__init__(message)
        self.code = code
        self.message = message
        self.busy = busy
        self.retry_after = retry_after
        self.most_retries = most_retries


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds that a server asks to wait, None where it does not say.

    ``retry-after-ms`` (milliseconds) comes before ``retry-after``, which holds seconds or an HTTP date
    (RFC 9110, section 10.2.3). ``headers`` must find names in lower case.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name)
        if text is None:
            continue
        try:
            seconds = float(text) * unit
        except ValueError:
            try:
                date = parsedate_to_datetime(text)
            except (TypeError, ValueError):
                continue
            seconds = (date.replace(tzinfo=date.tzinfo or UTC) - (now or datetime.now(UTC))).total_seconds()
        if seconds == seconds:  # "nan" is a float, too
            return max(0.0, seconds)
    return None


def backoff(attempt: int, chance: random.Random) -> float:
    """Return the seconds to wait after a failed attempt (from 1): doubling, between half and the whole of it."""
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(attempt - 1, 16)) * chance.uniform(0.5, 1.0)


class Pace:
    """So many units a minute, evenly spread. One pace may serve several event loops."""

    def __init__(self, per_minute: float):
        self._seconds = 60.0 / per_minute
        self._free_at = 0.0
        self._lock = threading.Lock()

    def free_at(self) -> float:
        """Return when the next units may be taken, on the clock of the ``now`` that ``take`` is given."""
        return self._free_at

    def take(self, units: float, now: float) -> None:
        """Use units: those after them wait until their time has passed."""
        with self._lock:
            self._free_at = max(self._free_at, now) + units * self._seconds

    def correct(self, units: float) -> None:
        """Add what was taken too little before, or give back (a negative number) what was taken too much."""
        with self._lock:
            self._free_at += units * self._seconds


class Ticket:
    """One request's way through the gate; the same ticket through all of its attempts.

    ``tokens`` is what the request is expected to use, for a limit of tokens per minute.
    """

    __slots__ = ("_gate", "admitted_at", "attempt", "deadline", "inside", "sent_at", "tokens")

    def __init__(self, gate: Gate):
        self._gate = gate
        self.attempt = 0
        self.inside = False
        self.admitted_at = 0.0
        self.sent_at = 0.0
        self.tokens = 0.0
        self.deadline: asyncio.Timeout | None = None

    async def enter(self) -> None:
        """Wait for a slot: to be called when everything is ready to be sent. A second call does nothing.

        From here on the attempt's time runs.
        """
        if self.inside:
            return
        await self._gate.admit(self)
        self.sent_at = now = asyncio.get_running_loop().time()
        if self.deadline is not None and self._gate.timeout is not None:
            self.deadline.reschedule(now + self._gate.timeout)

    def leave(self) -> None:
        """Give the slot to the next one. A second call does nothing."""
        self._gate.release(self)

    def seconds(self) -> float:
        """Return the seconds since this attempt was sent."""
        return asyncio.get_running_loop().time() - self.sent_at

    def used(self, tokens: float) -> None:
        """Tell how many tokens the request really used."""
        self._gate.correct(tokens - self.tokens)


class Gate:
    """Lets at most ``slots`` requests be under way, and fewer while the server turns them away.

    A single refusal only concerns the request that met it. Two in a row, with no answer in between, are taken for a
    limit of the server's: everybody pauses, for as long as it asked and twice as long at each refusal. The number of
    slots follows too: a refusal takes one away, four answers bring one back. After ``max_retries`` such pauses without
    an answer the gate no longer has patience (``hopeless``) until something is answered again.
    """

    def __init__(
        self,
        slots: int,
        *,
        max_retries: int = 0,
        timeout: float | None = None,
        requests: Pace | None = None,
        tokens: Pace | None = None,
        chance: random.Random | None = None,
    ):
        self.slots = slots
        self.timeout = timeout
        self.open_slots = float(slots)
        self.in_use = 0
        self.hopeless = False
        self._max_retries = max_retries
        self._requests = requests
        self._tokens = tokens
        self._chance = chance or random.Random()
        self._waiting: deque[tuple[asyncio.Future[None], Ticket]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._paused_until = 0.0
        self._paused_at = -1.0
        self._pauses = 0
        self._refusals = 0

    # -- slots

    async def admit(self, ticket: Ticket) -> None:
        """Wait until the ticket may be sent, first come first served."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((future, ticket))
        self._wake()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.release(ticket)
            raise

    def release(self, ticket: Ticket) -> None:
        """Take a ticket's slot back and hand it on."""
        if ticket.inside:
            ticket.inside = False
            self.in_use -= 1
            self._wake()

    def _wake(self) -> None:
        while self._waiting and self.in_use < int(self.open_slots):
            future, ticket = self._waiting[0]
            if future.done():  # its request was cancelled
                self._waiting.popleft()
                continue
            loop = future.get_loop()
            now = loop.time()
            free_at = self._free_at()
            if free_at > now:
                if self._timer is None or self._timer.cancelled() or self._timer.when() > free_at:
                    self._set_timer(loop, free_at)
                return
            self._waiting.popleft()
            self._take(ticket, now)
            future.set_result(None)

    def _free_at(self) -> float:
        paces = [pace.free_at() for pace in (self._requests, self._tokens) if pace]
        return max(self._paused_until, *paces) if paces else self._paused_until

    def _take(self, ticket: Ticket, now: float) -> None:
        ticket.inside = True
        ticket.admitted_at = now
        self.in_use += 1
        if self._requests:
            self._requests.take(1, now)
        if self._tokens:
            self._tokens.take(ticket.tokens, now)

    def _set_timer(self, loop: asyncio.AbstractEventLoop, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(when, self._timer_due)

    def _timer_due(self) -> None:
        self._timer = None
        self._wake()

    def correct(self, tokens: float) -> None:
        """Correct the tokens taken by so many."""
        if self._tokens:
            self._tokens.correct(tokens)

    # -- the shared back-off

    def answered(self) -> None:
        """Note that the server gave an answer."""
        self._refusals = self._pauses = 0
        self.hopeless = False
        if self.open_slots < self.slots:
            self.open_slots = min(self.slots, self.open_slots + 0.25)
            self._wake()

    def refused(self, ticket: Ticket, wait: float | None) -> None:
        """Note that the server turned a request away, and asked to be left alone for ``wait`` seconds."""
        self.open_slots = max(1.0, self.open_slots - 1)
        self._refusals += 1
        if self._refusals < 2 or ticket.admitted_at <= self._paused_at:
            return  # perhaps chance; or it was under way already when the pause began
        if self._pauses >= self._max_retries:
            self.hopeless = True
            return
        self._pauses += 1
        self._paused_at = asyncio.get_running_loop().time()
        self._paused_until = self._paused_at + max(wait or 0.0, backoff(self._pauses, self._chance))
