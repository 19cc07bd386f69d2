"""Voters who act as one: many accounts with few votes each, all for a model or all against its rivals.

No single one of them says enough to be caught, together they do. Voters are taken for a mixture of three kinds: those who
see what matchmaking shows and vote as the strengths foretell; those who see some few models unusually often yet vote alike;
and those who see them unusually often and vote one way. How many there are of each is estimated by maximum likelihood, and
a voter's weight is the chance of not being of the third kind: what honest voters would have cast of such votes still counts.
Source: Efron (2010), Large-Scale Inference, chapter 5 (local false discovery rates); the fit is the EM algorithm of
Dempster, Laird & Rubin (1977), J. Royal Statistical Society B 39(1).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from arena.ratings.bradley_terry import chances
from arena.ratings.counts import TIE, WIN, Floats, Ints
from arena.ratings.loyalty import Votes

_STRAY = 0.05
"""The share of a loyal voter's votes that are like anybody's."""
_MARKS = 8
"""The most models that one crowd can be for or against."""
_FAINT = 0.04
"""A mark with less than this share of a crowd's votes is no aim of it."""
_WORTH_A_LOOK = 3.0
"""The log-likelihood that single aims have to gain together."""


class Crowd(NamedTuple):
    """Voters who act as one: their ``aims`` are models with +1 (for it) or −1 (against it), ``voters`` how many they are
    about, ``gain`` the log-likelihood that assuming them gains."""

    aims: tuple[tuple[int, int], ...]
    voters: float
    gain: float


class _Evidence(NamedTuple):
    """What each vote says of its voter, all of shape (N,): who won and lost, and how much likelier the vote is of somebody
    loyal to the winner (``up``) or set against the loser (``down``) than of anybody, 0 for ties, whose models stand there
    all the same. ``shown_first`` and ``shown_second`` say how much likelier it is of somebody who always sees that model. ``weight`` is how much a vote counts, and so says."""

    winner: Ints
    loser: Ints
    up: Floats
    down: Floats
    shown_first: Floats
    shown_second: Floats
    weight: Floats


def crowds(
    votes: Votes, strengths: Floats, weight: Floats, alone: Floats, voters: int, most: int = 4
) -> tuple[Floats, list[Crowd]]:
    """Return each voter's chance of acting for himself, shape (V,), and the crowds that were found.

    ``weight`` is what each vote counts for other reasons, so that nothing is taken off twice, and ``alone`` its voter's
    chance of acting for himself as far as it is known, both of shape (N,). A crowd has to gain more likelihood than the
    choice among all possible ones would by chance.
    """
    evidence = _evidence(votes, strengths, weight, weight * alone)
    honest = np.ones(voters)
    found: list[Crowd] = []
    for _ in range(most):
        crowd, chance = _best_crowd(votes, evidence, honest)
        if crowd is None:
            break
        found.append(crowd)
        honest = honest * (1 - chance)
    return honest, found


def _evidence(votes: Votes, strengths: Floats, weight: Floats, trusted: Floats) -> _Evidence:
    share = _shown(votes, trusted)
    shown = share[votes.first], share[votes.second]
    p = chances(strengths, votes.first, votes.second)
    won, tied = votes.outcome == WIN, votes.outcome == TIE
    p_outcome = np.where(won, p, 1 - p)
    winner = np.where(won, votes.first, votes.second)
    loser = np.where(won, votes.second, votes.first)
    up = np.where(won, 1 / shown[0], 1 / shown[1]) / p_outcome
    down = np.where(won, 1 / shown[1], 1 / shown[0]) / p_outcome
    return _Evidence(
        winner, loser, np.where(tied, 0.0, up), np.where(tied, 0.0, down), 1 / shown[0], 1 / shown[1], weight
    )


def _shown(votes: Votes, weight: Floats) -> Floats:
    """Return the share of battles in which each model was shown, shape (K,).

    Matchmaking may show a model far more often at one time than at another: who votes then is of the second kind.
    """
    times = np.bincount(votes.first, weight, votes.models) + np.bincount(votes.second, weight, votes.models)
    return np.asarray(np.minimum((times + 1) / (weight.sum() + votes.models / 2), 1.0), np.float64)


def _best_crowd(votes: Votes, evidence: _Evidence, honest: Floats) -> tuple[Crowd | None, Floats]:
    """Return the crowd that gains most and each voter's chance of belonging to it, or None where it gains too little."""
    gains = _single_gains(votes, evidence, honest)
    seeds = np.argsort(-gains)[:_MARKS]
    seeds = seeds[gains[seeds] > 0]
    if float(gains[seeds].sum()) < _WORTH_A_LOOK:
        return None, np.zeros(len(honest))
    share = np.zeros(2 * votes.models)
    share[seeds] = gains[seeds] / gains[seeds].sum()
    share = _fit(votes, evidence, honest, share, 15).share
    # An aim that alone gains nothing shows beside the others: a second turn begins with a trace of every one.
    share = _fit(votes, evidence, honest, 0.8 * share + 0.2 / len(share), 25).share
    share = np.where(share < _FAINT, 0.0, share)
    mixture = _fit(votes, evidence, honest, share / share.sum(), 20)
    marks = np.flatnonzero(mixture.share)
    if mixture.gain < 10 + len(marks) * np.log(2 * votes.models):
        return None, np.zeros(len(honest))
    order = marks[np.argsort(-mixture.share[marks])]
    aims = [(int(mark % votes.models), 1 if mark < votes.models else -1) for mark in order]
    return Crowd(tuple(aims), float(honest @ mixture.loyal), mixture.gain), mixture.loyal


def _single_gains(votes: Votes, evidence: _Evidence, honest: Floats) -> Floats:
    """Return the log-likelihood that a crowd with one aim gains, for each model and then against each, shape (2K,)."""
    number = np.bincount(votes.voter, evidence.weight, len(honest))
    gains = np.zeros(2 * votes.models)
    sides = ((evidence.winner, evidence.up), (evidence.loser, evidence.down))
    for place, (model, ratio) in enumerate(sides):
        decisive = np.flatnonzero(ratio > 0)
        order = decisive[np.argsort(model[decisive], kind="stable")]
        edges = np.searchsorted(model[order], np.arange(votes.models + 1))
        for aim in range(votes.models):
            own = order[edges[aim] : edges[aim + 1]]
            who, inverse = np.unique(votes.voter[own], return_inverse=True)
            log_ratio = evidence.weight[own] * (np.log(_STRAY + (1 - _STRAY) * ratio[own]) - np.log(_STRAY))
            log_odds = number[who] * np.log(_STRAY) + np.bincount(inverse, log_ratio, len(who))
            gains[place * votes.models + aim] = _gain(np.minimum(log_odds, 500), honest[who], float(honest.sum()))
    return gains


def _gain(log_odds: Floats, honest: Floats, voters: float) -> float:
    """Return what a share of loyal voters gains; those who cast no such vote are taken for honest."""
    odds, share = np.exp(log_odds), 0.01
    for _ in range(15):
        share = float(honest @ (share * odds / (1 - share + share * odds))) / voters
    rest = (voters - honest.sum()) * np.log1p(-min(share, 0.999))
    return float(honest @ np.log1p(share * (odds - 1)) + rest)


class _Mixture(NamedTuple):
    """The aims' shares, shape (2K,), each voter's chance of being loyal, shape (V,), and the log-likelihood gained over
    there being no loyal voters."""

    share: Floats
    loyal: Floats
    gain: float


def _fit(votes: Votes, evidence: _Evidence, honest: Floats, share: Floats, rounds: int) -> _Mixture:
    """Return the mixture by EM. ``share`` of shape (2K,) are the aims' shares of a crowd's votes, for a model then against.

    Both unusual kinds see the aims' models with these shares; only the third kind votes for or against.
    """
    models, voters = votes.models, len(honest)
    prior = np.array([0.98, 0.01, 0.01])
    for _ in range(rounds):
        up, down = share[evidence.winner] * evidence.up, share[models + evidence.loser] * evidence.down
        seen = share[:models] + share[models:]
        often = seen[votes.first] * evidence.shown_first + seen[votes.second] * evidence.shown_second
        mixed = _STRAY + (1 - _STRAY) * (up + down)
        logs = np.zeros((3, voters))
        logs[1] = np.bincount(votes.voter, evidence.weight * np.log(_STRAY + (1 - _STRAY) * often), voters)
        logs[2] = np.bincount(votes.voter, evidence.weight * np.log(mixed), voters)
        kinds, total = _kinds(logs, prior)
        prior = kinds @ honest / honest.sum()
        one = evidence.weight * (honest * kinds[2])[votes.voter] / mixed
        share = np.concatenate(
            (np.bincount(evidence.winner, one * up, models), np.bincount(evidence.loser, one * down, models))
        )
        share /= max(float(share.sum()), 1e-300)
    two = np.array([0.99, 0.01])
    for _ in range(rounds):
        two = _kinds(logs[:2], two)[0] @ honest / honest.sum()
    return _Mixture(share, kinds[2], float(honest @ (total - _kinds(logs[:2], two)[1])))


def _kinds(logs: Floats, prior: Floats) -> tuple[Floats, Floats]:
    """Return the chances of each kind, shape (kinds, V), and the logarithm of each voter's likelihood, shape (V,)."""
    joint = logs + np.log(np.maximum(prior, 1e-12))[:, None]
    top = joint.max(axis=0)
    total = top + np.log(np.exp(joint - top).sum(axis=0))
    return np.exp(joint - total), total
