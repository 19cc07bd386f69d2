"""Ratings by category, simulated: what partial pooling gains: ``python -m tests.simulations.categories [arenas]``.

Twenty models (SD 150 points) in eight categories, their strengths there off the overall ones by a normal deviation. The
error is the root of the mean squared error over models and categories, in points. Apart: each category's maximum
likelihood, with the trace of a prior that keeps it finite; a second one has the prior that scikit-learn's logistic
regression has by default. Together: one rating for all.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from arena.ratings.bradley_terry import Fit, fit, scores_of
from arena.ratings.counts import Floats, PairCounts
from arena.ratings.pooled import deviate, fit_pooled
from tests.arena.ratings.arenas import draw_strengths, play

MODELS, CATEGORIES = 20, 8
DEVIATIONS, VOTES = (0, 15, 30, 45, 60, 120), (100, 400, 1600)
POINTS = 400 / math.log(10)
_LOOSE = 25.0


class Errors(NamedTuple):
    """Root mean squared errors in points."""

    apart: float
    apart_ridge: float
    together: float
    pooled: float
    covered: float


def draw_categories(rng: np.random.Generator, deviation: float) -> Floats:
    """Return the strengths in each category, shape (C, K); ``deviation`` is its standard deviation in points."""
    truth = draw_strengths(rng, MODELS) + rng.normal(0, deviation / POINTS, (CATEGORIES, MODELS))
    return truth - truth.mean(axis=1, keepdims=True)


def added(parts: Sequence[PairCounts]) -> PairCounts:
    """Return all categories' battles as one."""
    columns = zip(*(part[1:] for part in parts), strict=True)
    return PairCounts(parts[0].models, *(np.concatenate(column) for column in columns))


def alone(part: PairCounts, variance: float) -> Floats:
    """Return one category's strengths under a normal prior around zero."""
    won = np.zeros((part.models, part.models))
    np.add.at(won, (part.first, part.second), part.wins + part.ties / 2)
    np.add.at(won, (part.second, part.first), part.losses + part.ties / 2)
    found = deviate(won[None], np.zeros(part.models), variance, np.zeros((1, part.models)))[0]
    return np.asarray(found - found.mean(), np.float64)


def simulate(deviation: float, votes: int, arenas: int) -> Errors:
    """Return the errors over some arenas with this many votes in each category."""
    squares = np.zeros(5)
    for number in range(arenas):
        rng = np.random.default_rng((int(deviation), votes, number))
        truth = draw_categories(rng, deviation)
        parts = [play(rng, own, votes, ties=0.2).counts() for own in truth]
        overall = _overall(added(parts))

        def scores(index: int, strengths: Floats, parts: list[PairCounts] = parts) -> Floats:
            return scores_of(parts[index], strengths)

        fits, _ = fit_pooled(parts, overall, scores, number)
        error = np.sqrt([np.diag(own.covariance) for own in fits])
        off = [
            np.array([alone(part, _LOOSE) for part in parts]) - truth,
            np.array([alone(part, 1.0) for part in parts]) - truth,
            overall.strengths - truth,
            np.array([own.strengths for own in fits]) - truth,
        ]
        squares += [*(np.mean(gap**2) for gap in off), np.mean(np.abs(off[3]) <= 1.959964 * error)]
    means = squares / arenas
    return Errors(*(np.sqrt(means[:4]) * POINTS).tolist(), float(means[4]))


def _overall(whole: PairCounts) -> Fit:
    return fit(whole)


def main() -> None:
    arenas = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"{arenas} arenas a line, {MODELS} models, {CATEGORIES} categories; RMSE in points")
    print("deviation votes   apart  ridge  together  pooled  of the better  of apart  covered  s/arena")
    for deviation in DEVIATIONS:
        for votes in VOTES:
            began = time.process_time()
            e = simulate(deviation, votes, arenas)
            better = e.pooled / min(e.apart, e.apart_ridge, e.together)
            spent = (time.process_time() - began) / arenas
            print(f"{deviation:9} {votes:5} {e.apart:7.1f} {e.apart_ridge:6.1f} {e.together:9.1f} {e.pooled:7.1f} "
                  f"{better:14.3f} {e.pooled / e.apart:9.1%} {e.covered:8.1%} {spent:8.2f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
