"""Both sides of the border as two bare processes, without any isolation: for programs that are known to be harmless.

They are forked from a process that has imported the border and nothing else, ``python -m tests.sandbox.border``: the one
that runs the tests holds torch and an app, and a fork of it takes a quarter of a second.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from llmuses.sandbox.inside import candidate, tester

ROOT = Path(__file__).parents[2]
Judged = dict[str, str]


class Said(NamedTuple):
    """Bytes that come from the program's end of the channel whatever it is asked; then it ``ends``, or waits for ever."""

    text: bytes
    ends: bool = True


def judged(program: str, test: str, entry_point: str | None = None, helpers: str = "", seconds: float = 20.0) -> Judged:
    """Return what the tests say of a program."""
    job = {"candidate": program, "test": test, "entry_point": entry_point, "helpers": helpers}
    return _judged_elsewhere(job, seconds, None)


def judged_by_bytes(said: Said, test: str, seconds: float = 20.0) -> Judged:
    """Return what the tests say where no program, but whatever was ``said``, is at the other end of the channel."""
    return _judged_elsewhere({"test": test}, seconds, (said.text.decode("latin-1"), said.ends))


def _judged_elsewhere(*case: object) -> Judged:
    origin = _origin()
    assert origin.stdin is not None and origin.stdout is not None
    origin.stdin.write(json.dumps(case) + "\n")
    origin.stdin.flush()
    verdict: Judged = json.loads(origin.stdout.readline())
    return verdict


@cache
def _origin() -> subprocess.Popen[str]:
    """Return the process that both sides are forked from. It ends when this one does, which closes its input."""
    command = [sys.executable, "-m", "tests.sandbox.border"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _judge(job: dict[str, Any], seconds: float, said: Said | None) -> Judged:
    ours, theirs = socket.socketpair()
    read, write = os.pipe()
    children = [_forked(lambda: _serve(theirs, job, said), theirs.fileno())]
    theirs.close()
    children.append(_forked(lambda: _tell(write, tester.judge(ours, job)), ours.fileno(), write))
    ours.close()
    os.close(write)
    try:
        ready, _, _ = select.select([read], [], [], seconds)
        verdict = os.read(read, 1 << 20) if ready else b'{"outcome": "timed_out", "detail": ""}'
    finally:
        os.close(read)
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return json.loads(verdict) if verdict else {"outcome": "no verdict", "detail": ""}


def _serve(channel: socket.socket, job: dict[str, Any], said: Said | None) -> None:
    if said is None:
        return candidate.serve(channel, {**job, "test": ""})
    channel.sendall(said.text)
    if said.ends:
        channel.shutdown(socket.SHUT_WR)
    while channel.recv(1 << 16):
        pass


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


def main() -> None:
    """Judge the cases that come in, one a line."""
    for line in sys.stdin:
        job, seconds, said = json.loads(line)
        verdict = _judge(job, seconds, said and Said(said[0].encode("latin-1"), said[1]))
        print(json.dumps(verdict), flush=True)


if __name__ == "__main__":
    main()
