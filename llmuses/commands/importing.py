"""``llmuses import``: results that others published join the benchmark board, told apart from runs."""

from __future__ import annotations

import argparse
import shlex
import time
from pathlib import Path

from llmuses.errors import DataError
from llmuses.settings import outputs_dir

HELP = "show a table of results that others published beside one's own"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses import``."""
    add = parser.add_argument
    add(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE.csv",
        help="a row a model: its name under 'model', its score under 'score'",
    )
    add("--source", required=True, metavar="TEXT", help="where it was published: an address, or a citation")
    add("--dataset", default="", metavar="D", help="the benchmark, where no column 'dataset' says it")
    add(
        "--setting",
        default="",
        metavar="TEXT",
        help="how it was asked, such as 5-shot, where no column 'setting' says it",
    )
    add("--score", default="score", metavar="COLUMN", help="the column of the score (score)")
    add("--metric", default="", metavar="TEXT", help="what the score is called (the column's name)")
    add("--percent", action="store_true", help="scores are points from 0 to 100, not shares from 0 to 1")
    add(
        "--hidden",
        action="store_true",
        help="keep what this source published from public pages until it is published here",
    )
    add("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")


def run(args: argparse.Namespace) -> int:
    """Append the rows of some tables to the store of published results."""
    import msgspec

    from leaderboard.published import AllPublished, Table, read_table
    from llmuses.visibility import decision, whoever_runs_this

    table = Table(args.dataset, args.setting, args.source, args.score, args.metric, args.percent)
    now = time.time()
    found = [msgspec.structs.replace(each, tstamp=now) for file in args.files for each in read_table(file, table)]
    if not found:
        raise DataError(f"{', '.join(map(str, args.files))}: there is no row.")
    store = AllPublished(args.outputs or outputs_dir())
    known = store.sources().get(args.source)
    if args.hidden and (known is None or known.decision is None):
        found[0] = msgspec.structs.replace(found[0], visibility=decision(True, "", whoever_runs_this()))
    store.add(found)
    models, datasets = {result.model for result in found}, {result.dataset for result in found}
    print(f"{len(found):,} results of {len(models):,} models on {', '.join(sorted(datasets))} are in {store.path}.")
    if store.sources()[args.source].hidden:
        print(f"They are hidden: llmuses publish {shlex.quote(args.source)} shows them on public pages.")
    elif args.hidden:
        print(f"This source was published before and stays public: llmuses hide {shlex.quote(args.source)} hides it.")
    return 0
