"""How many battles each policy of matchmaking needs: ``python -m tests.simulations.matchmaking``.

Skills have a standard deviation of 150 points, a fifth of battles between equals are ties. A newcomer: 100 models have
played 100,000 battles, one is added and has played none; counted are the battles until its 95% interval is ± 20 points.
The top five: nobody has played; counted are the battles until each of the five is significantly above the next and the
fifth above all others (the five and the sixth are at least 15 points apart in truth).
"""

from __future__ import annotations

import argparse

import numpy as np

from arena.matchmaking import Active, Fewest, Policy, Uniform
from tests.arena.ratings.arenas import draw_strengths
from tests.simulations.playing import Goal, Played, separable, until

POLICIES: tuple[Policy, ...] = (Uniform(), Fewest(), Active())


def newcomer(seed: int) -> dict[str, tuple[int, int]]:
    """Return all battles and the newcomer's own that each policy needs, in one arena."""
    rng = np.random.default_rng(seed)
    before = Played(draw_strengths(rng, 101), rng)
    old = ((before.first < 100) & (before.second < 100)).astype(np.float64)
    before.add_at(old / old.sum(), 100_000)
    needed = {}
    for policy in POLICIES:
        played = before.copy(np.random.default_rng((seed, 1)))
        battles = until(Goal(newcomer=100), played, policy, 1000 if isinstance(policy, Uniform) else 50, 300_000)
        needed[policy.name] = battles, played.of(100)
    return needed


def top_five(seed: int, models: int) -> dict[str, tuple[int, int]]:
    """Return the battles that uniform play and the active policy need, in one arena."""
    strengths = separable(np.random.default_rng(seed), models)
    needed = {}
    for policy in (Uniform(), Active()):
        played = Played(strengths, np.random.default_rng((seed, 1)))
        played.add_at(np.full(len(played.first), 1 / len(played.first)), 20 * models)
        battles = until(Goal(), played, policy, 25 * models if isinstance(policy, Uniform) else 250, 5000 * models)
        needed[policy.name] = battles + 20 * models, battles + 20 * models
    return needed


def report(title: str, rows: list[dict[str, tuple[int, int]]]) -> None:
    """Print the mean battles of each policy and its share of uniform play's."""
    print(title)
    for policy in rows[0]:
        every, own = np.array([row[policy] for row in rows]).T
        base, base_own = np.array([row["uniform"] for row in rows]).T
        print(f"  {policy:<8} all battles {every.mean():>9,.0f} ({100 * every.mean() / base.mean():5.1f}%), "
              f"counted ones {own.mean():>8,.0f} ({100 * own.mean() / base_own.mean():5.1f}%; "
              f"worst arena {100 * (own / base_own).max():5.1f}%)")  # fmt: skip


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--arenas", type=int, default=10)
    arenas = parser.parse_args().arenas
    report(f"a newcomer among 100, {arenas} arenas; counted: its own battles", [newcomer(n) for n in range(arenas)])
    for models in (20, 100):
        report(f"the top five of {models}, {arenas} arenas", [top_five(n, models) for n in range(arenas)])


if __name__ == "__main__":
    main()
