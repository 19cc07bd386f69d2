"""An arena's figures as one visit gets them: what is ready soon, and word of what is not; nothing is computed by the page."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, TypeVar

from leaderboard.arena_board_ratings import PATIENCE, Answer, Desk
from leaderboard.arenas import Facts, Source
from leaderboard.battle_index import BattleShelf
from leaderboard.battles import Hall
from llmuses.errors import DataError

if TYPE_CHECKING:
    from arena.rate_tables import WinRates
    from arena.rating_records import Ratings, Rule

V = TypeVar("V")


class Busy(Exception):
    """Figures are being computed; the next visit may find them."""


class Ready:
    """The figures of battle files for one visit, which waits ``patience`` seconds for all that it asks for together.
    ``fresh`` shows battles whose pages are not public yet as well.

    Each method raises ``Busy`` for what is not ready by then, and DataError, with its sentence, where there is no such figure.
    """

    def __init__(self, desk: Desk, patience: float = PATIENCE, fresh: bool = False):
        self._fresh = fresh
        self.arenas = desk.arenas
        self._desk = desk
        self._until = time.monotonic() + patience

    def facts(self, source: Source) -> Facts:
        """Return what an arena's battles are of."""
        return _value(self._desk.facts(source, self._patience()))

    def languages(self, source: Source) -> list[str]:
        """Return the languages of an arena's battles, none while they are told apart."""
        return self._desk.languages(source)

    def ratings(self, source: Source, rule: Rule) -> Ratings:
        """Return the ratings under a rule."""
        return _value(self._desk.ratings(source, rule, self._patience()))

    def win_rates(self, source: Source, rule: Rule) -> WinRates:
        """Return who wins how often against whom, predicted and observed."""
        return self.made(source, ("rates", rule), lambda: self.arenas.win_rates(source, rule))

    def made(self, source: Source, what: Hashable, make: Callable[[], V]) -> V:
        """Return what ``make`` makes of an arena's battles."""
        return _value(self._desk.made(source, what, make, self._patience()))

    def hall(self, shelf: BattleShelf, source: Source) -> Hall:
        """Return an arena's battles to read, once they are indexed."""
        self.made(source, ("indexed", id(shelf)), lambda: len(shelf.battles(source.battles)))
        return Hall(shelf, source, fresh=self._fresh)

    def _patience(self) -> float:
        return max(0.0, self._until - time.monotonic())


def _value(answer: Answer[V]) -> V:
    if answer.problem:
        raise DataError(answer.problem)
    if answer.busy or answer.value is None:
        raise Busy
    return answer.value
