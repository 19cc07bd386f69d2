"""How few votes would put another model first."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from arena.ratings.bradley_terry import chances, information, maximise, pinned
from arena.ratings.counts import Floats, Ints, PairCounts, met_matrix

_CLOSEST = 12
"""How many of the models after the first are looked at."""


class Flip(NamedTuple):
    """What would change the first place: without the ``removed`` votes that matter most, or with ``added`` votes more for
    another model against the first, the first is first no longer. ``without`` and ``by`` are who is then; ``removed`` and
    ``without`` are None where no votes that could be taken away would do it."""

    leader: int
    removed: int | None
    without: int | None
    added: int
    by: int


def flip(counts: PairCounts, strengths: Floats) -> Flip:
    """Return how few votes would flip the first place, from the counts and their strengths of highest likelihood, shape (K,).

    Votes are ranked by their first-order influence on the gap between the first and another; the numbers are verified by
    rating anew, and no larger than needed in that order. Source: Broderick, Giordano & Meager (2020), "An automatic
    finite-sample robustness metric", arXiv:2011.14999. Raises ValueError for fewer than two models.
    """
    if counts.models < 2:
        raise ValueError("there is no other model")
    leader = int(np.argmax(strengths))
    matrix = pinned(information(counts, chances(strengths, counts.first, counts.second)))
    inverse = np.asarray(np.linalg.inv(matrix), np.float64)
    others = [int(model) for model in np.argsort(-strengths) if model != leader][:_CLOSEST]
    board = _Board(strengths, inverse, leader)
    removed, without = _fewest_removed(counts, board, others)
    added, by = _fewest_added(counts, board, others)
    return Flip(leader, removed, without, added, by)


class _Board(NamedTuple):
    """The strengths as all votes have them, the inverse of their information, and who is first."""

    strengths: Floats
    inverse: Floats
    leader: int

    @property
    def ahead(self) -> float:
        """Return how far the first is ahead of all others."""
        return float(self.strengths[self.leader] - np.delete(self.strengths, self.leader).max())

    def changed(self, counts: PairCounts) -> _Lead:
        """Return the first place after other votes."""
        try:
            strengths = _rated_near(counts, self.strengths, self.inverse)
        except (ValueError, np.linalg.LinAlgError):
            return _Lead(None, math.nan)
        other = int(np.argmax(np.where(np.arange(len(strengths)) == self.leader, -np.inf, strengths)))
        ahead = float(strengths[self.leader] - strengths[other])
        return _Lead(self.leader if ahead >= -1e-9 else other, ahead)


class _Lead(NamedTuple):
    """Who is first, the leader where another one is level with it, and how far the leader is ahead of all others; None and
    NaN where nothing bounds a rating any more."""

    first: int | None
    ahead: float


def _rated_near(counts: PairCounts, strengths: Floats, inverse: Floats) -> Floats:
    """Return what ``maximise`` does for counts that hardly differ from those of ``strengths``, whose inverse information
    serves for all steps; where these do not shrink fast it is left to Newton's own."""
    won, met = counts.won(), met_matrix(counts)
    at, before = strengths, 4.0
    for _ in range(_CHORDS):
        p = 1 / (1 + np.exp(at[None, :] - at[:, None]))  # of all models: looking up those that met takes longer
        step = inverse @ (won - (met * p).sum(axis=1))
        at, size = at + step, float(np.abs(step).max())
        if size < 1e-10:
            return np.asarray(at - at.mean(), np.float64)
        if not size < before / 4:
            break
        before = size
    return maximise(counts, strengths)


_CHORDS = 20


def _fewest_removed(counts: PairCounts, board: _Board, others: list[int]) -> tuple[int | None, int | None]:
    p = chances(board.strengths, counts.first, counts.second)
    residual = np.stack((1 - p, -p, 0.5 - p))
    votes = np.stack((counts.wins, counts.losses, counts.ties))
    best: tuple[int, Ints] | None = None
    for other in others:
        along = board.inverse[board.leader] - board.inverse[other]
        influence = np.where(votes > 0, residual * (along[counts.first] - along[counts.second]), 0.0).ravel()
        gap = float(board.strengths[board.leader] - board.strengths[other])
        if best is not None and gap > best[0] * influence.max():
            continue  # even if each vote did as much as the one that does most
        helping = np.flatnonzero(influence > 0)
        order = helping[np.argsort(-influence[helping])]
        if not len(order):
            continue
        guess = _first_order(votes.ravel()[order], influence[order], gap)
        if best is None or guess < best[0]:
            best = guess, order
    if best is None:
        return None, None
    guess, order = best
    number = votes.ravel()[order]
    before = np.concatenate(([0.0], np.cumsum(number)))

    def without(taken: int) -> _Lead:
        left = votes.ravel().copy()
        left[order] -= np.clip(taken - before[:-1], 0, number)
        wins, losses, ties = left.reshape(votes.shape)
        return board.changed(counts._replace(wins=wins, losses=losses, ties=ties))

    return _fewest(without, board, guess, int(before[-1]))


def _first_order(number: Floats, influence: Floats, gap: float) -> int:
    """Return how many votes, so many of each influence and the most influential first, close a gap if each does as much as
    the first order says; all of them and in proportion more where they do not."""
    closed = influence * number
    at = int(np.searchsorted(np.cumsum(closed), gap))
    if at < len(number):
        return math.ceil(float(number[:at].sum() + (gap - closed[:at].sum()) / influence[at]))
    return math.ceil(float(number.sum() * gap / closed.sum()))


def _fewest_added(counts: PairCounts, board: _Board, others: list[int]) -> tuple[int, int]:
    leader, inverse = board.leader, board.inverse
    gap = board.strengths[leader] - board.strengths[others]
    spread = inverse[leader, leader] + inverse[others, others] - 2 * inverse[leader, others]
    guesses = gap / (spread / (1 + np.exp(-gap)))
    other, guess = others[int(np.argmin(guesses))], int(np.ceil(guesses.min()))

    def with_(more: int) -> _Lead:
        pair = (np.append(counts.first, other), np.append(counts.second, leader))
        won = (np.append(counts.wins, float(more)), np.append(counts.losses, 0.0), np.append(counts.ties, 0.0))
        return board.changed(PairCounts(counts.models, *pair, *won))

    added, by = _fewest(with_, board, guess, 1 << 40)
    if added is None or by is None:
        raise ValueError("no number of votes changes the first place")
    return added, by


def _fewest(after: Callable[[int], _Lead], board: _Board, guess: int, most: int) -> tuple[int | None, int | None]:
    """Return the smallest number, found from a guess, after which another model is first, and which; None for none.

    The lead falls nearly in proportion to the number, so that a line through two numbers tells where it ends. What is tried
    next lies beyond that end, by steps that double until it lies on the other side.
    """
    low, lead = 0, board.ahead
    high = min(max(1, guess), most)
    while (found := after(high)).first == board.leader:
        if high == most:
            return None, None
        slope = (lead - found.ahead) / (high - low)
        further = found.ahead / slope if slope > 0 else high
        low, lead, high = high, found.ahead, min(high + max(1, min(math.ceil(further), high)), most)
    fell_short, step = low > 0, 1
    while high - low > 1:
        end = low + (high - low) * lead / (lead - found.ahead) if lead > found.ahead else (low + high) / 2
        tried = max(math.ceil(end), low + step) if fell_short else min(math.ceil(end), high - step)
        tried = min(max(tried, low + 1), high - 1)
        here = after(tried)
        before = fell_short
        if fell_short := here.first == board.leader:
            low, lead = tried, here.ahead
        else:
            high, found = tried, here
        step = 2 * step if fell_short == before else 1
    return (None, None) if found.first is None else (high, found.first)
