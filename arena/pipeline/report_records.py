"""What an arena comes to: ``report.json``."""

from __future__ import annotations

from typing import Literal

from arena.rating_records import Ratings
from llmuses.records import Record


class Row(Record, kw_only=True, omit_defaults=False):
    """One model's line: its win rate (a tie counts half) or its mean score from 1 to 10, with a 95% interval.

    ``n`` counts the battles or scored answers; ``missing`` those that were planned and are not decided, ``bounds`` what the
    figure would be if the model had lost, or won, all of them (the lowest and the highest score); None where none is missing.
    """

    model: str
    value: float | None
    ci95: tuple[float, float] | None
    n: int
    wins: int = 0
    losses: int = 0
    ties: int = 0
    missing: int = 0
    bounds: tuple[float, float] | None = None


class Pair(Record, kw_only=True, omit_defaults=False):
    """How two models did against each other: battles that the first won, the second won, and ties."""

    model_a: str
    model_b: str
    wins_a: int
    wins_b: int
    ties: int


class PositionBias(Record, kw_only=True, omit_defaults=False):
    """How much a judge's verdicts hang on the order of the answers.

    Of ``both`` pairs shown in both orders and read, ``consistent`` have one winner or two ties, ``contradictory`` another
    winner in each order (counted as ties): ``first`` of these times the answer shown first won both times, ``second`` times
    the one shown second. ``lenient`` have a winner in one order only (ties as well). ``first_share`` is how often the answer
    shown first won among all verdicts with a winner, over ``decisive`` of them, with its interval.
    """

    both: int
    consistent: int
    lenient: int
    contradictory: int
    first: int
    second: int
    decisive: int
    first_share: float | None
    ci95: tuple[float, float] | None


class JudgeReport(Record, kw_only=True, omit_defaults=False):
    """What one judge did: its calls and what became of them, its liking for a place, what it cost in all runs so far."""

    judge: str
    model: str
    calls: int
    read: int
    unparsed: int
    rejected: int
    failed: int
    asked_again: int
    reasons: dict[str, int]
    position: PositionBias | None
    prompt_tokens: int
    completion_tokens: int
    cost: float | None = None
    currency: str | None = None


class PlayerReport(Record, kw_only=True, omit_defaults=False):
    """What one model answered: how many questions, how many it could not, and why."""

    model: str
    answered: int
    failed: int
    rejected: int
    absent: int
    truncated: int
    reasons: dict[str, int]


class ArenaReport(Record, kw_only=True, omit_defaults=False):
    """The whole report. ``planned`` counts what was to be decided: pairs of answers, or single answers, for each judge."""

    arena: str
    mode: Literal["pairwise", "pairwise_baseline", "single"]
    dry_run: bool
    questions: int
    categories: dict[str, int]
    languages: dict[str, int]
    players: list[PlayerReport]
    baseline: str | None
    budget: int | None
    planned: int
    decided: int
    missing: dict[str, int]
    """Planned and not decided, by what stood in the way: unparsed, rejected, failed, answer (one is missing)."""
    judges: list[JudgeReport]
    rows: list[Row]
    pairs: list[Pair]
    agreement: float | None
    """Where several judges sat: how often two of them named the same winner of the same battle."""
    ratings: dict[str, Ratings]
    notes: list[str]
    version: str
    tstamp: float

    @property
    def complete(self) -> bool:
        """Whether nothing failed that may pass."""
        return not any(player.failed for player in self.players) and not any(judge.failed for judge in self.judges)
