"""How far judges agree with people, and which judge agrees with them better: on the same battles, battle by battle."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.audit_records import Agreement, JudgeAgreement, Lead, SameBattles, Share
from arena.battle_files import open_battles
from arena.ratings.counts import Floats
from arena.same_battle import SAME_BATTLE, Codes, SameBattle, Verdicts
from llmuses.records import HUMAN
from llmuses.statistics.intervals import Z95, wilson
from llmuses.statistics.paired import paired_proportions


class Said(NamedTuple):
    """What one side said of battles, each battle once: ``key`` (B,), ``votes`` how many there were (B,), ``shares`` which share
    of them said that the lower model lost, that it was a tie, that it won (B, 3)."""

    key: Codes
    votes: Floats
    shares: Floats

    def of(self, chosen: NDArray[np.int64]) -> Said:
        """Return some of the battles by their places."""
        return Said(self.key[chosen], self.votes[chosen], self.shares[chosen])


def said(verdicts: Verdicts) -> Said:
    """Return verdicts, or votes, by battle."""
    key, place = np.unique(verdicts.key, return_inverse=True)
    outcome = (2 * verdicts.low_points).astype(np.int64)
    counts = np.bincount(place * 3 + outcome, minlength=3 * len(key)).reshape(-1, 3).astype(np.float64)
    votes = counts.sum(axis=1)
    return Said(key, votes, counts / votes[:, None])


def agreement(judge: Said, people: Said) -> Agreement | None:
    """Return how a judge and people agree on the battles that both decided, None where there are none.

    Each battle weighs the same: it adds the share of its pairs of a verdict and a vote that say the same, which is how often
    the judge agrees with a person drawn at random, as Zheng et al. (2023), "Judging LLM-as-a-judge with MT-bench and chatbot
    arena", have it. The intervals take a battle as one trial; with several votes a battle they are too wide, if anything.
    """
    _, one, two = np.intersect1d(judge.key, people.key, assume_unique=True, return_indices=True)
    if not len(one):
        return None
    a, b = judge.shares[one], people.shares[two]
    table = a.T @ b
    kappa, error = cohens_kappa(table)
    weight = (1 - a[:, 1]) * (1 - b[:, 1])
    decided = Share(n=int((weight > 0).sum()), share=None, ci95=None)
    if decided.n:
        hits, n = float(table[0, 0] + table[2, 2]), float(weight.sum())
        decided = Share(n=decided.n, share=hits / n, ci95=wilson(hits, n))
    n, hits = len(one), float(np.trace(table))
    return Agreement(
        all=Share(n=n, share=hits / n, ci95=wilson(hits, n)),
        decided=decided,
        kappa=kappa,
        kappa_ci95=None if kappa is None else (kappa - Z95 * error, min(1.0, kappa + Z95 * error)),
    )


def cohens_kappa(table: NDArray[np.int64] | Floats) -> tuple[float | None, float]:
    """Return kappa of a square table of counts, None where chance alone agrees always, and its standard error.

    Source: Cohen (1960), "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20(1).
    """
    n = table.sum()
    agreed = float(np.trace(table)) / float(n)
    chance = float(table.sum(axis=0) @ table.sum(axis=1)) / float(n) ** 2
    if chance >= 1 - 1e-12:
        return None, 0.0
    error = math.sqrt(max(0.0, agreed * (1 - agreed)) / float(n)) / (1 - chance)
    return float((agreed - chance) / (1 - chance)), error


def same_battles(sides: Mapping[str, Said]) -> SameBattles | None:
    """Return the judges beside each other; None where people and a judge decided no battle in common."""
    people = sides.get(HUMAN)
    if people is None:
        return None
    met = {name: _within(one, people.key) for name, one in sides.items() if name != HUMAN}
    met = {name: one for name, one in met.items() if len(one.key)}
    if not met:
        return None
    common = _common([one.key for one in met.values()])
    judges = []
    for name, one in met.items():
        found = agreement(_within(one, common) if len(common) else one, people)
        assert found is not None
        judges.append(JudgeAgreement(judge=name, agreement=found))
    judges.sort(key=lambda line: (-(line.agreement.all.share or 0.0), -line.agreement.all.n, line.judge))
    leads = _leads({line.judge: met[line.judge] for line in judges}, people)
    return SameBattles(battles=len(common), judges=judges, leads=leads, people=_among_themselves(people))


def _common(keys: Sequence[Codes]) -> Codes:
    found = keys[0]
    for more in keys[1:]:
        found = np.intersect1d(found, more, assume_unique=True)
    return found


def _within(side: Said, key: Codes) -> Said:
    return side.of(np.flatnonzero(np.isin(side.key, key, assume_unique=True)))


def _leads(judges: Mapping[str, Said], people: Said) -> list[Lead]:
    """Return each pair's difference on the battles that both judges and people decided, in the order of ``judges``.

    The intervals of all pairs hold together with 95% confidence (Bonferroni).
    """
    pairs = list(combinations(judges, 2))
    z = NormalDist().inv_cdf(1 - 0.025 / max(1, len(pairs)))
    leads = []
    for one, two in pairs:
        keys = (judges[one].key, judges[two].key)
        _, left, right = np.intersect1d(*keys, assume_unique=True, return_indices=True)
        if not len(left):
            continue
        place = np.searchsorted(people.key, judges[one].key[left])
        theirs = people.shares[place]
        gaps = ((judges[one].shares[left] - judges[two].shares[right]) * theirs).sum(axis=1)
        found = paired_proportions([gaps.tolist()], z)
        leads.append(Lead(judge=one, other=two, battles=len(left), difference=found.mean, ci95=(found.low, found.high)))
    return leads


def _among_themselves(people: Said) -> Share | None:
    """Return how often two votes on one battle say the same; None where no battle has two."""
    several = people.votes > 1
    if not several.any():
        return None
    votes, counts = people.votes[several], people.shares[several] * people.votes[several, None]
    alike = (counts * (counts - 1)).sum(axis=1) / (votes * (votes - 1))
    n, hits = len(votes), float(alike.sum())
    return Share(n=n, share=hits / n, ci95=wilson(hits, n))


def judges_beside(battles: Sequence[Path]) -> SameBattles | None:
    """Return the judges of some files of battles beside each other; None where people and a judge decided no battle in
    common. Raises DataError where no line is a battle."""
    with open_battles(battles, columns=("judge",), derived=SAME_BATTLE) as table:
        same = SameBattle(table)
        return same_battles({name: said(same.verdicts(name)) for name, _ in table.values("judge")})
