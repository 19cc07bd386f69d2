"""Real models' outputs scored beside what was published for them: ``python -m tests.parity.published [--only WORD ...]``.

Each set of outputs goes through ``llmuses score`` in a process of its own. Printed are both figures, and each sample
whose verdict differs from a stored label. Returns 1 where a difference is not explained.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from llmuses.benchmarks.registry import benchmark_names
from llmuses.records import Report, Review, Status
from llmuses.store import JsonlStore, read_json
from tests.parity.published_cases import CASES, Case, Labels, Part

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"


class Outcome(NamedTuple):
    """What a case came to: our score over ``n`` answers, and the reviews whose verdict is not the stored one."""

    case: Case
    n: int
    score: float
    labels: Labels
    differ: list[Review]

    @property
    def unexplained(self) -> list[Review]:
        """Return the reviews that differ without a reason that is known."""
        return [] if self.case.measure else [one for one in self.differ if one.sample_id not in self.case.why]


def main(arguments: Sequence[str] | None = None) -> int:
    """Score every case, or those whose name holds one of the words; print the table."""
    parser = argparse.ArgumentParser(description="Scores beside the published ones.")
    parser.add_argument("--only", nargs="+", default=[], help="cases whose name holds one of these words")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of rows and outputs")
    args = parser.parse_args(arguments)
    if not args.data.is_dir():
        print(f"The outputs are looked for in {args.data}: name their folder with --data.", file=sys.stderr)
        return 2
    print(f"{'':46}{'n':>6}{'published':>11}{'ours':>8}{'labels':>8}{'differ':>8}")
    outcomes = []
    for case in CASES:
        if args.only and not any(word in case.name for word in args.only):
            continue
        if case.dataset not in benchmark_names():
            print(f"{case.name:46}{'':6}{case.published:>11.2f}   llmuses has no {case.dataset} yet")
            continue
        with tempfile.TemporaryDirectory(prefix="llmuses-published-") as folder:
            outcomes.append(run_case(case, args.data, Path(folder)))
        print(_line(outcomes[-1]), flush=True)
    for outcome in outcomes:
        _print_differences(outcome)
    return int(any(outcome.unexplained for outcome in outcomes))


def run_case(case: Case, data: Path, folder: Path) -> Outcome:
    """Score one case by the command and return what came of it."""
    made = case.make(data, folder)
    scores: list[float] = []
    differ = []
    for part in made.parts:
        for review, score in scored(case.dataset, part, folder / "runs" / str(part.dataset_args.get("split", "all"))):
            scores.append(score)
            if made.labels and (score == 1.0) != made.labels[review.sample_id]:
                differ.append(review)
    differ.sort(key=lambda review: [int(part) for part in re.findall(r"\d+", review.sample_id)])
    return Outcome(case, len(scores), sum(scores) / len(scores), made.labels, differ)


def scored(dataset: str, part: Part, outputs: Path) -> Iterator[tuple[Review, float]]:
    """Run the command and yield each review with its main score; what the file holds no answer for is left out."""
    command = [
        sys.executable, "-m", "llmuses", "score", "--dataset", dataset, "--predictions", str(part.predictions),
        "--dataset-args", json.dumps({dataset: part.dataset_args}), "--outputs", str(outputs), "--name", "published",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 2:
        raise SystemExit(f"{part.predictions.name}: {done.stderr.strip()}")
    (run,) = (path.parent for path in outputs.glob("*/run.json"))
    report = read_json(run / "reports" / f"{dataset}.json", Report)
    for review in JsonlStore(run / "reviews" / f"{dataset}.jsonl", Review):
        if review.status is not Status.FAILED:
            yield review, review.scores[report.metric]


def _line(outcome: Outcome) -> str:
    labels = f"{'–':>8}{'–':>8}"
    if outcome.labels:
        share = 100 * sum(outcome.labels.values()) / len(outcome.labels)
        labels = f"{share:8.2f}{len(outcome.differ):8}"
    return f"{outcome.case.name:46}{outcome.n:6,}{outcome.case.published:11.2f}{100 * outcome.score:8.2f}{labels}"


def _print_differences(outcome: Outcome) -> None:
    case = outcome.case
    if not outcome.differ:
        return
    print(f"\n{case.name}: verdicts that differ from the stored labels" + (f"; {case.measure}" if case.measure else ""))
    for review in outcome.differ:
        label = "right" if outcome.labels[review.sample_id] else "wrong"
        why = case.why.get(review.sample_id) or ("" if case.measure else "not explained")
        parts = [f"stored {label}", _read(review), why]
        print(f"  {review.sample_id}: {'; '.join(part for part in parts if part)}")


def _read(review: Review) -> str:
    """Return what was read and compared, or what running it came to."""
    if review.verdict:
        return f"{review.verdict['outcome']} {' '.join(str(review.verdict.get('detail', '')).split())[:120]}".strip()
    read = "nothing" if review.extracted is None else " ".join(review.extracted.split())[:60]
    return f"read {read}, target {' '.join(review.target.split())[:60]}"


if __name__ == "__main__":
    sys.exit(main())
