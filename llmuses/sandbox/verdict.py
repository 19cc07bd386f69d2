"""What the sandbox is asked and what it answers: jobs, limits and verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How a program ended."""

    PASSED = "passed"
    FAILED = "failed"
    """An assertion did not hold, or the output differs."""
    ERROR = "error"
    """The program, or the test of it, raised or crashed."""
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    REFUSED = "refused"
    """Nothing was run: the job itself cannot be (too large, no such command, ...)."""


class Limits(msgspec.Struct, frozen=True):
    """What one program may use. Memory, files and processes are counted for the program with all that it starts."""

    seconds: float = 10.0
    """Wall clock."""
    cpu_seconds: int = 10
    """CPU time of each process."""
    memory_mb: int = 1024
    processes: int = 64
    """Processes and threads."""
    file_mb: int = 64
    """All files together; one file can be no larger either."""
    files: int = 4096
    """Files and folders that may exist in the writable folder."""
    open_files: int = 256
    output_kb: int = 256
    """Standard output and standard error, each."""


class FunctionJob(msgspec.Struct, frozen=True):
    """A program that defines functions, and the test that calls them from outside its process."""

    candidate: str
    """The whole program that the model's answer became."""
    test: str
    """The benchmark's own test code. It is never in the memory of the process that runs the candidate."""
    helpers: str = ""
    """Code of the prompt that the test may use."""
    entry_point: str | None = None
    """HumanEval: the test defines ``check``, which is called with this function. None: the test text is run as it is."""


class ProgramJob(msgspec.Struct, frozen=True):
    """A command with its files and standard input; right when it ends with 0 and prints what is expected."""

    argv: tuple[str, ...]
    """Run in a fresh folder that holds ``files``. ``python3`` is the interpreter of the sandbox."""
    files: Mapping[str, str] = {}
    """Text by relative path."""
    stdin: str = ""
    expected: str | None = None
    """Standard output, compared line by line without trailing white space. None: the exit code alone decides."""


class Verdict(msgspec.Struct, frozen=True):
    """How a job ended."""

    outcome: Outcome
    detail: str = ""
    """Which assertion, which exception, which limit."""
    seconds: float = 0.0
    """Wall clock from the program's start to its end."""
    backend: str = ""
    """What isolated it."""
    unsafe: bool = False
    """Nothing isolated it: it ran with the rights of the user."""
    output: str = ""
    """Standard output of a ProgramJob, cut at the limit."""

    @property
    def passed(self) -> bool:
        """Return whether the program passed."""
        return self.outcome is Outcome.PASSED
