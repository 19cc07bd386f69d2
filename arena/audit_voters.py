"""Voters who look automated, or loyal to one model."""

from __future__ import annotations

import math

import numpy as np

from arena.audit_records import VoterAudit
from arena.battle_files import BattleTable
from arena.ratings.bradley_terry import maximise
from arena.ratings.counts import Floats, Ints
from arena.ratings.graph import restricted, standing
from arena.ratings.loyalty import Votes, partial, tilts
from llmuses.records import HUMAN

_FEWEST, _FASTEST = 20, 3.0
"""Voters of fewer votes are not looked at; seconds between votes below which nobody has read two answers."""


def odd_voters(table: BattleTable) -> list[VoterAudit]:
    """Return people with at least twenty votes who look automated (one side nearly always, votes within seconds) or are
    for or against one model unlike everybody else, those with the most votes first."""
    counts = table.counts("judge = ?", (HUMAN,))
    kept = standing(counts).rated if len(counts.first) else np.array([], np.int64)
    found = table.arrays("row", "voter", "tstamp", where=f"judge = '{HUMAN}' AND voter IS NOT NULL")
    number = np.full(len(table.names), -1)
    number[kept] = np.arange(len(kept))
    first, second = number[found["a"]], number[found["b"]]
    inside = (first >= 0) & (second >= 0)
    if len(kept) < 2 or not inside.any():
        return []
    codes, start, voter = np.unique(found["voter"][inside], return_index=True, return_inverse=True)
    votes = Votes(
        len(kept),
        first[inside],
        second[inside],
        found["outcome"][inside].astype(np.int64),
        voter,
        np.zeros(len(voter), np.int64),
    )
    reasons: dict[int, list[str]] = {}
    cast = np.bincount(voter, minlength=len(codes))
    for who, side in _one_sided(votes, cast):
        reasons.setdefault(who, []).append(f"votes for the {side} side nearly always")
    for who, gap in _hasty(np.asarray(found["tstamp"][inside], np.float64), voter, cast):
        reasons.setdefault(who, []).append(f"votes every {gap:.1f} seconds")
    tests = tilts(votes, maximise(restricted(counts, kept)))
    for place in np.flatnonzero(partial(tests, len(codes))):
        who, model = int(tests.voter[place]), table.names[kept[tests.model[place]]]
        way = "for" if tests.tilt[place] > 0 else "against"
        reasons.setdefault(who, []).append(f"is {way} {model} unlike everybody else ({tests.votes[place]:,} votes)")
    looked = [who for who in reasons if cast[who] >= _FEWEST]
    rows = found["row"][inside][start]
    named = _names(table, [int(rows[who]) for who in looked])
    odd = [
        VoterAudit(voter=named[int(rows[who])], votes=int(cast[who]), reasons=reasons[who])
        for who in looked
    ]  # fmt: skip
    return sorted(odd, key=lambda voter: (-voter.votes, voter.voter))


def _names(table: BattleTable, rows: list[int]) -> dict[int, str]:
    if not rows:
        return {}
    chosen = ", ".join(str(row) for row in rows)
    return dict(table.texts("row", "voter", where=f"rowid IN ({chosen})"))


def _one_sided(votes: Votes, cast: Ints) -> list[tuple[int, str]]:
    """Return voters whose decided votes go to one side more than nine times in ten, and further than chance goes."""
    decided = votes.outcome != 2
    n = np.bincount(votes.voter[decided], minlength=len(cast))
    left = np.bincount(votes.voter[decided], votes.outcome[decided] == 0, len(cast))
    shares = np.divide(left, n, out=np.full(len(cast), 0.5), where=n > 0)
    far = np.abs(left - n / 2) > 4 * np.sqrt(np.maximum(n, 1)) / 2
    return [
        (int(who), "left" if shares[who] > 0.5 else "right")
        for who in np.flatnonzero(far & (np.abs(shares - 0.5) > 0.4) & (n >= _FEWEST))
    ]


def _hasty(tstamp: Floats, voter: Ints, cast: Ints) -> list[tuple[int, float]]:
    """Return voters whose median time between two votes is shorter than reading takes, and that time in seconds."""
    order = np.lexsort((tstamp, voter))
    times, who = tstamp[order], voter[order]
    starts = np.searchsorted(who, np.arange(len(cast)))
    hasty = []
    for number in np.flatnonzero(cast >= _FEWEST).tolist():
        gaps = np.diff(times[starts[number] : starts[number] + cast[number]])
        middle = float(np.median(gaps))
        if math.isfinite(middle) and 0 < middle < _FASTEST:
            hasty.append((number, middle))
    return hasty
