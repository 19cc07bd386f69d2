"""The arena: battles and votes, what is taken out of them, and the models that play."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from llmuses.records.base import Record
from llmuses.records.requests import GenerationConfig, Message


class Winner(StrEnum):
    """Who won a battle. ``both_bad`` counts as a tie in ratings, and is told apart in reports."""

    MODEL_A = "model_a"
    MODEL_B = "model_b"
    TIE = "tie"
    BOTH_BAD = "both_bad"


HUMAN = "human"
"""The judge of a battle that a person decided."""


class Battle(Record, kw_only=True):
    """One decided battle of two models over one question.

    ``judge`` is ``human`` or the judge model's name; ``voter`` is a pseudonym of the person. ``anony`` says whether the
    names were hidden until the vote. ``pair_probability`` is the chance that matchmaking, under ``policy``, had of
    choosing this pair then: without it votes that were gathered under different policies cannot be combined without
    bias. ``latency_a`` and ``latency_b`` are seconds.
    """

    battle_id: str
    question_id: str
    model_a: str
    model_b: str
    winner: Winner
    judge: str = HUMAN
    category: str | None = None
    language: str | None = None
    question: str | None = None
    conversation: list[Message] | None = None
    output_a: str | None = None
    output_b: str | None = None
    scores: dict[str, float] | None = None
    verdicts: list[Winner] | None = None
    """What the judge said in each order of the answers, where it was shown both; in terms of model_a and model_b."""
    comparison_id: str | None = None
    """What was compared, whoever decided it: lines about the same answers have the same one (see ``arena.comparisons``)."""
    voter: str | None = None
    tier: str | None = None
    """What the voter did to be believed: ``anonymous``, ``worked`` (a proof of work), ``login``."""
    anony: bool = True
    policy: str | None = None
    pair_probability: float | None = None
    generation_config: GenerationConfig | None = None
    finish_a: str | None = None
    finish_b: str | None = None
    latency_a: float | None = None
    latency_b: float | None = None
    tstamp: float = 0.0


class Exclusion(Record, kw_only=True):
    """Takes a battle out of the ratings, and says why. The battle's own line stays where it is."""

    battle_id: str
    reason: str
    tstamp: float = 0.0


class Redaction(Record, kw_only=True, omit_defaults=False):
    """Withdraws a battle on request: no reader shows it and no export holds it, texts and vote alike.

    It has a ``reason``, so that whoever knows exclusion lines only leaves the vote out as well.
    """

    battle_id: str
    redacted: Literal[True] = True
    reason: str = "withdrawn"
    tstamp: float = 0.0


class Restoration(Record, kw_only=True):
    """Takes back the exclusions of a battle up to its time stamp, and says why: from then on it counts again.

    It never brings back a battle that was withdrawn.
    """

    battle_id: str
    restored: str
    tstamp: float


class VoterMark(Record, kw_only=True):
    """Marks a voter who looks odd, and says why. The votes stay where they are; ratings weigh them by their own rules."""

    voter: str
    votes: int
    reasons: list[str]
    tstamp: float = 0.0


class RegisterEvent(StrEnum):
    """What became of a model in an arena."""

    ADDED = "added"
    VARIANT = "variant"
    PAUSED = "paused"
    RESUMED = "resumed"
    RETIRED = "retired"


class PlayerEvent(StrEnum):
    """What became of a model in the live arena: it answered, it sits out, it plays again; an admin keeps it out (paused,
    retired) or lets it in again."""

    ANSWERED = "answered"
    SITS_OUT = "sits_out"
    RETURNED = "returned"
    PAUSED = "paused"
    RETIRED = "retired"
    RESUMED = "resumed"


class PlayerLine(Record, kw_only=True):
    """One line of the live arena's book of its models: what an answer cost, or why and until when one sits out.

    ``cost`` is in the currency of models.yaml, ``until`` a time stamp.
    """

    model: str
    event: PlayerEvent
    cost: float | None = None
    reason: str | None = None
    until: float | None = None
    tstamp: float = 0.0


class RegisterLine(Record, kw_only=True):
    """One line of an arena's register of models, which only grows: a model that was ever played stays known."""

    model: str
    event: RegisterEvent
    model_spec: str | None = None
    variant_of: str | None = None
    reason: str | None = None
    tstamp: float = 0.0
