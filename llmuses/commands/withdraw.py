"""``llmuses withdraw``: battles taken back on request, for good."""

from __future__ import annotations

import argparse
from pathlib import Path

from llmuses.errors import UsageError
from llmuses.settings import arena_dir, outputs_dir

HELP = "take battles back on request: nothing shows, rates or exports them any more"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses withdraw``."""
    add = parser.add_argument
    add("battle_ids", nargs="+", metavar="BATTLE", help="the battle's id, as battle_id has it in the file")
    add("--battles", type=Path, metavar="FILE", help="the file that holds them (the live arena's)")


def run(args: argparse.Namespace) -> int:
    """Write redaction lines for battles that are in the file."""
    import time

    import msgspec

    from llmuses.records import Redaction
    from llmuses.store import JsonlStore, Sync

    class Line(msgspec.Struct):
        battle_id: str = ""
        model_a: str | None = None

    path = args.battles or arena_dir(outputs_dir()) / "battles.jsonl"
    known = {line.battle_id for line in JsonlStore(path, Line) if line.model_a is not None}
    if missing := [battle_id for battle_id in args.battle_ids if battle_id not in known]:
        raise UsageError(f"{path} holds no battle {' and no battle '.join(missing)}: nothing was withdrawn.")
    now = time.time()
    with JsonlStore(path, Redaction, Sync.ALWAYS) as store:
        number = store.append_all(Redaction(battle_id=battle_id, tstamp=now) for battle_id in args.battle_ids)
    print(
        f"{number} battle{'' if number == 1 else 's'} withdrawn; a rating that was published before still counts them."
    )
    return 0
