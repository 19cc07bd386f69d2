"""People and a biased judge rated together, simulated: ``python -m tests.simulations.people_and_judge [arenas]``.

Eight models. People are off the Bradley-Terry model (pairs have a taste of their own) and were shown close pairs of strong
models more often than others; the judge saw all pairs alike, is biased for some models, and agrees with people on most
battles. What is to be covered is what all people would say under the judge's mix of pairs. Widths are mean widths of the
95% intervals, in points.
"""

from __future__ import annotations

import math
import sys
from typing import NamedTuple

import numpy as np

from arena.ratings.bradley_terry import maximise
from arena.ratings.counts import Floats, Ints, PairCounts
from arena.ratings.ppi import Labelled, PpiFit, Unlabelled, fit_ppi
from tests.arena.ratings.arenas import draw_strengths

MODELS = 8
POINTS = 400 / math.log(10)
_Z = 1.959963984540054


class World(NamedTuple):
    """Pairs (P,), the chance that the first one wins by people and by the judge (as gaps on the logistic scale), how
    people's pairs were chosen, and the strengths that are to be found."""

    first: Ints
    second: Ints
    people_gap: Floats
    judge_gap: Floats
    chance: Floats
    truth: Floats


class Votes(NamedTuple):
    """The votes of one simulated arena, and the chance of each labelled battle's pair."""

    people: Labelled
    more: Unlabelled
    chance: Floats


class Figures(NamedTuple):
    """How often the truth was covered, and the mean width."""

    covered: float
    width: float


def draw_world(rng: np.random.Generator, bias: float = 100.0) -> World:
    """Return a world whose judge is off by a normal bias of this many points a model."""
    strengths = draw_strengths(rng, MODELS)
    first, second = np.triu_indices(MODELS, 1)
    people_gap = strengths[first] - strengths[second] + rng.normal(0, 0.2, len(first))
    off = rng.normal(0, bias / POINTS, MODELS)
    judge_gap = 1.3 * people_gap + off[first] - off[second]
    drawn = np.exp(-np.abs(people_gap) + 0.7 * (strengths[first] + strengths[second]))
    chance = 0.3 / len(first) + 0.7 * drawn / drawn.sum()
    p = 1 / (1 + np.exp(-people_gap))
    truth = maximise(PairCounts(MODELS, first, second, p, 1 - p, np.zeros(len(p))))
    return World(first, second, people_gap, judge_gap, chance, truth)


def draw_votes(rng: np.random.Generator, world: World, labelled: int = 1000, more: int = 8000) -> Votes:
    """Return battles that people and the judge decided, and others that only the judge did."""
    asked = rng.choice(len(world.first), labelled, p=world.chance)
    other = rng.integers(0, len(world.first), more)
    mood = rng.logistic(size=labelled)  # what about this answer people and the judge see alike
    own = np.where(rng.random(labelled) < 0.8, mood, rng.logistic(size=labelled))
    human = _decided(world.people_gap[asked] + mood)
    judge = _decided(world.judge_gap[asked] + own)
    chance = world.chance[asked]
    weight = np.bincount(other, minlength=len(world.first))[asked] / more / chance
    people = Labelled(world.first[asked], world.second[asked], human, judge, weight / weight.mean())
    unlabelled = Unlabelled(
        world.first[other], world.second[other], _decided(world.judge_gap[other] + rng.logistic(size=more))
    )
    return Votes(people, unlabelled, chance)


def _decided(latent: Floats) -> Floats:
    return np.where(latent > 0.15, 1.0, np.where(latent < -0.15, 0.0, 0.5))


def simulate(arenas: int, bias: float = 100.0) -> dict[str, Figures]:
    """Return the figures of each way of putting the votes together."""
    inside: dict[str, list[float]] = {}
    widths: dict[str, list[float]] = {}
    for number in range(arenas):
        rng = np.random.default_rng((int(bias), number))
        world = draw_world(rng, bias)
        votes = draw_votes(rng, world)
        unweighted = votes.people._replace(weight=np.ones(len(votes.chance)))
        ways: dict[str, PpiFit] = {
            "people and judge": fit_ppi(MODELS, votes.people, votes.more),
            "people alone": fit_ppi(MODELS, votes.people, votes.more, 0.0),
            "unweighted": fit_ppi(MODELS, unweighted, votes.more),
            "judge taken as people": _judge_alone(votes),
        }
        for name, fit in ways.items():
            error = np.sqrt(np.diag(fit.covariance))
            inside.setdefault(name, []).append(float(np.mean(np.abs(fit.strengths - world.truth) <= _Z * error)))
            widths.setdefault(name, []).append(float(np.mean(2 * _Z * error) * POINTS))
    return {name: Figures(float(np.mean(inside[name])), float(np.mean(widths[name]))) for name in inside}


def _judge_alone(votes: Votes) -> PpiFit:
    more = votes.more
    as_people = Labelled(more.first, more.second, more.judge, more.judge, np.ones(len(more.first)))
    return fit_ppi(MODELS, as_people, more, 0.0)


def main() -> None:
    arenas = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print(f"{arenas} arenas a line, {MODELS} models, 1,000 battles with people's votes, 8,000 with the judge's alone")
    print("bias  way                     covered  width")
    for bias in (0.0, 50.0, 100.0):
        for name, figures in simulate(arenas, bias).items():
            print(f"{bias:4.0f}  {name:22} {figures.covered:8.1%} {figures.width:6.1f}", flush=True)


if __name__ == "__main__":
    main()
