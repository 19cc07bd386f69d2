"""Commands of llmuses without an interpreter's start: each in a process of its own that is forked from one which has
imported everything. To the command, to its signals and to the disk it is the process that a user starts; only the second of
imports before it is gone. Whether a command starts from nothing is a question to the tests that run ``python -m llmuses`` itself.

``python -m tests.support.forks`` is that one process: for each line of JSON that it reads it forks, or says what became of
a fork, and it ends with the process that started it.
"""

from __future__ import annotations

import gc
import importlib
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO

import msgspec

ROOT = Path(__file__).parents[2]

EVERYTHING = (
    "arena.pipeline.run", "llmuses.benchmarks.gsm8k", "llmuses.cli", "llmuses.cli_settings", "llmuses.console",
    "llmuses.evaluation.score", "llmuses.jobs", "llmuses.metrics.numbers", "llmuses.models.openai.model",
    "llmuses.models.openai.session", "llmuses.reports", "tests.support.mock_openai", "yaml",
)  # fmt: skip
"""What a command over a served model imports, and a mock server. None of it begins a thread."""


class Start(msgspec.Struct, tag="start"):
    """Asks for a fork that runs a command line: ``python FILE ...`` or ``python -m MODULE ...``. Answered by its number."""

    command: list[str]
    environment: dict[str, str]
    stdout: str
    stderr: str


class Poll(msgspec.Struct, tag="poll"):
    """Asks for a fork's exit status. Answered by it, negative for a signal, or null while it runs."""

    pid: int


_read = msgspec.json.Decoder(Start | Poll).decode


class Forked:
    """A command at work; the names are those of ``subprocess.Popen``. What it prints is kept in files."""

    def __init__(self, command: Sequence[str], **environment: str):
        self.command = list(command)
        self.returncode: int | None = None
        self._stdout, self._stderr = tempfile.NamedTemporaryFile(), tempfile.NamedTemporaryFile()
        pid = _asked(Start(self.command, {**os.environ, **environment}, self._stdout.name, self._stderr.name))
        assert pid is not None
        self.pid = pid

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal; None while it runs."""
        if self.returncode is None:
            self.returncode = _asked(Poll(self.pid))
        return self.returncode

    def send_signal(self, which: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, which)

    def wait(self, timeout: float = 120.0) -> int:
        """Return the exit status once it has ended. Raises subprocess.TimeoutExpired after ``timeout`` seconds."""
        end = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(self.command, timeout)
            time.sleep(0.01)
        return status

    def first_line(self) -> str:
        """Return the first line that it prints on stdout, once it stands there."""
        while not (line := _said(self._stdout)).endswith("\n"):
            assert self.poll() is None, self.communicate()
            time.sleep(0.002)
        return line

    def communicate(self, timeout: float = 120.0) -> tuple[str, str]:
        """Return what it printed on stdout and stderr, once it has ended."""
        self.wait(timeout)
        with self._stdout, self._stderr:
            return _said(self._stdout), _said(self._stderr)


def run(command: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return what it printed."""
    process = Forked(command, **environment)
    said = process.communicate()
    return subprocess.CompletedProcess(process.command, process.wait(), *said)


def _said(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@cache
def _origin() -> subprocess.Popen[bytes]:
    """Return the process that all forks of this one come from. It ends when this one does, which closes its input."""
    command = [sys.executable, "-m", "tests.support.forks"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)


def _asked(what: Start | Poll) -> int | None:
    origin = _origin()
    assert origin.stdin is not None and origin.stdout is not None
    origin.stdin.write(msgspec.json.encode(what) + b"\n")
    origin.stdin.flush()
    answer = origin.stdout.readline()
    assert answer, "the origin of all forks has ended"
    return msgspec.json.decode(answer, type=int | None)


def _ended(pid: int, running: set[int]) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    if not found:
        return None
    running.discard(pid)
    return os.waitstatus_to_exitcode(status)


def _become(start: Start) -> None:
    """Do in a fresh fork what an interpreter does with the command line."""
    for number, path in enumerate((os.devnull, start.stdout, start.stderr)):
        opened = os.open(path, os.O_WRONLY if number else os.O_RDONLY)
        os.dup2(opened, number)
        os.close(opened)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests were started in the background
    os.environ.clear()
    os.environ.update(start.environment)
    _, what, *sys.argv = start.command
    if what == "-m":
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv.insert(0, what)
        runpy.run_path(what, run_name="__main__")


def main() -> None:
    os.environ.setdefault(
        "OPENBLAS_NUM_THREADS", "1"
    )  # as every command has it before numpy is imported: no threads here
    for name in EVERYTHING:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is imported never goes: no fork has to look through it, and write on its pages by that
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    running: set[int] = set()
    while line := sys.stdin.buffer.readline():
        match _read(line):
            case Poll(pid):
                answer = _ended(pid, running)
            case start:
                answer = os.fork()
                if answer == 0:
                    answers.close()
                    return _become(start)
                running.add(answer)
        answers.write(msgspec.json.encode(answer) + b"\n")
    for pid in running:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
