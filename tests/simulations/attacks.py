"""500 scripted votes among 20,000 honest ones, with and without the defences: ``python -m tests.simulations.attacks``.

Each line says by how many points an attack moves the target, and its rivals on average, in a plain rating and in a robust
one, against the same rating of the honest votes alone; what weight is left to the honest votes and to the attacker's.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from arena.battle_files import Selection, open_battles
from arena.ratings.bradley_terry import maximise
from arena.ratings.counts import Floats, count_pairs
from arena.robustness import COLUMNS, derived, weigh
from tests.simulations.attacked import Aim, Attacked, attack, honest_votes, lines_of, name_of

AIMS: tuple[Aim, ...] = ("for the target", "against its rivals")


class Outcome(NamedTuple):
    """Ratings, shape (K,), and the share of weight that honest votes and the attacker's keep."""

    ratings: Floats
    honest: float
    attacker: float


def plain(arena: Attacked) -> Floats:
    """Return the ratings without defences, shape (K,)."""
    votes = arena.votes
    return maximise(count_pairs(votes.models, votes.first, votes.second, votes.outcome)) * 400 / np.log(10)


def robust(arena: Attacked, path: Path) -> Outcome:
    """Return what the defences make of the votes, read from a file."""
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines_of(arena)), encoding="utf-8")
    names = [name_of(model) for model in range(arena.votes.models)]
    with open_battles([path], Selection(blind_only=True), ("battle_id", *COLUMNS), derived(names)) as table:
        weigh(table)
        weights = {int(battle[1:]): weight for battle, weight in table.texts("battle_id", "weight")}
        found = dict(zip(table.names, maximise(table.counts()) * 400 / np.log(10), strict=True))
    weight = np.array([weights[n] for n in range(len(weights))])
    own, script = weight[: arena.honest], weight[arena.honest :]
    ratings = np.array([found[name] for name in names])
    return Outcome(ratings, float(own.mean()), float(script.mean()) if len(script) else 0.0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--arenas", type=int, default=5)
    arenas = parser.parse_args().arenas
    scripts = [(aim, who, prompts) for aim in AIMS for who in (1, 200) for prompts in ("own", "same", "giveaway")]
    scripts += [(aim, 500, "own") for aim in AIMS]
    moved: dict[tuple[str, int, str], list[list[float]]] = {script: [] for script in scripts}
    price, kept = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "battles.jsonl"
        for seed in range(arenas):
            honest = honest_votes(np.random.default_rng(seed))
            before, alone = plain(honest), robust(honest, path)
            price.append(np.abs(before - alone.ratings).max())
            kept.append(alone.honest)
            for aim, who, prompts in scripts:
                arena = attack(np.random.default_rng((seed, 1)), honest, aim, who, prompts=prompts)
                without, found = plain(arena) - before, robust(arena, path)
                defended = found.ratings - alone.ratings
                moved[aim, who, prompts].append([
                    without[arena.target], defended[arena.target], without[arena.rivals].mean(),
                    defended[arena.rivals].mean(), found.honest, found.attacker,
                ])  # fmt: skip
    print(f"{arenas} arenas; honest votes alone: the defences keep {100 * min(kept):.2f}% of their weight or more and move a "
          f"model by {max(price):.1f} points at most")  # fmt: skip
    print(f"{'500 votes':<20} {'voters':>6} {'prompts':<9} {'target plain':>20} {'target robust':>20} {'rivals plain':>13} "
          f"{'rivals robust':>20} {'honest keep':>12} {'script keeps':>13}")  # fmt: skip
    for (aim, who, prompts), rows in moved.items():
        target, defended, rivals, rivals_defended, own, script = np.array(rows).T
        print(f"{aim:<20} {who:>6} {prompts:<9} {_with_worst(target)} {_with_worst(defended)} {rivals.mean():>+13.1f} "
              f"{_with_worst(rivals_defended)} {100 * own.min():>11.2f}% {100 * script.mean():>12.1f}%")  # fmt: skip


def _with_worst(values: Floats) -> str:
    return f"{values.mean():>+7.1f} (max {values[np.argmax(np.abs(values))]:>+5.1f})"


if __name__ == "__main__":
    main()
