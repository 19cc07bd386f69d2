"""Turns at a network: one at a time, in order, and nobody waits for one who has gone."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from llmuses.errors import ModelError
from llmuses.models.transformers.turns import Turns


@contextlib.contextmanager
def threads(turns: Turns, *work: Callable[[], None]) -> Iterator[None]:
    """Have threads ask for their turns one after the other, while this one has its own; wait for all of them."""
    started = []
    with turns:
        for number, one in enumerate(work):
            thread = threading.Thread(target=one, daemon=True)
            thread.start()
            started.append(thread)
            until(lambda number=number: len(turns._queue) == number + 1)  # type: ignore[misc]
        yield
    for thread in started:
        thread.join(60)
        assert not thread.is_alive()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_who_asks_first_is_first_and_one_who_has_had_a_turn_queues_again() -> None:
    turns, order = Turns(), []

    def often(name: str) -> Callable[[], None]:
        def work() -> None:
            for _ in range(3):
                with turns:
                    order.append(name)
                    until(lambda: len(turns._queue) == 2 or len(order) > 3)

        return work

    with threads(turns, often("a"), often("b"), often("c")):
        pass
    assert order[:6] == ["a", "b", "c", "a", "b", "c"]
    assert sorted(order) == sorted("abc" * 3)


def test_a_turn_says_whether_another_thread_had_one_in_between() -> None:
    turns, said = Turns(), []
    with turns as first:
        pass
    with turns as alone:
        pass

    def other() -> None:
        with turns as waited:
            said.append(waited)

    with threads(turns, other):
        pass
    with turns as after:
        pass
    with turns as again:
        pass
    assert (first, alone, said, after, again) == (False, False, [True], True, False)


def test_whoever_waits_has_his_turn_in_the_middle_of_something_long_that_gives_way() -> None:
    turns, order = Turns(), []

    def other() -> None:
        with turns:
            order.append("other")

    with threads(turns, other):
        order.append("begun")
        turns.give_way()
        order.append("ended")
        turns.give_way()
    assert order == ["begun", "other", "ended"]


def test_what_goes_wrong_in_a_turn_ends_it() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="a cable"), turns:
        raise ValueError("a cable was pulled")
    with turns:
        pass


def test_a_pass_within_a_pass_is_an_error_and_not_a_wait_for_ever() -> None:
    turns = Turns()
    with turns, pytest.raises(RuntimeError, match="within another"), turns:
        pass
    with turns:
        pass


def test_after_the_end_whoever_waits_or_comes_is_told_so_and_none_holds_another_one_up() -> None:
    turns, told = Turns(), []

    def ask() -> None:
        with pytest.raises(ModelError, match="the model was closed"), turns:
            told.append("a turn after the end")

    with threads(turns, turns.close, ask, turns.close, ask):
        assert not turns._closed  # the pass under way goes on to its end
    ask()
    turns.close()
    assert told == []


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals reach the main thread")
def test_ctrl_c_while_waiting_leaves_the_queue() -> None:
    turns = Turns()
    held, after = threading.Event(), threading.Event()
    reached: list[str] = []

    def holder() -> None:
        with turns:
            held.set()
            until(lambda: len(turns._queue) == 1)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            after.wait(60)

    thread = threading.Thread(target=holder, daemon=True)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        thread.start()
        assert held.wait(60)
        with pytest.raises(KeyboardInterrupt), turns:
            reached.append("inside")
    finally:
        signal.signal(signal.SIGINT, before)
    after.set()
    thread.join(60)
    assert not reached
    with turns:
        pass
