"""``llmuses withdraw``: battles taken back on request, for good."""

from __future__ import annotations

import argparse
from pathlib import Path

from llmuses.settings import arena_dir, outputs_dir

HELP = "take battles back on request: nothing shows, rates or exports them any more"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses withdraw``."""
    add = parser.add_argument
    add("battle_ids", nargs="+", metavar="BATTLE", help="the battle's id, as battle_id has it in the file")
    add("--battles", type=Path, metavar="FILE", help="the file that holds them (the live arena's)")


def run(args: argparse.Namespace) -> int:
    """Write redaction lines for battles that are in the file."""
    from arena.live.votes import withdraw

    number = withdraw(args.battles or arena_dir(outputs_dir()) / "battles.jsonl", args.battle_ids)
    print(
        f"{number} battle{'' if number == 1 else 's'} withdrawn; a rating that was published before still counts them."
    )
    return 0
