"""Which pair of models plays next, and with what chance: one small interface for a pipeline and for the live arena.

A policy gives every pair a probability from what was played so far. The probability of the pair that was drawn is written
into its battle (``pair_probability``): without it votes gathered under different policies cannot be put together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar, NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from arena.ratings.counts import Floats, Ints, PairCounts, met_matrix
from arena.ratings.prior import fit_with_prior
from llmuses.errors import UnknownNameError, UsageError, in_words
from llmuses.statistics.intervals import Z95

_SPREAD = 3.0
"""The prior's variance of strengths, in squared natural logarithms of odds: a standard deviation of 300 points."""

_POINT = math.log(10) / 400
"""One point of a scale of 400, as a natural logarithm of odds."""


class State(NamedTuple):
    """What a policy knows: how often each two models met, shape (K, K), their strengths, shape (K,), the covariance of these,
    shape (K, K), which models may play, shape (K,), and which pairs, shape (K (K − 1) / 2,), in the order of ``pairs``."""

    met: Floats
    strengths: Floats
    covariance: Floats
    playing: NDArray[np.bool_]
    allowed: NDArray[np.bool_]

    def after(self, first: int, second: int) -> State:
        """Return the state with one battle more whose result is not known yet: its information is, whoever wins."""
        met = self.met.copy()
        met[first, second] += 1
        met[second, first] += 1
        p = 1 / (1 + math.exp(self.strengths[second] - self.strengths[first]))
        along = self.covariance[first] - self.covariance[second]
        weight = p * (1 - p) / (1 + p * (1 - p) * float(along[first] - along[second]))
        return self._replace(met=met, covariance=self.covariance - weight * np.outer(along, along))


def state_of(counts: PairCounts, playing: NDArray[np.bool_] | None = None) -> State:
    """Return the state after some battles, which may be none and need not link all models.

    ``playing`` of shape (K,) is False for models that are paused or retired. Raises UsageError where fewer than two play.
    """
    playing = np.ones(counts.models, dtype=bool) if playing is None else playing
    if playing.sum() < 2:
        raise UsageError("matchmaking needs two models that may play.")
    found = fit_with_prior(counts, _SPREAD)
    first, second = pairs(counts.models)
    return State(met_matrix(counts), found.strengths, found.covariance, playing, playing[first] & playing[second])


class Policy(Protocol):
    """How pairs are chosen. ``name`` goes into the battles; ``learns`` says whether their results change what is chosen."""

    name: ClassVar[str]
    learns: ClassVar[bool]

    def probabilities(self, state: State) -> Floats:
        """Return the probability of each pair, shape (K (K − 1) / 2,), in the order of ``pairs``."""
        ...


def pairs(models: int) -> tuple[Ints, Ints]:
    """Return the first and the second model of each pair, the lower index first."""
    first, second = np.triu_indices(models, 1)
    return first.astype(np.int64), second.astype(np.int64)


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a config may say of a policy. ``floor`` is the share of battles that is dealt to all pairs alike, so that no
    battle is ever more than 1/floor times as rare as under uniform play: weights by probabilities stay bounded."""

    floor: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.floor <= 1:
            raise ValueError("floor is above 0 and at most 1")


class Uniform(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All pairs alike."""

    name: ClassVar[str] = "uniform"
    learns: ClassVar[bool] = False

    def probabilities(self, state: State) -> Floats:
        """Return the same probability for each pair that may play."""
        return np.asarray(state.allowed / state.allowed.sum(), np.float64)


class Fewest(_Options, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The pairs that met least often, all of them alike, and now and then any other."""

    name: ClassVar[str] = "fewest"
    learns: ClassVar[bool] = False

    def probabilities(self, state: State) -> Floats:
        """Return probabilities that are highest where two models met least often."""
        met = np.where(state.allowed, state.met[pairs(len(state.strengths))], np.inf)
        return _with_floor((met == met.min()).astype(np.float64), state, self.floor)


class Active(_Options, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The pairs whose battle says most about what is still open: where a newly added model stands, and which are the best.

    A model is new while the half width of its 95% interval is above ``precision`` points and above 1¼ times the median
    one. The ``top`` models are to be told from their neighbours, the last of them from all that come after. What a battle
    takes from the variance of these quantities is its gain; the probability of a pair goes with the gain's power
    ``sharpness``. Where nothing is open all pairs are alike. Source: Chernoff (1953), "Locally optimal designs for
    estimating parameters", Annals of Mathematical Statistics 24(4): the criterion, taken one battle at a time.
    """

    name: ClassVar[str] = "active"
    learns: ClassVar[bool] = True

    top: int = 5
    precision: float = 20.0
    sharpness: float = 4.0

    def probabilities(self, state: State) -> Floats:
        """Return probabilities that are highest where a battle says most about what is open."""
        asked = self.open_questions(state)
        if not len(asked):
            return Uniform().probabilities(state)
        gains = _gains(state, asked)
        gain = np.where(state.allowed, gains[pairs(len(state.strengths))], 0.0)
        if gain.max() <= 0:  # no pair that may play says anything of what is open
            return Uniform().probabilities(state)
        return _with_floor((gain / gain.max()) ** self.sharpness, state, self.floor)

    def open_questions(self, state: State) -> Floats:
        """Return what is open as linear combinations of strengths, shape (Q, K)."""
        return np.concatenate((self._newcomers(state), self._neighbours(state)))

    def _newcomers(self, state: State) -> Floats:
        centre = np.eye(len(state.playing)) - state.playing / state.playing.sum()
        centred = centre @ state.covariance @ centre.T
        half = Z95 * np.sqrt(np.maximum(np.diag(centred), 0))
        limit = max(self.precision * _POINT, 1.25 * float(np.median(half[state.playing])))
        return np.asarray(centre[state.playing & (half > limit)], np.float64)

    def _neighbours(self, state: State) -> Floats:
        order = np.flatnonzero(state.playing)
        order = order[np.argsort(-state.strengths[order], kind="stable")]
        top = min(self.top, len(order) - 1)
        above = np.concatenate((order[: top - 1], np.full(len(order) - top, order[top - 1])))
        below = order[1:]
        identity = np.eye(len(state.playing))
        differences = identity[above] - identity[below]
        errors = np.sqrt(np.maximum(np.einsum("qi,ij,qj->q", differences, state.covariance, differences), 0))
        return np.asarray(differences[differences @ state.strengths < Z95 * errors], np.float64)


def _gains(state: State, asked: Floats) -> Floats:
    """Return by how much a battle of each two models lowers the summed variance of what is asked, shape (K, K)."""
    p = 1 / (1 + np.exp(state.strengths[None, :] - state.strengths[:, None]))
    along = asked @ state.covariance
    squares, own = along.T @ along, state.covariance
    lowered = np.diag(squares)[:, None] + np.diag(squares)[None, :] - 2 * squares
    variance = np.diag(own)[:, None] + np.diag(own)[None, :] - 2 * own
    return np.asarray(p * (1 - p) * np.maximum(lowered, 0) / (1 + p * (1 - p) * variance), np.float64)


def _with_floor(weight: Floats, state: State, floor: float) -> Floats:
    alike = Uniform().probabilities(state)
    return np.asarray((1 - floor) * weight / weight.sum() + floor * alike, np.float64)


_POLICIES: dict[str, type[Uniform | Fewest | Active]] = {own.name: own for own in (Uniform, Fewest, Active)}


def policy_named(name: str, **options: object) -> Policy:
    """Return a policy by its name in a config: ``uniform``, ``fewest`` or ``active``, with its options.

    Raises UnknownNameError for another name, UsageError for an option that it does not have.
    """
    if name not in _POLICIES:
        raise UnknownNameError("policy of matchmaking", name, _POLICIES)
    try:
        return msgspec.convert(options, _POLICIES[name])
    except msgspec.ValidationError as problem:
        raise UsageError(f"policy {name}: {in_words(problem)}") from problem


class Match(NamedTuple):
    """Two models' indices, the left one first, and the probability that this pair had."""

    first: int
    second: int
    probability: float


class Matchmaker:
    """Chooses one match after another. Not to be shared between threads without a lock."""

    def __init__(
        self,
        policy: Policy,
        counts: PairCounts,
        rng: np.random.Generator,
        playing: NDArray[np.bool_] | None = None,
        weights: Floats | None = None,
    ):
        """``weights``, shape (K,), multiply the probability of each pair by those of its two models."""
        self.policy = policy
        self._rng = rng
        self._pairs = pairs(counts.models)
        self._state = state_of(counts, playing)
        self._weights = weights

    def choose(self, allowed: NDArray[np.bool_] | None = None) -> Match:
        """Return the next match, and take it for played: many may be chosen before the first is decided.

        ``allowed`` says which pairs may be chosen at all, shape (K (K − 1) / 2,), in the order of ``pairs``.
        """
        state = self._state if allowed is None else self._state._replace(allowed=self._state.allowed & allowed)
        probabilities = self.policy.probabilities(state)
        if self._weights is not None:
            weighed = probabilities * self._weights[self._pairs[0]] * self._weights[self._pairs[1]]
            probabilities = weighed / weighed.sum()
        drawn = np.searchsorted(np.cumsum(probabilities), self._rng.random() * probabilities.sum(), side="right")
        place = min(int(drawn), int(np.flatnonzero(probabilities)[-1]))
        one, two = int(self._pairs[0][place]), int(self._pairs[1][place])
        self._state = self._state.after(one, two)
        first, second = (one, two) if self._rng.random() < 0.5 else (two, one)
        return Match(first, second, float(probabilities[place]))

    def learn(
        self, counts: PairCounts, playing: NDArray[np.bool_] | None = None, waiting: Iterable[Match] = ()
    ) -> None:
        """Take in all battles decided so far; ``waiting`` are matches that were chosen and are not decided yet.

        The arena may have grown: indices are those of the counts.
        """
        self._pairs = pairs(counts.models)
        self._state = state_of(counts, playing)
        for match in waiting:
            self._state = self._state.after(match.first, match.second)
