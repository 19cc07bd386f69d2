"""lm-evaluation-harness, the peer of local models: where it is installed, and what is said where it is not."""

from __future__ import annotations

import subprocess
from pathlib import Path

PYTHON = Path(__file__).parents[2] / ".venv-parity/bin/python"
"""The Python that has it after ``make .venv-parity/.ready-parity``."""


def found(python: Path) -> Path | None:
    """Return a Python that has the harness; print one line and return None where it has not, or is not there."""
    look = "import sys; from importlib.util import find_spec; sys.exit(find_spec('lm_eval') is None)"
    if python.exists() and subprocess.run([python, "-c", look]).returncode == 0:
        return python.absolute()
    print(
        f"no lm-evaluation-harness at {python}: ours alone (make .venv-parity/.ready-parity installs it, or --peer PYTHON)"
    )
    return None
