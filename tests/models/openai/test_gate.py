"""Slots, the shared back-off, Retry-After and paces, in virtual time."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.models.openai.gate import FIRST_DELAY, LONGEST_DELAY, Gate, Pace, Ticket, backoff, retry_after
from tests.support.virtual_time import run_virtually

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Tue, 24 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "in a moment"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_every_spelling(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@given(attempt=st.integers(1, 1000), seed=st.integers())
def test_the_back_off_doubles_with_jitter_and_has_a_longest(attempt: int, seed: int) -> None:
    whole = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempt - 1)) if attempt < 100 else LONGEST_DELAY
    assert whole / 2 <= backoff(attempt, random.Random(seed)) <= whole


def test_a_pace_spreads_its_units_evenly_and_keeps_no_account_of_idle_time() -> None:
    pace = Pace(per_minute=60)
    pace.take(1, now=100)
    assert pace.free_at() == 101
    pace.take(3, now=101)
    assert pace.free_at() == 104
    pace.correct(-2)
    assert pace.free_at() == 102
    pace.take(1, now=500)
    assert pace.free_at() == 501


def _gate(slots: int, **settings: object) -> Gate:
    return Gate(slots, chance=random.Random(0), **settings)  # type: ignore[arg-type]


async def _entered(gate: Gate) -> Ticket:
    ticket = Ticket(gate)
    await ticket.enter()
    return ticket


@given(
    slots=st.integers(1, 5),
    durations=st.lists(st.floats(0, 3), min_size=1, max_size=30),
)
def test_no_more_than_the_slots_are_inside_and_none_stays_empty_while_somebody_waits(
    slots: int, durations: list[float]
) -> None:
    async def main() -> float:
        gate = _gate(slots)
        inside = most = 0

        async def one(seconds: float) -> None:
            nonlocal inside, most
            ticket = await _entered(gate)
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(seconds)
            inside -= 1
            ticket.leave()

        await asyncio.gather(*[one(seconds) for seconds in durations])
        assert most == min(slots, len(durations))
        assert gate.in_use == 0
        return asyncio.get_running_loop().time()

    free_at = [0.0] * slots
    for seconds in durations:
        first = free_at.index(min(free_at))
        free_at[first] += seconds
    assert run_virtually(main()) == pytest.approx(max(free_at))


def test_a_cancelled_ticket_gives_back_what_it_was_just_given() -> None:
    async def main() -> None:
        gate = _gate(1)
        first = await _entered(gate)
        second = asyncio.create_task(_entered(gate))
        third = asyncio.create_task(_entered(gate))
        await asyncio.sleep(0)
        first.leave()  # the slot is the second one's now, but its task has not run yet
        second.cancel()
        assert (await third).inside
        assert gate.in_use == 1

    run_virtually(main())


def test_entering_and_leaving_twice_counts_once() -> None:
    async def main() -> None:
        gate = _gate(2)
        ticket = await _entered(gate)
        await ticket.enter()
        assert gate.in_use == 1
        ticket.leave()
        ticket.leave()
        assert gate.in_use == 0

    run_virtually(main())


def test_the_time_limit_runs_from_sending_not_from_waiting() -> None:
    async def main() -> None:
        gate = _gate(1, timeout=5)
        first = await _entered(gate)

        async def too_long(ticket: Ticket) -> None:
            async with asyncio.timeout(None) as ticket.deadline:
                await ticket.enter()
                await asyncio.sleep(60)

        asyncio.get_running_loop().call_later(100, first.leave)
        with pytest.raises(TimeoutError):
            await too_long(Ticket(gate))
        assert asyncio.get_running_loop().time() == 105

    run_virtually(main())


def test_requests_and_tokens_per_minute_hold_requests_back() -> None:
    async def main() -> list[float]:
        gate = _gate(9, requests=Pace(60), tokens=Pace(600))
        sent = []
        for tokens in (0.0, 0.0, 50.0, 0.0):
            ticket = Ticket(gate)
            ticket.tokens = tokens
            await ticket.enter()
            sent.append(ticket.sent_at)
        ticket.used(20)
        await _entered(gate)
        return [*sent, asyncio.get_running_loop().time()]

    assert run_virtually(main()) == [0, 1, 2, 7, 9]


def test_one_refusal_concerns_only_its_own_request() -> None:
    async def main() -> None:
        gate = _gate(4, max_retries=7)
        gate.refused(await _entered(gate), 60)
        await _entered(gate)
        assert asyncio.get_running_loop().time() == 0

    run_virtually(main())


def test_two_refusals_in_a_row_make_everybody_pause_as_long_as_the_server_asks() -> None:
    async def main() -> None:
        gate = _gate(8, max_retries=7)
        for ticket in [await _entered(gate) for _ in range(2)]:
            gate.refused(ticket, 60)
            ticket.leave()
        await _entered(gate)
        assert asyncio.get_running_loop().time() == 60

    run_virtually(main())


def test_an_answer_in_between_means_that_it_was_chance() -> None:
    async def main() -> None:
        gate = _gate(8, max_retries=7)
        gate.refused(await _entered(gate), 60)
        gate.answered()
        gate.refused(await _entered(gate), 60)
        await _entered(gate)
        assert asyncio.get_running_loop().time() == 0

    run_virtually(main())


def test_without_retry_after_the_pauses_double_and_in_the_end_patience_is_lost() -> None:
    async def main() -> None:
        gate = _gate(2, max_retries=3)
        loop = asyncio.get_running_loop()
        waits = []
        while not gate.hopeless:
            begin = loop.time()
            ticket = await _entered(gate)
            waits.append(loop.time() - begin)
            ticket.leave()
            gate.refused(ticket, None)
        assert waits[:2] == [0, 0]
        assert len(waits) == 5
        for index, wait in enumerate(waits[2:]):
            assert FIRST_DELAY * 2**index / 2 <= wait <= FIRST_DELAY * 2**index
        gate.answered()
        assert not gate.hopeless

    run_virtually(main())


def test_refusals_of_requests_that_were_under_way_already_do_not_prolong_the_pause() -> None:
    async def main() -> None:
        gate = _gate(30, max_retries=3)
        tickets = [await _entered(gate) for _ in range(30)]
        await asyncio.sleep(1)
        for ticket in tickets:
            gate.refused(ticket, None)
            ticket.leave()
        assert not gate.hopeless
        await _entered(gate)
        assert asyncio.get_running_loop().time() <= 1 + FIRST_DELAY

    run_virtually(main())


def test_refusals_take_slots_away_and_answers_bring_them_back() -> None:
    async def main() -> None:
        gate = _gate(8)
        ticket = await _entered(gate)
        for _ in range(3):
            gate.refused(ticket, None)
        assert gate.open_slots == 5
        for _ in range(100):
            gate.refused(ticket, None)
        assert gate.open_slots == 1
        for _ in range(4):
            gate.answered()
        assert gate.open_slots == 2
        for _ in range(100):
            gate.answered()
        assert gate.open_slots == 8

    run_virtually(main())
