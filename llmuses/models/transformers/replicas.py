"""Several copies of a model, each on a device and in a process of its own, behind the house's one verb.

Requests are read ahead, cut into pieces with a common beginning and handed out piece by piece to whichever copy has
least to do. A copy that dies is started again and what it had not answered is asked once more, in small pieces; what
is at hand when a copy dies a second time fails with the reason. What was answered is never asked again.
"""

from __future__ import annotations

import itertools
import logging
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple

from llmuses.errors import ModelError
from llmuses.models.transformers.dealing import deal
from llmuses.models.transformers.replica import Answered, Batch, Cancel, Loaded, Refused, Start
from llmuses.models.transformers.responses import error
from llmuses.records import ErrorKind, Mode, Request, Response

_log = logging.getLogger(__name__)

AHEAD = 2_048
"""Requests that are read ahead for each copy."""

_PIECES = 4
"""Into how many pieces for each copy they are cut: the last ones even out what took longer."""

_SMALLEST = 32
"""Requests of a piece: below this a common beginning is computed too often."""

_AFTER_DEATH = 8
"""Requests of a piece after a copy has died: as many fail where one of them is why."""

_DEATHS = 3
"""How often in a row a copy may die without an answer before it is left out."""


class Replica:
    """The process of one copy, as seen from here. It is loading after ``start``, until it says that it is loaded."""

    def __init__(self, start: Start, place: str):
        self.place = place
        self.asked: dict[int, _Asked] = {}
        self.pieces: deque[set[int]] = deque()
        """The numbers of what is not answered yet, by the pieces that they came in."""
        self.loaded: Loaded | None = None
        self.deaths = 0
        self.left_out: str | None = None
        """Why nothing is asked of it any more."""
        self._start = start

    def start(self) -> None:
        """Start the process; it loads its model."""
        ours, theirs = Pipe()
        roots = [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from llmuses.models.transformers.replica import main; main()",
                str(theirs.fileno()),
            ],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, roots))},
        )
        theirs.close()
        self.connection = ours
        self.loaded = None
        self.tell(self._start)

    def tell(self, message: Start | Batch | Cancel) -> None:
        """Send a message. A process that is dead does not get it: reading from it will say so."""
        try:
            self.connection.send(message)
        except OSError:
            _log.debug("the copy on %s is gone", self.place)

    def ask(self, piece: Sequence[_Asked]) -> None:
        """Hand over a piece."""
        self.asked.update({asked.number: asked for asked in piece})
        self.pieces.append({asked.number for asked in piece})
        self.tell(Batch([Request(str(asked.number), asked.request.ask) for asked in piece]))

    def answered(self, number: int) -> _Asked | None:
        """Return what an answer belongs to, None for what nobody waits for."""
        for piece in self.pieces:
            piece.discard(number)
        while self.pieces and not self.pieces[0]:
            self.pieces.popleft()
        return self.asked.pop(number, None)

    def forget(self) -> list[_Asked]:
        """Return what is not answered, and wait for it no more."""
        left = list(self.asked.values())
        self.asked.clear()
        self.pieces.clear()
        return left

    def end(self) -> str:
        """End the process, if it has not ended, and return in words how it did."""
        self.connection.close()
        try:
            code = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


class _Asked(NamedTuple):
    """A request under the number that it has among the copies, and how often a copy died over it."""

    number: int
    request: Request
    deaths: int = 0


class Replicas:
    """Copies of one model, see llmuses.models.base.Model.

    ``backend`` is the module whose ``load`` makes each, ``args`` and ``places`` are the arguments of each and its device.
    Raises ModelError where one cannot be loaded.
    """

    prefers = Mode.LOGPROB

    def __init__(self, backend: str, name: str, args: Sequence[Any], places: Sequence[str]):
        self._replicas = [Replica(Start(backend, name, own), place) for own, place in zip(args, places, strict=True)]
        self._numbers = itertools.count()
        for replica in self._replicas:
            replica.start()
        try:
            loaded = [_first_word(replica) for replica in self._replicas]
        except BaseException:
            self.close()
            raise
        self.name = loaded[0].name
        self.identity = loaded[0].identity
        self.details: Mapping[str, Any] = {
            **loaded[0].details,
            "device": ", ".join(dict.fromkeys(places)),
            "replicas": len(places),
        }
        if any(other.identity != self.identity for other in loaded):
            self.close()
            raise ModelError(f"the copies of '{name}' are not the same on {self.details['device']}: name a precision.")

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Yield one response for each request, as they are answered. Raises ModelError where no copy is left."""
        run = _Run(self._replicas, requests, self._numbers)
        try:
            yield from run.responses()
        finally:
            for replica in self._replicas:
                if replica.forget():
                    replica.tell(Cancel())

    def close(self) -> None:
        """End the processes. May be called more than once."""
        for replica in self._replicas:
            replica.connection.close()
        for replica in self._replicas:
            replica.end()


def _first_word(replica: Replica) -> Loaded:
    """Wait until a copy is loaded. Raises ModelError where it cannot be."""
    try:
        said = replica.connection.recv()
    except (EOFError, OSError):
        said = Refused(f"its process ended while it was loaded ({replica.end()}): does memory suffice for all copies?")
    if isinstance(said, Refused):
        raise ModelError(f"{said.why} (the copy on {replica.place})" if "copy" not in said.why else said.why)
    assert isinstance(said, Loaded)
    replica.loaded = said
    return said


class _Run:
    """One run: what is read ahead, and who has it."""

    def __init__(self, replicas: Sequence[Replica], requests: Iterable[Request], numbers: Iterator[int]):
        self._replicas = replicas
        self._pending = iter(requests)
        self._numbers = numbers
        self._pieces: deque[list[_Asked]] = deque()
        self._careful: deque[list[_Asked]] = deque()
        """What a copy died over: handed out alone."""

    def responses(self) -> Iterator[Response]:
        """Yield one response for each request."""
        while True:
            self._read_ahead()
            self._hand_out()
            if not (self._pieces or self._careful or any(replica.asked for replica in self._replicas)):
                return
            at_work = {replica.connection: replica for replica in self._working()}
            if not at_work:
                why = "; ".join(f"{replica.place}: {replica.left_out}" for replica in self._replicas)
                raise ModelError(f"no copy of the model is left ({why}): the same command goes on from here.")
            for connection in wait(list(at_work)):
                assert isinstance(connection, Connection)
                yield from self._heard(at_work[connection])

    def _working(self) -> list[Replica]:
        return [replica for replica in self._replicas if replica.left_out is None]

    def _read_ahead(self) -> None:
        count = len(self._replicas)
        if len(self._pieces) >= count:
            return  # more than is begun next
        window = list(itertools.islice(self._pending, AHEAD * count))
        for piece in deal(window, _PIECES * count, _SMALLEST):
            self._pieces.append([_Asked(next(self._numbers), request) for request in piece])

    def _hand_out(self) -> None:
        """Give each copy a piece to work on and one to go on with, whoever has none first."""
        for most in (1, 2):
            for replica in self._working():
                while replica.loaded and len(replica.pieces) < most and (piece := self._next(replica)):
                    replica.ask(piece)

    def _next(self, replica: Replica) -> list[_Asked] | None:
        if self._careful and not replica.asked:
            return self._careful.popleft()
        at_risk = any(asked.deaths for asked in replica.asked.values())
        return self._pieces.popleft() if self._pieces and not at_risk else None

    def _heard(self, replica: Replica) -> Iterator[Response]:
        try:
            said = replica.connection.recv()
        except (EOFError, OSError):
            yield from self._lost(replica, replica.end())
            return
        match said:
            case Answered(response):
                asked = replica.answered(int(response.key))
                if asked is not None:
                    replica.deaths = 0
                    response.key = asked.request.key
                    response.attempts += asked.deaths
                    yield response
            case Loaded():
                replica.loaded = said
            case Refused(why):
                replica.end()
                yield from self._lost(replica, why)

    def _lost(self, replica: Replica, how: str) -> Iterator[Response]:
        """Deal with the death of a copy: what it had is asked once more, or fails."""
        _log.warning("the copy on %s ended (%s)", replica.place, how)
        loading = replica.loaded is None
        replica.deaths += 1
        again = []
        for asked in replica.forget():
            if asked.deaths:
                message = f"the process that answers on {replica.place} ended twice over it ({how})"
                failed = error(asked.request.key, ErrorKind.FAILED, "replica_died", message)
                failed.attempts = 2
                yield failed
            else:
                again.append(asked._replace(deaths=1))
        self._careful.extend(again[n : n + _AFTER_DEATH] for n in range(0, len(again), _AFTER_DEATH))
        if loading or replica.deaths >= _DEATHS:
            replica.left_out = how
        else:
            replica.start()
