"""Several copies of a model, each on a device and in a process of its own, behind the two verbs of a model.

Requests are read ahead, cut into pieces with a common beginning and handed out piece by piece to whichever copy has
least to do. A copy that dies is started again and what it had not answered is asked once more, in small pieces; what
is at hand when a copy dies a second time fails with the reason. What was answered is never asked again. Who reads along
gets the copy with least to do; where it dies the stream fails.
"""

from __future__ import annotations

import itertools
import logging
import threading
import weakref
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import aclosing
from typing import Any

from llmuses.errors import ModelError
from llmuses.models.base import Delta, StreamError
from llmuses.models.transformers.news import News, Tell, failed
from llmuses.models.transformers.replica import Answered, Leave, Loaded, Refused, Start, Write, Wrote
from llmuses.models.transformers.replica_process import ReplicaProcess, Said
from llmuses.models.transformers.replica_run import Died, Ready, Reply, Run
from llmuses.models.transformers.responses import CLOSED
from llmuses.records import Generate, Message, Mode, Request, Response, ResponseError

_log = logging.getLogger(__name__)

_DEATHS = 3
"""How often in a row a copy may die without an answer before it is left out."""

_CONVERSATIONS = 1_024
"""So many conversations are remembered with the copy that wrote their last answer."""

_Runs = dict[int, Run]
"""The runs under way, by their numbers."""


class Replica:
    """One copy: a process, and another one when that has died. A thread listens and hands on what is said.

    ``process`` is the one that may be asked, None while it loads; ``left_out`` says why none will be any more.
    """

    def __init__(self, start: Start, place: str, runs: _Runs):
        self.place = place
        self.process: ReplicaProcess | None = None
        self.left_out: str | None = None
        self.readers: dict[int, Tell] = {}
        self.loaded: Future[Loaded] = Future()
        """What the first process said when its model was there. Raises ModelError where it never was."""
        self._start = start
        self._runs = runs
        self._deaths = 0
        self._closed = False
        self._newest = ReplicaProcess(start)
        self._thread = threading.Thread(target=self._listen, name="llmuses-replica", daemon=True)
        self._thread.start()

    def write(self, process: ReplicaProcess, message: Write, tell: Tell) -> None:
        """Have a process of this copy write an answer, and tell of it."""
        self.readers[message.number] = tell
        process.tell(message)
        if self.process is not process:  # it died before it was known who reads
            tell(failed("replica_died", f"the process that answers on {self.place} ended"))

    def leave(self, process: ReplicaProcess, number: int) -> None:
        """Tell no more of an answer. Nothing happens where it is whole."""
        if self.readers.pop(number, None) is not None:
            process.tell(Leave(number))

    def close(self) -> None:
        """Have the process end, and start no other one."""
        self._closed = True
        self._newest.hang_up()

    def join(self) -> None:
        """Wait until the process has ended."""
        self._thread.join()

    # --- In the thread -----------------------------------------------------------------------------------------

    def _listen(self) -> None:
        while self.left_out is None:
            process, why = self._newest, ""
            for said in process.said():
                if isinstance(said, Refused):
                    why = said.why
                    break
                self._heard(process, said)
            how = process.end()
            self._ended(process, why or how, bool(why))
            if self.left_out is None:
                self._start_again()

    def _start_again(self) -> None:
        try:
            self._newest = ReplicaProcess(self._start)
        except OSError as problem:
            self.left_out = f"it cannot be started again: {problem}"
            self._tell_runs(Ready())
        if self._closed:  # in the meantime
            self._newest.hang_up()

    def _heard(self, process: ReplicaProcess, said: Said) -> None:
        match said:
            case Loaded():
                self.process = process
                self._tell_runs(Ready())
                if not self.loaded.done():
                    self.loaded.set_result(said)
            case Answered(number, response):
                self._deaths = 0
                if run := self._runs.get(number):
                    run.hear(Reply(process, response))
            case Wrote(number, news):
                self._deaths = 0
                ended = isinstance(news, ResponseError) or news.finish_reason
                if tell := (self.readers.pop if ended else self.readers.get)(number, None):
                    tell(news)

    def _ended(self, process: ReplicaProcess, how: str, refused: bool) -> None:
        """Deal with the death of the process. What is set here is set before anybody is told."""
        loading, self.process = self.process is None, None
        self._deaths += 1
        if self._closed:
            self.left_out = CLOSED
        else:
            _log.warning("the copy on %s ended (%s)", self.place, how)
            if loading or self._deaths >= _DEATHS:
                self.left_out = how
        problem = failed("closed", CLOSED) if self._closed else failed("replica_died", self._death(how))
        for number in list(self.readers):
            if tell := self.readers.pop(number, None):
                tell(problem)
        self._tell_runs(Died(process, self.place, how))
        if not self.loaded.done():
            memory = f"its process ended while it was loaded ({how}): does memory suffice for all copies?"
            said = how if refused else memory
            self.loaded.set_exception(ModelError(said if "copy" in said else f"{said} (the copy on {self.place})"))

    def _death(self, how: str) -> str:
        return f"the process that answers on {self.place} ended ({how})"

    def _tell_runs(self, event: Died | Ready) -> None:
        for run in list(self._runs.values()):
            run.hear(event)


class Replicas:
    """Copies of one model, see llmuses.models.base.Model and Streamer.

    ``backend`` is the module whose ``load`` makes each, ``args`` and ``places`` are the arguments of each and its device.
    Raises ModelError where one cannot be loaded.
    """

    prefers = Mode.LOGPROB

    def __init__(self, backend: str, name: str, args: Sequence[Any], places: Sequence[str]):
        self._runs: _Runs = {}
        self._numbers = itertools.count()
        self._homes: OrderedDict[tuple[Message, ...], Replica] = OrderedDict()
        self._replicas = [
            Replica(Start(backend, name, own), place, self._runs) for own, place in zip(args, places, strict=True)
        ]
        weakref.finalize(self, _close, self._replicas)
        try:
            loaded = [replica.loaded.result() for replica in self._replicas]
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
        number = next(self._numbers)
        run = self._runs[number] = Run(number, self._replicas, requests)
        try:
            yield from run.responses()
        finally:
            del self._runs[number]
            run.cancel()

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Yield an answer as it is written. See llmuses.models.base.Streamer."""
        if not isinstance(request.ask, Generate):
            raise TypeError("only a written answer can be streamed")
        news, number = News(), next(self._numbers)
        replica, process = self._least_busy(request.ask.messages)
        replica.write(process, Write(number, request.ask), news.tell)
        try:
            async with aclosing(news.deltas()) as deltas:
                async for delta in deltas:
                    yield delta
        finally:
            replica.leave(process, number)

    def _least_busy(self, messages: tuple[Message, ...]) -> tuple[Replica, ReplicaProcess]:
        """Return the copy with the fewest who read along, then with the fewest requests, and its process.

        The copy that wrote the last answer of the conversation still has it in mind: it may have one reader more.
        """
        home = self._homes.get(messages[:-2])
        ready = [(replica, process) for replica in self._replicas if (process := replica.process) is not None]
        if not ready:
            why = CLOSED if self._replicas[0].left_out == CLOSED else "no copy of the model is loaded at the moment"
            raise StreamError(failed("closed" if why == CLOSED else "unavailable", why))

        def busy(choice: tuple[Replica, ReplicaProcess]) -> tuple[int, int]:
            replica, process = choice
            asked = sum(run.load(process) for run in list(self._runs.values()))
            return len(replica.readers) - (replica is home), asked

        chosen = min(ready, key=busy)
        self._homes[messages] = chosen[0]
        while len(self._homes) > _CONVERSATIONS:
            self._homes.popitem(last=False)
        return chosen

    def close(self) -> None:
        """End the processes. May be called more than once."""
        _close(self._replicas)
        for replica in self._replicas:
            replica.join()


def _close(replicas: Sequence[Replica]) -> None:
    for replica in replicas:
        replica.close()
