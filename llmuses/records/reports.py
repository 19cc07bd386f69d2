"""What reviews add up to, and what others published."""

from __future__ import annotations

from typing import Literal

from llmuses.records.base import Record
from llmuses.records.requests import Mode
from llmuses.records.runs import VisibilityLine


class Counts(Record, kw_only=True, omit_defaults=False):
    """How many (sample, repeat) ended how.

    ``truncated`` counts beside the four statuses; ``correct`` counts those of ``scored`` whose main score is 1.
    """

    scored: int = 0
    unparsed: int = 0
    rejected: int = 0
    failed: int = 0
    truncated: int = 0
    correct: int = 0


class Estimate(Record, kw_only=True, omit_defaults=False):
    """A score and what it is worth. Scores are fractions.

    ``n`` counts what is in the score (``failed`` is not). ``score``, ``stderr`` and ``ci95`` are ``None`` at n = 0.
    ``bounds`` is what the score would be if every failed one were wrong, or right; ``None`` where none failed.
    """

    score: float | None
    n: int
    stderr: float | None
    ci95: tuple[float, float] | None
    counts: Counts
    bounds: tuple[float, float] | None = None


class Totals(Record, kw_only=True, omit_defaults=False):
    """What a dataset cost: tokens as counted by the backend, seconds of answering, money where prices are known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    seconds: float = 0.0
    cost: float | None = None
    currency: str | None = None


class Report(Estimate, kw_only=True):
    """The result of one dataset in one run: ``reports/DATASET.json``.

    ``averages`` holds the means over subsets and categories under their own names, each an Estimate:
    ``subsets_weighted``, ``subsets_unweighted``, ``categories_unweighted``. ``metrics`` holds the other metrics.
    ``fingerprint`` is what must be equal for two reports to be comparable, ``identity`` what it is made of, part by part.
    ``repeat_scores`` holds the score of each repeat alone and ``repeat_sd`` their standard deviation: how much a score
    over the same samples, asked once, varies.
    """

    dataset: str
    title: str
    group: str
    mode: Mode
    metric: str
    setting: str
    few_shot: int
    chance: float | None
    model: str
    model_identity: str
    subsets: dict[str, Estimate]
    categories: dict[str, Estimate]
    tags: dict[str, Estimate] = {}
    """The same by what samples are told apart by across subsets, such as their level: over those answered."""
    averages: dict[str, Estimate]
    metrics: dict[str, Estimate] = {}
    repeats: int = 1
    repeat_scores: list[float] = []
    repeat_sd: float | None = None
    failures: dict[str, int] = {}
    """Why samples failed, the commonest reasons first, and how many for each."""
    publish_samples: bool = True
    dataset_sha256: str = ""
    fingerprint: str = ""
    identity: dict[str, str] = {}
    totals: Totals
    served_models: list[str] = []
    detectable: float | None = None
    """The smallest true difference between two models that a paired test on this n finds with 80% power."""
    llmuses_version: str = ""
    tstamp: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether no sample failed: an incomplete report is shown but not ranked."""
        return self.counts.failed == 0


class PublishedResult(Record, kw_only=True):
    """A score that others published, a line of ``OUTPUTS/published.jsonl``: shown beside runs, ranked and averaged with none.

    Scores are fractions. ``setting`` is written as in a report (``5-shot``), ``parts`` are the other figures of the same
    row under their own names, ``notes`` its texts. ``parameters`` are billions.
    """

    model: str
    dataset: str
    setting: str
    score: float
    source: str
    """Where it stands: an address, or a citation."""
    metric: str = ""
    ci95: tuple[float, float] | None = None
    n: int | None = None
    parts: dict[str, float] = {}
    notes: dict[str, str] = {}
    organisation: str | None = None
    licence: str | None = None
    parameters: float | None = None
    kind: Literal["chat", "base"] | None = None
    visibility: VisibilityLine | None = None
    """A decision on all results of this source: the last one that any of its lines holds."""
    tstamp: float = 0.0
