"""What 10,000 programs leave in the process that asks for them: ``python -m tests.benchmarks.bench_sandbox_endurance``.

Good, wrong, crashing, endless and greedy ones in turn. Memory, descriptors, threads and the sandbox's own processes are
printed on the way; the exit code says whether they grew. ``--programs N`` for another number.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from llmuses.sandbox import FunctionJob, Limits, Outcome, ProgramJob, open_sandbox
from llmuses.sandbox.pool import available_cpus

STEPS = 10
_TEST = "assert double(21) == 42"
JOBS = {
    Outcome.PASSED: FunctionJob("def double(x):\n    return 2 * x\n", _TEST),
    Outcome.FAILED: FunctionJob("def double(x):\n    return x\n", _TEST),
    Outcome.ERROR: FunctionJob("import os\nos._exit(3)\n", _TEST),
    Outcome.OUT_OF_MEMORY: FunctionJob("def double(x):\n    return bytearray(1 << 40)\n", _TEST),
}
_PROGRAM = ProgramJob(("python3", "main.py"), {"main.py": "print(6 * 7)"}, expected="42")
_ENDLESS = FunctionJob("def double(x):\n    while True:\n        pass\n", _TEST)


def job_of(number: int) -> tuple[FunctionJob | ProgramJob, Outcome]:
    """Return the job of a number and its right outcome: of 500, five are commands and one has no end."""
    if number % 500 == 250:
        return _ENDLESS, Outcome.TIMED_OUT
    if number % 100 == 50:
        return _PROGRAM, Outcome.PASSED
    outcome = list(JOBS)[number % len(JOBS)]
    return JOBS[outcome], outcome


def state() -> tuple[float, int, int, int]:
    """Return resident megabytes, open descriptors, threads, and processes below this one."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    memory = pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    return memory, len(os.listdir("/proc/self/fd")), threading.active_count(), len(_descendants())


def _descendants() -> set[int]:
    parents = {}
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            parents[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def main() -> int:
    """Print a line a tenth of the way; return 1 where something grew or a verdict was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--backend")
    options, _ = parser.parse_known_args()
    wrong = []

    def run(number: int) -> None:
        job, outcome = job_of(number)
        verdict = sandbox.run(job, Limits(seconds=1) if outcome is Outcome.TIMED_OUT else None)
        if verdict.outcome is not outcome:
            wrong.append((number, verdict))

    workers = available_cpus()
    with open_sandbox(backend=options.backend) as sandbox, ThreadPoolExecutor(workers) as threads:
        list(threads.map(run, range(200)))
        print(f"{sandbox.backend}, {workers} at once\n programs   s      MB  descriptors  threads  processes")
        states = []
        start = time.perf_counter()
        for step in range(STEPS + 1):
            states.append(state())
            memory, *counts = states[-1]
            done = step * options.programs // STEPS
            print(f"{done:9,} {time.perf_counter() - start:5.0f} {memory:6.1f}", *(f"{count:9}" for count in counts))
            if step < STEPS:
                list(threads.map(run, range(done, (step + 1) * options.programs // STEPS)))
    first, last = states[0], states[-1]
    grew = last[0] - first[0] > 8 or last[1:] != first[1:]
    print("wrong verdicts:", wrong or "none")
    print("left behind:", "something" if grew else "nothing")
    return int(grew or bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
