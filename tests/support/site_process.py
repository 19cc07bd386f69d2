"""What a process does that is forked to serve the app."""

from __future__ import annotations

import os
import sys


def run(program: str, arguments: list[str], environment: dict[str, str], said: str) -> None:
    """Run Python with these arguments and this environment alone; what it prints goes into the file ``said``."""
    os.environ.clear()
    os.environ.update(environment)
    file = os.open(said, os.O_WRONLY | os.O_APPEND)
    for number in (1, 2):
        os.dup2(file, number)
    sys.argv = ["-c", *arguments]
    exec(compile(program, "<served>", "exec"), {"__name__": "__main__"})
