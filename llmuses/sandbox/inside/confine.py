"""What is taken from a freshly forked process before it runs anything that a model wrote."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from llmuses.sandbox.inside import kernel, landlock, seccomp, view

_MB = 1 << 20
_USER_NAMESPACE_COUNTS = (5, 14)
"""From this Linux on RLIMIT_NPROC counts within a user namespace; before, all processes of the user."""


class Mode(StrEnum):
    """How a program is parted from the others."""

    NAMESPACES = "namespaces"
    LANDLOCK = "landlock"
    NONE = "none"


class Walls:
    """What holds each program of a zygote; whatever can be made ahead is made once."""

    def __init__(self, mode: Mode, readable: list[str]):
        self.mode = mode
        self._readable = readable
        self._abi = landlock.version() if mode is Mode.LANDLOCK else 0
        self._filter: seccomp.Filter | None = None
        if mode is not Mode.NONE and (mode is Mode.NAMESPACES or self._abi >= landlock.STOPS_SIGNALS):
            self._filter = seccomp.Filter(seccomp.rules(kernel.MACHINE, hidden=mode is Mode.NAMESPACES))

    def confine(self, limits: Mapping[str, Any], folder: str, show_processes: bool) -> None:
        """Hold this process, for good, in a fresh writable ``folder`` under ``limits``. Raises OSError.

        The order matters: what needs capabilities first, then the limits, then the capabilities themselves; the filter
        last, since it refuses what all the others need.
        """
        if self.mode is Mode.NAMESPACES:
            kernel.unshare(kernel.CLONE_NEWNS)
            view.fresh_folder(folder, limits["file_mb"], limits["files"])
            view.cover_processes(own=show_processes)
        os.chdir(folder)
        self._limit(limits)
        if self.mode is Mode.NONE:
            return
        kernel.drop_capabilities()
        kernel.no_new_privileges()
        if self.mode is Mode.LANDLOCK:
            landlock.restrict(self._readable, view.DEVICES, folder, self._abi)
        own = self._filter or seccomp.Filter(seccomp.rules(kernel.MACHINE, False, own_pid=os.getpid()))
        own.install()

    def _limit(self, limits: Mapping[str, Any]) -> None:
        memory = limits["memory_mb"] * _MB
        wanted = {
            "RLIMIT_AS": memory,
            # At the hard limit the kernel sends SIGKILL; SIGXCPU, at the soft one, could be ignored.
            "RLIMIT_CPU": limits["cpu_seconds"],
            "RLIMIT_FSIZE": limits["file_mb"] * _MB,
            "RLIMIT_NOFILE": limits["open_files"],
            "RLIMIT_MEMLOCK": 0,
            # One byte is too little for a core file, and the one value at which none is piped to a program either.
            "RLIMIT_CORE": 1,
            "RLIMIT_MSGQUEUE": 0,
            "RLIMIT_RTPRIO": 0,
            "RLIMIT_NICE": 0,
        }
        if self.mode is not Mode.NONE:
            wanted["RLIMIT_NPROC"] = limits["processes"] + self._tasks_before()
        for name, value in wanted.items():
            kind = getattr(resource, name, None)
            if kind is None:
                continue
            _, hard = resource.getrlimit(kind)
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            try:
                resource.setrlimit(kind, (value, value))
            except (OSError, ValueError):  # macOS takes no limit on memory
                if kernel.LINUX:
                    raise

    def _tasks_before(self) -> int:
        """Return how many processes and threads count against RLIMIT_NPROC without being the program's."""
        release = os.uname().release.split("-")[0].split(".")
        if self.mode is Mode.NAMESPACES and tuple(int(part) for part in release[:2]) >= _USER_NAMESPACE_COUNTS:
            return 3  # the zygote, the candidate and the tester
        return _tasks_of(os.getuid())


def _tasks_of(uid: int) -> int:
    """Return the number of threads that run with a user id."""
    count = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            try:
                if entry.stat().st_uid == uid:
                    count += len(os.listdir(f"{entry.path}/task"))
            except OSError:
                continue
    return count
