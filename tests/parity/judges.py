"""Judges' raw texts read beside the verdicts that were published for them: ``python -m tests.parity.judges [--data FOLDER]``.

LLMBar's evaluators (GPT-4 and ChatGPT; a verdict alone, one after reasons, two ratings), each pair in both orders, and
AlpacaEval's annotations. Printed are the verdicts that agree, and each that differs with its reason. Returns 1 where a
difference is not explained.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from arena.formats.reading import convert
from llmuses.judge.orders import combine
from llmuses.judge.templates import VerdictStyle
from llmuses.judge.verdicts import PairVerdict, by_scores, read_pairwise, read_rating
from llmuses.records import Winner

DATA = Path(__file__).parents[3] / "shared" / "data"
_LLMBAR = Path("outputs/judge/LLMBar/Natural/evaluators")
_ALPACA = Path("outputs/judge/alpaca_eval")
_ORDERS = ("swap = False", "swap = True")
_PUBLISHED = {"1": Winner.MODEL_A, "2": Winner.MODEL_B, None: None}
LLMBAR_SCALE = (0.0, 10.0)
"""LLMBar asks for ratings from 0 to 9; a judge gave a 10."""

EQUAL_RATINGS = "both ratings are equal: a tie; a winner was drawn at random for the published one"
SAID_EQUAL = "the judge calls both equally good: a tie; the published reading knows none"


class Reading(NamedTuple):
    """One verdict: as published, as read here (in terms of the first order), and why they may differ."""

    place: str
    published: Winner | None
    ours: Winner | None
    why: str | None

    @property
    def agrees(self) -> bool:
        """Return whether both are the same."""
        return self.published is self.ours


class Outcome(NamedTuple):
    """What one judge's texts came to. ``figures`` are (name, published, ours) that must be equal."""

    name: str
    readings: list[Reading]
    figures: list[tuple[str, str, str]]

    @property
    def unexplained(self) -> int:
        """Return how many verdicts and figures differ without a reason."""
        wrong = sum(not reading.agrees and reading.why is None for reading in self.readings)
        return wrong + sum(published != ours for _, published, ours in self.figures)


def llmbar(folder: Path) -> Outcome:
    """Return what the texts of one of LLMBar's evaluators come to."""
    rows = _loaded(folder / "result.json")
    readings: list[Reading] = []
    correct, decided, same = dict.fromkeys(_ORDERS, 0), True, 0
    for index, row in enumerate(rows):
        material = (row["input"], row["output_1"], row["output_2"])
        said = row["results"][0]
        pair = [_verdict(said, order, material) for order in _ORDERS]
        for order, verdict in zip(_ORDERS, pair, strict=True):
            found = verdict.turned() if verdict and order == _ORDERS[1] else verdict
            reading = _reading(f"row {index}, {order}", said[order]["winner"], found, rated="score_1" in said)
            readings.append(reading)
            decided = decided and reading.agrees
            correct[order] += reading.ours is _PUBLISHED[str(row["label"])]
        both = combine(*pair)
        same += both.winner in (Winner.MODEL_A, Winner.MODEL_B)
    published = json.loads((folder / "statistics.json").read_text("utf-8"))
    figures = [("equal", _first(published["equal"]), str(same))] if decided else []
    if decided:
        figures += [
            (f"correct, {order}", _first(published[f"correct_{order[7:]}"]), str(correct[order])) for order in _ORDERS
        ]
    return Outcome(f"LLMBar, {folder.parent.name}, {folder.name}", readings, figures)


def _verdict(said: dict[str, Any], order: str, material: Sequence[str]) -> PairVerdict | None:
    """Return the verdict in one order, in terms of that order."""
    if "score_1" not in said:
        return read_pairwise(said[order]["completion"][0], VerdictStyle.BRACKETS, material)
    one, two = (read_rating(said[name][0], VerdictStyle.RATING, scale=LLMBAR_SCALE) for name in ("score_1", "score_2"))
    if one is None or two is None:
        return None
    return by_scores((one, two)) if order == _ORDERS[0] else by_scores((two, one))


def _reading(place: str, published: str | None, found: PairVerdict | None, *, rated: bool) -> Reading:
    ours = found.winner if found else None
    tied = ours is Winner.TIE
    why = EQUAL_RATINGS if tied and rated else SAID_EQUAL if tied and published is None else None
    return Reading(place, _PUBLISHED[published], ours, why)


def alpaca(data: Path) -> Iterator[Outcome]:
    """Yield what AlpacaEval's annotations of each model come to, beside its line on the leaderboard."""
    with (data / _ALPACA / "weighted_alpaca_eval_gpt4_turbo_leaderboard.csv").open(encoding="utf-8") as file:
        lines = {line[""]: line for line in csv.DictReader(file)}
    for path in sorted((data / _ALPACA).glob("*/*.json.gz")):
        name = path.name.removesuffix(".json.gz")
        rows = _loaded(path)
        if name not in lines or rows[0]["generator_1"] == rows[0]["generator_2"]:
            continue
        battles = list(convert(rows))
        count = Counter(battle.winner for battle in battles)
        rate = 100 * sum((battle.scores or {})["model_b"] for battle in battles) / len(battles)
        line = lines[name]
        yield Outcome(
            f"AlpacaEval, {name}",
            [],
            [
                ("wins", line["n_wins"], str(count[Winner.MODEL_B])),
                ("losses", line["n_wins_base"], str(count[Winner.MODEL_A])),
                ("draws", line["n_draws"], str(count[Winner.TIE])),
                ("win rate", f"{float(line['win_rate']):.6f}", f"{rate:.6f}"),
            ],
        )


def _first(figure: str) -> str:
    return figure.split()[0]


def _loaded(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a JSON file, or of the same file compressed."""
    packed = path if path.suffix == ".gz" else path.with_name(path.name + ".gz")
    text = gzip.decompress(packed.read_bytes()) if packed.is_file() else path.read_bytes()
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def outcomes(data: Path) -> Iterator[Outcome]:
    """Yield what the texts of every judge come to."""
    for path in sorted((data / _LLMBAR).glob("*/*/statistics.json")):
        yield llmbar(path.parent)
    yield from alpaca(data)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, then each difference."""
    parser = argparse.ArgumentParser(description="Judges' texts read beside the published verdicts.")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of outputs")
    args = parser.parse_args(arguments)
    if not (args.data / _LLMBAR).is_dir():
        print(f"The outputs are looked for in {args.data}: name their folder with --data.", file=sys.stderr)
        return 2
    found = list(outcomes(args.data))
    print(f"{'':40}{'verdicts':>9}{'agree':>7}{'explained':>11}{'open':>6}   figures (published = ours)")
    for outcome in found:
        agree = sum(reading.agrees for reading in outcome.readings)
        explained = sum(not reading.agrees and reading.why is not None for reading in outcome.readings)
        figures = ", ".join(
            f"{name} {ours if said == ours else f'{said} != {ours}'}" for name, said, ours in outcome.figures
        )
        print(
            f"{outcome.name:40}{len(outcome.readings):>9}{agree:>7}{explained:>11}{outcome.unexplained:>6}   {figures}"
        )
    for outcome in found:
        for why, count in Counter(
            reading.why or "not explained" for reading in outcome.readings if not reading.agrees
        ).items():
            places = [
                reading.place
                for reading in outcome.readings
                if not reading.agrees and (reading.why or "not explained") == why
            ]
            print(f"\n{outcome.name}: {count} × {why}\n  {'; '.join(places[:6])}{' …' if count > 6 else ''}")
    return int(any(outcome.unexplained for outcome in found))


if __name__ == "__main__":
    sys.exit(main())
