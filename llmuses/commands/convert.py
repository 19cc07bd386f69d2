"""``llmuses convert``: votes and judgments of other programs become battle lines."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from llmuses.errors import DataError, StoreError

HELP = "turn votes and judgments of other programs into battle lines"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses convert``."""
    add = parser.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="JSONL, JSON or CSV of FastChat, LMArena, MT-bench, AlpacaEval, "
        "Arena-Hard or older llmuses; .gz too")  # fmt: skip
    add("--output", required=True, type=Path, metavar="FILE.jsonl", help="where the battles are written")
    add(
        "--baseline", metavar="NAME", help="the baseline, where judgments leave it unnamed (Arena-Hard 0.1: gpt-4-0314)"
    )


def run(args: argparse.Namespace) -> int:
    """Convert files and say what was read; exit code 1 where rows were left out."""
    import msgspec

    from arena.formats import convert_files

    battles = convert_files(args.files, args.baseline)
    fresh = args.output.with_name(f".{args.output.name}.{os.getpid()}")
    encode = msgspec.json.Encoder().encode
    try:
        with open(fresh, "wb") as file:
            for battle in battles:
                file.write(encode(battle) + b"\n")
        if not battles.read:
            reasons = "; ".join(battles.skipped) or "there is no row"
            raise DataError(f"{', '.join(map(str, args.files))}: no row is a battle ({reasons}).")
        os.replace(fresh, args.output)
    except OSError as problem:
        raise StoreError(f"cannot write {args.output}: {problem.strerror or problem}") from problem
    finally:
        fresh.unlink(missing_ok=True)
    read = ", ".join(f"{number:,} of {name}" for name, number in battles.read.items())
    print(f"{battles.read.total():,} battles ({read}) are in {args.output}.")
    if battles.taken_out:
        print(f"{battles.taken_out:,} battles that exclusion or redaction lines name are left out.")
    for reason, number in battles.skipped.most_common():
        print(f"llmuses: {number:,} rows left out: {reason}.", file=sys.stderr)
    return 1 if battles.skipped else 0
