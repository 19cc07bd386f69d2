"""``llmuses backup``: all that a folder of runs holds in one file, also while the server writes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from llmuses.settings import outputs_dir

HELP = "write all runs, battles, votes and jobs into one file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses backup``."""
    add = parser.add_argument
    add(
        "target",
        type=Path,
        metavar="FILE.tar.gz",
        help="where to; in a folder the file is named by the time, and - is standard output",
    )
    add("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")
    add(
        "--with-secrets",
        action="store_true",
        help="also the keys that sign sessions and salt pseudonyms, and the admin room's accounts: keep such a file to yourself",
    )


def run(args: argparse.Namespace) -> int:
    """Write the backup and say what it holds and what it leaves out."""
    from llmuses.keeping.archive import back_up, stream

    outputs, said = args.outputs or outputs_dir(), sys.stdout
    if str(args.target) == "-":
        manifest, where, said = stream(outputs, sys.stdout.buffer, args.with_secrets), "the backup", sys.stderr
    else:
        path, manifest = back_up(outputs, args.target, args.with_secrets)
        where = f"{path} ({_size(path.stat().st_size)})"
    size = sum(kept.size for kept in manifest.files)
    print(f"{len(manifest.files):,} files ({_size(size)}) are in {where}.", file=said)
    if manifest.left_out:
        named = ", ".join(manifest.left_out[:20])
        print(f"Left out: {named}{' …' if len(manifest.left_out) > 20 else ''}", file=said)
    return 0


def _size(number: int) -> str:
    """Return bytes as megabytes, below one as kilobytes."""
    return f"{number / 1e6:,.1f} MB" if number >= 1e6 else f"{number / 1e3:,.1f} kB"
