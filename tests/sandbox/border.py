"""Both sides of the border as two bare processes, without any isolation: for programs that are known to be harmless."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
from collections.abc import Callable, Mapping
from typing import Any

from llmuses.sandbox.inside import candidate, tester

Judged = dict[str, str]
Other = Callable[[socket.socket, Mapping[str, Any]], None]


def judged(
    program: str,
    test: str,
    entry_point: str | None = None,
    helpers: str = "",
    seconds: float = 20.0,
    other: Other = candidate.serve,
) -> Judged:
    """Return what the tests say of a program. ``other`` is what runs at the program's end of the channel."""
    job = {"candidate": program, "test": test, "entry_point": entry_point, "helpers": helpers}
    ours, theirs = socket.socketpair()
    read, write = os.pipe()
    children = [_forked(lambda: other(theirs, {**job, "test": ""}), theirs.fileno())]
    theirs.close()
    children.append(_forked(lambda: _tell(write, tester.judge(ours, job)), ours.fileno(), write))
    ours.close()
    os.close(write)
    try:
        ready, _, _ = select.select([read], [], [], seconds)
        said = os.read(read, 1 << 20) if ready else b'{"outcome": "timed_out", "detail": ""}'
    finally:
        os.close(read)
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return json.loads(said) if said else {"outcome": "no verdict", "detail": ""}


def _tell(pipe: int, verdict: Judged) -> None:
    os.write(pipe, json.dumps(verdict).encode())


def _forked(work: Callable[[], None], *kept: int) -> int:
    """Start a process with no descriptors but these."""
    child = os.fork()
    if child == 0:
        try:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for number in range(3):
                os.dup2(nowhere, number)
            first = 3
            for number in [*sorted(kept), 1024]:
                os.closerange(first, number)
                first = number + 1
            work()
        finally:
            os._exit(0)
    return child
