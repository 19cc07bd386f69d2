"""The charts of the benchmark board: scores, what models take, scores by benchmark and over time."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.arena_board_choice import Choice
from leaderboard.arenas import Facts, Source
from leaderboard.board import AVERAGE, Board, Row, make_board
from leaderboard.board_filters import NAMES
from leaderboard.board_words import Words, column_title, setting_words
from leaderboard.chart_cards import MOST, Card, Look, Shared, day
from leaderboard.chart_figures import Dot, intervals
from leaderboard.chart_series import Series, over_time, radar
from leaderboard.comparing import named


class BenchmarkCharts:
    def __init__(self, sources: list[Source], shared: Shared, of: str):
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
            Card(
                "scores",
                intervals(dots[:MOST], unit, self._shared.words("scores"), 1),
                self._shared.note(say("scores.note"), dots),
            ),
            self._shared.scatter(dots, sizes, unit, 1),
            self._radar(picked),
            self._history(key, picked),
        ]

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
        days = [day(moment, 0) for moment, _, _ in shown]
        series = [Series(name, [dot if model == name else None for _, model, dot in shown]) for name in picked]
        note = self._shared.note(say("runs.note"), [dot for _, _, dot in shown])
        return Card("runs", over_time(days, series, say("score"), self._shared.words("runs"), 1), note)


def _dot(name: str, row: Row, key: str) -> Dot | None:
    cell = row.cells.get(key)
    if key != AVERAGE and (cell is None or not cell.ranked):
        return None
    figure = row.figure(key)
    if figure is None:
        return None
    score, (low, high) = figure
    return Dot(name, 100 * score, 100 * low, 100 * high)
