"""Runs a module of this package in the harness's environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def run_harness(python: str, module: str, job: object, folder: Path) -> None:
    """Run ``tests.parity.MODULE`` with a job, which is written into ``folder``. Raises CalledProcessError where it fails."""
    path = folder / f"{module}.job.json"
    path.write_text(json.dumps(job), "utf-8")
    subprocess.run(
        [python, "-m", f"tests.parity.{module}", str(path)], cwd=_ROOT, check=True, env=os.environ | _OFFLINE
    )
