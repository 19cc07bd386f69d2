"""Ratings by category, simulated: what partial pooling gains: ``python -m tests.simulations.categories [arenas]``.

Twenty models (SD 150 points) in eight categories, their strengths there off the overall ones by a normal deviation. The
error is the root of the mean squared error over models and categories, in points. Apart: each category's maximum
likelihood, with the trace of a prior that keeps it finite; a second one has the prior that scikit-learn's logistic
regression has by default. Together: one rating for all. Best: what nobody can be much better than on average, the
posterior mode for who knows how far strengths spread and how far categories deviate, which ratings have to find out. It says
how far pooling can go: with 100 votes in each category 43% of the error apart at a deviation of 60 points, 60% at 120.
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
SPREAD = 150.0
DEVIATIONS, VOTES = (0, 15, 30, 45, 60, 120), (100, 400, 1600)
POINTS = 400 / math.log(10)
_LOOSE = 25.0


class Errors(NamedTuple):
    """Root mean squared errors in points."""

    apart: float
    apart_ridge: float
    together: float
    pooled: float
    best: float
    covered: float


def draw_categories(rng: np.random.Generator, deviation: float) -> Floats:
    """Return the strengths in each category, shape (C, K); ``deviation`` is its standard deviation in points."""
    truth = draw_strengths(rng, MODELS, SPREAD) + rng.normal(0, deviation / POINTS, (CATEGORIES, MODELS))
    return np.asarray(truth - truth.mean(axis=1, keepdims=True), np.float64)


def added(parts: Sequence[PairCounts]) -> PairCounts:
    """Return all categories' battles as one."""
    columns = zip(*(part[1:] for part in parts), strict=True)
    return PairCounts(parts[0].models, *(np.concatenate(column) for column in columns))


def alone(part: PairCounts, variance: float) -> Floats:
    """Return one category's strengths under a normal prior around zero."""
    found = deviate(_won(part)[None], np.zeros(part.models), variance, np.zeros((1, part.models)))[0]
    return np.asarray(found - found.mean(), np.float64)


def best(parts: Sequence[PairCounts], deviation: float) -> Floats:
    """Return the posterior mode of all categories' strengths, shape (C, K), under the prior that they were drawn from."""
    won = np.stack([_won(part) for part in parts])
    total, (number, models) = won + won.transpose(0, 2, 1), won.shape[:2]
    shared, own = (SPREAD / POINTS) ** 2, max(deviation / POINTS, 1e-3) ** 2
    pull = np.kron(np.linalg.inv(shared + own * np.eye(number)), np.eye(models))
    found = np.zeros((number, models))
    for _ in range(100):
        p = 1 / (1 + np.exp(found[:, None, :] - found[:, :, None]))
        gradient = (won.sum(axis=2) - (total * p).sum(axis=2)).ravel() - pull @ found.ravel()
        hessian = pull.copy()
        for place, weight in enumerate(total * p * (1 - p)):
            block = slice(place * models, (place + 1) * models)
            hessian[block, block] += np.diag(weight.sum(axis=1)) - weight
        step = np.linalg.solve(hessian, gradient)
        found += step.reshape(found.shape) * min(1.0, 2 / float(np.abs(step).max()))
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(found - found.mean(axis=1, keepdims=True), np.float64)


def _won(part: PairCounts) -> Floats:
    won = np.zeros((part.models, part.models))
    np.add.at(won, (part.first, part.second), part.wins + part.ties / 2)
    np.add.at(won, (part.second, part.first), part.losses + part.ties / 2)
    return won


def simulate(deviation: float, votes: int, arenas: int) -> Errors:
    """Return the errors over some arenas with this many votes in each category."""
    squares = np.zeros(6)
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
            best(parts, deviation) - truth,
        ]
        squares += [*(np.mean(gap**2) for gap in off), np.mean(np.abs(off[3]) <= 1.959964 * error)]
    means = squares / arenas
    apart, ridge, together, pooled, known = (np.sqrt(means[:5]) * POINTS).tolist()
    return Errors(apart, ridge, together, pooled, known, float(means[5]))


def _overall(whole: PairCounts) -> Fit:
    return fit(whole)


def main() -> None:
    arenas = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"{arenas} arenas a line, {MODELS} models, {CATEGORIES} categories; RMSE in points")
    print(
        "deviation votes   apart  ridge  together  pooled  of the better    best  of apart  best of apart  covered  s/arena"
    )
    for deviation in DEVIATIONS:
        for votes in VOTES:
            began = time.process_time()
            e = simulate(deviation, votes, arenas)
            better = e.pooled / min(e.apart, e.apart_ridge, e.together)
            spent = (time.process_time() - began) / arenas
            print(f"{deviation:9} {votes:5} {e.apart:7.1f} {e.apart_ridge:6.1f} {e.together:9.1f} {e.pooled:7.1f} "
                  f"{better:14.3f} {e.best:7.1f} {e.pooled / e.apart:9.1%} {e.best / e.apart:14.1%} {e.covered:8.1%} {spent:8.2f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
