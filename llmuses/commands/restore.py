"""``llmuses restore``: a backup back into a folder of runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from llmuses.errors import BackupError
from llmuses.settings import outputs_dir

HELP = "put a backup into an empty folder"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses restore``."""
    add = parser.add_argument
    add("source", metavar="FILE.tar.gz", help="the backup; hf:OWNER/NAME or ms:OWNER/NAME for one on a hub")
    add("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")
    add("--replace", action="store_true", help="move what is in the folder aside, into .before-restore-TIME")
    add("--check", action="store_true", help="read the file, say whether it is whole, and write nothing")


def run(args: argparse.Namespace) -> int:
    """Restore, or check, and say what is where."""
    from llmuses.keeping.archive import check, restore
    from llmuses.keeping.around import FOLDER
    from llmuses.keeping.mirror import fetch

    outputs = args.outputs or outputs_dir()
    if args.check:
        manifest = check(Path(args.source))
        print(f"{args.source} is whole: {len(manifest.files):,} files of llmuses {manifest.llmuses_version}.")
        return 0
    if args.source.startswith(("hf:", "ms:")):
        found = fetch(args.source, outputs, args.replace)
        if found is None:
            raise BackupError(f"{args.source} holds no backup, or none that you may see.")
    else:
        found = restore(Path(args.source), outputs, args.replace)
    manifest, aside = found
    print(f"{len(manifest.files):,} files are in {outputs}.")
    if any(kept.path.startswith(f"{FOLDER}/") for kept in manifest.files):
        print(
            f"Settings that lay elsewhere are in {outputs / FOLDER}: put them where LLMUSES_MODELS and the like name them."
        )
    for path in aside:
        print(f"What was there before is in {path}.")
    return 0
