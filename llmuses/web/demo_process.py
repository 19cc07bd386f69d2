"""``python -m llmuses.web.demo_process COMMAND ...``: llmuses, ending when the process that started it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from llmuses.cli import main

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies, even if it is killed. Linux only; elsewhere nothing happens."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    end_with_parent()
    os.nice(5)  # the pages come first
    sys.exit(main())
