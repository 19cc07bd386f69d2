"""One run over several copies of a model: what is read ahead, who has it, and what is asked again."""

from __future__ import annotations

import itertools
import queue
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from llmuses.errors import ModelError
from llmuses.models.transformers.dealing import deal
from llmuses.models.transformers.replica import Batch, Cancel
from llmuses.models.transformers.replica_process import ReplicaProcess
from llmuses.models.transformers.responses import CLOSED, closed, error
from llmuses.records import ErrorKind, Request, Response

AHEAD = 2_048
"""Requests that are read ahead for each copy."""

_PIECES = 4
"""Into how many pieces for each copy they are cut: the last ones even out what took longer."""

_SMALLEST = 32
"""Requests of a piece: below this a common beginning is computed too often."""

_AFTER_DEATH = 8
"""Requests of a piece after a copy has died: as many fail where one of them is why."""


class Copy(Protocol):
    """What a run sees of a copy: the process that may be asked, if any; why none will ever be, if so."""

    place: str
    process: ReplicaProcess | None
    left_out: str | None


class Died(NamedTuple):
    """A process has ended: what it was asked is not answered any more."""

    process: ReplicaProcess
    place: str
    how: str


class Ready(NamedTuple):
    """Whether a copy may be asked is worth another look."""


class Reply(NamedTuple):
    """What a process answered."""

    process: ReplicaProcess
    response: Response


class _Asked(NamedTuple):
    """A request under a number of its own, and how often a copy died over it."""

    number: int
    request: Request
    deaths: int = 0


class _Share:
    """What one process has of a run, by the pieces that it came in."""

    def __init__(self) -> None:
        self.asked: dict[int, _Asked] = {}
        self.pieces: deque[set[int]] = deque()
        """The numbers of what is not answered yet."""

    def add(self, piece: Sequence[_Asked]) -> None:
        self.asked.update({asked.number: asked for asked in piece})
        self.pieces.append({asked.number for asked in piece})

    def answered(self, number: int) -> _Asked:
        for piece in self.pieces:
            piece.discard(number)
        while self.pieces and not self.pieces[0]:
            self.pieces.popleft()
        return self.asked.pop(number)


class Run:
    """One run. ``hear`` may be called in any thread, all else in the one that iterates."""

    def __init__(self, number: int, copies: Sequence[Copy], requests: Iterable[Request]):
        self._number = number
        self._copies = copies
        self._pending = iter(requests)
        self._numbers = itertools.count()
        self._events: queue.SimpleQueue[Died | Ready | Reply] = queue.SimpleQueue()
        self._shares: dict[ReplicaProcess, _Share] = {}
        self._pieces: deque[list[_Asked]] = deque()
        self._careful: deque[list[_Asked]] = deque()
        """What a copy died over: handed out alone."""

    def hear(self, event: Died | Ready | Reply) -> None:
        """Take in what happened to a copy."""
        self._events.put(event)

    def load(self, process: ReplicaProcess) -> int:
        """Return how many requests a process has not answered."""
        share = self._shares.get(process)
        return len(share.asked) if share else 0

    def responses(self) -> Iterator[Response]:
        """Yield one response for each request. Raises ModelError where no copy is left."""
        while True:
            self._read_ahead()
            self._hand_out()
            if not (self._pieces or self._careful or any(share.asked for share in self._shares.values())):
                return
            if self._events.empty() and all(copy.left_out for copy in self._copies):
                if all(copy.left_out == CLOSED for copy in self._copies):
                    raise closed()
                why = "; ".join(f"{copy.place}: {copy.left_out}" for copy in self._copies)
                raise ModelError(f"no copy of the model is left ({why}): the same command goes on from here.")
            match self._events.get():
                case Reply(process, response):
                    yield self._answered(process, response)
                case Died() as death:
                    yield from self._lost(death)

    def cancel(self) -> None:
        """Wait for nothing more."""
        for process in self._shares:
            process.tell(Cancel(self._number))

    def _read_ahead(self) -> None:
        count = len(self._copies)
        if len(self._pieces) >= count:
            return  # more than is begun next
        window = list(itertools.islice(self._pending, AHEAD * count))
        for piece in deal(window, _PIECES * count, _SMALLEST):
            self._pieces.append([_Asked(next(self._numbers), request) for request in piece])

    def _hand_out(self) -> None:
        """Give each copy a piece to work on and one to go on with, whoever has none first."""
        for most in (1, 2):
            for process in [copy.process for copy in self._copies]:
                if process is None:
                    continue
                share = self._shares.setdefault(process, _Share())
                while len(share.pieces) < most and (piece := self._next(share)):
                    share.add(piece)
                    process.tell(
                        Batch(self._number, [Request(str(asked.number), asked.request.ask) for asked in piece])
                    )

    def _next(self, share: _Share) -> list[_Asked] | None:
        if self._careful and not share.asked:
            return self._careful.popleft()
        at_risk = any(asked.deaths for asked in share.asked.values())
        return self._pieces.popleft() if self._pieces and not at_risk else None

    def _answered(self, process: ReplicaProcess, response: Response) -> Response:
        asked = self._shares[process].answered(int(response.key))
        response.key = asked.request.key
        response.attempts += asked.deaths
        return response

    def _lost(self, death: Died) -> Iterator[Response]:
        """Deal with the death of a process: what it had is asked once more, or fails."""
        again = []
        share = self._shares.pop(death.process, None)
        for asked in share.asked.values() if share else ():
            if asked.deaths:
                message = f"the process that answers on {death.place} ended twice over it ({death.how})"
                failed = error(asked.request.key, ErrorKind.FAILED, "replica_died", message)
                failed.attempts = 2
                yield failed
            else:
                again.append(asked._replace(deaths=1))
        self._careful.extend(again[n : n + _AFTER_DEATH] for n in range(0, len(again), _AFTER_DEATH))
