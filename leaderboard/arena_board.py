"""The arena board as plain data: which models, their ratings and ranks, why some have none, in which order. No HTML here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from leaderboard.arena_board_choice import Choice
from leaderboard.known_models import Known, Models
from llmuses.records import RegisterEvent, RegisterLine

if TYPE_CHECKING:
    from arena.rating_records import ModelRating, Ratings

FEW = 50
"""A model with fewer votes gets no rating here: its interval would promise more than so few can keep."""


class Row(NamedTuple):
    """One model. ``rating``, ``ci95`` and ``rank`` are ``None`` where ``why`` says why: ``few`` votes, ``only_won``,
    ``only_lost`` or ``apart``. ``state`` is ``paused`` or ``retired``."""

    model: str
    rating: float | None
    ci95: tuple[float, float] | None
    rank: tuple[int, int] | None
    votes: int
    won: float
    why: str
    known: Known
    state: str
    borrowed: float | None = None

    @property
    def margin(self) -> float | None:
        """Return half the interval's width in points."""
        return None if self.ci95 is None else (self.ci95[1] - self.ci95[0]) / 2


class Axis(NamedTuple):
    """The axis that all intervals share: from ``low`` to ``high`` points, with a line at each multiple of ``step``."""

    low: float
    high: float
    step: float

    def place(self, value: float) -> float:
        """Return where a rating lies, as a fraction of the axis."""
        return (value - self.low) / (self.high - self.low)

    @property
    def steps(self) -> float:
        """Return how many steps the axis is long."""
        return (self.high - self.low) / self.step

    @property
    def ticks(self) -> list[float]:
        """Return the ratings that are written at the axis: every second line, none where its ends would cut the words."""
        first = math.ceil(self.low / self.step - 1e-9)
        lines = [
            n * self.step for n in range(first, math.floor(self.high / self.step + 1e-9) + 1) if (n - first) % 2 == 1
        ]
        return [line for line in lines if 0.03 < self.place(line) < 0.97]


class Board(NamedTuple):
    """The board as chosen: the rows in their order, of ``models`` in all, over ``votes`` votes; ``rated`` of the models have
    a rating, and ``why`` counts the reasons of the others."""

    rows: list[Row]
    everyone: list[Row]
    votes: int
    axis: Axis | None
    choice: Choice
    spread: float | None = None

    @property
    def why(self) -> dict[str, list[str]]:
        """Return the models without a rating, by reason."""
        found: dict[str, list[str]] = {}
        for row in self.everyone:
            if row.why:
                found.setdefault(row.why, []).append(row.model)
        return found


def make_board(ratings: Ratings, choice: Choice, models: Models, register: Iterable[RegisterLine] = ()) -> Board:
    """Return the board over some ratings as it was chosen."""
    lines = _lines(ratings, choice)
    specs, states = _registered(register)
    everyone = [
        _row(line, models.known(line.model, specs.get(line.model, "")), states.get(line.model, "")) for line in lines
    ]
    shown = [row for row in everyone if _wanted(row, choice)]
    drawn = [row for row in everyone if row.ci95 is not None]
    votes = sum(line.battles for line in lines) // 2
    return Board(order(shown, choice), everyone, votes, axis_over(drawn), choice, ratings.spread)


def _lines(ratings: Ratings, choice: Choice) -> Sequence[ModelRating]:
    if not choice.grouped:
        return ratings.models
    chosen = choice.category or choice.language
    return ratings.groups.get(chosen, []) if chosen else ratings.models


def _row(line: ModelRating, known: Known, state: str) -> Row:
    why = "" if line.place.value == "rated" else line.place.value
    if not why and line.battles < FEW:
        why = "few"
    rated = not why
    return Row(
        line.model,
        line.rating if rated else None,
        line.ci95 if rated else None,
        line.rank if rated else None,
        line.battles,
        line.won,
        why,
        known,
        state,
        line.borrowed,
    )


_STATES = {RegisterEvent.PAUSED: "paused", RegisterEvent.RETIRED: "retired"}


def _registered(register: Iterable[RegisterLine]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the SPEC of each model of a register, and what became of those that do not play now."""
    specs: dict[str, str] = {}
    states: dict[str, str] = {}
    for line in register:
        if line.model_spec:
            specs[line.model] = line.model_spec
        states[line.model] = _STATES.get(line.event, "")
    return specs, states


def _wanted(row: Row, choice: Choice) -> bool:
    text = " ".join(filter(None, [row.model, row.known.organisation])).lower()
    return choice.narrow.keeps(row.known) and all(word in text for word in choice.words.lower().split())


def order(rows: Iterable[Row], choice: Choice) -> list[Row]:
    """Return rows in the chosen order; what has no value to sort by comes last."""
    key, descending = choice.sorted_by
    strongest = sorted(rows, key=lambda row: (row.rating is None, -(row.rating or 0.0), row.model.lower()))
    if key == "rank":
        rated = [row for row in strongest if row.rating is not None]
        rest = strongest[len(rated) :]
        return (rated[::-1] if descending else rated) + rest

    def value(row: Row) -> float | str | None:
        return {
            "name": row.model.lower(),
            "rating": row.rating,
            "votes": row.votes,
            "org": row.known.organisation and row.known.organisation.lower(),
            "licence": row.known.licence and row.known.licence.lower(),
        }[key]

    there = [row for row in strongest if value(row) is not None]
    there.sort(key=lambda row: value(row), reverse=descending)  # type: ignore[arg-type, return-value]  # one kind a key
    return there + [row for row in strongest if value(row) is None]


def axis_over(rows: Sequence[Row]) -> Axis | None:
    """Return an axis of round numbers that holds every interval, ``None`` where there is none to hold."""
    bounds = [bound for row in rows if row.ci95 for bound in row.ci95]
    if not bounds:
        return None
    low, high = min(bounds), max(bounds)
    span = max(high - low, 1.0)
    step = next(s for s in _steps() if span / s <= 10)
    low, high = low - span / 50, high + span / 50
    return Axis(math.floor(low / step) * step, math.ceil(high / step) * step, step)


def _steps() -> Iterable[float]:
    scale = 0.1
    while True:
        yield from (scale, 2 * scale, 5 * scale)
        scale *= 10
