"""Voters who judge one model unlike everybody else: a likelihood-ratio test of each voter and model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.ratings.bradley_terry import chances
from arena.ratings.counts import Floats, Ints

_REACH = 8.0
"""The largest tilt that is tried, in natural logarithms of odds: beyond it every vote is for the model."""


class Votes(NamedTuple):
    """Votes as arrays of shape (N,): two models' indices, WIN, LOSS or TIE as the first one sees it, who voted (from 0) and which
    prompt it was (from 0)."""

    models: int
    first: Ints
    second: Ints
    outcome: Ints
    voter: Ints
    prompt: Ints

    @property
    def points(self) -> Floats:
        """Return what the first model won, 1, 0 or ½, shape (N,)."""
        return np.asarray(np.array([1.0, 0.0, 0.5])[self.outcome], np.float64)


class Tilts(NamedTuple):
    """Each voter with each model that they saw, all of shape (T,): how far the voter's votes tilt towards the model, in
    natural logarithms of odds, against what the crowd's strengths foretell, and the p-value of there being no tilt."""

    voter: Ints
    model: Ints
    votes: Ints
    tilt: Floats
    p_value: Floats


def tilts(votes: Votes, strengths: Floats) -> Tilts:
    """Return the test of each voter and model.

    The log-likelihood ratio x of one tilt against none exceeds a value by chance at most 2 exp(−x) of the time, however
    few the votes. Source: Chernoff (1952), "A measure of asymptotic efficiency for tests of a hypothesis based on the sum
    of observations", Annals of Mathematical Statistics 23(4), on both sides. Ties as half-wins make it smaller still.
    """
    p = chances(strengths, votes.first, votes.second)
    model = np.concatenate((votes.first, votes.second))
    won = np.concatenate((votes.points, 1 - votes.points))
    logit = np.log(np.concatenate((p, 1 - p))) - np.log(np.concatenate((1 - p, p)))
    cell = np.concatenate((votes.voter, votes.voter)) * votes.models + model
    cells, group, number = np.unique(cell, return_inverse=True, return_counts=True)
    tilt = _best_tilt(group, len(cells), won, logit)
    gained = np.bincount(group, _log_chance(won, logit + tilt[group]) - _log_chance(won, logit), len(cells))
    return Tilts(
        cells // votes.models, cells % votes.models, number, tilt, np.minimum(1.0, 2 * np.exp(-np.maximum(gained, 0)))
    )


def _best_tilt(group: Ints, groups: int, won: Floats, logit: Floats) -> Floats:
    """Return the likeliest tilt of each group, by halving: the likelihood is concave in it."""
    low, high = np.full(groups, -_REACH), np.full(groups, _REACH)
    total = np.bincount(group, won, groups)
    for _ in range(24):
        middle = (low + high) / 2
        expected = np.bincount(group, 1 / (1 + np.exp(-(logit + middle[group]))), groups)
        up = total > expected
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    return np.asarray((low + high) / 2, np.float64)


def _log_chance(won: Floats, logit: Floats) -> Floats:
    return np.asarray(-won * np.logaddexp(0, -logit) - (1 - won) * np.logaddexp(0, logit), np.float64)


def partial(found: Tilts, voters: int, level: float = 0.01) -> NDArray[np.bool_]:
    """Return which voters are certainly not like the crowd about some model, shape (T,): entries of that voter and model.

    A voter's smallest p-value times the models they were tested on, then over voters. Source: Holm (1979), "A simple
    sequentially rejective multiple test procedure", Scandinavian J. of Statistics 6(2). The chance that any honest voter
    is among them is at most ``level``.
    """
    tested = np.bincount(found.voter, minlength=voters)
    own = np.minimum(1.0, found.p_value * tested[found.voter])
    least = np.ones(voters)
    np.minimum.at(least, found.voter, own)
    order = np.argsort(least, kind="stable")
    passed = least[order] <= level / (voters - np.arange(voters))
    rejected = int(np.argmin(passed)) if not passed.all() else voters
    limit = level / max(1, voters - rejected)
    caught = np.zeros(voters, dtype=bool)
    caught[order[:rejected]] = True
    return np.asarray(caught[found.voter] & (own <= limit), np.bool_)
