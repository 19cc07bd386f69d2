"""The process that compares mathematical answers, one line of JSON each: ``python -m llmuses.metrics.math_worker 5``.

The number is the seconds of computing that one comparison may take: they are the same on a busy machine. It is told ``[target, answer]`` and says ``true`` or ``false``. Its own limits end it: memory, seconds of computing, and
seconds in all, so that it does not outlive a parent that was killed. A closed input ends it too.
"""

from __future__ import annotations

import contextlib
import json
import sys

MEMORY = 2 << 30
"""Bytes of address space that a comparison may use, the library included."""
WAITING = 60
"""Seconds that one comparison may take on the clock."""


def main() -> None:
    """Compare pairs from standard input until it closes."""
    computing = float(sys.argv[1])
    sys.set_int_max_str_digits(20_000)
    sys.setrecursionlimit(3000)
    answers = sys.stdout
    sys.stdout = sys.stderr  # whatever a library prints must not be taken for an answer
    _import_library()
    _limit_memory()
    print("ready", file=answers, flush=True)
    from llmuses.metrics.math_equal import equal_math

    for line in sys.stdin:
        target, answer = json.loads(line)
        _start_clock(computing, WAITING)
        try:
            equal = equal_math(target, answer)
        except RecursionError:
            equal = False  # nested beyond what anybody would write down
        _start_clock(0, 0)
        print(json.dumps(equal), file=answers, flush=True)


def _import_library() -> None:
    import logging

    import math_verify

    logging.getLogger(math_verify.__name__).setLevel(logging.CRITICAL)


def _limit_memory() -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):  # macOS refuses to bound the address space
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _start_clock(computing: float, waiting: int) -> None:
    """Have the system end this process after so many seconds of computing or on the clock; 0 takes that back.

    The signals keep their default action: a handler in Python would wait for a library call that never returns.
    """
    if sys.platform == "win32":
        return
    import signal

    signal.setitimer(signal.ITIMER_PROF, computing)
    signal.alarm(waiting)


if __name__ == "__main__":
    main()
