"""The process that every program is forked from: a warm interpreter that has never run anything of a model.

It knows neither programs nor tests. Both travel in files whose descriptors it hands to the children and closes; so
nothing of one job is in the memory that the next one's processes inherit, and a candidate's process never holds the test.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from typing import Any, NoReturn

from llmuses.sandbox.inside import candidate, kernel, tester, usage
from llmuses.sandbox.inside.child import SLOW_TICK, Child
from llmuses.sandbox.inside.confine import Mode, Walls
from llmuses.sandbox.inside.folders import overflows, remove

_TICK = 0.1
"""Seconds between two looks at what a running program uses."""
_GRACE = 0.05
"""Seconds that a candidate has to end by itself once its tests are over: whether and how it did tells how it was doing."""
_PATIENCE = 5.0
"""Seconds for which a process is asked for while the user has as many as there may be."""
_MESSAGE = 1 << 16


class Zygote:
    """Runs one job after the other until its control socket closes."""

    def __init__(
        self, control: socket.socket, walls: Walls, config: dict[str, Any], sees_processes: bool, own_pids: int = -1
    ):
        self._control = control
        self._walls = walls
        self._scratch: str = config["scratch"]
        self._python: str = config["python"]
        self._packages: list[str] = config["packages"]
        self._sees_processes = sees_processes
        self._own_pids = own_pids
        """A descriptor of the pid namespace that each program gets one of its own within; -1 without namespaces."""

    def serve(self) -> None:
        """Answer jobs until the other side is gone."""
        while True:
            try:
                message, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE, 4)
            except ConnectionError:
                return
            if not message:
                return
            reply = self._run(json.loads(message), descriptors)
            if reply is None:
                return
            with contextlib.suppress(ConnectionError):
                self._control.sendall(json.dumps(reply).encode())

    def _run(self, job: dict[str, Any], descriptors: list[int]) -> dict[str, Any] | None:
        """Return how a job's processes ended, or None where nobody waits for it any more."""
        folders: list[str] = []
        children: dict[str, Child] = {}
        start = time.monotonic()
        end: str | None = None
        try:
            if job["kind"] == "function":
                self._start_function(job["limits"], descriptors, folders, children)
            else:
                self._start_program(job["limits"], descriptors, folders, children)
            end = self._watch(children, job["limits"], start, descriptors, folders)
        except OSError as error:
            end = f"fault: {error}"
        finally:
            reports = {name: child.finish() for name, child in children.items()}
            self._sweep()
            seconds = time.monotonic() - start
            if end == "ended" and _too_long(descriptors, job["limits"]):
                end = "output"
            _close(descriptors)
            for folder in folders:
                remove(folder)
        if end is None:
            return None
        return {"end": end, "seconds": seconds, "children": reports}

    def _start_function(
        self, limits: dict[str, Any], descriptors: list[int], folders: list[str], children: dict[str, Child]
    ) -> None:
        """Start the two sides of a FunctionJob; what they hold is closed here, so that each sees the other's end."""
        program, test, verdict = descriptors
        near, far = (end.detach() for end in socket.socketpair())
        descriptors += (near, far)
        for name, work, keep in (
            ("tester", lambda: _tester(test, far, verdict), [test, far, verdict]),
            ("candidate", lambda: _candidate(program, near), [program, near]),
        ):
            children[name] = self._fork(limits, self._folder(folders), work, keep)
        _close(descriptors)

    def _start_program(
        self, limits: dict[str, Any], descriptors: list[int], folders: list[str], children: dict[str, Child]
    ) -> None:
        """Start the command of a ProgramJob; its output stays open here, to be measured."""
        payload, *standard = descriptors
        work = lambda: self._program(payload)  # noqa: E731
        children["program"] = self._fork(limits, self._folder(folders), work, [payload], standard)

    def _folder(self, folders: list[str]) -> str:
        if self._walls.mode is Mode.NAMESPACES:
            return self._scratch  # a file system of its own is mounted there
        folders.append(tempfile.mkdtemp(dir=self._scratch))
        return folders[-1]

    def _fork(
        self,
        limits: dict[str, Any],
        folder: str,
        work: Callable[[], None],
        keep: list[int],
        standard: list[int] | None = None,
    ) -> Child:
        """Start a confined process that does ``work`` and holds no descriptor but its own."""
        told, tell = os.pipe()
        try:
            pid = self._forked()
            if pid == 0:
                self._child(limits, folder, work, keep, standard, tell)
        except OSError:
            os.close(told)
            raise
        finally:
            os.close(tell)
        return Child(pid, told)

    def _forked(self) -> int:
        """Fork, with a new pid namespace where there are namespaces; wait a little where there are too many processes."""
        last = time.monotonic() + _PATIENCE
        while True:
            if self._own_pids >= 0:
                kernel.unshare(kernel.CLONE_NEWPID)
            problem = None
            try:
                pid = os.fork()
            except BlockingIOError as error:
                pid, problem = -1, error
            if pid != 0 and self._own_pids >= 0:
                # The next one asks for a pid namespace of its own again, which the kernel allows from the outer one only.
                kernel.setns(self._own_pids, kernel.CLONE_NEWPID)
            if problem is None:
                return pid
            if time.monotonic() > last:
                raise problem
            time.sleep(_TICK)

    def _child(
        self,
        limits: dict[str, Any],
        folder: str,
        work: Callable[[], None],
        keep: list[int],
        standard: list[int] | None,
        tell: int,
    ) -> NoReturn:
        code = 1
        try:
            if kernel.LINUX:
                kernel.die_with_parent()
            os.setsid()
            _keep_only({*keep, *(standard or ()), tell})
            if standard is not None:
                for number, descriptor in enumerate(standard):
                    os.dup2(descriptor, number)
            try:
                self._walls.confine(limits, folder, show_processes=standard is not None)
                os.environ.update(HOME=folder, TMPDIR=folder)
            except OSError as error:
                os.write(tell, str(error).encode())
                os._exit(1)
            os.close(tell)
            work()
            code = 0
        except BaseException as error:
            if standard is not None:
                os.write(2, f"{error}\n".encode())
                code = 127
        finally:
            os._exit(code)

    def _program(self, payload: int) -> None:
        """Write a job's files and become its command."""
        with open(payload, "rb") as file:
            job = json.load(file)
        for name, text in job["files"].items():
            os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
            with open(name, "w", encoding="utf-8", newline="") as file:
                file.write(text)
        # Python ignores these two; what it starts should not.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.environ["PYTHONPATH"] = os.pathsep.join(self._packages)
        command, *arguments = job["argv"]
        if command in ("python", "python3"):
            command = self._python
        os.execvp(command, [command, *arguments])

    def _watch(
        self,
        children: dict[str, Child],
        limits: dict[str, Any],
        start: float,
        descriptors: list[int],
        folders: list[str],
    ) -> str | None:
        """Wait for the end of the program, or of its tests; return what ended it, None where the control socket closed."""
        main = children.get("tester") or children["program"]
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        if main.ended >= 0:
            poll.register(main.ended, select.POLLIN)
        tick = _TICK if main.ended >= 0 else SLOW_TICK
        groups = None if self._walls.mode is Mode.NAMESPACES else {child.pid for child in children.values()}
        while True:
            left = start + limits["seconds"] - time.monotonic()
            ready = dict(poll.poll(max(0.0, min(left, tick)) * 1000))
            if main.has_ended():
                for child in children.values():
                    child.wait(_GRACE)
                return "ended"
            if self._control.fileno() in ready:
                return None
            if left <= 0:
                return "wall clock"
            if _too_long(descriptors, limits):
                return "output"
            if time.monotonic() - start < _TICK:
                continue
            if self._sees_processes and usage.exceeds(limits["memory_mb"], groups):
                return "memory"
            if any(overflows(folder, limits["file_mb"], limits["files"]) for folder in folders):
                return "files"

    def _sweep(self) -> None:
        """Leave no process behind where no pid namespace took them all: orphans come to this process."""
        while self._walls.mode is not Mode.NAMESPACES:
            try:
                gone, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if gone == 0:
                for pid in usage.children():
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, signal.SIGKILL)
                time.sleep(SLOW_TICK)


def _too_long(descriptors: list[int], limits: dict[str, Any]) -> bool:
    """Return whether more was printed than is kept: a program's last two descriptors; those of a function are closed."""
    return any(os.fstat(descriptor).st_size > limits["output_kb"] << 10 for descriptor in descriptors[-2:])


def _close(descriptors: list[int]) -> None:
    while descriptors:
        os.close(descriptors.pop())


def _keep_only(descriptors: set[int]) -> None:
    """Close every descriptor from 3 on but these."""
    low = 3
    for descriptor in [*sorted(number for number in descriptors if number >= 3), 1 << 20]:
        os.closerange(low, descriptor)
        low = descriptor + 1


def _candidate(payload: int, channel: int) -> None:
    with open(payload, "rb") as file:
        job = json.load(file)
    candidate.serve(socket.socket(fileno=channel), job)


def _tester(payload: int, channel: int, verdict: int) -> None:
    with open(payload, "rb") as file:
        job = json.load(file)
    said = tester.judge(socket.socket(fileno=channel), job)
    with open(verdict, "wb") as out:
        out.write(json.dumps({"outcome": str(said["outcome"]), "detail": str(said["detail"])[:4000]}).encode())
