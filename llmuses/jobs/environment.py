"""What a process that works for somebody else finds in its environment."""

from __future__ import annotations

import os
from collections.abc import Sequence

from llmuses.reach import REACHABLE

_KEPT_BACK = ("LLMUSES_ADMIN_PASSWORD", "LLMUSES_METRICS_TOKEN", "OAUTH_CLIENT_SECRET")
"""What opens this very site: no job needs it, and a job sends whichever variable it is told to as a key."""


def job_environment(reachable: Sequence[str] | None, kept_back: Sequence[str] = (), **more: str) -> dict[str, str]:
    """Return this process's environment with what a job needs beside it.

    ``reachable`` are the networks that it may call beside the public internet, None where nothing is forbidden;
    ``kept_back`` further variables that it does not get.
    """
    own = {name: value for name, value in os.environ.items() if name not in (*_KEPT_BACK, *kept_back)}
    environment = {**own, "PYTHONUNBUFFERED": "1", **more}
    if reachable is not None:
        environment[REACHABLE] = " ".join(reachable)
    return environment
