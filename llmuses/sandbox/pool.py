"""The sandbox: zygotes, one a core, that run the jobs of any number of threads."""

from __future__ import annotations

import os
import queue
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import PurePosixPath
from typing import IO

import msgspec

from llmuses.errors import SandboxError, SandboxUnavailableError, UnknownNameError
from llmuses.sandbox import advice, ending, machine
from llmuses.sandbox.backends import BACKENDS, NONE, Backend
from llmuses.sandbox.verdict import FunctionJob, Limits, Outcome, ProgramJob, Verdict
from llmuses.sandbox.worker import Broken, Worker, file_with

_TRIES = 2
"""A job whose zygote breaks is run once more: the break need not be its own."""
_LARGEST = 16 << 20
"""Bytes of a job's text."""


class Sandbox:
    """Runs programs that nobody has read. Made by ``open_sandbox``; ``run`` may be called from many threads at once."""

    def __init__(self, backend: Backend, start: Callable[[], Worker], workers: Sequence[Worker], limits: Limits):
        self.backend = backend.name
        self.unsafe = backend is NONE
        self.uncontained = workers[0].uncontained
        self._start = start
        self._limits = limits
        self._idle: queue.SimpleQueue[Worker | None] = queue.SimpleQueue()
        self.workers = len(workers)
        for worker in workers:
            self._idle.put(worker)

    def run(self, job: FunctionJob | ProgramJob, limits: Limits | None = None) -> Verdict:
        """Run a job and return its verdict; waits while all zygotes are busy. ``limits`` are for this job alone.

        Raises SandboxError where the sandbox itself fails, whatever the program.
        """
        if (problem := _problem(job)) is not None:
            return Verdict(Outcome.REFUSED, problem, 0.0, self.backend, self.unsafe)
        worker = self._idle.get()
        try:
            for _ in range(_TRIES):
                if worker is None:
                    worker = self._start()
                try:
                    return self._run_in(worker, job, limits or self._limits)
                except Broken:
                    broken, worker = worker, None
                    broken.close(patience=0.5)
            return Verdict(Outcome.ERROR, "the sandbox broke, twice, while it ran this", 0.0, self.backend, self.unsafe)
        except Broken as error:
            raise SandboxError(f"the sandbox ({self.backend}) does not start any more: {error}") from error
        finally:
            self._idle.put(worker)

    def _run_in(self, worker: Worker, job: FunctionJob | ProgramJob, limits: Limits) -> Verdict:
        with ExitStack() as stack:

            def file(content: bytes = b"") -> IO[bytes]:
                return stack.enter_context(file_with(content))

            order = {"limits": msgspec.to_builtins(limits)}
            output = ""
            if isinstance(job, FunctionJob):
                said = file()
                # The candidate's process never holds the tests.
                blind = msgspec.structs.replace(job, test="")
                files = [file(msgspec.json.encode(blind)), file(msgspec.json.encode(job)), said]
                reply = worker.ask({"kind": "function", **order}, files, limits.seconds)
                end = ending.of_function(reply, _head(said, 1 << 16), limits)
            else:
                stdout, stderr = file(), file()
                what = {"argv": job.argv, "files": dict(job.files)}
                files = [file(msgspec.json.encode(what)), file(job.stdin.encode()), stdout, stderr]
                reply = worker.ask({"kind": "program", **order}, files, limits.seconds)
                output, errors = (
                    _head(stream, limits.output_kb << 10).decode("utf-8", "replace") for stream in (stdout, stderr)
                )
                end = ending.of_program(reply, output, errors, job.expected, limits)
        outcome, detail = end
        return Verdict(outcome, ending.printable(detail), reply["seconds"], self.backend, self.unsafe, output)

    def close(self) -> None:
        """Wait for what is running, then end all zygotes."""
        for _ in range(self.workers):
            worker = self._idle.get()
            if worker is not None:
                worker.close()


def _head(file: IO[bytes], most: int) -> bytes:
    return os.pread(file.fileno(), most, 0)


def _problem(job: FunctionJob | ProgramJob) -> str | None:
    """Return why a job cannot be run at all."""
    if isinstance(job, FunctionJob):
        size = len(job.candidate) + len(job.test) + len(job.helpers)
    else:
        size = len(job.stdin) + sum(len(text) for text in job.files.values())
        if not job.argv or not all(argument and "\0" not in argument for argument in job.argv[:1]):
            return "there is no command to run"
        for name in job.files:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or path.name == "" or "\0" in name:
                return f"the file {name!r} would lie outside the program's folder"
    if size > _LARGEST:
        return f"the job is larger than {_LARGEST >> 20} MB"
    try:
        msgspec.json.encode(job)
    except UnicodeEncodeError:
        return "the job's text holds halves of characters, which no file can"
    return None


@contextmanager
def open_sandbox(
    workers: int | None = None,
    limits: Limits | None = None,
    backend: str | None = None,
    unsafe: bool = False,
    readable: Sequence[str] = (),
) -> Iterator[Sandbox]:
    """Open a sandbox, and close it with all that it started.

    ``workers``   zygotes, that is programs at the same time; None: one a processor
    ``limits``    of each program
    ``backend``   one of ``bubblewrap``, ``namespaces``, ``bubblewrap+landlock``, ``landlock``; None: the first that works
    ``unsafe``    run without any isolation, and say so in each verdict
    ``readable``  further paths that programs may read (``("/usr", "/bin")`` for compilers and shells)

    Raises SandboxUnavailableError where nothing isolates a program on this machine, with what each backend said.
    """
    size = workers or available_cpus()
    # One thread starts all zygotes and lives as long as they do: the kernel ends them with the thread that started them.
    with ThreadPoolExecutor(1, "sandbox") as starter:
        chosen, first = starter.submit(_first, _wanted(backend, unsafe), tuple(readable)).result()

        def start() -> Worker:
            return starter.submit(Worker, chosen, tuple(readable)).result()

        started = [first]
        try:
            started += [start() for _ in range(size - 1)]
            for worker in started[1:]:
                worker.ready()
        except Broken as error:
            for worker in started:
                worker.close()
            raise SandboxError(f"the sandbox ({chosen.name}) does not start: {error}") from error
        sandbox = Sandbox(chosen, lambda: start().ready(), started, limits or Limits())
        try:
            yield sandbox
        finally:
            sandbox.close()


def available_cpus() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _wanted(name: str | None, unsafe: bool) -> tuple[Backend, ...]:
    if unsafe:
        return (NONE,)
    if name is None:
        return BACKENDS
    known = {backend.name: backend for backend in BACKENDS}
    if name not in known:
        raise UnknownNameError("sandbox", name, known)
    return (known[name],)


def _first(wanted: Sequence[Backend], readable: tuple[str, ...]) -> tuple[Backend, Worker]:
    """Return the first backend that works, with a zygote of it. Raises SandboxUnavailableError."""
    said = {}
    for backend in wanted:
        try:
            return backend, try_backend(backend, readable)
        except Broken as error:
            said[backend.name] = str(error)
    raise SandboxUnavailableError(advice.unavailable(said))


def try_backend(backend: Backend, readable: tuple[str, ...] = ()) -> Worker:
    """Return a zygote of a backend that is seen to work. Raises Broken."""
    if sys.platform != "linux" and backend is not NONE:
        raise Broken("the kernel of this system isolates no programs for ordinary users")
    if backend.bubblewrap and machine.bubblewrap() is None:
        raise Broken("bubblewrap is not installed")
    return Worker(backend, readable).ready()
