"""``llmuses arena``: models answer questions, a judge compares the answers, battles come out that ratings are made of."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.pipeline.report_records import ArenaReport
    from arena.pipeline.run import Result

HELP = "let models answer questions and a judge compare the answers"

_EVERY = 10.0
"""Seconds between two lines that say how a step goes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses arena``."""
    add = parser.add_argument
    add("-c", "--c", "--config", dest="config", required=True, type=Path, metavar="CFG.yaml", help="what is to be done")
    add(
        "--dry-run",
        action="store_true",
        help="have the models answer, show a prompt of the judge, and draw the verdicts at random",
    )
    add("--yes", action="store_true", help="make judge calls that cost money without asking")
    add("--hidden", action="store_true", help="keep the arena from public pages until it is published")
    add("--outputs", type=Path, metavar="DIR", help="folder of all runs (outputs)")


def run(args: argparse.Namespace) -> int:
    """Carry out a config."""
    from arena.pipeline.run import Talk, run_arena
    from llmuses.console import console, say_whether_public

    talk = Talk(_confirmed if sys.stdin.isatty() else None, _say, _Progress())
    result = run_arena(
        args.config,
        dry_run=args.dry_run,
        yes=args.yes,
        outputs=args.outputs,
        talk=talk,
        command=args.command,
        hidden=args.hidden,
    )
    _print(result)
    say_whether_public(console(), result.folder, args.hidden)
    return 0 if result.complete else 1


def _say(line: str) -> None:
    print(line, flush=True)


def _confirmed(question: str) -> bool:
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes", "j", "是")


class _Progress:
    """Says how far a step is: every few seconds, and at its end where it took that long."""

    def __init__(self) -> None:
        self._step = ""
        self._began = self._shown = 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if step != self._step:
            self._step, self._began, self._shown = step, now, now
        if now - self._shown >= _EVERY or (done == total and now - self._began >= _EVERY):
            self._shown = now
            _say(f"{step}: {done:,} / {total:,}, {done / (now - self._began):.1f}/s")


def _print(result: Result) -> None:
    if result.report is None:
        _say(f"The answers are in {result.folder / 'answers'}.")
        return
    from rich.table import Table

    from llmuses.console import console

    report, out = result.report, console()
    if report.dry_run:
        out.print("[bold]Dry run: the winners were drawn at random.[/]", highlight=False)
    single = report.mode == "single"
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("model", overflow="fold")
    for name in ("score" if single else "won", "95% interval", "n", "missing", *report.ratings):
        table.add_column(name, justify="right")
    ratings = {name: {one.model: one for one in found.models} for name, found in report.ratings.items()}
    for row in report.rows:
        cells = [row.model, _figure(row.value, single)]
        cells.append("–" if row.ci95 is None else f"{_figure(row.ci95[0], single)} to {_figure(row.ci95[1], single)}")
        cells += [f"{row.n:,}", f"{row.missing:,}"]
        for models in ratings.values():
            rating = models[row.model].rating if row.model in models else None
            cells.append("–" if rating is None else f"{rating:.0f}")
        table.add_row(*cells)
    out.print(table)
    for line in _lines(report):
        out.print(line, highlight=False, soft_wrap=True)
    place = result.folder / "dry-run" if report.dry_run else result.folder
    out.print(str(place / "report.md"), highlight=False, soft_wrap=True)


def _figure(value: float | None, single: bool) -> str:
    from llmuses.i18n import points

    if single:
        return "–" if value is None else f"{value:.2f}"
    return points(value)


def _lines(report: ArenaReport) -> list[str]:
    lines = list(report.notes)
    if report.planned > report.decided:
        reasons = ", ".join(f"{number:,} {kind}" for kind, number in report.missing.items())
        lines.append(f"{report.planned - report.decided:,} of {report.planned:,} are missing: {reasons}.")
    for judge in report.judges:
        if judge.position is not None and judge.position.both:
            bias = judge.position
            lines.append(
                f"{judge.judge} named another winner when the answers changed places in {bias.contradictory:,} of "
                f"{bias.both:,} pairs."
            )
        if judge.failed:
            lines.append(f"{judge.judge}: {judge.failed:,} calls failed; the same command asks them again.")
    for player in report.players:
        if player.failed:
            lines.append(f"{player.model}: {player.failed:,} answers failed; the same command asks for them again.")
    return lines
