"""Whose turn it is to run a network, where several threads ask the same one."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import NamedTuple

from llmuses.errors import ModelError
from llmuses.models.transformers.responses import closed


class _Waiting(NamedTuple):
    """A thread in the queue. ``gate`` is locked until its turn comes."""

    thread: int
    gate: threading.Lock


class Turns:
    """Lets one thread at a time run a network, one pass after the other, in the order in which they ask.

    ``with turns:`` stands around one pass and whatever is set on the network for it, never around a ``yield``: who is
    left in the middle holds nobody up. A plain lock would do for safety, but it may go to the thread that has just
    released it for as long as that one likes: a person would then wait for the end of an evaluation.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._holder: int | None = None
        self._last: int | None = None
        self._closed = False

    def __enter__(self) -> bool:
        """Wait for this thread's turn. Return whether another thread had one since this thread's last.

        Raises ModelError once there are no more turns.
        """
        shared = self._wait()
        if self._closed:
            self.__exit__()
            raise closed()
        return shared

    def close(self) -> None:
        """Wait for the pass that is under way; there are no more turns then. May be called more than once."""
        with contextlib.suppress(ModelError), self:
            self._closed = True

    def _wait(self) -> bool:
        me = threading.get_ident()
        with self._guard:
            if self._holder is None:
                self._holder = me
                return self._last not in (None, me)
            if self._holder == me:
                raise RuntimeError("a pass of a network cannot begin within another one")
            place = _Waiting(me, threading.Lock())
            place.gate.acquire()
            self._queue.append(place)
        try:
            place.gate.acquire()
        except BaseException:  # Ctrl-C: the turn of one who has gone must not be waited for
            with self._guard:
                if place in self._queue:
                    self._queue.remove(place)
                else:
                    self._pass_on()
            raise
        return True

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._holder == threading.get_ident():
                self._last = self._holder
                self._pass_on()

    def give_way(self) -> None:
        """Let those who wait have their turns, then go on: for what is many passes and cannot be left in between."""
        if self._queue:
            self.__exit__()
            self.__enter__()

    def _pass_on(self) -> None:
        if self._queue:
            self._holder, gate = self._queue.popleft()
            gate.release()
        else:
            self._holder = None
