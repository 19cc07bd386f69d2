"""Coverage of intervals and ranges of ranks, simulated: ``python -m tests.simulations.coverage [arenas]``.

Ten models (SD 120 points), ties, sides swapped by chance, four battles a question that share the question's taste (which
battles of one question have in common), under uniform play and under a policy that plays close pairs more often the more
is known. Intervals clustered by question; per battle beside them. Covered is the mean over models, ranks hold where all
of an arena's true ranks lie inside their ranges.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

from arena.ratings.bradley_terry import chances, cluster_scores, fit, maximise, sandwich
from arena.ratings.counts import Floats, Ints, count_pairs
from arena.ratings.ranks import rank_ranges
from tests.arena.ratings.arenas import decide, draw_strengths

MODELS, QUESTIONS, ASKED = 10, 500, 4
_Z = 1.959963984540054


class Covered(NamedTuple):
    """Shares of what was covered."""

    per_battle: float
    clustered: float
    ranks: float


def choose(rng: np.random.Generator, strengths: Floats, number: int, active: bool) -> tuple[Ints, Ints]:
    """Return pairs: all alike, or close ones by the strengths believed so far more often. Sides are a toss of a coin."""
    low, high = np.triu_indices(MODELS, 1)
    weight = np.exp(-2 * np.abs(strengths[low] - strengths[high])) if active else np.ones(len(low))
    drawn = rng.choice(len(low), number, p=weight / weight.sum())
    swapped = rng.random(number) < 0.5
    return np.where(swapped, high[drawn], low[drawn]), np.where(swapped, low[drawn], high[drawn])


def simulate(arenas: int, active: bool, taste: float = 0.0) -> Covered:
    """Return what is covered; ``taste`` is the standard deviation (logarithms of odds) of a question's own taste."""
    plain, wide, held = [], [], []
    for number in range(arenas):
        rng = np.random.default_rng((number, int(active), int(100 * taste)))
        strengths = draw_strengths(rng, MODELS, 120)
        rounds, believed = [], np.zeros(MODELS)
        for step in range(5):
            questions = np.repeat(np.arange(step * QUESTIONS // 5, (step + 1) * QUESTIONS // 5), ASKED)
            first, second = choose(rng, believed, len(questions), active)
            lean = rng.normal(0, taste, (QUESTIONS, MODELS))
            gap = strengths[first] - strengths[second] + lean[questions, first] - lean[questions, second]
            rounds.append((first, second, decide(rng, gap, 0.2), questions))
            if active:
                so_far = count_pairs(MODELS, *(np.concatenate([part[i] for part in rounds]) for i in range(3)))
                believed = maximise(so_far)
        first, second, outcome, question = (np.concatenate([part[index] for part in rounds]) for index in range(4))
        truth = averaged(strengths, taste)
        counts = count_pairs(MODELS, first, second, outcome)
        found = fit(counts)
        residual = np.array([1.0, 0.0, 0.5])[outcome] - chances(found.strengths, first, second)
        covariance = sandwich(counts, found.strengths, cluster_scores(MODELS, first, second, residual, question))
        off = np.abs(found.strengths - truth)
        plain.append(np.mean(off <= _Z * np.sqrt(np.diag(found.covariance))))
        wide.append(np.mean(off <= _Z * np.sqrt(np.diag(covariance))))
        ranks = rank_ranges(found.strengths, covariance)
        true = (-strengths).argsort().argsort() + 1
        held.append(bool(np.all((ranks[:, 0] <= true) & (true <= ranks[:, 1]))))
    return Covered(float(np.mean(plain)), float(np.mean(wide)), float(np.mean(held)))


def averaged(strengths: Floats, taste: float) -> Floats:
    """Return the strengths that Bradley-Terry finds over all questions: tastes, averaged over, pull chances to a half."""
    if not taste:
        return strengths
    low, high = np.triu_indices(MODELS, 1)
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    gap = strengths[low] - strengths[high]
    p = (1 / (1 + np.exp(-(gap[:, None] + taste * np.sqrt(2) * nodes)))) @ weights / weights.sum()
    big = 10_000.0
    return maximise(count_pairs(MODELS, low, high, np.zeros(len(low), np.int64))._replace(
        wins=big * p, losses=big * (1 - p), ties=np.zeros(len(low))))  # fmt: skip


def main() -> None:
    arenas = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print(f"{arenas} arenas a line, {MODELS} models, {QUESTIONS} questions with {ASKED} battles each")
    print("play      taste  per battle  clustered  ranks hold")
    for active in (False, True):
        for taste in (0.0, 0.8):
            found = simulate(arenas, active, taste)
            print(f"{'active' if active else 'uniform':8} {taste:6.1f} {found.per_battle:11.1%} {found.clustered:10.1%} "
                  f"{found.ranks:11.1%}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
