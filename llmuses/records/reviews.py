"""What an answer was worth."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from llmuses.records.base import Record


class Status(StrEnum):
    """What became of a (sample, repeat).

    ``scored``: an answer was read and judged right or wrong. ``unparsed``: the model answered, nothing could be
    read out: wrong, and counted. ``rejected``: refused for good: wrong, and counted. ``failed``: no answer because
    of an error that may pass: not in the score.
    """

    SCORED = "scored"
    UNPARSED = "unparsed"
    REJECTED = "rejected"
    FAILED = "failed"


class Review(Record, kw_only=True, omit_defaults=False):
    """One scored (sample, repeat).

    ``scores`` maps a metric to a number in [0, 1]; the benchmark's main metric comes first. ``span`` is where in
    the answer's text the extracted part stands (start, end, in characters); ``rule`` says how it was read.
    """

    key: str
    sample_id: str
    subset: str
    repeat: int = 0
    status: Status
    reason: str | None = None
    extracted: str | None = None
    target: str
    scores: dict[str, float] = {}
    span: tuple[int, int] | None = None
    rule: str | None = None
    finish_reason: str | None = None
    truncated: bool = False
    tokens: int | None = None
    prompt_tokens: int | None = None
    reasoning_tokens: int | None = None
    latency: float | None = None
    scorer: int = 0
    """The version of the benchmark that scored it."""
    tag: str | None = None
    """What a sample is told apart by inside its subset, such as its level."""
    parts: int = 1
    """How many parts of the sample its shares are of, in metrics whose unit is a part."""
    prompt: str = ""
    """The question's first words, for lists; the whole of it is in the prediction."""
    verdict: dict[str, Any] | None = None
