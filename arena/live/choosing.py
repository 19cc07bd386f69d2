"""Who plays in a new battle: drawn where names are hidden, named by the visitor otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arena.live.battles import Contest
from arena.live.pairing import Pairing
from arena.live.playing import Player, Players
from arena.live.published import Publisher
from arena.live.refusal import Refusal
from arena.live.rules import Rules
from arena.live.wire import Mode
from arena.matchmaking import policy_named

VISION = "vision"
"""The tag of models that read images."""


class Choosing:
    """Makes contests; what it knows of earlier battles is what was published."""

    def __init__(self, rules: Rules, players: Players, publisher: Publisher, rng: np.random.Generator):
        """Raises UsageError for a policy or an option of it that does not exist."""
        self._players = players
        self._publisher = publisher
        self._pairing = Pairing(policy_named(rules.policy, **rules.policy_options), rng)
        self._learned: float | None = None

    def contest(self, mode: Mode, models: Sequence[str], image: bool) -> Contest:
        """Return who plays. Raises Refusal: ``no_models`` where too few can, ``model`` for a choice that cannot be."""
        playing = {player.name: player for player in self._players.playing()}
        if mode is Mode.BATTLE:
            if models:
                raise Refusal("malformed")
            return self._drawn([player for player in playing.values() if player.weight > 0 and _can(player, image)])
        wanted = 2 if mode is Mode.SIDE else 1
        if len(models) != wanted or len(set(models)) != wanted or not playing.keys() >= set(models):
            raise Refusal("model")
        if not all(_can(playing[name], image) for name in models):
            raise Refusal("no_vision")
        return Contest(dict(zip(("a", "b"), models, strict=False)))

    def _drawn(self, players: Sequence[Player]) -> Contest:
        if len(players) < 2:
            raise Refusal("no_models", retry_after=5 if self._players.waits_for else None)
        latest = self._publisher.latest()
        if latest is not None and latest.tstamp != self._learned:
            self._pairing.learn(*latest.counts())
            self._learned = latest.tstamp
        left, right, probability = self._pairing.draw(players)
        return Contest({"a": left, "b": right}, probability, self._pairing.policy.name)

    def check_vision(self, contest: Contest) -> None:
        """Raise Refusal ``no_vision`` where a model of a battle reads no images."""
        found = [self._players.known(name) for name in contest.names.values()]
        if not all(player is not None and _can(player, True) for player in found):
            raise Refusal("no_vision")


def _can(player: Player, image: bool) -> bool:
    return not image or VISION in player.tags
