"""``llmuses hide``: runs and arenas kept from public pages."""

from __future__ import annotations

import argparse
from pathlib import Path

from llmuses.settings import outputs_dir

HELP = "keep runs or arenas from public pages; the admin room and commands still see them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses hide``, and of ``llmuses publish``: which runs are meant, and why."""
    add = parser.add_argument
    add("runs", nargs="+", metavar="RUN", help="the folder of a run or an arena, or its name below --outputs")
    add("--reason", default="", metavar="TEXT", help="why, for whoever reads it in the admin room")
    add("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")


def run(args: argparse.Namespace) -> int:
    """Hide what is named, all of it or, where one is not there, nothing."""
    print(f"Hidden: {decide_on(args, True)}. A server over this folder shows that at once.")
    return 0


def decide_on(args: argparse.Namespace, hidden: bool) -> str:
    """Hide what is named, or publish it, and return the names. Raises UsageError before anything is written."""
    from llmuses.comparison.runs import run_folder
    from llmuses.visibility import decide, whoever_runs_this

    outputs: Path = args.outputs or outputs_dir()
    folders: list[Path] = []
    for name in args.runs:
        arena = next((each for each in (Path(name), outputs / name) if (each / "arena.json").is_file()), None)
        folders.append((arena or run_folder(name, outputs)).resolve())
    for folder in dict.fromkeys(folders):
        decide(folder, hidden, args.reason, whoever_runs_this())
    return ", ".join(dict.fromkeys(folder.name for folder in folders))
