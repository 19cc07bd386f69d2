"""``llmuses audit``: how far judges can be relied on, and which voters look odd."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from llmuses.errors import StoreError, UsageError

HELP = "audit judges and voters"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses audit``."""
    add = parser.add_argument
    add("--battles", required=True, nargs="+", type=Path, metavar="FILE", help="JSONL of battles or of votes")
    add(
        "--humans",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="people's votes, where they are in files of their own",
    )
    add("--output", type=Path, metavar="FILE", help="write .md or .json instead of printing")


def run(args: argparse.Namespace) -> int:
    """Audit the judges and voters of some files of battles."""
    if args.output is not None and args.output.suffix not in (".json", ".md"):
        raise UsageError(f"--output {args.output}: the name ends in .md or .json.")
    from arena.audit import audit
    from arena.audit_markdown import audit_markdown
    from llmuses.store import write_json

    found = audit([*args.battles, *args.humans])
    if args.output is None:
        sys.stdout.write(audit_markdown(found))
    elif args.output.suffix == ".json":
        write_json(args.output, found)
    else:
        try:
            args.output.write_text(audit_markdown(found), "utf-8")
        except OSError as problem:
            raise StoreError(f"cannot write {args.output}: {problem.strerror or problem}") from problem
    return 0
