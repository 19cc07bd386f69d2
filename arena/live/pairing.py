"""Who meets whom in a blind battle: the policy of ``arena.matchmaking`` over what was published, and the models' weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arena.live.playing import Player
from arena.matchmaking import Matchmaker, Policy
from arena.ratings.counts import PairCounts

_MOST = 16
"""So many different sets of players are kept; sets change when a model sits out."""


class Pairing:
    """Draws pairs among those who play now."""

    def __init__(self, policy: Policy, rng: np.random.Generator):
        self.policy = policy
        self._rng = rng
        self._makers: dict[tuple[tuple[str, float], ...], Matchmaker] = {}
        self._met: list[tuple[str, str, float, float, float]] = []

    def learn(self, names: Sequence[str], counts: PairCounts) -> None:
        """Take in the battles decided so far; ``names`` are the models that the counts speak of."""
        columns = (counts.first, counts.second, counts.wins, counts.losses, counts.ties)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        self._met = [(names[first], names[second], *numbers) for first, second, *numbers in rows]
        self._makers.clear()

    def draw(self, players: Sequence[Player]) -> tuple[str, str, float]:
        """Return the left model, the right one and the probability that this pair had, among two players or more."""
        chosen = tuple(sorted((player.name, player.weight) for player in players))
        if chosen not in self._makers:
            while len(self._makers) >= _MOST:
                del self._makers[next(iter(self._makers))]
            self._makers[chosen] = self._maker(chosen)
        match = self._makers[chosen].choose()
        return chosen[match.first][0], chosen[match.second][0], match.probability

    def _maker(self, chosen: Sequence[tuple[str, float]]) -> Matchmaker:
        place = {name: number for number, (name, _) in enumerate(chosen)}
        known = [(place[row[0]], place[row[1]], *row[2:]) for row in self._met if row[0] in place and row[1] in place]
        first, second, wins, losses, ties = np.array(known, np.float64).reshape(-1, 5).T
        counts = PairCounts(len(chosen), first.astype(np.int64), second.astype(np.int64), wins, losses, ties)
        return Matchmaker(self.policy, counts, self._rng, weights=np.array([weight for _, weight in chosen]))
