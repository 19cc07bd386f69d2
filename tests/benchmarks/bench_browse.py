"""Turning the pages of a run with 100,000 samples: ``python -m tests.benchmarks.bench_browse``.

Each page is written by the function that the app calls, over 43 MB of reviews and 180 MB of predictions. ``cold`` is
the first look of a process at the run, ``warm`` every later one, ``grown`` one after a hundred answers were appended.
An index is kept beside the reviews of a long run, made by the app soon after the run's end: how long that takes is said.
"""

from __future__ import annotations

import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from leaderboard.browse import browse
from leaderboard.results import Results
from leaderboard.sample_index import reviews_index
from leaderboard.samples import Shelf
from llmuses.records import Generate, Message, Prediction, Response, Review, Run, Status, Usage
from llmuses.store import JsonlStore, Sync, read_json, write_json
from llmuses.visit import Visit
from tests.support.fake_runs import FakeDataset, FakeRun

SAMPLES = 100_000
SUBSETS = 57
LIMIT = 0.5
"""Seconds that a page may take."""

_WORDS = "a tank holds water one pipe fills it in six hours another empties half of what the first brings".split()
_SHARES = ((Status.SCORED, 90), (Status.UNPARSED, 6), (Status.REJECTED, 2), (Status.FAILED, 2))


def answers(first: int, last: int, chance: random.Random) -> Iterator[tuple[Prediction, Review]]:
    """Yield answers as an evaluation stores them: a prompt of a kilobyte, in an order that is not the dataset's."""
    order = list(range(first, last))
    chance.shuffle(order)
    statuses, weights = zip(*_SHARES, strict=True)
    for number in order:
        subset = f"subject_{number % SUBSETS:02}"
        sample_id = f"{subset}/{number // SUBSETS}"
        prompt = " ".join(chance.choices(_WORDS, k=230))
        text = " ".join(chance.choices(_WORDS, k=60)) + " The answer is 42"
        key = f"{chance.getrandbits(96):024x}"
        latency = chance.expovariate(1)
        response = Response(key=key, text=text, usage=Usage(prompt_tokens=300, completion_tokens=80), latency=latency)
        yield (
            Prediction(
                key=key,
                dataset="gsm8k",
                sample_id=sample_id,
                subset=subset,
                model="m",
                ask=Generate(messages=(Message("user", prompt),)),
                response=response,
            ),
            Review(
                key=key,
                sample_id=sample_id,
                subset=subset,
                status=chance.choices(statuses, weights)[0],
                extracted="42",
                target="42",
                scores={"acc": float(chance.random() < 0.6)},
                latency=latency,
                tokens=80,
                prompt=prompt[:160],
            ),
        )


def write(folder: Path, first: int, last: int, chance: random.Random) -> None:
    """Append answers to a run's files."""
    with (
        JsonlStore(folder / "predictions" / "gsm8k.jsonl", Prediction, Sync.NEVER) as predictions,
        JsonlStore(folder / "reviews" / "gsm8k.jsonl", Review, Sync.NEVER) as reviews,
    ):
        pairs = list(answers(first, last, chance))
        predictions.append_all(prediction for prediction, _ in pairs)
        reviews.append_all(review for _, review in pairs)


def seconds(results: Results, shelf: Shelf, **query: str) -> float:
    """Return how long a page takes."""
    start = time.perf_counter()
    browse(results, shelf, Visit("en", {"run": "big", "dataset": "gsm8k", **query}))
    return time.perf_counter() - start


def index(results: Results) -> float:
    """Return how long it takes to index all runs, as the app does by itself."""
    start = time.perf_counter()
    for entry in results.runs():
        reviews_index(entry.reviews("gsm8k")).snapshot()
    return time.perf_counter() - start


PAGES: dict[str, dict[str, str]] = {
    "list": {},
    "list, page 1,800": {"page": "1800"},
    "list, not correct": {"filter": "not_correct", "page": "300"},
    "list, slowest first": {"sort": "slowest"},
    "list, one subset": {"subset": "subject_31"},
    "list, search": {"q": "water one pipe fills"},
    "list, models disagree": {"filter": "disagree"},
    "sample": {"sample": "subject_31/700", "filter": "not_correct"},
    "sample, next disagreement": {"sample": "subject_31/700", "jump": "disagree"},
}


def main() -> int:
    """Print a line a page; return 1 where one takes longer than LIMIT."""
    chance = random.Random(0)
    slow = False
    with tempfile.TemporaryDirectory() as place:
        outputs = Path(place)
        for run_id in ("big", "other"):
            folder = FakeRun("m", {"gsm8k": FakeDataset(n=1, answered=0)}, run_id=run_id).write(outputs)
            (folder / "reviews" / "gsm8k.jsonl").unlink(missing_ok=True)
            for first in range(0, SAMPLES, 10_000):
                write(folder, first, first + 10_000, chance if run_id == "big" else random.Random(first))
            run = read_json(folder / "run.json", Run)
            write_json(folder / "run.json", msgspec.structs.replace(run, model=run_id))
        results = Results(outputs)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds(results, Shelf(), dataset="none")  # what a process does once, for whatever page
        print(f"indexing both runs: {index(results):.2f} s")
        cold = {name: seconds(results, Shelf(), **query) for name, query in PAGES.items()}
        shelf = Shelf()
        for name, query in PAGES.items():
            seconds(results, shelf, **query)
            warm = statistics.median(seconds(results, shelf, **query) for _ in range(5))
            write(outputs / "big", SAMPLES, SAMPLES + 100, chance)
            grown = seconds(results, shelf, **query)
            slow |= max(cold[name], warm, grown) > LIMIT
            print(f"{name:28} cold {cold[name]:6.3f} s   warm {warm:6.3f} s   grown {grown:6.3f} s")
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"memory above the start: {peak:.0f} MB")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
