"""Adding up battles and scores: win rates, mean scores, agreement, a judge's liking for a place. Pure functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

from arena.pipeline.judging import Slot
from arena.pipeline.report_records import Pair, PositionBias, Row
from llmuses.judge.verdicts import PairVerdict
from llmuses.records import Battle, Winner
from llmuses.statistics.intervals import cluster_stratum, stratified, wilson

LOWEST, HIGHEST = 1.0, 10.0
"""Between these a judge scores."""

_WORTH = {Winner.MODEL_A: 1.0, Winner.MODEL_B: 0.0, Winner.TIE: 0.5, Winner.BOTH_BAD: 0.5}


def worth(battle: Battle, model: str) -> float:
    """Return what a battle was worth to one of its models: 1 won, 0 lost, a half otherwise."""
    value = _WORTH[battle.winner]
    return value if battle.model_a == model else 1 - value


def win_rates(
    battles: Iterable[Battle], models: Sequence[str], missing: Iterable[Slot] = (), baseline: str | None = None
) -> list[Row]:
    """Return each model's win rate over its battles, best first; against the baseline alone where there is one.

    The interval's unit is the question: its battles against several models and by several judges hang together.
    """
    found: dict[str, list[Battle]] = defaultdict(list)
    for battle in battles:
        for model in (battle.model_a, battle.model_b):
            found[model].append(battle)
    absent: dict[str, int] = defaultdict(int)
    for slot in missing:
        for model in slot.names:
            absent[model] += 1
    rows = [_win_rate(model, found[model], absent[model]) for model in models if model != baseline]
    return sorted(rows, key=lambda row: (row.value is None, -(row.value or 0.0), row.model))


def _win_rate(model: str, battles: Sequence[Battle], missing: int) -> Row:
    values = [(battle.question_id, worth(battle, model)) for battle in battles]
    row = _row(model, values, missing, 0.0, 1.0)
    row.wins = sum(1 for _, value in values if value == 1.0)
    row.losses = sum(1 for _, value in values if value == 0.0)
    row.ties = len(values) - row.wins - row.losses
    return row


def mean_scores(
    scores: Iterable[tuple[str, str, float]], models: Sequence[str], missing: Iterable[Slot] = ()
) -> list[Row]:
    """Return each model's mean over its scores from 1 to 10 (model, question, score), best first."""
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for model, question, rating in scores:
        found[model].append((question, rating))
    absent: dict[str, int] = defaultdict(int)
    for slot in missing:
        absent[slot.one] += 1
    rows = [_row(model, found[model], absent[model], LOWEST, HIGHEST) for model in models]
    return sorted(rows, key=lambda row: (row.value is None, -(row.value or 0.0), row.model))


def _row(model: str, values: Sequence[tuple[str, float]], missing: int, low: float, high: float) -> Row:
    """Return a mean of values between two limits with its interval, questions as clusters."""
    total, n = sum(value for _, value in values), len(values)
    bounds = None
    if missing:
        bounds = ((total + missing * low) / (n + missing), (total + missing * high) / (n + missing))
    if not n:
        return Row(model=model, value=None, ci95=None, n=0, missing=missing, bounds=bounds)
    clusters: dict[str, list[float]] = defaultdict(list)
    for question, value in values:
        clusters[question].append((value - low) / (high - low))
    stratum = cluster_stratum([sum(own) for own in clusters.values()], [len(own) for own in clusters.values()])
    interval = stratified([stratum])
    ci95 = (low + interval.low * (high - low), low + interval.high * (high - low))
    return Row(model=model, value=total / n, ci95=ci95, n=n, missing=missing, bounds=bounds)


def pairs_of(battles: Iterable[Battle]) -> list[Pair]:
    """Return each pair's battles added up, in the order of names."""
    found: dict[tuple[str, str], Pair] = {}
    for battle in battles:
        one, two = sorted((battle.model_a, battle.model_b))
        pair = found.setdefault((one, two), Pair(model_a=one, model_b=two, wins_a=0, wins_b=0, ties=0))
        value = worth(battle, one)
        pair.wins_a += value == 1.0
        pair.wins_b += value == 0.0
        pair.ties += value == 0.5
    return [found[names] for names in sorted(found)]


def agreement(battles: Iterable[Battle]) -> float | None:
    """Return how often two judges named the same winner of the same battle, None where none was judged twice."""
    found: dict[tuple[str, str, str], list[Winner]] = defaultdict(list)
    for battle in battles:
        found[battle.question_id, battle.model_a, battle.model_b].append(battle.winner)
    alike = [one == two for winners in found.values() for one, two in combinations(winners, 2)]
    return sum(alike) / len(alike) if alike else None


def position_bias(pairs: Iterable[tuple[PairVerdict | None, PairVerdict | None]]) -> PositionBias:
    """Return how much verdicts hang on the order: of each pair those of its first and of its swapped order, each as it was
    said (the first shown is ``model_a``), None where there is none."""
    counts = dict.fromkeys(("both", "consistent", "lenient", "contradictory", "first", "second"), 0)
    firsts = decisive = 0
    for one, two in pairs:
        for said in (one, two):
            if said is not None and said.winner in (Winner.MODEL_A, Winner.MODEL_B):
                decisive += 1
                firsts += said.winner is Winner.MODEL_A
        if one is None or two is None:
            continue
        counts["both"] += 1
        if one.winner == two.turned().winner:
            counts["consistent"] += 1
        elif one.winner == two.winner:
            counts["contradictory"] += 1
            counts["first" if one.winner is Winner.MODEL_A else "second"] += 1
        else:
            counts["lenient"] += 1
    share = firsts / decisive if decisive else None
    ci95 = wilson(firsts, decisive) if decisive else None
    return PositionBias(**counts, decisive=decisive, first_share=share, ci95=ci95)


def counted(values: Iterable[str], most: int = 8) -> dict[str, int]:
    """Return how often each value is there, the commonest first, at most so many."""
    numbers: dict[str, int] = defaultdict(int)
    for value in values:
        numbers[value] += 1
    return dict(sorted(numbers.items(), key=lambda item: (-item[1], item[0]))[:most])
