"""The charts of a view: which figures are drawn of an arena's ratings, and of the benchmark board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from leaderboard import arena_board
from leaderboard.arena_board_choice import Choice, read_choice, rule_for
from leaderboard.arenas import Arenas, Facts, Source, rule_of
from leaderboard.board import AVERAGE, Board, Row, make_board
from leaderboard.board_filters import NAMES
from leaderboard.board_words import Words, column_title, setting_words
from leaderboard.chart_figures import (
    Dot,
    Figure,
    Point,
    Series,
    Square,
    against,
    heat,
    intervals,
    over_time,
    radar,
)
from leaderboard.comparing import PLACES, named
from leaderboard.known_models import Models
from leaderboard.results import Results, RunEntry
from llmuses.errors import LlmusesError
from llmuses.settings import model_entries
from llmuses.visit import Visit

if TYPE_CHECKING:
    from arena.history import Moment
    from arena.rate_tables import WinRates
    from arena.rating_records import Ratings, Rule
    from arena.ratings.counts import PairCounts

AXES = ("size", "tokens", "price")
"""What scores are set against: billions of parameters, tokens an answer, money for a million tokens."""

RATES = ("predicted", "observed", "battles")
MOST = 60
"""So many models are drawn in one chart; its table has them too."""

MOST_SQUARE = 15
FEW = 50
"""A pair that met less often shows no share."""

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
    """What a visit sees: of what, the choices that filters write, and the charts."""

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


def look(results: Results, arenas: Arenas, visit: Visit) -> Look:
    """Return what the page shows for a visit."""
    query, say = visit.query, Words(visit.lang, "charts")
    entries = results.runs()
    sources = [s for s in arenas.sources() if not s.live or arenas.published(s) is not None]
    of = query.get("of", "")
    if of not in ("arena", "benchmarks"):
        of = "arena" if sources else "benchmarks"
    shared = _Shared(entries, query, say)
    if of == "arena" and sources:
        return _ArenaCharts(arenas, sources, shared).look()
    return _BenchmarkCharts(sources, shared, of).look()


class _Shared(NamedTuple):
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

    def scatter(self, dots: Sequence[Dot], sizes: Mapping[str, float], unit: str, digits: int) -> Card:
        """Return the chart of values against what the query chooses."""
        x = self.chosen("x", AXES)
        known = {"size": sizes, "tokens": tokens(self.entries), "price": prices(self.entries)}[x]
        points = [Point(known[dot.name], dot) for dot in dots if known.get(dot.name, 0) > 0]
        figure = against(points, (self.say(f"axis.{x}"), unit), self.words("scatter"), digits) if points else None
        note = (
            self.say("missing", n=len(dots) - len(points))
            if len(points) < len(dots) and points
            else self.say("frontier")
        )
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


# --- an arena ------------------------------------------------------------------------------------------------------


class _ArenaCharts:
    def __init__(self, arenas: Arenas, sources: list[Source], shared: _Shared):
        self._arenas, self._sources, self._shared = arenas, sources, shared
        wished = shared.query.get("arena")
        self._source = next((source for source in sources if source.name == wished), sources[0])
        self._facts = arenas.facts(self._source)
        self._languages = [name for name, _ in arenas.languages(self._source)]
        self._choice = read_choice(shared.query, self._facts, self._languages)
        self._rule = rule_for(self._choice, self._facts)

    def look(self) -> Look:
        """Return what the page shows."""
        problem, cards, names = "", [], []
        try:
            ratings = self._arenas.ratings(self._source, self._rule)
            register = self._arenas.register(self._source)
            board = arena_board.make_board(ratings, self._choice._replace(sort="rank"), Models(), register)
            rows = [row for row in board.rows if row.rating is not None]
            names = [row.model for row in rows]
            cards = self._cards(ratings, rows) if rows else []
        except LlmusesError as trouble:
            problem = str(trouble)
        return Look(
            of="arena",
            cards=cards,
            sources=self._sources,
            source=self._source,
            facts=self._facts,
            languages=self._languages,
            choice=self._choice,
            columns=[],
            column="",
            models=names,
            picked=self._shared.picked(names),
            problem=problem,
        )

    def _cards(self, ratings: Ratings, rows: Sequence[arena_board.Row]) -> list[Card]:
        say = self._shared.say
        dots = [
            Dot(row.model, row.rating, *row.ci95, first=row.rank is not None and row.rank[0] == 1)
            for row in rows
            if row.rating is not None and row.ci95 is not None
        ]
        first = sum(dot.first for dot in dots)
        sizes = {row.model: row.known.size for row in rows if row.known.size}
        rating = say("rating")
        picked = self._shared.picked([dot.name for dot in dots])
        return [
            Card("ratings", intervals(dots[:MOST], rating, self._shared.words("ratings")), say("shaded", n=first)),
            self._square(ratings, [dot.name for dot in dots]),
            self._shared.scatter(dots, sizes, rating, 0),
            self._radar(picked),
            self._history(picked),
        ]

    def _square(self, ratings: Ratings, names: Sequence[str]) -> Card:
        say = self._shared.say
        which = self._shared.chosen("rates", RATES)
        rates = self._rates(ratings, names)
        kept = rates.models[:MOST_SQUARE]
        values: list[list[float | None]]
        if which == "battles":
            values = [
                [None if i == j else float(n) for j, n in enumerate(row[: len(kept)])]
                for i, row in enumerate(rates.battles[: len(kept)])
            ]
            faint = [[False] * len(kept) for _ in kept]
        else:
            table = rates.predicted if which == "predicted" else rates.observed
            values = [
                [None if share is None else 100 * share for share in row[: len(kept)]] for row in table[: len(kept)]
            ]
            faint = [
                [which == "observed" and 0 < n < FEW for n in row[: len(kept)]] for row in rates.battles[: len(kept)]
            ]
        words = self._shared.words(f"rates.{which}") | {
            "hover": say(f"hover.{which}", y="%{y}", x="%{customdata}", z="%{text}")
        }
        figure = heat(Square(kept, values, faint, None if which == "battles" else 50.0), words)
        return Card("rates", figure, say(f"rates.note.{which}", n=FEW), "", self._shared.choices("rates", RATES, which))

    def _rates(self, ratings: Ratings, names: Sequence[str]) -> WinRates:
        """Return the win rates of the models shown: predicted by the ratings shown, observed in the battles of the choice."""
        from arena.rate_tables import win_rates_of

        chosen, source, rule = self._choice, self._source, self._rule
        if source.live:
            return self._arenas.win_rates(source, rule)
        found, counts = self._arenas.keep(
            "met",
            source,
            lambda: _met(source, rule, chosen),
            rule.judge,
            rule.blind_only,
            chosen.category,
            chosen.language,
        )
        group = chosen.category or chosen.language
        models = ratings.groups.get(group, []) if chosen.grouped and group else ratings.models
        shown = [line for line in models if line.model in set(names)]
        return win_rates_of(msgspec.structs.replace(ratings, models=shown), found, counts)

    def _radar(self, picked: Sequence[str]) -> Card:
        say, kinds = self._shared.say, [name for name, _ in self._facts.categories]
        if len(kinds) < 3:
            return Card("radar", None, "", say("none.radar"))
        rule = self._plain(by="category", language=self._choice.language or None)
        groups = self._arenas.ratings(self._source, rule).groups
        axes = [kind for kind in kinds[:10] if groups.get(kind)]
        by_kind = [{line.model: line for line in groups[kind]} for kind in axes]
        series = []
        for model in picked:
            lines = [lines.get(model) for lines in by_kind]
            dots = [
                Dot(model, line.rating, *line.ci95) if line and line.rating is not None and line.ci95 else None
                for line in lines
            ]
            if any(dots):
                series.append(Series(model, dots))
        if not series or len(axes) < 3:
            return Card("radar", None, "", say("none.radar"))
        return Card("radar", radar(axes, series, self._shared.words("radar")), say("radar.note"))

    def _plain(self, **more: object) -> Rule:
        votes = "people" if self._choice.votes == "both" else self._choice.votes
        chosen = self._facts
        if self._choice.judge:
            chosen = chosen._replace(judges=sorted(chosen.judges, key=lambda pair: pair[0] != self._choice.judge))
        return rule_of(chosen, votes, **more)

    def _history(self, picked: Sequence[str]) -> Card:
        from arena.history import rating_history

        say, source = self._shared.say, self._source
        if source.live:
            return Card("history", None, "", say("none.history_live"))
        rule = self._plain(category=self._choice.category or None, language=self._choice.language or None)
        moments: list[Moment] = self._arenas.keep("history", source, lambda: rating_history(source.battles, rule), rule)
        if not moments:
            return Card("history", None, "", say("none.history"))
        days = [_day(moment.tstamp, moments[-1].tstamp - moments[0].tstamp) for moment in moments]
        series = []
        for model in picked:
            lines = [next((line for line in moment.models if line.model == model), None) for moment in moments]
            dots = [
                Dot(model, line.rating, *line.ci95)
                if line and line.rating is not None and line.ci95 and line.battles >= arena_board.FEW
                else None
                for line in lines
            ]
            if any(dots):
                series.append(Series(model, dots))
        if not series:
            return Card("history", None, "", say("none.history"))
        return Card(
            "history", over_time(days, series, say("rating"), self._shared.words("history")), say("history.note")
        )


def _met(source: Source, rule: Rule, choice: Choice) -> tuple[list[str], PairCounts]:
    from arena.battle_files import Selection, open_battles

    judge = None if rule.combine == "ppi" else rule.judge
    selection = Selection(judge, choice.category or None, choice.language or None, rule.blind_only)
    with open_battles([source.battles], selection) as table:
        return table.names, table.counts()


def _day(moment: float, span: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d" if span > 20 * 86400 else "%Y-%m-%d %H:%M")


# --- benchmarks ------------------------------------------------------------------------------------------------------


class _BenchmarkCharts:
    def __init__(self, sources: list[Source], shared: _Shared, of: str):
        self._sources, self._shared, self._of = sources, shared, of
        self._board: Board = make_board(
            shared.entries, {name: shared.query[name] for name in NAMES if name in shared.query}
        )
        self._rows = named(self._board)
        averaged = [AVERAGE] if self._board.averaged else []
        self._keys = [*averaged, *(column.key for column in self._board.all_columns)]

    def look(self) -> Look:
        """Return what the page shows."""
        say = self._shared.say
        key = self._shared.chosen("y", self._keys) if self._keys else ""
        titles = {
            column.key: f"{column_title(column, Words(say.lang, 'board'))} {setting_words(column, Words(say.lang, 'board'))}"
            for column in self._board.all_columns
        }
        titles[AVERAGE] = say("average", n=len(self._board.basis))
        dots = sorted(self._dots(key), key=lambda dot: -dot.value)
        names = [dot.name for dot in dots]
        picked = self._shared.picked(names)
        return Look(
            of="benchmarks",
            cards=self._cards(key, dots, picked) if dots else [],
            sources=self._sources,
            source=None,
            facts=Facts([], [], []),
            languages=[],
            choice=Choice(),
            columns=[(each, titles[each]) for each in self._keys],
            column=key,
            models=names,
            picked=picked,
        )

    def _dots(self, key: str) -> list[Dot]:
        return [dot for name, row in self._rows.items() if (dot := _dot(name, row, key)) is not None]

    def _cards(self, key: str, dots: Sequence[Dot], picked: Sequence[str]) -> list[Card]:
        say = self._shared.say
        sizes = {name: row.size for name, row in self._rows.items() if row.size}
        unit = say("score")
        return [
            Card("scores", intervals(dots[:MOST], unit, self._shared.words("scores"), 1), self._note(dots)),
            self._shared.scatter(dots, sizes, unit, 1),
            self._radar(picked),
            self._history(key, picked),
        ]

    def _note(self, dots: Sequence[Dot]) -> str:
        """Return what the scores are in, and that their axis does not begin at zero where it does not."""
        low, high = min(dot.low for dot in dots), max(dot.high for dot in dots)
        above = low > 0.1 * (high - low)  # the drawing leaves room of a tenth at most
        return self._shared.say("scores.note.above" if above else "scores.note")

    def _radar(self, picked: Sequence[str]) -> Card:
        columns = self._board.basis
        if len(columns) < 3:
            return Card("radar_benchmarks", None, "", self._shared.say("none.radar_benchmarks"))
        series = [Series(name, [_dot(name, self._rows[name], column.key) for column in columns]) for name in picked]
        figure = radar(
            [column_title(column, self._shared.say) for column in columns], series, self._shared.words("radar"), 1
        )
        return Card("radar_benchmarks", figure, self._shared.say("radar.note"))

    def _history(self, key: str, picked: Sequence[str]) -> Card:
        from leaderboard.figures import all_columns, cells

        say = self._shared.say
        columns = all_columns(self._shared.entries)
        runs: list[tuple[float, str, Dot]] = []
        for entry in self._shared.entries:
            for column, cell in cells(entry):
                if columns[column.place].key == key and cell.ranked and cell.score is not None and cell.ci95:
                    low, high = cell.ci95
                    dot = Dot(entry.run.model, 100 * cell.score, 100 * low, 100 * high)
                    runs.append((entry.run.started, entry.run.model, dot))
        runs.sort(key=lambda run: run[0])
        shown = [run for run in runs if run[1] in picked]
        if len({run[1] for run in shown}) == len(shown):
            return Card("runs", None, "", say("none.runs"))
        days = [_day(moment, 0) for moment, _, _ in shown]
        series = [Series(name, [dot if model == name else None for _, model, dot in shown]) for name in picked]
        return Card("runs", over_time(days, series, say("score"), self._shared.words("runs"), 1), say("runs.note"))


def _dot(name: str, row: Row, key: str) -> Dot | None:
    cell = row.cells.get(key)
    if key != AVERAGE and (cell is None or not cell.ranked):
        return None
    figure = row.figure(key)
    if figure is None:
        return None
    score, (low, high) = figure
    return Dot(name, 100 * score, 100 * low, 100 * high)
