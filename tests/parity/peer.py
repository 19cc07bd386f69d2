"""lm-evaluation-harness as it is seen from here: asked in its own environment, what it said kept on disk."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from llmuses.models.transformers.checkpoint import fingerprint

_ROOT = Path(__file__).parents[2]
_OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


class Part(NamedTuple):
    """Tasks of the harness that have the same rows, and the numbers of the rows to ask."""

    tasks: Sequence[str]
    rows: Iterable[int]


class Harness:
    """Asks for rows that were not asked before.

    ``python`` is that of its environment, ``outputs`` the folder of everything that is kept, ``model`` a checkpoint
    folder, or None where no model is to answer and prompts alone are of interest. Results lie under what they follow
    from: its version, the checkpoint, the rows.
    """

    def __init__(self, python: str, outputs: Path, model: Path | None, threads: int):
        self.rows = outputs / "rows"
        self._python = python
        self._outputs = outputs
        self._model = model
        self._threads = threads
        self._results = outputs / f"lm-eval-{_version()}-{fingerprint(model)[:8] if model else 'prompts'}"

    def ask(self, parts: Iterable[Part], few_shot: int, batch: int) -> None:
        """Ask for the rows that are missing, all tasks of a part together. Raises CalledProcessError where it fails."""
        missing = []
        for part in parts:
            done = set.intersection(*({line["index"] for line in self.said(task)} for task in part.tasks))
            if rows := [row for row in part.rows if row not in done]:
                places = {
                    task: {"folder": str(self.rows / task), "results": str(self._file(task))} for task in part.tasks
                }
                missing.append({"rows": rows, "tasks": places})
        if missing:
            known = {"model": str(self._model or ""), "threads": self._threads, "few_shot": few_shot, "batch": batch}
            self.run("harness", {**known, "parts": missing})

    def said(self, task: str) -> list[dict[str, Any]]:
        """Return what it said to a task so far, one line for each row that was asked, in no order."""
        path = self._file(task)
        if not path.exists():
            return []
        with open(path, encoding="utf-8") as file:
            return list({line["index"]: line for line in map(json.loads, file)}.values())

    def run(self, module: str, job: Mapping[str, Any]) -> None:
        """Run a module of this package in the harness's environment. Raises CalledProcessError where it fails."""
        path = self._outputs / f"{module}.job.json"
        path.write_text(json.dumps(job), "utf-8")
        command = [self._python, "-m", f"tests.parity.{module}", str(path)]
        subprocess.run(command, cwd=_ROOT, check=True, env=os.environ | _OFFLINE)

    def _file(self, task: str) -> Path:
        content = hashlib.sha256()
        for path in sorted((self.rows / task).glob("*.jsonl")):
            content.update(path.name.encode() + path.read_bytes())
        return self._results / f"{task}-{content.hexdigest()[:8]}.jsonl"


def _version() -> str:
    pinned = re.search(
        r"^lm-eval.*==(\S+)$", Path(__file__).with_name("requirements.txt").read_text("utf-8"), re.MULTILINE
    )
    assert pinned is not None
    return pinned[1]
