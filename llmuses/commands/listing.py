"""``llmuses list``: what there is to choose from."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llmuses.errors import UsageError
from llmuses.settings import outputs_dir

HELP = "list benchmarks, models, runs or jobs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses list``."""
    parser.add_argument("what", choices=("benchmarks", "models", "runs", "jobs"), metavar="benchmarks|models|runs|jobs")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="benchmarks to describe, each with an example prompt, or FILE.py:CLASS"
    )
    parser.add_argument("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print what there is, as a table or as JSON."""
    from llmuses import listing

    makers: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "benchmarks": lambda: listing.benchmarks(args.names),
        "models": listing.models,
        "runs": lambda: listing.runs(args.outputs or outputs_dir()),
        "jobs": lambda: listing.jobs(args.outputs or outputs_dir()),
    }
    if args.names and args.what != "benchmarks":
        raise UsageError(f"llmuses list {args.what} takes no name.")
    if args.names and not args.json:
        for name in args.names:
            listing.print_benchmark(name)
        return 0
    rows = makers[args.what]()
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        listing.print_rows(listing.brief(rows) if args.what == "benchmarks" else rows)
    return 0
