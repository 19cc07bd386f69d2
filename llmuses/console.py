"""What the command line shows of a run: a moving line in a terminal, plain lines elsewhere, a table at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from llmuses.i18n import points
from llmuses.records import DatasetState, Estimate, Generate, Report, Run
from llmuses.statistics.intervals import wilson

if TYPE_CHECKING:
    from llmuses.evaluation.dry_run import DryRun
    from llmuses.evaluation.runner import Result
    from llmuses.settings import ModelEntry

_COUNTS = ("unparsed", "rejected", "failed", "truncated")

_PLAIN_EVERY = 10.0
"""Seconds between two progress lines where there is no terminal."""


class Progress:
    """Shows how a run goes: answers, rate, time left, the score so far with its interval."""

    def __init__(self, console: Console):
        self._console = console
        self._live: Live | None = None
        self._began = self._shown = time.monotonic()
        self._fresh = 0
        self._given = False
        """Whether answers were given: each one is as new as it is read."""

    def started(self, run: Run) -> None:
        self._began = self._shown = time.monotonic()
        self._fresh = 0
        total = sum(state.total for state in run.states.values())
        said = f"{run.model} is asked {total:,} times"
        self._given = any(plan.answers for plan in run.datasets)
        if self._given:
            given = run.model_details
            said = f"{given['lines']:,} answers of {run.model} ({given['format']}) for {total:,} expected"
            if given["torn"]:
                self._console.print(f"{given['torn']}: its last line is cut off and was left out.", highlight=False)
        self._console.print(f"{said}: {', '.join(run.states)} ({run.run_id})", highlight=False)
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=5, transient=True)
            self._live.start()

    def progressed(self, run: Run, dataset: str, fresh: bool) -> None:
        self._fresh += fresh or self._given
        now = time.monotonic()
        if now - self._shown < (0.2 if self._live else _PLAIN_EVERY):
            return
        self._shown = now
        if self._live:
            self._live.update(Text(self._line(run, now), no_wrap=True, overflow="ellipsis"))
        else:
            self._console.print(self._line(run, now), highlight=False, soft_wrap=True)

    def finished(self, run: Run, reports: list[Report]) -> None:
        self.close()
        answered = sum(state.answered for state in run.states.values())
        if (stored := answered - self._fresh) > 0:
            self._console.print(
                f"{stored:,} of {answered:,} answers were stored and not asked for again.", highlight=False
            )

    def close(self) -> None:
        """Take the moving line away."""
        if self._live:
            self._live.stop()
            self._live = None

    def _line(self, run: Run, now: float) -> str:
        done = sum(state.answered for state in run.states.values())
        total = sum(state.total for state in run.states.values())
        rate = self._fresh / max(now - self._began, 1e-9)
        parts = [f"{done:,} / {total:,}", f"{rate:.1f}/s"]
        if rate > 0:
            parts.append(f"{_duration((total - done) / rate)} left")
        scored = sum(state.reviewed for state in run.states.values())
        if done == total and 0 < scored < done:
            parts.append(f"{scored:,} scored")
        parts += [f"{name} {so_far(state, run.repeats)}" for name, state in run.states.items() if state.answered]
        return " · ".join(parts)


def so_far(state: DatasetState, repeats: int) -> str:
    """Return a dataset's score so far with its interval, such as ``41.2 ±3.1``, in points."""
    n = state.reviewed - state.failed
    if n <= 0:
        return "–"
    questions = -(-n // repeats)  # repeats of one question are not independent
    low, high = wilson(state.correct / n * questions, questions)
    return f"{points(state.correct / n)} ±{points((high - low) / 2)}"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def say_whether_public(console: Console, folder: Path, asked_hidden: bool) -> None:
    """Print that a run or an arena is hidden, and what publishes it; or that it is public though it was asked to be hidden."""
    from llmuses.visibility import standing

    stands = standing(folder)
    if stands is not None and stands.hidden:
        said = f"This is hidden: llmuses publish {folder} shows it on public pages."
    elif asked_hidden:
        said = f"This was published before and stays public: llmuses hide {folder} hides it."
    else:
        return
    console.print(said, highlight=False, soft_wrap=True)


def print_result(console: Console, result: Result) -> None:
    """Print the reports of a run as a table, and where they lie."""
    if not result.reports:
        answered = sum(state.answered for state in result.run.states.values())
        console.print(f"{answered:,} answers are in {result.folder / 'predictions'}; --stage review scores them.")
        return
    table = _table(result.reports)
    if console.measure(table, options=console.options.update(max_width=10_000)).maximum <= console.width:
        console.print(table)
    else:
        for report in result.reports:
            _print_lines(console, report)
    for report in result.reports:
        if report.repeat_sd is not None:
            console.print(f"{report.dataset}: {_spread(report)}", highlight=False, soft_wrap=True)
        if "(borrowed)" in report.setting:
            console.print(
                f"{report.dataset}: these rows came without worked examples; those of the shipped sample set were used.",
                highlight=False,
                soft_wrap=True,
            )
        if len(report.served_models) > 1:
            names = ", ".join("".join(filter(str.isprintable, name))[:100] for name in report.served_models)
            console.print(
                f"{report.dataset}: the server says that several models answered: {names}.",
                markup=False,
                soft_wrap=True,
            )
        if report.bounds:
            low, high = report.bounds
            console.print(
                f"{report.dataset}: {report.counts.failed:,} failed; with all of them wrong or right the "
                f"score would be {points(low)} to {points(high)}."
                + ("" if _given(result, report.dataset) else " The same command goes on with them."),
                highlight=False,
                soft_wrap=True,
            )
            for reason, count in report.failures.items():
                console.print(f"{report.dataset}: {count:,} failed: {reason}", markup=False, soft_wrap=True)
    console.print(f"{result.folder / 'report.md'}", highlight=False, soft_wrap=True)


def _given(result: Result, dataset: str) -> bool:
    """Whether a dataset's answers came from a file."""
    return any(plan.answers for plan in result.run.datasets if plan.dataset == dataset)


def _table(reports: Sequence[Report]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("dataset", "metric", "setting"):
        table.add_column(name, no_wrap=True)
    for name in ("score", "95% interval", "n", *_COUNTS, "detectable"):
        table.add_column(name, justify="right", no_wrap=True)
    for report in reports:
        table.add_row(report.dataset, report.metric, report.setting, *_figures(report), points(report.detectable))
        for name, metric in report.metrics.items():
            table.add_row("", name, "", *_figures(metric)[:3], style="dim")
        for name, average in _other_averages(report):
            table.add_row("", "", name, *_figures(average)[:3], style="dim")
    return table


def _spread(report: Report) -> str:
    """Return how much the score varies between repeats."""
    low, high = points(min(report.repeat_scores)), points(max(report.repeat_scores))
    sd = points(report.repeat_sd)
    return f"asked {report.repeats} times; each time alone it scores {low} to {high}, standard deviation {sd}."


def _print_lines(console: Console, report: Report) -> None:
    """Print what the table says in lines that a narrow terminal can hold."""
    score, interval, n, *counts = _figures(report)
    console.print(f"[bold]{report.dataset}[/] {report.setting}", highlight=False)
    console.print(f"  {report.metric} {score} ({interval}), n = {n}", highlight=False)
    for name, average in [*report.metrics.items(), *_other_averages(report)]:
        score, interval, _ = _figures(average)[:3]
        console.print(f"  {name} {score} ({interval})", style="dim", highlight=False)
    numbers = ", ".join(f"{number} {name}" for name, number in zip(_COUNTS, counts, strict=True))
    console.print(f"  {numbers}", highlight=False)
    console.print(f"  detectable difference to a second model: {points(report.detectable)}", highlight=False)


def _other_averages(report: Report) -> list[tuple[str, Estimate]]:
    """Return the averages beside the score itself, under readable names."""
    return [(k.replace("_", " "), v) for k, v in report.averages.items() if k != "subsets_weighted"]


def _figures(estimate: Estimate) -> tuple[str, ...]:
    low, high = estimate.ci95 or (None, None)
    counts = estimate.counts
    interval = f"{points(low)} to {points(high)}" if estimate.ci95 else "–"
    numbers = (estimate.n, counts.unparsed, counts.rejected, counts.failed, counts.truncated)
    return (points(estimate.score), interval, *(f"{number:,}" for number in numbers))


def print_dry_run(console: Console, found: Sequence[DryRun], entry: ModelEntry | None = None) -> None:
    """Print what a run would ask, and the money that it may take where the model's entry has a price."""
    for dataset in found:
        console.rule(dataset.dataset, align="left")
        if isinstance(dataset.example.ask, Generate):
            for message in dataset.example.ask.messages:
                console.print(f"[{message.role}]", style="dim", markup=False)
                console.print(message.content, markup=False, highlight=False, soft_wrap=True)
        else:
            console.print(dataset.example.ask.context, markup=False, highlight=False, soft_wrap=True)
            options = " | ".join(repr(text) for text in dataset.example.ask.continuations)
            console.print(f"continuations: {options}", style="dim", markup=False, highlight=False, soft_wrap=True)
    console.rule(align="left")
    for dataset in found:
        console.print(
            f"{dataset.dataset}: {dataset.calls:,} calls, about {dataset.prompt_tokens:,} prompt tokens"
            + (f", at most {dataset.max_answer_tokens:,} tokens in all answers" if dataset.max_answer_tokens else ""),
            highlight=False,
        )
    if entry and entry.price:
        prompt = sum(dataset.prompt_tokens for dataset in found) * entry.price[0]
        answers = sum(dataset.max_answer_tokens for dataset in found) * entry.price[1]
        money = f"{(prompt + answers) / 1e6:,.2f} {entry.currency}"
        console.print(f"At most about {money} in all, at the price in models.yaml.", highlight=False)
    console.print("Nothing was asked.")


def console() -> Console:
    """Return the console for results: wide enough for a table where the output is not a terminal."""
    return Console(width=None if sys.stdout.isatty() else 160)
