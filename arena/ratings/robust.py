"""Weights that keep a few from deciding for all: repeated prompts, busy voters, partial voters, crowds of them.

No vote is taken away; each gets a weight from 0 to 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from arena.ratings.counts import Floats, Ints, count_pairs
from arena.ratings.crowds import Crowd, crowds
from arena.ratings.loyalty import Tilts, Votes, partial, tilts
from arena.ratings.prior import fit_with_prior

_ROUNDS = 4
"""Strengths and weights decide each other; after so many rounds hardly anything moves any more."""
_SPREAD = 4.0
"""Variance of strengths, in squared natural logarithms of odds: so weak a prior that it bounds only what votes do not."""


class Limits(NamedTuple):
    """How much a voter or a prompt may weigh.

    A voter's weight in one model's battles is at most ``voter_votes``, or ``voter_share`` of all its battles if that is
    more. With n votes too many out of N a model moves by about 2n/N natural logarithms of odds: a share of 0.01 are
    3.5 points of a scale of 400. A prompt weighs at most ``prompt_votes``, or ``prompt_times`` as much as the median one.
    ``level`` is the chance that any honest voter is taken for partial.
    """

    voter_votes: float = 20.0
    voter_share: float = 0.01
    prompt_votes: float = 20.0
    prompt_times: float = 20.0
    level: float = 0.01


class Robust(NamedTuple):
    """Weights of votes, shape (N,), and why: shares of each reason as ``repeated``, ``capped``, ``partial`` and ``crowd``,
    all of shape (N,), which multiply to the weight. ``tilts`` are those of partial voters."""

    weight: Floats
    repeated: Floats
    capped: Floats
    partial: Floats
    crowd: Floats
    tilts: Tilts
    crowds: list[Crowd]


def robust_weights(votes: Votes, limits: Limits | None = None) -> Robust:
    """Return a weight for every vote. Raises ValueError where there are none."""
    if not len(votes.first):
        raise ValueError("there are no votes")
    limits = limits or Limits()
    repeated = _repeated(votes.prompt, limits)
    capped = _capped(votes, repeated, limits)
    voters = int(votes.voter.max()) + 1
    one_sided, acting_alone = np.ones(len(votes.first)), np.ones(len(votes.first))
    found: list[Crowd] = []
    weight = repeated * capped
    for _ in range(_ROUNDS):
        counts = count_pairs(votes.models, votes.first, votes.second, votes.outcome, weight)
        strengths = fit_with_prior(counts, _SPREAD).strengths
        tests = tilts(votes, strengths)
        caught = partial(tests, voters, limits.level)
        one_sided = 1.0 - _of_partial(votes, tests, np.flatnonzero(caught))
        honest, found = crowds(votes, strengths, repeated * capped * one_sided, acting_alone, voters)
        acting_alone = honest[votes.voter]
        before, weight = weight, repeated * capped * one_sided * acting_alone
        if np.abs(weight - before).max() < 1e-3:
            break
    shown = Tilts(
        tests.voter[caught], tests.model[caught], tests.votes[caught], tests.tilt[caught], tests.p_value[caught]
    )
    return Robust(weight, repeated, capped, one_sided, acting_alone, shown, found)


def _repeated(prompt: Ints, limits: Limits) -> Floats:
    times = np.bincount(prompt)
    most = max(limits.prompt_votes, limits.prompt_times * float(np.median(times[times > 0])))
    return np.asarray(np.minimum(1.0, most / times[prompt]), np.float64)


def _capped(votes: Votes, weight: Floats, limits: Limits) -> Floats:
    """Return the factor that brings each voter's weight in each model's battles under the limit, shape (N,)."""
    battles = np.bincount(votes.first, weight, votes.models) + np.bincount(votes.second, weight, votes.models)
    most = np.maximum(limits.voter_votes, limits.voter_share * battles)
    cells, place = np.unique(
        np.concatenate((votes.voter * votes.models + votes.first, votes.voter * votes.models + votes.second)),
        return_inverse=True,
    )
    own = np.bincount(place, np.concatenate((weight, weight)), len(cells))
    factor = np.minimum(1.0, most[cells % votes.models] / np.maximum(own, 1e-300))[place]
    return np.asarray(np.minimum(factor[: len(weight)], factor[len(weight) :]), np.float64)


def _of_partial(votes: Votes, tests: Tilts, caught: Ints) -> Floats:
    """Return 1 for the votes of partial voters in battles of the models that they are partial about, else 0."""
    cells = tests.voter[caught] * votes.models + tests.model[caught]
    own = np.isin(votes.voter * votes.models + votes.first, cells)
    own |= np.isin(votes.voter * votes.models + votes.second, cells)
    return own.astype(np.float64)
