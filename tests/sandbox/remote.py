"""A sandbox opened by an ordinary user, asked over pipes: ``python -m tests.sandbox.remote UID BACKEND LIMITS READABLE``."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec

from llmuses.sandbox.inside import kernel, view
from llmuses.sandbox.verdict import FunctionJob, Limits, ProgramJob, Verdict

REPOSITORY = Path(__file__).parents[2]


class Ask(msgspec.Struct):
    """A job under a number."""

    number: int
    function: FunctionJob | None = None
    program: ProgramJob | None = None
    limits: Limits | None = None


class Answer(msgspec.Struct):
    """Its verdict; number 0 says that the sandbox is open, or why it is not."""

    number: int
    verdict: Verdict | None = None
    problem: str = ""


class RemoteSandbox:
    """What ``open_sandbox`` gives, in a process that runs as ``uid``. Raises RuntimeError where it does not open."""

    def __init__(self, uid: int, backend: str, limits: Limits, readable: str, workers: int):
        arguments = [str(uid), backend, msgspec.json.encode(limits).decode(), readable, str(workers)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.sandbox.remote", *arguments],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.pid = self._process.pid
        self._waiting: dict[int, Future[Verdict]] = {}
        self._lock = threading.Lock()
        opened = self._read()
        if opened.problem:
            self.close()
            raise RuntimeError(opened.problem)
        self._reader = threading.Thread(target=self._answers, daemon=True)
        self._reader.start()

    def _read(self) -> Answer:
        line = self._process.stdout.readline()
        return msgspec.json.decode(line, type=Answer) if line else Answer(0, problem="it ended")

    def _answers(self) -> None:
        while self._waiting or self._process.poll() is None:
            answer = self._read()
            if answer.number == 0:
                return
            future = self._waiting.pop(answer.number)
            if answer.verdict is None:
                future.set_exception(RuntimeError(answer.problem))
            else:
                future.set_result(answer.verdict)

    def run(self, job: FunctionJob | ProgramJob, limits: Limits | None = None) -> Verdict:
        """Return the verdict of a job."""
        with self._lock:
            number = 1 + max(self._waiting, default=0)
            future = self._waiting[number] = Future()
            kind = "function" if isinstance(job, FunctionJob) else "program"
            self._process.stdin.write(msgspec.json.encode(Ask(number, **{kind: job}, limits=limits)) + b"\n")
            self._process.stdin.flush()
        return future.result(60)

    def close(self) -> None:
        """Close the sandbox and end its process."""
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


def become(uid: int) -> None:
    """Go on as an ordinary user who can reach the interpreter and this repository."""
    view.make_reachable([sys.base_prefix, sys.prefix, str(REPOSITORY)])
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    kernel.dumpable()
    os.environ["HOME"] = "/nonexistent"


def main(uid: str, backend: str, limits: str, readable: str, workers: str) -> None:
    """Serve until standard input closes."""
    become(int(uid))
    from llmuses.errors import LlmusesError
    from llmuses.sandbox import open_sandbox

    lock = threading.Lock()

    def say(answer: Answer) -> None:
        with lock:
            sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
            sys.stdout.buffer.flush()

    options = {"limits": msgspec.json.decode(limits, type=Limits), "readable": (readable,), "workers": int(workers)}
    try:
        with open_sandbox(backend=backend, **options) as sandbox, ThreadPoolExecutor(int(workers)) as threads:
            say(Answer(0))

            def answer(ask: Ask) -> None:
                try:
                    say(Answer(ask.number, sandbox.run(ask.function or ask.program, ask.limits)))
                except LlmusesError as error:
                    say(Answer(ask.number, problem=str(error)))

            for line in sys.stdin.buffer:
                threads.submit(answer, msgspec.json.decode(line, type=Ask))
    except LlmusesError as error:
        say(Answer(0, problem=str(error)))


if __name__ == "__main__":
    main(*sys.argv[1:])
