"""The processes that compare mathematical answers: bounded, replaced, shared by threads, gone with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llmuses.errors import LlmusesError
from llmuses.metrics import math_pool, math_worker
from llmuses.metrics.math import read_math
from llmuses.metrics.math_pool import MathPool
from tests.unit.metrics.hostile import HOSTILE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits are those of POSIX systems")

SLOW = ("3", "10^{10^{10}}")
QUICK = ("\\sqrt{12}", "2\\sqrt{3}")


def workers_of(pid: int) -> list[int]:
    """Return the worker processes that are children of a process (Linux)."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_bytes()
        except (OSError, IndexError):
            continue
        if parent == pid and math_worker.__name__.encode() in command:
            found.append(int(entry.name))
    return found


def gone(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


@pytest.fixture
def quick_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that start in no time and find everything equal, for tests of how they start and end."""
    monkeypatch.setattr(math_worker, "__name__", "tests.support.quick_math_worker")


@pytest.fixture(scope="module")
def pool() -> Iterator[MathPool]:
    with MathPool(1, computing=1) as pool:
        yield pool


@needs_proc
def test_a_pool_starts_no_process_before_a_comparison_needs_one() -> None:
    with MathPool() as pool:
        before = workers_of(os.getpid())
        assert pool.compare("5", "5.0").equal
        assert not pool.compare("5", "6").equal
        assert pool.compare("\\text{Evelyn}", "evelyn").equal
        assert workers_of(os.getpid()) == before


@needs_proc
def test_leaving_a_pool_ends_its_processes(quick_workers: None) -> None:
    before = set(workers_of(os.getpid()))
    with MathPool(1) as pool:
        assert pool.compare(*QUICK).equal
        (started,) = set(workers_of(os.getpid())) - before
    assert gone(started, 60)


def test_a_comparison_that_never_ends_is_ended_and_the_next_one_gets_a_new_process(pool: MathPool) -> None:
    begin = time.monotonic()
    verdict = pool.compare(*SLOW)
    assert not verdict.equal
    assert verdict.reason == "not shown to be equal within 1 seconds of computing"
    assert time.monotonic() - begin < math_worker.WAITING
    assert pool.compare(*QUICK) == (True, None)


@pytest.mark.parametrize(
    "answer",
    [
        "(" * 240 + "x" + ")" * 240,
        "\\frac{1}{" * 40 + "x" + "}" * 40,
        "999999!",
        "\\int_0^1 \\int_0^1 e^{x^2 y^3 \\sin(xy)} dx dy",
        "x^{x^{x^{x^{x}}}}",
        "[" + ",".join(["1"] * 240) + "]",
        "=" * 490,
        "\\\\" * 240,
        "\x00\ud800",
    ],
    ids=lambda answer: repr(answer[:20]),
)
def test_hostile_answers_are_not_shown_to_be_equal_and_do_not_stop_the_pool(pool: MathPool, answer: str) -> None:
    begin = time.monotonic()
    assert not pool.compare("x+7", answer).equal
    assert time.monotonic() - begin < math_worker.WAITING + 5
    assert pool.compare(*QUICK).equal


def test_an_answer_of_a_megabyte_is_not_compared(pool: MathPool) -> None:
    verdict = pool.compare("x+7", "x+" * 500_000 + "7")
    assert not verdict.equal
    assert verdict.reason is not None
    assert "longer than 500 characters" in verdict.reason


def test_memory_is_bounded_and_the_comparison_has_no_result(pool: MathPool) -> None:
    # 2^(2^40) would take 128 GiB: the worker must not even try to have them.
    assert not pool.compare("x", "2^{2^{40}}").equal
    assert pool.compare(*QUICK).equal


@needs_proc
def test_a_worker_that_somebody_else_kills_is_replaced_and_the_comparison_repeated(quick_workers: None) -> None:
    with MathPool(1) as pool:
        before = set(workers_of(os.getpid()))
        assert pool.compare(*QUICK).equal
        (started,) = set(workers_of(os.getpid())) - before
        os.kill(started, signal.SIGKILL)
        assert pool.compare(*QUICK) == (True, None)


@needs_proc
def test_a_worker_that_was_asked_often_makes_room_for_a_fresh_one(
    quick_workers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(math_pool, "_MOST_ASKED", 2)
    before = set(workers_of(os.getpid()))
    with MathPool(1) as pool:
        assert pool.compare(*QUICK).equal
        (first,) = set(workers_of(os.getpid())) - before
        assert pool.compare(*QUICK).equal
        assert gone(first, 60)
        assert pool.compare(*QUICK).equal


def test_several_threads_share_a_pool() -> None:
    pairs = [(f"\\sqrt{{{n * n * 3}}}", f"{n}\\sqrt{{3}}") for n in range(2, 22)]
    with MathPool(2) as pool, ThreadPoolExecutor(8) as threads:
        assert all(verdict.equal for verdict in threads.map(lambda pair: pool.compare(*pair), pairs))


def test_a_worker_that_cannot_start_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(math_worker, "__name__", "llmuses.metrics.no_such_worker")
    with MathPool(1) as pool, pytest.raises(LlmusesError, match=r"did not start: .*no_such_worker"):
        pool.compare(*QUICK)


def test_a_closed_pool_says_so() -> None:
    pool = MathPool(1)
    pool.close()
    pool.close()
    with pytest.raises(ValueError, match="closed"):
        pool.compare(*QUICK)


PARENT = """
import os, sys, threading
from llmuses.metrics.math_pool import MathPool
pool = MathPool(1, computing=1)
assert pool.compare("\\\\sqrt{12}", "2\\\\sqrt{3}").equal
if sys.argv[1] == "busy":
    threading.Thread(target=pool.compare, args=("3", "10^{10^{10}}"), daemon=True).start()
print("started", flush=True)
sys.stdin.read()
"""


@needs_proc
@pytest.mark.parametrize("state", ["idle", "busy"])
def test_a_worker_does_not_outlive_a_parent_that_is_killed(state: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, state], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    assert parent.stdout.readline() == "started\n"
    (worker,) = workers_of(parent.pid)
    parent.kill()
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    assert gone(worker, 30)


def test_a_worker_runs_beside_files_that_are_named_like_its_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("math", "sympy", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    with MathPool(1) as pool:
        assert pool.compare(*QUICK).equal


def test_no_text_takes_long_to_read() -> None:
    texts = [
        *HOSTILE,
        "$" * 60_000,
        "\\(" * 30_000,
        "\\[ x" * 15_000,
        "$a" * 30_000,
        "the answer is $x$ and " * 2700,
    ]
    texts += [
        "final answer is " * 4000 + "I hope it is correct",
        "\\boxed{1}, " * 5400,
        "x = " * 15_000,
        "(" * 60_000,
    ]
    for text in texts:
        begin = time.process_time()
        read_math(text)
        assert time.process_time() - begin < 10, repr(text[:60])
