"""Sandboxes of every backend, opened by root and by an ordinary user, and something outside each that programs go for."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import msgspec

from llmuses.errors import SandboxUnavailableError
from llmuses.sandbox import FunctionJob, Limits, ProgramJob, Sandbox, Verdict, open_sandbox
from llmuses.sandbox.backends import BACKENDS, Backend
from llmuses.sandbox.machine import INSIDE
from tests.sandbox.remote import RemoteSandbox

USER = 61_234
"""An ordinary user of no machine."""
WORKERS = 4
LIMITS = Limits(seconds=10, cpu_seconds=20, memory_mb=256, processes=32, file_mb=8, files=400, open_files=128)
SHORT = msgspec.structs.replace(LIMITS, seconds=0.3)
"""For programs that have no end."""
WHO = ("root", "user")
WHERE = [(backend, who) for backend in BACKENDS for who in WHO]


def name_of(where: tuple[Backend, str]) -> str:
    """Return how a place is called in the name of a test."""
    return f"{where[0].name}-{where[1]}"


class Unavailable(Exception):
    """This backend does not work here, or not for this user."""


class Outside:
    """What a program should not reach: files, sockets, a secret, this process."""

    def __init__(self, owner: int):
        self.folder = Path(tempfile.mkdtemp(prefix="outside-", dir="/tmp"))
        self.folder.chmod(0o777)
        self.file = self.folder / "secret.txt"
        self.file.write_text("the secret of the user")
        self.file.chmod(0o666)
        self._secret = ctypes.create_string_buffer(b"secret in memory")
        self.sockets = [
            socket.create_server(("127.0.0.1", 0)),
            socket.socket(socket.AF_UNIX),
            socket.socket(socket.AF_UNIX),
        ]
        self.datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.datagrams.bind(str(self.folder / "datagrams"))
        (self.folder / "datagrams").chmod(0o777)
        self.sockets[1].bind(f"\0{self.folder.name}")
        self.sockets[2].bind(str(self.folder / "socket"))
        (self.folder / "socket").chmod(0o777)
        for listener in self.sockets[1:]:
            listener.listen()
        for path in (self.folder, self.file):
            os.chown(path, owner, owner)
        self.before = self.state()

    def target(self, pid: int) -> dict[str, object]:
        """Return what a program is told of it."""
        limits = {name: getattr(LIMITS, name) for name in ("processes", "file_mb", "files", "memory_mb")}
        return {
            "file": str(self.file),
            "folder": str(self.folder),
            "home": str(Path("~").expanduser()),
            "inside": str(INSIDE),
            "port": self.sockets[0].getsockname()[1],
            "abstract": self.folder.name,
            "socket": str(self.folder / "socket"),
            "datagrams": str(self.folder / "datagrams"),
            "pid": pid,
            "address": ctypes.addressof(self._secret),
            "hostname": socket.gethostname(),
            **limits,
        }

    def state(self) -> dict[str, object]:
        """Return all that a program might have changed."""
        about = self.file.stat()
        return {
            "names": sorted(os.listdir(self.folder)),
            "text": self.file.read_text(),
            "mode": about.st_mode,
            "time": about.st_mtime_ns,
            "attributes": os.listxattr(self.file) if sys.platform == "linux" else [],
            "core_pattern": Path("/proc/sys/kernel/core_pattern").read_text(),
            "segments": _of_programs(Path("/proc/sysvipc/shm").read_text()),
            "semaphores": _of_programs(Path("/proc/sysvipc/sem").read_text()),
            "shared memory": [name for name in os.listdir("/dev/shm") if "left-behind" in name],
            "hostname": socket.gethostname(),
        }

    def close(self) -> None:
        """Remove it."""
        for listener in (*self.sockets, self.datagrams):
            listener.close()
        shutil.rmtree(self.folder)


def _of_programs(segments: str) -> list[str]:
    """Return the lines under the key that hostile programs ask for: others of this machine come and go."""
    return [line for line in segments.splitlines() if line.split()[0] == str(0x11115)]


class Place:
    """A sandbox with something outside, and verdicts of the programs that were sent into it, several at a time."""

    def __init__(self, backend: Backend, who: str, workers: int = WORKERS):
        if who == "root" and os.geteuid() != 0:
            raise Unavailable("these tests do not run as root")
        self.backend, self.workers = backend, workers
        self._stack = contextlib.ExitStack()
        owner = os.geteuid() if who == "root" or os.geteuid() != 0 else USER
        self.outside = Outside(owner)
        self._stack.callback(self.outside.close)
        self.token = tempfile.mkdtemp(prefix="token-", dir="/tmp")
        """A readable folder: its name marks the command line of all processes of this sandbox."""
        self._stack.callback(os.rmdir, self.token)
        os.environ["OUTSIDE"] = "OUTSIDE"
        try:
            self.sandbox = self._open(owner)
        except (SandboxUnavailableError, RuntimeError) as error:
            self._stack.close()
            raise Unavailable(str(error)) from error
        self.usual = len(self.processes())
        """How many processes there are while nothing runs."""
        self._threads = ThreadPoolExecutor(self.workers)
        self._sent: dict[str, Future[Verdict]] = {}

    def _open(self, owner: int) -> Sandbox | RemoteSandbox:
        if owner == os.geteuid():
            options = {"limits": LIMITS, "readable": (self.token,), "workers": self.workers}
            return self._stack.enter_context(open_sandbox(backend=self.backend.name, **options))
        remote = RemoteSandbox(owner, self.backend.name, LIMITS, self.token, self.workers)
        self._stack.callback(remote.close)
        return remote

    @cached_property
    def target(self) -> dict[str, object]:
        """What programs are told of the outside."""
        return self.outside.target(getattr(self.sandbox, "pid", os.getpid()))

    def sent(self, name: str) -> Future[Verdict] | None:
        """Return the verdict to come of a job that was sent."""
        return self._sent.get(name)

    def send(self, name: str, job: FunctionJob | ProgramJob, limits: Limits = LIMITS) -> Future[Verdict]:
        """Send a job into the sandbox under a name."""
        self._sent[name] = self._threads.submit(self.sandbox.run, job, limits)
        return self._sent[name]

    def processes(self) -> list[int]:
        """Return the processes of this sandbox that there are, whatever they run now, as this machine sees them."""
        return [pid for pid in _all_processes() if self._is_ours(_command_line(pid))]

    def _is_ours(self, command: str) -> bool:
        return self.token in command and "launch.py" in command

    def settled(self, most: int, seconds: float = 60.0) -> int:
        """Return the number of processes, once it is not above ``most`` or some time has passed."""
        last = time.monotonic() + seconds
        while (count := len(self.processes())) > most and time.monotonic() < last:
            time.sleep(0.02)
        return count

    def close(self) -> None:
        """Close the sandbox and remove what was outside."""
        self._threads.shutdown()
        self._stack.close()


def _all_processes() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""
