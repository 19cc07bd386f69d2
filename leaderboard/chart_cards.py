"""What all charts of a view are made with: cards, the choices that a query makes, and what models take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from leaderboard.arena_board_choice import Choice
from leaderboard.arenas import Facts, Source
from leaderboard.board_words import Words
from leaderboard.chart_figures import Dot, Figure, Point, against
from leaderboard.comparing import PLACES
from leaderboard.results import RunEntry
from llmuses.settings import model_entries

AXES = ("size", "tokens", "price")
"""What scores are set against: billions of parameters, tokens an answer, money for a million tokens."""

MOST = 60
"""So many models are drawn in one chart; its table has them too."""

MOST_LINES = 4


class Card(NamedTuple):
    """One chart on the page: its name under ``charts.card``, what is drawn or why nothing is, and its choices.

    ``choices`` are the parameter's name, the values and the one that is shown.
    """

    name: str
    figure: Figure | None
    note: str = ""
    why: str = ""
    choices: tuple[str, Sequence[tuple[str, str]], str] | None = None


class Look(NamedTuple):
    """What a visit sees: of what, the choices that filters write, and the charts; ``busy`` where figures are on their way."""

    of: str
    cards: list[Card]
    sources: list[Source]
    source: Source | None
    facts: Facts
    languages: list[str]
    choice: Choice
    columns: list[tuple[str, str]]
    column: str
    models: list[str]
    picked: list[str]
    problem: str = ""
    busy: bool = False


class Shared(NamedTuple):
    """What both kinds of charts need."""

    entries: list[RunEntry]
    query: Mapping[str, str]
    say: Words

    def words(self, card: str) -> dict[str, str]:
        """Return the words of one chart: its sentence, and the heads of its table."""
        names = ("model", "low", "high", "kind", "day", "comma")
        return {"sentence": self.say(f"sentence.{card}"), **{name: self.say(name) for name in names}}

    def choices(self, name: str, values: Sequence[str], shown: str) -> tuple[str, Sequence[tuple[str, str]], str]:
        """Return the choices of a card as it takes them."""
        return name, [(value, self.say(f"{name}.{value}")) for value in values], shown

    def chosen(self, name: str, values: Sequence[str]) -> str:
        """Return what the query chooses, the first where it chooses nothing that is there."""
        wish = self.query.get(name, "")
        return wish if wish in values else values[0]

    def picked(self, able: Sequence[str]) -> list[str]:
        """Return the models that lines are drawn of: those that the query names, else the first ones."""
        wished = [self.query[place] for place in PLACES if self.query.get(place) in able]
        return list(dict.fromkeys(wished)) or list(able[:MOST_LINES])

    def note(self, said: str, dots: Sequence[Dot]) -> str:
        """Return a chart's note, which says too that the axis of its values does not begin at zero where it does not."""
        low, high = min((dot.low for dot in dots), default=0.0), max((dot.high for dot in dots), default=0.0)
        above = low > 0.1 * (high - low)  # the drawing leaves room of a tenth at most
        return self.say("note.above", note=said) if above else said

    def scatter(self, dots: Sequence[Dot], sizes: Mapping[str, float], unit: str, digits: int) -> Card:
        """Return the chart of values against what the query chooses."""
        x = self.chosen("x", AXES)
        known = {"size": sizes, "tokens": tokens(self.entries), "price": prices(self.entries)}[x]
        points = [Point(known[dot.name], dot) for dot in dots if known.get(dot.name, 0) > 0]
        figure = against(points, (self.say(f"axis.{x}"), unit), self.words("scatter"), digits) if points else None
        said = self.say("missing", n=len(dots) - len(points)) if 0 < len(points) < len(dots) else self.say("frontier")
        note = self.note(said, [point.dot for point in points])
        return Card("scatter", figure, note, "" if points else self.say(f"none.{x}"), self.choices("x", AXES, x))


def tokens(entries: Sequence[RunEntry]) -> dict[str, float]:
    """Return how many tokens each model writes an answer, over all answers that were written here."""
    written: dict[str, tuple[int, int]] = {}
    for entry in entries:
        for report in entry.reports.values():
            if report.totals.completion_tokens:
                n, total = written.get(entry.run.model, (0, 0))
                written[entry.run.model] = (n + report.n, total + report.totals.completion_tokens)
    return {model: total / n for model, (n, total) in written.items() if n}


def prices(entries: Sequence[RunEntry]) -> dict[str, float]:
    """Return the price of a million completion tokens by model, in the currency that most prices are in."""
    known = {name: entry for name, entry in model_entries().items() if entry.price is not None}
    currencies = [entry.currency for entry in known.values()]
    usual = max(set(currencies), key=currencies.count, default="")
    found = {name: entry.price[1] for name, entry in known.items() if entry.price and entry.currency == usual}
    for entry in entries:
        if entry.run.model_spec in found:
            found[entry.run.model] = found[entry.run.model_spec]
    return found


def day(moment: float, span: float) -> str:
    """Return a moment's day, its time too where all moments lie within ``span`` seconds that are few days."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d" if span > 20 * 86400 else "%Y-%m-%d %H:%M")
