"""The charts of an arena: its ratings, who beats whom, what models take, ratings by category and over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from leaderboard import arena_board
from leaderboard.arena_board_choice import Choice, read_choice, rule_for
from leaderboard.arena_board_html import category_words
from leaderboard.arenas import Facts, Source, rule_of
from leaderboard.board_words import Words
from leaderboard.chart_cards import MOST, Card, Look, Shared, day
from leaderboard.chart_figures import Dot, Square, heat, intervals
from leaderboard.chart_series import Series, over_time, radar
from leaderboard.known_models import Models
from leaderboard.ready import Busy, Ready
from llmuses.errors import LlmusesError

if TYPE_CHECKING:
    from arena.rate_tables import WinRates
    from arena.rating_records import Ratings, Rule
    from arena.ratings.counts import PairCounts

RATES = ("predicted", "observed", "battles")
MOST_SQUARE = 15
FEW = 50
"""A pair that met less often shows no share."""


class ArenaCharts:
    """The charts of the arena that a query chooses, of what is ready of its figures."""

    def __init__(self, ready: Ready, sources: list[Source], shared: Shared):
        self._ready, self._sources, self._shared = ready, sources, shared
        wished = shared.query.get("arena")
        self._source = next((source for source in sources if source.name == wished), sources[0])
        self._busy = False
        try:
            self._facts = ready.facts(self._source)
        except Busy:
            self._busy, self._facts = True, Facts([], [], [])
        self._languages = ready.languages(self._source)
        self._choice = read_choice(shared.query, self._facts, self._languages)
        self._rule = rule_for(self._choice, self._facts)

    def look(self) -> Look:
        """Return what the page shows."""
        problem, cards, names = "", [], []
        try:
            rows, ratings = ([], None) if self._busy else self._rows()
            names = [row.model for row in rows]
            cards = self._cards(ratings, rows) if rows and ratings is not None else []
        except Busy:
            self._busy = True
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
            busy=self._busy,
        )

    def _rows(self) -> tuple[list[arena_board.Row], Ratings]:
        ratings = self._ready.ratings(self._source, self._rule)
        register = self._ready.arenas.register(self._source)
        board = arena_board.make_board(ratings, self._choice._replace(sort="rank"), Models(), register)
        return [row for row in board.rows if row.rating is not None], ratings

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
            self._soon("rates", lambda: self._square(ratings, [dot.name for dot in dots])),
            self._shared.scatter(dots, sizes, rating, 0),
            self._soon("radar", lambda: self._radar(picked)),
            self._soon("history", lambda: self._history(picked)),
        ]

    def _soon(self, name: str, make: Callable[[], Card]) -> Card:
        """Return a card, or one that says that it is on its way, or why there is none."""
        try:
            return make()
        except Busy:
            self._busy = True
            return Card(name, None, "", self._shared.say("busy"))
        except LlmusesError as trouble:
            return Card(name, None, "", str(trouble))

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
            return self._ready.win_rates(source, rule)
        what = ("met", rule.judge, rule.blind_only, chosen.category, chosen.language)
        found, counts = self._ready.made(source, what, lambda: _met(source, rule, chosen))
        group = chosen.category or chosen.language
        models = ratings.groups.get(group, []) if chosen.grouped and group else ratings.models
        shown = [line for line in models if line.model in set(names)]
        return win_rates_of(msgspec.structs.replace(ratings, models=shown), found, counts)

    def _radar(self, picked: Sequence[str]) -> Card:
        say, kinds = self._shared.say, [name for name, _ in self._facts.categories]
        if len(kinds) < 3:
            return Card("radar", None, "", say("none.radar"))
        rule = self._plain(by="category", language=self._choice.language or None)
        groups = self._ready.ratings(self._source, rule).groups
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
        board = Words(say.lang, "arena_board")
        named = [category_words(kind, board) for kind in axes]
        return Card("radar", radar(named, series, self._shared.words("radar")), say("radar.note"))

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
        moments = self._ready.made(source, ("history", rule), lambda: rating_history(source.battles, rule))
        if not moments:
            return Card("history", None, "", say("none.history"))
        days = [day(moment.tstamp, moments[-1].tstamp - moments[0].tstamp) for moment in moments]
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
        note = self._shared.note(say("history.note"), [dot for one in series for dot in one.dots if dot is not None])
        return Card("history", over_time(days, series, say("rating"), self._shared.words("history")), note)


def _met(source: Source, rule: Rule, choice: Choice) -> tuple[list[str], PairCounts]:
    from arena.battle_files import Selection, open_battles

    judge = None if rule.combine == "ppi" else rule.judge
    selection = Selection(judge, choice.category or None, choice.language or None, rule.blind_only)
    with open_battles([source.battles], selection) as table:
        return table.names, table.counts()
