"""A million votes and five: time and memory of ``llmuses rate``, and of others: ``python -m tests.benchmarks.bench_ratings``.

120 models, battles in JSONL with the fields that our arena writes but without texts. Each way runs as a process of its own
from file to ratings with 95% intervals; measured are wall time, processor time and peak memory of the whole process.
Beside it the usual way (pandas and scikit-learn's logistic regression; its intervals by 20 bootstraps of the counts'
regression would be on top) and arena-rank, on the smallest size, where the Python given with --peer has them:
``python -m venv V; V/bin/pip install arena-rank pandas scikit-learn`` and ``--peer V/bin/python``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from arena import Follower
from tests.arena.ratings.arenas import draw_strengths, play

MODELS = 120
WINNERS = ("model_a", "model_b", "tie")

PANDAS = """
import sys, numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_json(sys.argv[1], lines=True)
names = {name: place for place, name in enumerate(sorted(set(df.model_a) | set(df.model_b)))}
a, b = df.model_a.map(names).to_numpy(), df.model_b.map(names).to_numpy()
tied = (df.winner == "tie").to_numpy()
rows, y = len(df), (df.winner == "model_a").to_numpy().astype(float)
from scipy.sparse import csr_matrix
at = np.arange(rows)
x = csr_matrix((np.r_[np.ones(rows), -np.ones(rows)], (np.r_[at, at], np.r_[a, b])), (rows, len(names)))
from scipy.sparse import vstack
x, y = vstack([x, x[tied]]), np.r_[np.where(tied, 1.0, y), np.zeros(tied.sum())]
weight = np.r_[np.where(tied, 0.5, 1.0), np.full(tied.sum(), 0.5)]
model = LogisticRegression(fit_intercept=False, C=1e6, tol=1e-6, max_iter=500).fit(x, y, sample_weight=weight)
strengths = model.coef_[0] - model.coef_[0].mean()
print({name: 1000 + 400 / np.log(10) * strengths[place] for name, place in names.items()})
"""

ARENA_RANK = """
import sys, pandas as pd
from arena_rank.utils.data_utils import PairDataset
from arena_rank.models.bradley_terry import BradleyTerry
df = pd.read_json(sys.argv[1], lines=True)[["model_a", "model_b", "winner"]]
dataset = PairDataset.from_pandas(df)
model = BradleyTerry(n_competitors=len(dataset.competitors))
print(pd.DataFrame(model.compute_ratings_and_cis(dataset, significance_level=0.05)).to_json())
"""


class Spent(NamedTuple):
    """What a process took: seconds of wall and processor time, megabytes at its peak."""

    wall: float
    processor: float
    memory: float
    status: int


def write_battles(path: Path, number: int, seed: int = 0) -> None:
    """Write battles of 120 models; half of the questions are asked twice."""
    rng = np.random.default_rng(seed)
    arena = play(rng, draw_strengths(rng, MODELS), number, ties=0.2)
    with open(path, "w") as file:
        for n, (a, b, outcome) in enumerate(zip(*(column.tolist() for column in arena[1:]), strict=True)):
            file.write(
                f'{{"battle_id":"b{n:09d}","question_id":"q{n * 2 // 3:09d}","model_a":"model-{a:03d}","model_b":"model-{b:03d}",'
                f'"winner":"{WINNERS[outcome]}","judge":"human","category":"writing","language":"en","voter":"v{n % 9973:05d}",'
                f'"anony":true,"policy":"uniform","pair_probability":0.00014005602240896358,"tstamp":{1700000000 + n}.5}}\n'
            )


def spent(command: list[str], env: dict[str, str] | None = None) -> Spent:
    """Run a process and return what it took."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=env)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - began
    return Spent(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode)


def line(name: str, took: Spent) -> None:
    failed = f"  failed: exit code {took.status}" if took.status else ""
    print(f"{name:44} {took.wall:7.2f} {took.processor:10.2f} {took.memory:8.0f}{failed}", flush=True)


def rating(path: Path, *arguments: str) -> Spent:
    return spent(
        [
            sys.executable,
            "-c",
            "from llmuses.cli import main; raise SystemExit(main())",
            "rate",
            "--battles",
            str(path),
            *arguments,
        ]
    )


def follow(path: Path) -> str:
    """Return how long a thousand new votes take on top of what is there, state loaded, until there are ratings."""
    follower = Follower(path)
    began = time.monotonic()
    follower.ratings()
    first = time.monotonic() - began
    times = []
    for round_ in range(5):
        fresh = path.with_name("fresh.jsonl")
        write_battles(fresh, 1000, seed=100 + round_)
        with open(path, "a") as file:
            file.write(fresh.read_text())
        began, ticks = time.monotonic(), time.process_time()
        follower.ratings()
        times.append((time.monotonic() - began, time.process_time() - ticks))
    walls, ticks_ = zip(*times, strict=True)
    return (
        f"1,000 new votes: {1000 * np.median(walls):.0f} ms ({1000 * np.median(ticks_):.0f} ms of processor time); "
        f"counting the whole file at first: {first:.1f} s"
    )


def follow_alone(path: Path) -> str:
    """Return what ``follow`` does in a process of its own, whose matrices have one thread as in all commands."""
    environment = {"OPENBLAS_NUM_THREADS": "1", **os.environ}
    program = [sys.executable, "-m", "tests.benchmarks.bench_ratings", "--follow", str(path)]
    return subprocess.run(program, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--follow", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--peer", help="a Python with arena-rank, pandas and scikit-learn")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 5], help="millions of battles (1 5)")
    args = parser.parse_args()
    if args.follow:
        print(follow(args.follow))
        return
    with tempfile.TemporaryDirectory() as folder:
        for millions in args.sizes:
            path = Path(folder) / f"{millions}m.jsonl"
            write_battles(path, millions * 1_000_000)
            print(f"{millions} million battles, {path.stat().st_size / 1e6:.0f} MB{'':12} wall s  processor s  peak MB")
            line("llmuses rate", rating(path))
            line("llmuses rate --cluster question", rating(path, "--cluster", "question"))
            if args.peer and millions == min(args.sizes):  # at five million arena-rank would need 17 GB
                line("arena-rank", spent([args.peer, "-c", ARENA_RANK, str(path)]))
                line("pandas and scikit-learn, no intervals", spent([args.peer, "-c", PANDAS, str(path)]))
            if millions == 1:
                print(follow_alone(path))
            path.unlink()


if __name__ == "__main__":
    main()
