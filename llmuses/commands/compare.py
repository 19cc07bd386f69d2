"""``llmuses compare``: runs beside each other, with intervals and p-values."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from llmuses.errors import StoreError, UsageError
from llmuses.settings import outputs_dir

if TYPE_CHECKING:
    from llmuses.comparison import Comparison

HELP = "compare runs on the samples that they share"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses compare``."""
    add = parser.add_argument
    add("runs", nargs="+", metavar="RUN", help="a run's folder, or the id of a run below --outputs")
    add("--dataset", action="append", metavar="D", default=[], help="only this one; may be given again (all)")
    add("--baseline", metavar="RUN", help="compare each run with this one alone (each with each other)")
    add("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")
    add("--json", action="store_true", help="print JSON")
    add("--output", type=Path, metavar="FILE.md|.json", help="write it to a file as well")


def run(args: argparse.Namespace) -> int:
    """Print the paired differences; 1 where some runs could not be compared, an error where none could."""
    from llmuses.comparison import compare

    if args.output and args.output.suffix not in (".md", ".json"):
        raise UsageError(f"--output {args.output}: a comparison is written as .md or .json.")
    found = compare(args.runs, datasets=args.dataset, baseline=args.baseline, outputs=args.outputs or outputs_dir())
    if not any(dataset.pairs for dataset in found.datasets):
        raise UsageError(_nothing(found))
    if args.json:
        print(_json(found))
    else:
        _print(found)
    if args.output:
        _write(args.output, found)
    return 0 if found.complete else 1


def _nothing(found: Comparison) -> str:
    """Return in one line why nothing could be compared."""
    from llmuses.comparison.words import refusal_words

    labels = {each.run_id: each.label for each in found.runs}
    said = [
        f"{dataset.dataset}: {refusal_words(refusal, labels, 'en')}"
        for dataset in found.datasets
        for refusal in dataset.refusals
    ]
    if not said:
        return "none of the runs shares a dataset with the baseline: nothing to compare."
    return said[0] + (f" So it is with {len(said) - 1} more." if len(said) > 1 else "")


def _json(found: Comparison) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def _print(found: Comparison) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from llmuses.comparison.words import content
    from llmuses.console import console
    from llmuses.i18n import terminal_language

    out, said = console(), content(found, terminal_language())
    for label, run_id in said.runs:
        if label != run_id:
            out.print(Text(f"{label}: {run_id}", style="dim"), soft_wrap=True)
    for section in said.sections:
        out.print(Text(f"\n{section.heading}", style="bold"))
        if section.rows:
            table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
            for place, name in enumerate(said.columns):
                table.add_column(name, justify="right" if place else "left", overflow="fold")
            for row in section.rows:
                table.add_row(*map(Text, row))
            out.print(table)
        for note in section.notes:
            out.print(Text(note), soft_wrap=True)
    if said.foot:
        out.print(Text(f"\n{said.foot}", style="dim"), soft_wrap=not sys.stdout.isatty())


def _write(path: Path, found: Comparison) -> None:
    from llmuses.comparison.markdown import markdown
    from llmuses.i18n import terminal_language

    written = _json(found) + "\n" if path.suffix == ".json" else markdown(found, terminal_language())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written, "utf-8")
    except OSError as problem:
        raise StoreError(f"cannot write {path}: {problem.strerror or problem}") from problem
