"""Many requests under way at once behind an ordinary iterator.

A run has an event loop in a thread of its own, so that slots are refilled while the caller is busy with an answer, and
so that it works where a loop is already running (a notebook). The items are pulled in the caller's thread only, one at
a time, and never further ahead than the slots and as many again: what is pulled and not yet handed on is bounded.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from queue import SimpleQueue
from typing import Generic, TypeVar

from llmuses.models.openai.gate import LONGEST_RETRY_AFTER, Fault, Gate, Ticket, backoff

Q = TypeVar("Q")
A = TypeVar("A")

Attempt = Callable[[Q, Ticket], Awaitable[A]]
"""Asks once. Awaits ``ticket.enter()`` just before sending; raises Fault where trying again may help."""

MOST_AHEAD = 64

TIMEOUT_RETRIES = 2
"""Each repetition after a time-out may hold a slot for as long again."""


class Scheduler(Generic[Q, A]):
    """Answers items concurrently.

    ``session`` opens what the attempts share (a client) and gives the attempt; it is entered and left inside the event
    loop. ``give_up`` makes an answer of the last fault once ``max_retries`` repetitions did not help. Any exception
    other than Fault, of an attempt or of ``give_up``, ends the whole: nothing more is sent, and the iterator raises it.
    """

    def __init__(
        self,
        session: Callable[[], AbstractAsyncContextManager[Attempt[Q, A]]],
        give_up: Callable[[Q, Fault, int], A],
        gate: Gate,
        max_retries: int,
        chance: random.Random | None = None,
    ):
        self._session = session
        self._give_up = give_up
        self._gate = gate
        self._max_retries = max_retries
        self._chance = chance or random.Random()
        self._done: SimpleQueue[A | _Failure] = SimpleQueue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._attempt: Attempt[Q, A]

    def run(self, items: Iterable[Q]) -> Iterator[A]:
        """Yield an answer for each item, in the order in which they finish.

        Closing the iterator, or an exception in the caller, cancels what is under way and ends the thread.
        """
        thread = threading.Thread(target=self._thread, name="llmuses-scheduler", daemon=True)
        thread.start()
        try:
            self._ready.wait()
            yield from self._exchange(iter(items))
        finally:
            self._stop()
            thread.join()

    # -- in the caller's thread

    def _exchange(self, source: Iterator[Q]) -> Iterator[A]:
        capacity = self._gate.slots + min(self._gate.slots, MOST_AHEAD)
        outstanding = 0
        exhausted = False
        while True:
            while outstanding and (not self._done.empty() or exhausted or outstanding >= capacity):
                answer = self._done.get()
                if isinstance(answer, _Failure):
                    raise answer.problem
                outstanding -= 1
                yield answer
            if exhausted:
                return
            try:
                item = next(source)
            except StopIteration:
                exhausted = True
                continue
            outstanding += 1
            self._submit(item)

    def _submit(self, item: Q) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(self._start, item)
        except RuntimeError:  # the loop has ended: its failure is in the queue
            if self._done.empty():
                raise

    def _stop(self) -> None:
        if self._loop is not None and self._main is not None:
            try:
                self._loop.call_soon_threadsafe(self._main.cancel)
            except RuntimeError:
                return  # it ended by itself

    # -- in the event loop's thread

    def _thread(self) -> None:
        try:
            asyncio.run(self._serve())
        except asyncio.CancelledError:
            pass
        except BaseException as problem:
            self._done.put(_Failure(problem))
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._main = asyncio.current_task()
        async with self._session() as self._attempt:
            self._ready.set()
            try:
                await self._loop.create_future()
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, item: Q) -> None:
        task = asyncio.create_task(self._answer(item))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            self._done.put(_Failure(problem))

    async def _answer(self, item: Q) -> None:
        ticket = Ticket(self._gate)
        while True:
            ticket.attempt += 1
            try:
                async with asyncio.timeout(None) as ticket.deadline:
                    answer = await self._attempt(item, ticket)
                self._gate.answered()
                break
            except TimeoutError:
                text = f"no answer within {self._gate.timeout:g} s"
                fault = Fault("timeout", text, most_retries=TIMEOUT_RETRIES)
            except Fault as problem:
                fault = problem
            finally:
                ticket.leave()
            delay = self._delay(ticket, fault)
            if delay is None:
                answer = self._give_up(item, fault, ticket.attempt)
                break
            await asyncio.sleep(delay)
        self._done.put(answer)

    def _delay(self, ticket: Ticket, fault: Fault) -> float | None:
        """Return the seconds to wait before the next attempt, None where there is none."""
        wait = fault.retry_after
        if wait is not None and wait > LONGEST_RETRY_AFTER:
            return None
        if fault.busy:
            self._gate.refused(ticket, wait)
        most = self._max_retries if fault.most_retries is None else min(self._max_retries, fault.most_retries)
        if ticket.attempt > most or (fault.busy and self._gate.hopeless):
            return None
        return (wait or 0.0) + backoff(ticket.attempt, self._chance)


class _Failure:
    """Ends the run: what could not be turned into an answer."""

    def __init__(self, problem: BaseException):
        self.problem = problem
