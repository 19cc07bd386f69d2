"""What a process that works for somebody else finds in its environment."""

from __future__ import annotations

import os
from collections.abc import Sequence

from llmuses.reach import REACHABLE


def job_environment(reachable: Sequence[str] | None, **more: str) -> dict[str, str]:
    """Return this process's environment with what a job needs beside it.

    ``reachable`` are the networks that it may call beside the public internet, None where nothing is forbidden.
    """
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **more}
    if reachable is not None:
        environment[REACHABLE] = " ".join(reachable)
    return environment
