"""One zygote as its parent sees it: started, asked, and started again when it breaks."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import IO, Any

from llmuses.sandbox import machine
from llmuses.sandbox.backends import UNSEEN, Backend
from llmuses.sandbox.inside import folders

_START = 20.0
"""Seconds that a zygote may take to start."""
_LATE = 10.0
"""Seconds past a job's own limit after which the zygote itself must be broken."""
_KIND = socket.SOCK_SEQPACKET if sys.platform == "linux" else socket.SOCK_STREAM
_MESSAGE = 1 << 16


class Broken(Exception):
    """A zygote cannot be started, or is gone."""


def file_with(content: bytes) -> IO[bytes]:
    """Return an open file, without a name and in memory where the system can, that holds ``content``."""
    file: IO[bytes]
    if hasattr(os, "memfd_create"):
        file = os.fdopen(os.memfd_create("job"), "w+b", buffering=0)
    else:
        file = tempfile.TemporaryFile(buffering=0)
    view = memoryview(content)
    while view:
        view = view[file.write(view) or 0 :]
    file.seek(0)
    return file


class Worker:
    """A zygote. One thread at a time may ask it, once it is ready.

    Raises Broken where it cannot be started.
    """

    def __init__(self, backend: Backend, further: tuple[str, ...] = ()):
        self._backend = backend
        self.sees_processes = True
        """Whether its zygote can add up the memory of a program's processes."""
        self._scratch: str | None = None
        self._control, theirs = socket.socketpair(socket.AF_UNIX, _KIND)
        with theirs:
            try:
                uid = machine.unprivileged_uid() if backend.mode != "none" else None
                if backend.mode != "namespaces" and not backend.bubblewrap:
                    self._scratch = tempfile.mkdtemp(prefix="llmuses-sandbox-")
                    if uid is not None:
                        os.chown(self._scratch, uid, uid)
                self._process = subprocess.Popen(
                    machine.command(backend, further, uid, self._scratch),
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    env=machine.ENVIRONMENT,
                    cwd="/",
                    start_new_session=True,
                )
            except OSError as error:
                self._control.close()
                self._remove_scratch()
                raise Broken(str(error)) from error

    def ready(self) -> Worker:
        """Return this worker once its zygote waits for jobs. Raises Broken, with what it said, where it does not come up."""
        assert self._process.stderr is not None
        self._control.settimeout(_START)
        with self._process.stderr as errors:
            try:
                ready = self._control.recv(_MESSAGE)
            except OSError:
                ready = b""
            if not ready:
                self.close(patience=0.2)
                said = errors.read(10_000).decode(errors="replace").strip()
                raise Broken(said.splitlines()[-1] if said else "it ended without a word")
            self.sees_processes = json.loads(ready)["sees_processes"]
        return self

    @property
    def uncontained(self) -> Mapping[str, str]:
        """Return what a program can still do, as the backend says, and what this machine adds to it."""
        return self._backend.uncontained if self.sees_processes else {**self._backend.uncontained, **UNSEEN}

    @property
    def pid(self) -> int:
        """Return the process id of what was started."""
        return self._process.pid

    def ask(self, job: Mapping[str, Any], files: list[IO[bytes]], seconds: float) -> dict[str, Any]:
        """Have a job run and return how its processes ended; ``seconds`` is its own limit. Raises Broken."""
        self._control.settimeout(seconds + _LATE)
        try:
            message = json.dumps(job).encode()
            socket.send_fds(self._control, [message], [file.fileno() for file in files])
            reply = self._control.recv(_MESSAGE)
        except OSError as error:
            raise Broken(str(error) or type(error).__name__) from error
        if not reply:
            raise Broken("the zygote is gone")
        answer: dict[str, Any] = json.loads(reply)
        return answer

    def close(self, patience: float = 2.0) -> None:
        """End the zygote and all that it started. It ends by itself when its socket closes; else it is killed."""
        self._control.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._remove_scratch()

    def _remove_scratch(self) -> None:
        if self._scratch is not None:
            folders.remove(self._scratch)
