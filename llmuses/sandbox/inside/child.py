"""A confined process as the zygote sees it: whether it has ended, and how."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from typing import Any

from llmuses.sandbox.inside import kernel

SLOW_TICK = 0.005
"""Seconds between two looks where the kernel cannot tell the end of a process by a descriptor."""


class Child:
    """A confined process, first of its own process group; where there are namespaces, first of its pid namespace too."""

    def __init__(self, pid: int, confined: int):
        self.pid = pid
        self.ended = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
        """A descriptor that becomes readable at its end; -1 where there is no such thing."""
        self._confined = confined

    def has_ended(self) -> bool:
        """Return whether the process is gone. It stays a zombie, so that its number keeps meaning it."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def wait(self, seconds: float) -> None:
        """Give the process a little time to end by itself."""
        last = time.monotonic() + seconds
        while not self.has_ended() and (left := last - time.monotonic()) > 0:
            if self.ended >= 0:
                select.select([self.ended], [], [], left)
            else:
                time.sleep(SLOW_TICK)

    def finish(self) -> dict[str, Any]:
        """Kill the process and its group, and with a pid namespace all in it; return how it ended."""
        alone = self.has_ended()
        for kill in (os.kill, os.killpg):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self.pid, signal.SIGKILL)
        _, status, used = os.wait4(self.pid, 0)
        with open(self._confined, "rb") as pipe:
            unconfined = pipe.read(1000).decode(errors="replace")
        if self.ended >= 0:
            os.close(self.ended)
        peak = used.ru_maxrss / (1 << 10 if kernel.LINUX else 1 << 20)
        cpu = used.ru_utime + used.ru_stime
        return {"status": status, "alone": alone, "cpu": cpu, "memory_mb": peak, "unconfined": unconfined}
