"""Eight processes append to one store while one of them is killed: ``python -m tests.benchmarks.bench_store``.

Seven write 10,000 records each; the eighth is killed and started again until it has written its 10,000. A record is
acknowledged when its number has come back from the writer after ``append`` returned.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec

from llmuses.store import JsonlStore, Sync

RECORDS = 10_000
STEADY = 7
MOMENTS = {Sync.GROUP: 0.05, Sync.ALWAYS: 0.5}
"""Seconds after its first record within which the eighth writer is killed."""


class Line(msgspec.Struct):
    """What is written: who wrote it, its number, and about a kilobyte."""

    worker: int
    number: int
    text: str


_WRITER = """
import sys
from pathlib import Path
from llmuses.store import JsonlStore, Sync
from tests.benchmarks.bench_store import Line
store = JsonlStore(Path(sys.argv[1]), Line, Sync(sys.argv[5]))
for number in range(int(sys.argv[3]), int(sys.argv[4])):
    store.append(Line(int(sys.argv[2]), number, "x" * (500 + number * 37 % 1000)))
    print(number, flush=True)
"""


def start(path: Path, worker: int, first: int, sync: Sync) -> tuple[subprocess.Popen[str], threading.Thread, list[int]]:
    """Start a writer, and a thread that collects what it acknowledges."""
    command = [sys.executable, "-c", _WRITER, str(path), str(worker), str(first), str(RECORDS), sync]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    acknowledged: list[int] = []

    def collect() -> None:
        assert process.stdout is not None
        acknowledged.extend(int(line) for line in process.stdout if line.endswith("\n"))

    thread = threading.Thread(target=collect)
    thread.start()
    return process, thread, acknowledged


def measure(sync: Sync) -> str:
    """Return a line of figures; raises AssertionError where an acknowledged record is missing or there twice."""
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "store.jsonl"
        began = time.monotonic()
        steady = [start(path, worker, 0, sync) for worker in range(STEADY)]
        promised = {(worker, number) for worker in range(STEADY) for number in range(RECORDS)}
        first = kills = 0
        while first < RECORDS:
            victim, thread, acknowledged = start(path, STEADY, first, sync)
            while not acknowledged and victim.poll() is None:
                time.sleep(0.001)
            time.sleep(chance.random() * MOMENTS[sync])
            if victim.poll() is None:
                victim.kill()
                kills += 1
            victim.wait()
            thread.join()
            promised |= {(STEADY, number) for number in acknowledged}
            first = max(acknowledged, default=first - 2) + 2  # the next one may be there without its word
        for process, thread, _ in steady:
            assert process.wait() == 0
            thread.join()
        seconds = time.monotonic() - began
        reader = JsonlStore(path, Line).read()
        found = [(line.worker, line.number) for line in reader]
        torn = path.with_name(path.name + ".torn")
        assert len(found) == len(set(found)), "a record is there twice"
        assert promised <= set(found), "an acknowledged record is missing"
        assert not reader.broken
        pieces = torn.read_bytes().count(b"\n") if torn.exists() else 0
        return (
            f"{sync.value:>7}: {len(promised):,} acknowledged, {len(found):,} read back, each once; {kills} kills, "
            f"{pieces} torn pieces set aside; {len(found) / seconds:,.0f} records/s with acknowledgements"
        )


def main() -> None:
    """Print the figures for each policy of forcing writes to the disk."""
    for sync in (Sync.GROUP, Sync.ALWAYS):
        print(measure(sync))


if __name__ == "__main__":
    main()
