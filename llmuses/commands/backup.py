"""``llmuses backup``: all that a folder of runs holds in one file, also while the server writes."""

from __future__ import annotations

import argparse
from pathlib import Path

from llmuses.settings import outputs_dir

HELP = "write all runs, battles, votes and jobs into one file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses backup``."""
    add = parser.add_argument
    add("target", type=Path, metavar="FILE.tar.gz", help="where to; in a folder the file is named by the time")
    add("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")
    add(
        "--with-secrets",
        action="store_true",
        help="also the keys that sign sessions and salt pseudonyms: keep such a file to yourself",
    )


def run(args: argparse.Namespace) -> int:
    """Write the backup and say what it holds and what it leaves out."""
    from llmuses.keeping.archive import back_up

    path, manifest = back_up(args.outputs or outputs_dir(), args.target, args.with_secrets)
    size = sum(kept.size for kept in manifest.files)
    print(f"{len(manifest.files):,} files ({size / 1e6:,.1f} MB) are in {path} ({path.stat().st_size / 1e6:,.1f} MB).")
    if manifest.left_out:
        print(f"Left out: {', '.join(manifest.left_out[:20])}{' …' if len(manifest.left_out) > 20 else ''}")
    return 0
