"""What the page of one sample is written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.results import RunEntry
from llmuses.records import Prediction, Review


@dataclass(frozen=True)
class Other:
    """What another run made of the same question."""

    entry: RunEntry
    review: Review


@dataclass(frozen=True)
class Shown:
    """One sample as it is shown: its review, its prediction where it was kept, and what stands around it."""

    review: Review
    prediction: Prediction | None
    index: int | None
    """Where it stands in the list, from 0; None where the list's filter leaves it out."""
    before: Review | None
    after: Review | None
    others: Sequence[Other]
    repeats: Sequence[Review]
    """All repeats of this sample, itself among them, where there are several."""
    jumped_from: str | None = None
    """The address that asked for the next disagreement and was answered with this sample."""
