"""``llmuses rate``: ratings out of files of battles."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from llmuses.errors import StoreError, UsageError

if TYPE_CHECKING:
    from arena.rating_records import FirstPlace, ModelRating, Ratings

HELP = "rate models by their battles"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmuses rate``."""
    add = parser.add_argument
    add("--battles", required=True, nargs="+", type=Path, metavar="FILE", help="JSONL of battles or of votes")
    add("--method", choices=("bt", "elo"), default="bt", help="Bradley-Terry by maximum likelihood, or online Elo (bt)")
    add("--ties", choices=("half", "davidson"), default="half", help="half a win each, or Davidson's model (half)")
    add("--by", choices=("category", "language", "judge"), help="rate each of these on its own as well")
    add(
        "--cluster",
        choices=("none", "question", "voter"),
        default="none",
        help="what hangs together in the intervals (none)",
    )
    add(
        "--combine",
        choices=("none", "ppi"),
        default="none",
        help="ppi: people's votes and a judge's verdicts together (none)",
    )
    add("--style", action="store_true", help="account for the outputs' length, headers, lists and bold words")
    add("--dedup", action="store_true", help="weigh battles with a prompt that others have too down")
    add("--anchor", metavar="MODEL=RATING", help="give one model this rating; without it the mean is 1000")
    add("--judge", metavar="NAME", help="only battles that this judge decided; human: people's")
    add("--category", metavar="NAME", help="only battles of this category")
    add("--language", metavar="CODE", help="only battles in this language")
    add("--blind-only", action="store_true", help="only battles in which the names were hidden")
    add(
        "--robust",
        action="store_true",
        help="blind battles only, and what looks like manipulation weighs less: repeated prompts, prompts that ask who a "
        "model is, voters who vote too often, for or against one model, or as one",
    )
    add("--incremental", action="store_true", help="read new lines only; counts are kept in FILE.counts")
    add("--seed", type=int, default=0, metavar="S", help="seed of what is drawn at random (0)")
    add("--output", type=Path, metavar="FILE", help="write .json or .csv instead of printing")


def run(args: argparse.Namespace) -> int:
    """Rate the models of some files of battles."""
    if args.output is not None and args.output.suffix not in (".json", ".csv"):
        raise UsageError(f"--output {args.output}: the name ends in .json or .csv.")
    from arena import Follower, Rule, rate
    from arena.rating_records import Scale

    anchor = None if args.anchor is None else _anchor(args.anchor)
    rule = Rule(
        method=args.method,
        ties=args.ties,
        by=args.by,
        cluster=args.cluster,
        combine=args.combine,
        style=args.style,
        dedup=args.dedup,
        scale=Scale(anchor=anchor),
        judge=args.judge,
        category=args.category,
        language=args.language,
        blind_only=args.blind_only,
        robust=args.robust,
        seed=args.seed,
    )
    if args.incremental and len(args.battles) > 1:
        raise UsageError("--incremental follows one file of battles.")
    ratings = Follower(args.battles[0], rule).ratings() if args.incremental else rate(args.battles, rule)
    for note in ratings.notes:
        print(f"llmuses: {note}", file=sys.stderr)
    if args.output is None:
        _print(ratings)
    else:
        _write(ratings, args.output)
    return 0


def _anchor(text: str) -> tuple[str, float]:
    model, equals, rating = text.rpartition("=")
    try:
        return (model, float(rating)) if equals and model else _no_anchor(text)
    except ValueError:
        return _no_anchor(text)


def _no_anchor(text: str) -> tuple[str, float]:
    raise UsageError(f"--anchor '{text}': write MODEL=RATING, such as gpt-4=1200.")


def _write(ratings: Ratings, path: Path) -> None:
    from llmuses.store import write_json

    if path.suffix == ".json":
        write_json(path, ratings)
        return
    try:
        with open(path, "w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(
                ["group", "rank_best", "rank_worst", "model", "rating", "low", "high", "battles", "won", "place"]
            )
            for group, models in {"": ratings.models, **ratings.groups}.items():
                table.writerows(_cells(group, model) for model in models)
    except OSError as problem:
        raise StoreError(f"cannot write {path}: {problem.strerror or problem}") from problem


def _cells(group: str, model: ModelRating) -> list[object]:
    best, worst = model.rank or ("", "")
    low, high = (round(value, 2) for value in model.ci95) if model.ci95 else ("", "")
    rating = "" if model.rating is None else round(model.rating, 2)
    return [group, best, worst, model.model, rating, low, high, model.battles, round(model.won, 4), model.place.value]


def _flip(first: FirstPlace) -> str:
    """Return the sentence on how few votes would put another model first."""
    added = f"{first.added:,} votes more for {first.by} against it"
    if first.removed is None:
        return f"{first.model} would be first no longer with {added}."
    return f"{first.model} would be first no longer without {first.removed:,} votes ({first.without}), or with {added}."


def _print(ratings: Ratings) -> None:
    for group, models in {"": ratings.models, **ratings.groups}.items():
        if group:
            print(group)
        table = [("rank", "model", "rating", "±", "battles", "won"), *(_shown(model) for model in models)]
        for line in _aligned(table, left=2):
            print(line)
    for effect in ratings.style or ():
        print(
            f"{effect.name}: {effect.points:+.1f} points ({effect.ci95[0]:+.1f} to {effect.ci95[1]:+.1f}) for one standard "
            "deviation more than the opponent."
        )
    how = "online Elo" if ratings.rule.method == "elo" else "Bradley-Terry"
    print(f"{ratings.battles:,} battles, {how}; ± is the 95% interval, ranks hold all at once with 95% confidence.")
    if ratings.first_place is not None:
        print(_flip(ratings.first_place))


def _shown(model: ModelRating) -> tuple[str, ...]:
    best, worst = model.rank or (None, None)
    rank = "–" if best is None else f"{best}" if best == worst else f"{best}–{worst}"
    half = "" if model.ci95 is None else f"±{(model.ci95[1] - model.ci95[0]) / 2:.1f}"
    rating = "–" if model.rating is None else f"{model.rating:.1f}"
    return rank, model.model, rating, half, f"{model.battles:,}", f"{100 * model.won:.1f}"


def _aligned(table: Sequence[Sequence[str]], left: int) -> Iterator[str]:
    """Yield a table's lines, its first columns to the left. rich would take longer for it than a rating does."""
    widths = [max(map(_width, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = []
        for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - _width(cell))
            cells.append(cell + space if place < left else space + cell)
        yield "  ".join(cells)


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes: Chinese characters are two wide."""
    return len(text) if text.isascii() else sum(2 if east_asian_width(c) in "WF" else 1 for c in text)
