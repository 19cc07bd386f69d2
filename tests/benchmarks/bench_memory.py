"""Memory of a run as its dataset grows: ``python -m tests.benchmarks.bench_memory``.

Each run is a process of its own over generated rows, answered at once by a model that costs nothing, so that the figure
is that of loading, ordering, asking, writing, scoring and reporting. A second start finds everything answered.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

SIZES = (1_000, 10_000, 100_000)

_RUN = """
import resource, sys, time
from pathlib import Path
from llmuses import evaluate
from llmuses.records import Mode, Response, Usage

class Instant:
    name = identity = "instant"
    prefers = Mode.GENERATE
    details = {}
    def run(self, requests):
        for request in requests:
            usage = Usage(prompt_tokens=100, completion_tokens=5)
            yield Response(key=request.key, text="The answer is 5.", latency=0.01, usage=usage)
    def close(self):
        pass

folder = Path(sys.argv[1])
began = time.monotonic()
args = {"gsm8k": {"local_path": str(folder / "rows")}}
result = evaluate(Instant(), "gsm8k", dataset_args=args, outputs=folder / "outputs")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024)
print(result.reports[0].n, f"{peak:.1f}", f"{time.monotonic() - began:.1f}")
"""


def write_rows(folder: Path, count: int) -> None:
    """Write generated rows in GSM8K's layout, about 400 bytes each."""
    folder.mkdir(parents=True)
    for name, number in (("train", 8), ("test", count)):
        with open(folder / f"{name}.jsonl", "w", encoding="utf-8") as file:
            for n in range(number):
                question = f"What is {n} + 1? " + "These words make the row as long as a usual one. " * 7
                file.write(json.dumps({"question": question, "answer": f"Add one.\n#### {n + 1}"}) + "\n")


def main() -> None:
    """Print peak memory and time by the number of rows, for a fresh run and for one that finds everything answered."""
    print(f"{'rows':>9}  {'fresh MB':>9} {'s':>6}  {'resumed MB':>10} {'s':>6}")
    for size in SIZES:
        with tempfile.TemporaryDirectory() as name:
            write_rows(Path(name) / "rows", size)
            figures = []
            for _ in range(2):
                done = subprocess.run(
                    [sys.executable, "-c", _RUN, name], check=True, capture_output=True, text=True
                ).stdout.split()
                assert int(done[0]) == size
                figures += done[1:]
            print(f"{size:>9,}  {figures[0]:>9} {figures[1]:>6}  {figures[2]:>10} {figures[3]:>6}")


if __name__ == "__main__":
    main()
