"""``llmuses score``: score answers that some other program produced."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from llmuses.settings import outputs_dir

HELP = "score answers that another program produced; no model is loaded"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses score``."""
    add = parser.add_argument
    add(
        "--dataset",
        required=True,
        metavar="D",
        help="benchmark that was answered (llmuses list benchmarks), or FILE.py:CLASS",
    )
    add(
        "--predictions",
        required=True,
        nargs="+",
        type=Path,
        metavar="FILE",
        help='lines of {"id": SAMPLE_ID, "output": TEXT}, HumanEval\'s samples.jsonl, logs of EvalScope, '
        "lm-evaluation-harness or OpenCompass; .gz too",
    )
    add("--dataset-args", metavar="JSON", help='{"mmlu": {"local_path": "DIR"}}, or a file of it')
    add("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")
    add("--work-dir", type=Path, metavar="DIR", help="downloads (~/.cache/llmuses)")
    add("--name", metavar="MODEL", help="what the model is called (as in the log, else the file's name)")
    add("--sample-data", action="store_true", help="use the small sample set that comes with llmuses")
    add("--unsafe-code", action="store_true", help="run code that the model wrote without isolation")
    add("--hidden", action="store_true", help="keep the run from public pages until it is published")
    add(
        "--fail-under", nargs="+", default=[], metavar="D=SCORE", help="exit with 1 where the score is lower: gsm8k=0.6"
    )


def run(args: argparse.Namespace) -> int:
    """Score the answers of one model on one dataset."""
    from llmuses.cli_settings import check_thresholds, parse_dataset_args, parse_thresholds
    from llmuses.commands.evaluate import below
    from llmuses.console import Progress, console, print_result, say_whether_public
    from llmuses.evaluation import score
    from llmuses.evaluation.choosing import chosen_benchmarks

    outputs = args.outputs or outputs_dir()
    (benchmark,) = chosen_benchmarks([args.dataset], outputs).values()
    thresholds = parse_thresholds(args.fail_under)
    check_thresholds(thresholds, [benchmark.name])
    if args.work_dir:
        os.environ["LLMUSES_WORK_DIR"] = str(args.work_dir)
    out = console()
    progress = Progress(out)
    try:
        result = score(
            benchmark,
            args.predictions,
            dataset_args=parse_dataset_args(args.dataset_args) if args.dataset_args else None,
            name=args.name,
            sample_data=args.sample_data,
            outputs=outputs,
            unsafe_code=args.unsafe_code,
            listener=progress,
            command=args.command,
            hidden=args.hidden,
        )
    finally:
        progress.close()
    print_result(out, result)
    say_whether_public(out, result.folder, args.hidden)
    return max(0 if result.complete else 1, below(result, thresholds))
