"""How the ends of a job's processes become a verdict."""

from __future__ import annotations

import json
import os
import re
import signal
from typing import Any

from llmuses.errors import SandboxError
from llmuses.sandbox.verdict import Limits, Outcome

_DETAIL = 4000
_RAN_OUT = 0.8
"""A process that crashed with this share of its memory in use is taken to have run out of it."""
_MEMORY_ERROR = re.compile(
    r"(the program cannot be defined: )?(the program raised |the answer could not be taken in: )?MemoryError\b"
)
"""What the tests say where it was one; a program's own words come after the kind of its exception."""
_SPACE = " \t\r"

End = tuple[Outcome, str]


def of_function(reply: dict[str, Any], said: bytes, limits: Limits) -> End:
    """Return outcome and detail of a FunctionJob.

    ``reply`` is the zygote's, ``said`` what the tester's process wrote, and only that one could. Raises SandboxError where
    the sandbox itself failed.
    """
    children = reply["children"]
    if (end := _of_sandbox(reply, limits)) is not None:
        return end
    tester = children["tester"]
    told = _told(said) if tester["status"] == 0 else None
    if told is None:
        return _of_crash(tester, limits, "the tests' process")
    outcome, detail = told
    if outcome is Outcome.ERROR:
        if _MEMORY_ERROR.match(detail):
            return Outcome.OUT_OF_MEMORY, detail
        candidate = children["candidate"]
        if candidate["alone"] and os.WIFSIGNALED(candidate["status"]):
            return _of_crash(candidate, limits, "the program")
    return outcome, detail


def of_program(reply: dict[str, Any], stdout: str, stderr: str, expected: str | None, limits: Limits) -> End:
    """Return outcome and detail of a ProgramJob. Raises SandboxError where the sandbox itself failed."""
    if (end := _of_sandbox(reply, limits)) is not None:
        return end
    program = reply["children"]["program"]
    if program["status"] != 0:
        outcome, detail = _of_crash(program, limits, "the program")
        said = stderr.strip()[-_DETAIL:]
        if said and re.search(r"^MemoryError\b", said.splitlines()[-1]):
            outcome = Outcome.OUT_OF_MEMORY
        return outcome, f"{detail}: {said}" if said else detail
    if expected is None:
        return Outcome.PASSED, ""
    difference = first_difference(expected, stdout)
    return (Outcome.PASSED, "") if difference is None else (Outcome.FAILED, difference)


def first_difference(expected: str, printed: str) -> str | None:
    """Return the first line in which an output differs, None where it is right.

    White space at the ends of lines, and empty lines at the end of all, do not count.
    """
    wanted, found = (_lines(text) for text in (expected, printed))
    for number, (want, have) in enumerate(zip(wanted, found, strict=False), 1):
        if want != have:
            return f"line {number}: expected {_short(want)}, printed {_short(have)}"
    if len(wanted) == len(found):
        return None
    return f"expected {len(wanted)} lines, printed {len(found)}"


def _lines(text: str) -> list[str]:
    """Return the lines, which end with a line feed and with nothing else that a character set may call a line's end."""
    text = text.rstrip(f"{_SPACE}\n")
    return [line.rstrip(_SPACE) for line in text.split("\n")] if text else []


def printable(text: str) -> str:
    """Return a text with what would steer a terminal written out."""
    return "".join(mark if mark.isprintable() or mark in "\n\t" else _written_out(mark) for mark in text)


def _written_out(mark: str) -> str:
    return mark.encode("unicode_escape").decode()


def _short(line: str) -> str:
    return repr(line if len(line) <= 200 else f"{line[:200]}…")


def _of_sandbox(reply: dict[str, Any], limits: Limits) -> End | None:
    """Return the end that the zygote made itself, None where the program ended."""
    for name, child in reply["children"].items():
        if child["unconfined"]:
            raise SandboxError(f"the {name} could not be isolated: {child['unconfined']}")
    end = reply["end"]
    if end == "wall clock":
        return Outcome.TIMED_OUT, f"no end within {limits.seconds:g} s"
    if end == "memory":
        return Outcome.OUT_OF_MEMORY, _memory(limits)
    if end == "output":
        return Outcome.ERROR, f"it printed more than {limits.output_kb} KB"
    if end == "files":
        return Outcome.ERROR, f"its files are more than {limits.files} or larger than {limits.file_mb} MB"
    if end != "ended":
        raise SandboxError(f"a program could not be started: {end}")
    return None


def _of_crash(child: dict[str, Any], limits: Limits, who: str) -> End:
    """Return the end of a process that did not end as it should."""
    if not os.WIFSIGNALED(child["status"]):
        return Outcome.ERROR, f"{who} ended with exit code {os.waitstatus_to_exitcode(child['status'])}"
    number = os.WTERMSIG(child["status"])
    if number in (signal.SIGKILL, signal.SIGXCPU) and child["cpu"] >= limits.cpu_seconds - 0.5:
        return Outcome.TIMED_OUT, f"more than {limits.cpu_seconds} s of processor time"
    if child["memory_mb"] >= limits.memory_mb * _RAN_OUT:
        return Outcome.OUT_OF_MEMORY, _memory(limits)
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return Outcome.ERROR, f"{who} was ended by {name}"


def _memory(limits: Limits) -> str:
    return f"more than {limits.memory_mb} MB of memory"


def _told(said: bytes) -> End | None:
    """Return what the tester wrote, None where it is not whole."""
    try:
        told = json.loads(said)
        return Outcome(told["outcome"]), str(told["detail"])[:_DETAIL]
    except (ValueError, KeyError, TypeError):
        return None
