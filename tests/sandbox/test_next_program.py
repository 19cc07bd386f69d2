"""Nothing that a program does is there for the next one, and nothing of it is left on the machine."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

import pytest

from llmuses.sandbox import FunctionJob, Outcome, ProgramJob, Verdict
from tests.sandbox.places import LIMITS, SHORT, WHERE, Place, name_of


class Trace(NamedTuple):
    """What a program leaves, and how the next one finds it; it says ``clean`` where there is nothing."""

    leave: str
    look: str


TRACES = {
    "a file in its folder": Trace(
        "open('left', 'w').write('x')", "'clean' if os.listdir('.') == [] else os.listdir('.')"
    ),
    "a file in /tmp": Trace(
        "suppressed(lambda: open('/tmp/left', 'w').write('x'))",
        "'clean' if not os.path.exists('/tmp/left') else '/tmp/left is there'",
    ),
    "a file in /dev/shm": Trace(
        "suppressed(lambda: open('/dev/shm/left', 'w').write('x'))",
        "'clean' if not os.path.exists('/dev/shm/left') else 'it is there'",
    ),
    "a closed folder": Trace(
        "os.makedirs('a/b/c'), suppressed(lambda: os.chmod('a', 0))", "str(os.listdir('.') or 'clean')"
    ),
    "an environment variable": Trace("os.environ.update(LEFT='x')", "os.environ.get('LEFT', 'clean')"),
    "a module": Trace("sys.modules.update(left=os)", "'clean' if 'left' not in sys.modules else 'it is there'"),
    "a changed builtin": Trace(
        "__import__('builtins').__dict__.update(sorted=lambda thing: 42)",
        "'clean' if sorted('') == [] else 'all is sorted to 42'",
    ),
    "a changed constant": Trace("setattr(math, 'pi', 3)", "'clean' if math.pi > 3.14 else 'pi is 3'"),
    "a changed clock": Trace("setattr(time, 'time', lambda: 0)", "'clean' if time.time() > 1e9 else 'it is 1970'"),
    "a seed": Trace("random.seed(1)", "'clean' if random.Random(1).random() != random.random() else 'seeded'"),
    "a recursion limit": Trace(
        "sys.setrecursionlimit(77777)", "'clean' if sys.getrecursionlimit() != 77777 else 'it is 77777'"
    ),
    "a signal handler": Trace(
        "signal.signal(signal.SIGUSR1, signal.SIG_IGN)",
        "'clean' if signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL else 'ignored'",
    ),
    "blocked signals": Trace(
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})",
        "'clean' if not signal.pthread_sigmask(signal.SIG_BLOCK, set()) else 'blocked'",
    ),
    "a mask for new files": Trace("os.umask(0)", "'clean' if os.umask(0) == 0o022 else 'changed'"),
    "a lower limit": Trace(
        "resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))",
        "'clean' if resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 20 else 'lowered'",
    ),
    "an open file": Trace(
        "[os.open('/dev/null', 0) for _ in range(50)]",
        "'clean' if sum(suppressed(lambda n=n: os.fstat(n)) for n in range(3, 200)) == 1 else 'more than the channel'",
    ),
    "a trace function": Trace("sys.settrace(lambda *a: None)", "'clean' if sys.gettrace() is None else 'traced'"),
    "an import path": Trace("sys.path.insert(0, '/left')", "'clean' if '/left' not in sys.path else 'it is there'"),
    "an import hook": Trace("sys.meta_path.insert(0, 'left')", "'clean' if 'left' not in sys.meta_path else 'there'"),
    "a low priority": Trace(
        "suppressed(lambda: os.nice(19))",
        f"'clean' if os.getpriority(os.PRIO_PROCESS, 0) == {os.nice(0)} else 'it has become low'",
    ),
}

HEAD = """
import math, os, random, resource, signal, sys, time

def suppressed(action):
    try:
        action()
    except OSError:
        return False
    return True

"""


def ask(place: Place, expression: str) -> Verdict:
    """Return the verdict of a program that evaluates an expression, passed where it says ``clean``."""
    program = f"{HEAD}def f():\n    return {expression}\n"
    return place.sandbox.run(FunctionJob(program, "said = f()\nassert said == 'clean', said"))


@pytest.mark.parametrize("place", WHERE, ids=name_of, indirect=True)
@pytest.mark.parametrize("trace", TRACES)
def test_the_next_program_does_not_find(trace: str, place: Place) -> None:
    """It is forked from the same zygote, right after the one that left something."""
    leave, look = TRACES[trace]
    left = ask(place, f"({leave}, 'clean')[-1]")
    assert left.outcome is Outcome.PASSED, left
    found = ask(place, look)
    assert found.outcome is Outcome.PASSED, found


@pytest.mark.parametrize("place", WHERE, ids=name_of, indirect=True)
def test_the_next_program_does_not_find_the_text_of_the_last_one_in_memory(place: Place) -> None:
    """Neither the program nor its test was ever in the process that both are forked from."""
    secret = "a-needle-that-is-in-one-test-only"
    assert place.sandbox.run(FunctionJob("x = 1", f"assert x == 1  # {secret}")).passed
    program = """
import ctypes, gc, os, re  # its own text is there: another-needle

read, write = os.pipe()
touch = ctypes.CDLL(None).write

def readable(page):
    return touch(write, ctypes.c_void_p(page), 1) == 1 and bool(os.read(read, 1))

def seen():
    needles = [b"a-needle-that-is-in-one-[t]est-only", b"another-[n]eedle"]  # expressions do not match themselves
    found = [False, False]
    # The arenas of Python's allocator: where its objects are, and were.
    for arena in {id(thing) >> 20 for thing in gc.get_objects()}:
        pages = (page for page in range(arena << 20, arena + 1 << 20, 4096) if readable(page))
        memory = b"".join(ctypes.string_at(page, 4096) for page in pages)
        found = [known or bool(re.search(needle, memory)) for known, needle in zip(found, needles)]
        del memory
    return found
"""
    verdict = place.sandbox.run(FunctionJob(program, "said = seen()\nassert said == [False, True], said"), LIMITS)
    assert verdict.outcome is Outcome.PASSED, verdict


STAYING = {
    "a child": "os.fork() or wait()",
    "a grandchild": "os.fork() or (os.fork() and os._exit(0)) or wait()",
    "a daemon in a session of its own": "os.fork() or (suppressed(os.setsid) and False) or (os.fork() and os._exit(0)) or wait()",
    "a child that ignores all signals": "os.fork() or ignore() or wait()",
    "a child that is stopped": "os.fork() or (suppressed(lambda: os.kill(os.getpid(), signal.SIGSTOP)) and False) or wait()",
    "a thread": "threading.Thread(target=wait, daemon=True).start()",
    "many children": "[os.fork() or wait() for _ in range(20)]",
}


@pytest.mark.parametrize("place", WHERE, ids=name_of, indirect=True)
@pytest.mark.parametrize("what", STAYING)
def test_no_process_stays_alive_after_the_end(what: str, place: Place) -> None:
    """The machine's own list of processes is looked at, from outside."""
    assert ask(place, "'clean'").passed
    idle = len(place.processes())
    program = f"""{HEAD}
import threading

def wait():
    while True:
        time.sleep(1)

def ignore():
    for number in signal.valid_signals() - {{signal.SIGKILL, signal.SIGSTOP}}:
        signal.signal(number, signal.SIG_IGN)

def f():
    if {STAYING[what]} is None:
        pass
    return 'clean'
"""
    verdict = place.sandbox.run(FunctionJob(program, "assert f() == 'clean'"), LIMITS)
    assert verdict.outcome is Outcome.PASSED, verdict
    assert place.settled(idle) == idle


@pytest.mark.parametrize("place", WHERE, ids=name_of, indirect=True)
def test_a_program_that_must_be_ended_is_ended_on_time_with_all_that_it_started(place: Place) -> None:
    idle = len(place.processes())
    program = ProgramJob(
        ("python3", "main.py"),
        {"main.py": "import os, time\nfor _ in range(5):\n    os.fork()\ntime.sleep(100)\n"},
    )
    start = time.monotonic()
    verdict = place.sandbox.run(program, SHORT)
    assert verdict.outcome is Outcome.TIMED_OUT, verdict
    assert verdict.detail == f"no end within {SHORT.seconds} s"
    assert time.monotonic() - start < 20
    assert place.settled(idle) == idle
