"""``llmuses hide``: runs, arenas and imported results kept from public pages."""

from __future__ import annotations

import argparse
from pathlib import Path

from llmuses.errors import UsageError
from llmuses.settings import outputs_dir

_SHOWN = ("run.json", "arena.json", "battles.jsonl")
"""What makes a folder a run or an arena: pages show each that has one of them."""

HELP = "keep runs, arenas or imported results from public pages; the admin room and commands still see them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses hide``, and of ``llmuses publish``: which runs are meant, and why."""
    add = parser.add_argument
    add(
        "runs",
        nargs="+",
        metavar="RUN",
        help="the folder of a run or an arena, its name below --outputs, or the --source of imported results",
    )
    add("--reason", default="", metavar="TEXT", help="why, for whoever reads it in the admin room")
    add("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")


def run(args: argparse.Namespace) -> int:
    """Hide what is named, all of it or, where one is not there, nothing."""
    print(f"Hidden: {decide_on(args, True)}. A server over this folder shows that at once.")
    return 0


def decide_on(args: argparse.Namespace, hidden: bool) -> str:
    """Hide what is named, or publish it, and return the names. Raises UsageError before anything is written."""
    from leaderboard.published import AllPublished
    from llmuses.visibility import copies, decide, whoever_runs_this

    outputs: Path = args.outputs or outputs_dir()
    imported = AllPublished(outputs)
    known = imported.sources()
    sources = [name for name in args.runs if name in known]
    if both := [name for name in sources if _shown(name, outputs)]:
        raise UsageError(
            f"'{both[0]}' is a source of imported results and a folder: name the folder's whole path, or neither."
        )
    folders = [copy for name in args.runs if name not in known for copy in copies(_folder(name, outputs))]
    for folder in {folder.resolve(): folder for folder in folders}:
        decide(folder, hidden, args.reason, whoever_runs_this())
    for source in dict.fromkeys(sources):
        imported.decide(source, hidden, args.reason, whoever_runs_this())
    return ", ".join(dict.fromkeys([*(folder.name for folder in folders), *sources]))


def _shown(name: str, outputs: Path) -> list[Path]:
    """Return the folders of a run or an arena that a name may mean."""
    return [each for each in (Path(name), outputs / name) if any((each / file).is_file() for file in _SHOWN)]


def _folder(name: str, outputs: Path) -> Path:
    """Return the one folder that a name means. Raises UsageError where it may mean two, or the arena on this site."""
    from leaderboard.arenas import Source
    from llmuses.comparison.runs import run_folder

    shown = _shown(name, outputs)
    folder = (shown[0] if shown else run_folder(name, outputs)).absolute()
    if shown and shown[-1].resolve() != folder.resolve():
        raise UsageError(f"'{name}' is a folder here and one below {outputs}: name the whole path of the one you mean.")
    if Source(folder.name, folder / "battles.jsonl").live:
        raise UsageError(f"'{name}' is where people vote on this site: what it shows is said in the arena's own rules.")
    return folder
