"""Many requests under way behind an iterator, with fakes in place of a server."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count

import pytest

from llmuses.models.openai import gate as gate_module
from llmuses.models.openai.gate import Fault, Gate, Ticket
from llmuses.models.openai.scheduler import Attempt, Scheduler
from tests.support.servers import ROOT
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "FIRST_DELAY", 0.01)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    if "llmuses-scheduler" in names_of_threads():  # an iterator that was dropped ends its thread when it is collected
        gc.collect()
    assert "llmuses-scheduler" not in names_of_threads()


def names_of_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def scheduler(
    answer: Callable[[int, Ticket], Awaitable[str]],
    slots: int = 4,
    *,
    max_retries: int = 3,
    timeout: float | None = None,
    give_up: Callable[[int, Fault, int], str] = lambda item, fault, attempts: f"{item} {fault.code} {attempts}",
) -> Scheduler[int, str]:
    @asynccontextmanager
    async def session() -> AsyncIterator[Attempt[int, str]]:
        yield answer

    gate = Gate(slots, max_retries=max_retries, timeout=timeout)
    return Scheduler(session, give_up, gate, max_retries)


async def quick(item: int, ticket: Ticket) -> str:
    await ticket.enter()
    return str(item)


def test_every_item_gets_its_answer() -> None:
    assert sorted(scheduler(quick).run(range(1000)), key=int) == [str(item) for item in range(1000)]


def test_no_items_no_answers() -> None:
    assert list(scheduler(quick).run([])) == []


def test_answers_come_as_they_finish() -> None:
    ended = [asyncio.Event() for _ in range(5)]
    ended[0].set()

    async def answer(item: int, ticket: Ticket) -> str:
        await ticket.enter()
        await ended[item - 1].wait()
        ended[item].set()
        return str(item)

    assert list(scheduler(answer).run([4, 1, 3, 2])) == ["1", "2", "3", "4"]


def test_a_slot_is_refilled_the_moment_one_request_ends() -> None:
    others = asyncio.Event()

    async def answer(item: int, ticket: Ticket) -> str:
        await ticket.enter()
        if item == 0:
            await others.wait()
        elif item == 11:
            others.set()
        return str(item)

    assert sorted(scheduler(answer, slots=2).run(range(12)), key=int) == [str(item) for item in range(12)]


def test_slots_are_refilled_while_the_caller_is_busy() -> None:
    ended = []

    async def answer(item: int, ticket: Ticket) -> str:
        await ticket.enter()
        await asyncio.sleep(0.01)
        ended.append(item)
        return str(item)

    answers = scheduler(answer, slots=2).run(range(20))
    next(answers)
    until(lambda: len(ended) >= 4)  # the two that were under way, and those pulled ahead
    assert len(list(answers)) == 19


def test_items_are_pulled_no_further_than_the_slots_and_as_many_again() -> None:
    pulled = handed_on = most = 0

    def items() -> Iterator[int]:
        nonlocal pulled, most
        for item in range(500):
            pulled += 1
            most = max(most, pulled - handed_on)
            yield item

    for _ in scheduler(quick, slots=8).run(items()):
        handed_on += 1
        time.sleep(0.0005)
    assert most <= 17


def test_memory_does_not_grow_with_the_number_of_items() -> None:
    class Item:
        pass

    alive: weakref.WeakSet[Item] = weakref.WeakSet()
    most = 0

    def items() -> Iterator[Item]:
        nonlocal most
        for _ in range(10_000):
            item = Item()
            alive.add(item)
            most = max(most, len(alive))
            yield item

    @asynccontextmanager
    async def session() -> AsyncIterator[Attempt[Item, None]]:
        async def answer(item: Item, ticket: Ticket) -> None:
            await ticket.enter()

        yield answer

    answers = Scheduler(session, lambda *_: None, Gate(16), 0).run(items())
    assert sum(1 for _ in answers) == 10_000
    assert most < 100


def test_an_answer_is_handed_on_before_the_next_item_is_waited_for() -> None:
    seen: list[str] = []

    def items() -> Iterator[int]:
        for item in range(3):
            yield item
            time.sleep(0.2)
            assert len(seen) >= item  # whatever was asked before this pause and the one before it is here

    for answer in scheduler(quick, slots=32).run(items()):
        seen.append(answer)  # noqa: PERF402  (one by one is what is tested)
    assert len(seen) == 3


def test_items_are_pulled_in_the_thread_of_the_caller() -> None:
    threads = set()

    def items() -> Iterator[int]:
        for item in range(50):
            threads.add(threading.current_thread())
            yield item

    assert len(list(scheduler(quick).run(items()))) == 50
    assert threads == {threading.current_thread()}


def test_it_works_inside_a_running_event_loop() -> None:
    async def main() -> list[str]:
        return list(scheduler(quick).run(range(5)))

    assert len(asyncio.run(main())) == 5


def test_nothing_starts_before_the_first_answer_is_wanted() -> None:
    answers = scheduler(quick).run(iter(range(3)))
    assert "llmuses-scheduler" not in names_of_threads()
    assert len(list(answers)) == 3


# --- Faults -------------------------------------------------------------------------------------------------------


def faulty(times: int, **fault: float) -> Callable[[int, Ticket], Awaitable[str]]:
    async def answer(item: int, ticket: Ticket) -> str:
        await ticket.enter()
        if ticket.attempt <= times:
            raise Fault("http_500", "oops", **fault)  # type: ignore[arg-type]
        return f"{item} after {ticket.attempt}"

    return answer


def test_a_fault_is_followed_by_another_attempt() -> None:
    assert list(scheduler(faulty(2)).run([7])) == ["7 after 3"]


def test_after_the_last_repetition_it_is_given_up() -> None:
    assert list(scheduler(faulty(99), max_retries=3).run([7])) == ["7 http_500 4"]


def test_without_repetitions_the_first_fault_is_the_last() -> None:
    assert list(scheduler(faulty(99), max_retries=0).run([7])) == ["7 http_500 1"]


def test_what_the_server_asks_to_wait_is_waited() -> None:
    begin = time.monotonic()
    assert list(scheduler(faulty(1, retry_after=0.2)).run([7])) == ["7 after 2"]
    assert time.monotonic() - begin >= 0.2


def test_a_server_that_asks_to_wait_for_an_hour_is_not_waited_for() -> None:
    assert list(scheduler(faulty(1, retry_after=3600)).run([7])) == ["7 http_500 1"]


def test_a_waiting_repetition_holds_no_slot() -> None:
    async def answer(item: int, ticket: Ticket) -> str:
        await ticket.enter()
        if item == 0 and ticket.attempt == 1:
            raise Fault("http_500", "oops", retry_after=0.2)
        return str(item)

    assert list(scheduler(answer, slots=1).run(range(2))) == ["1", "0"]


def test_a_request_that_takes_too_long_is_repeated_twice_and_given_up() -> None:
    async def answer(item: int, ticket: Ticket) -> str:
        await ticket.enter()
        await asyncio.sleep(60)
        return "never"

    assert list(scheduler(answer, timeout=0.05, max_retries=7).run([7])) == ["7 timeout 3"]


def test_a_crowded_server_gets_everybody_answered() -> None:
    """It takes three at once and turns the others away: nobody may fail for that."""
    inside = refused = 0

    async def answer(item: int, ticket: Ticket) -> str:
        nonlocal inside, refused
        await ticket.enter()
        if inside >= 3:
            refused += 1
            raise Fault("http_429", "too many", busy=True)
        inside += 1
        await asyncio.sleep(0.005)
        inside -= 1
        return str(item)

    answers = list(scheduler(answer, slots=16, max_retries=7).run(range(200)))
    assert sorted(answers, key=int) == [str(item) for item in range(200)]
    assert 0 < refused < 200


def test_a_server_that_turns_everybody_away_is_left_in_the_end() -> None:
    asked = count()

    async def answer(item: int, ticket: Ticket) -> str:
        await ticket.enter()
        next(asked)
        raise Fault("http_429", "too many", busy=True)

    answers = list(scheduler(answer, slots=4, max_retries=3).run(range(50)))
    assert len(answers) == 50
    assert all(" http_429 " in answer for answer in answers)
    assert next(asked) <= 4 * 50


# --- Ends ---------------------------------------------------------------------------------------------------------


def test_any_other_exception_ends_the_run_after_what_was_answered_before() -> None:
    async def answer(item: int, ticket: Ticket) -> str:
        await ticket.enter()
        if item == 3:
            await asyncio.sleep(0.1)
            raise ValueError("no such model")
        return str(item)

    answers: list[str] = []
    with pytest.raises(ValueError, match="no such model"):
        answers.extend(scheduler(answer, slots=4).run(range(4)))
    assert sorted(answers) == ["0", "1", "2"]


def test_giving_up_may_end_the_run() -> None:
    def give_up(item: int, fault: Fault, attempts: int) -> str:
        raise ConnectionError(fault.message)

    with pytest.raises(ConnectionError, match="oops"):
        list(scheduler(faulty(99), max_retries=0, give_up=give_up).run(range(100)))


def test_a_session_that_cannot_be_opened_ends_the_run() -> None:
    @asynccontextmanager
    async def session() -> AsyncIterator[Attempt[int, str]]:
        raise ImportError("no client")
        yield quick

    with pytest.raises(ImportError, match="no client"):
        list(Scheduler(session, lambda *_: "", Gate(2), 0).run(range(5)))


def test_an_exception_of_the_items_is_the_callers() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("row")

    with pytest.raises(KeyError, match="row"):
        list(scheduler(quick).run(items()))


@pytest.mark.parametrize("end", ["close", "interrupt"])
def test_closing_cancels_what_is_under_way_at_once(end: str) -> None:
    begun, cancelled = [], []

    async def answer(item: int, ticket: Ticket) -> str:
        await ticket.enter()
        begun.append(item)
        try:
            await asyncio.sleep(0 if item == 0 else 60)
        except asyncio.CancelledError:
            cancelled.append(item)
            raise
        return str(item)

    answers = scheduler(answer, slots=4).run(range(100))
    assert next(answers) == "0"
    until(lambda: len(begun) == 5)
    begin = time.monotonic()
    if end == "close":
        answers.close()  # type: ignore[attr-defined]
    else:
        with pytest.raises(KeyboardInterrupt):
            answers.throw(KeyboardInterrupt())  # type: ignore[attr-defined]
    assert time.monotonic() - begin < 20, "they would take a minute"
    assert len(cancelled) == 4


def test_ctrl_c_ends_a_process_that_waits_for_answers() -> None:
    program = """
import asyncio, signal
from contextlib import asynccontextmanager
from llmuses.models.openai.gate import Gate
from llmuses.models.openai.scheduler import Scheduler

async def answer(item, ticket):
    await ticket.enter()
    await asyncio.sleep(600)

@asynccontextmanager
async def session():
    print("open", flush=True)
    yield answer

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests were started in the background
try:
    list(Scheduler(session, None, Gate(4), 0).run(range(100)))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert output == "interrupted\n"
    assert process.returncode == 0
