"""``llmuses view``: the browser pages on a file of battles, or on what the outputs folder holds; nothing is written."""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from llmuses.settings import outputs_dir

if TYPE_CHECKING:
    from leaderboard.arenas import Source

HELP = "read battles or runs in the browser"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses view``."""
    add = parser.add_argument
    add(
        "--review-file",
        type=Path,
        metavar="FILE",
        help="battles to read: our own, or those of other programs (JSONL, JSON, CSV)",
    )
    add(
        "--category-file",
        type=Path,
        metavar="FILE.yaml",
        help="groups of their categories, such as  writing: [essay, letter]",
    )
    add("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")
    add("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    add("--port", type=int, help="port to listen on (7860, or the next free one)")
    add("--no-open", action="store_true", help="do not open a browser window")


def run(args: argparse.Namespace) -> int:
    """Serve the pages until they are stopped. Raises DataError and UsageError before anything is served."""
    from llmuses.errors import UsageError
    from llmuses.markup import link
    from llmuses.web.server import serve

    if args.category_file and not args.review_file:
        raise UsageError("--category-file groups the categories of a file of battles: name it with --review-file.")
    os.environ.setdefault("LLMUSES_READ_ONLY", "1")
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(opened_file(args.review_file, args.category_file))] if args.review_file else []
        page = link("battles", arena=files[0].name) if files else "browse"

        def opened(address: str) -> None:
            print(f"{address}/{page}", flush=True)
            if not args.no_open:
                import webbrowser

                webbrowser.open(f"{address}/{page}")

        serve(args.outputs or outputs_dir(), args.host, args.port, demo=False, battles=files, opened=opened)
    return 0


@contextlib.contextmanager
def opened_file(path: Path, mapping: Path | None = None) -> Iterator[Source]:
    """Yield a file of battles as the pages read it: itself where it holds our own lines, else a copy in our own.

    Raises DataError where it holds no battle, or the mapping is none.
    """
    from leaderboard.arenas import Source
    from leaderboard.battles import read_mapping
    from llmuses.errors import DataError

    if mapping is not None:
        read_mapping(mapping)
    if _ours(path):
        yield Source(path.stem, path, mapping)
        return
    import msgspec

    from arena.formats import convert_files

    with tempfile.TemporaryDirectory(prefix="llmuses-view-") as folder:
        copy = Path(folder) / "battles.jsonl"
        battles = convert_files([path])
        with open(copy, "wb") as file:
            for battle in battles:
                file.write(msgspec.json.encode(battle) + b"\n")
        if not battles.read:
            reasons = "; ".join(battles.skipped) or "there is no row"
            raise DataError(f"{path}: no row is a battle ({reasons}).")
        for reason, number in battles.skipped.most_common():
            print(f"llmuses: {number:,} rows left out: {reason}.", flush=True)
        yield Source(path.stem, copy, mapping)


def _ours(path: Path) -> bool:
    """Return whether a file's first line is a battle as we write them."""
    import msgspec

    from llmuses.records import Battle

    try:
        with open(path, "rb") as file:
            msgspec.json.decode(file.readline(), type=Battle)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
