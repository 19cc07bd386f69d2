"""Arenas that are played on under a policy of matchmaking, battle by battle or many at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from arena.matchmaking import Match, Matchmaker, Policy, Uniform, pairs
from arena.ratings.bradley_terry import Fit, fit
from arena.ratings.counts import LOSS, TIE, WIN, Floats, Ints, PairCounts
from tests.arena.ratings.arenas import decide, draw_strengths

Z = 1.959963984540054
POINTS = 400 / np.log(10)


class Played:
    """Models of known strength and the battles that they have played, as counts."""

    def __init__(self, strengths: Floats, rng: np.random.Generator, ties: float = 0.2):
        self.strengths, self.rng, self.ties = strengths, rng, ties
        self.first, self.second = pairs(len(strengths))
        self._cells = np.zeros((len(self.first), 3))
        self._place = np.zeros((len(strengths), len(strengths)), np.int64)
        self._place[self.first, self.second] = np.arange(len(self.first))

    def add(self, matches: list[Match]) -> None:
        """Play some matches."""
        low = np.array([min(match.first, match.second) for match in matches])
        high = np.array([max(match.first, match.second) for match in matches])
        self._record(self._place[low, high])

    def add_at(self, probabilities: Floats, battles: int) -> None:
        """Play battles whose pairs are drawn with these probabilities."""
        self._record(np.repeat(np.arange(len(self.first)), self.rng.multinomial(battles, probabilities)))

    def _record(self, place: Ints) -> None:
        gap = self.strengths[self.first[place]] - self.strengths[self.second[place]]
        np.add.at(self._cells, (place, decide(self.rng, gap, self.ties)), 1)

    @property
    def battles(self) -> int:
        return int(self._cells.sum())

    def of(self, model: int) -> int:
        """Return how many battles a model has played."""
        return int(self._cells[(self.first == model) | (self.second == model)].sum())

    def counts(self) -> PairCounts:
        met = self._cells.sum(axis=1) > 0
        wins, losses, ties = (self._cells[met, outcome] for outcome in (WIN, LOSS, TIE))
        return PairCounts(len(self.strengths), self.first[met], self.second[met], wins, losses, ties)

    def fit(self) -> Fit:
        """Return what ``llmuses rate`` makes of the battles."""
        return fit(self.counts())

    def copy(self, rng: np.random.Generator) -> Played:
        other = Played(self.strengths, rng, self.ties)
        other._cells = self._cells.copy()
        return other


class Goal(NamedTuple):
    """When to stop: a model's interval is narrow enough, or the top models are told apart."""

    newcomer: int | None = None
    top: int = 5

    def reached(self, played: Played) -> bool:
        try:
            strengths, covariance = played.fit()
        except (ValueError, np.linalg.LinAlgError):  # the newcomer has only won so far, or only lost
            return False
        if self.newcomer is not None:
            return bool(Z * np.sqrt(covariance[self.newcomer, self.newcomer]) * POINTS <= 20)
        order = np.argsort(-strengths)
        above = np.concatenate((order[: self.top - 1], np.full(len(order) - self.top, order[self.top - 1])))
        below = order[1:]
        own = np.diag(covariance)
        errors = np.sqrt(own[above] + own[below] - 2 * covariance[above, below])
        return bool((strengths[above] - strengths[below] > Z * errors).all())


def until(goal: Goal, played: Played, policy: Policy, step: int, most: int) -> int:
    """Return how many battles a policy plays until the goal is reached, looking every ``step`` of them; ``most`` for never."""
    start = played.battles
    maker = None if isinstance(policy, Uniform) else Matchmaker(policy, played.counts(), played.rng)
    alike = np.full(len(played.first), 1 / len(played.first))
    while played.battles - start < most:
        if maker is None:
            played.add_at(alike, step)
        else:
            for _ in range(max(1, step // 50)):
                played.add([maker.choose() for _ in range(min(50, step))])
                maker.learn(played.counts())
        if goal.reached(played):
            break
    return played.battles - start


def separable(rng: np.random.Generator, models: int, top: int = 5, gap: float = 15.0) -> Floats:
    """Return strengths with a standard deviation of 150 points in which each of the top models is at least ``gap`` points
    from the next: no policy tells equal models apart."""
    while True:
        strengths = draw_strengths(rng, models)
        best = np.sort(strengths)[::-1][: top + 1]
        if (-np.diff(best) * POINTS >= gap).all():
            return strengths
