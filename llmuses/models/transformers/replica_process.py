"""The process of one copy of a model, as seen from the process that started it."""

from __future__ import annotations

import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from llmuses.models.transformers.replica import Answered, Loaded, Refused, Start, Wrote

_log = logging.getLogger(__name__)

Said = Loaded | Refused | Answered | Wrote

_SECONDS = 10
"""How long a process may take to end."""


class ReplicaProcess:
    """A process that loads a model and answers. One thread listens to it and ends it, any may tell it something."""

    def __init__(self, start: Start):
        ours, theirs = socket.socketpair()
        roots = [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]
        with theirs:
            self._process = subprocess.Popen(
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
        self._line = ours
        self._connection = Connection(os.dup(ours.fileno()))
        self._outbox: queue.SimpleQueue[NamedTuple | None] = queue.SimpleQueue()
        self._sender = threading.Thread(target=self._send, name="llmuses-replica-out", daemon=True)
        self._sender.start()
        self.tell(start)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def tell(self, message: NamedTuple) -> None:
        """Send a message, without waiting. A process that is dead does not get it: who listens to it will hear so."""
        self._outbox.put(message)

    def said(self) -> Iterator[Said]:
        """Yield what the process says, until it has ended or is hung up on."""
        with suppress(EOFError, OSError):
            while True:
                said: Said = self._connection.recv()
                yield said

    def hang_up(self) -> None:
        """Have the process end. May be called more than once, from any thread; who listens hears no more."""
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)

    def end(self) -> str:
        """End the process, if it has not ended, and return in words how it did."""
        self.hang_up()
        self._outbox.put(None)
        self._sender.join()
        self._connection.close()
        self._line.close()
        try:
            code = self._process.wait(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    def _send(self) -> None:
        try:
            while (message := self._outbox.get()) is not None:
                self._connection.send(message)
        except OSError:
            pass  # it is dead
        except Exception:  # what cannot be sent: nobody shall wait for an answer to it
            _log.exception("a message to a copy of the model")
            self.hang_up()
