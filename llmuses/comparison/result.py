"""What a comparison comes to: the schema of ``llmuses compare --json``. Scores and differences are fractions."""

from __future__ import annotations

from typing import Literal

from llmuses.records import Record


class ComparedRun(Record, kw_only=True, omit_defaults=False):
    """A run that was named. ``label`` is the model's name, or the run's id where a model was named twice."""

    run_id: str
    label: str
    model: str
    folder: str


class Side(Record, kw_only=True, omit_defaults=False):
    """One run's part of a pair: its score over the questions compared, and what happened to its answers to all that both were asked."""

    score: float
    unparsed: int
    rejected: int
    truncated: int
    failed: int


class Pair(Record, kw_only=True, omit_defaults=False):
    """Two runs on one dataset, by their ids. ``difference`` is the score of ``first`` less that of ``second``.

    ``n`` counts the questions compared, each once however often it was asked; ``left_out`` those that failed in
    either; ``only_first`` and ``only_second`` those that were asked of one alone. ``p_corrected`` is corrected for all
    comparisons made at once; so is ``detectable``, the smallest true difference that had an 80% chance to be found.
    """

    first: str
    second: str
    n: int
    left_out: int
    only_first: int
    only_second: int
    sides: tuple[Side, Side]
    difference: float
    stderr: float
    ci95: tuple[float, float]
    method: Literal["mcnemar", "bootstrap"]
    p_value: float
    p_corrected: float
    won: int
    lost: int
    tied: int
    detectable: float


class Part(Record, kw_only=True, omit_defaults=False):
    """A part of two results' identities that differs; "" where one has no such part."""

    name: str
    first: str
    second: str


class Refusal(Record, kw_only=True, omit_defaults=False):
    """Two runs that are not compared on a dataset, and why.

    ``differs``: their results are of different things. ``unknown``: they differ, and a report of an older version does
    not say in what. ``nothing_in_common``: no question has an answer in both.
    """

    first: str
    second: str
    reason: Literal["differs", "unknown", "nothing_in_common"]
    parts: list[Part]


class Rank(Record, kw_only=True, omit_defaults=False):
    """The best and the worst rank that a run may have among those compared with it: 95% for all of them at once."""

    run: str
    best: int
    worst: int


class DatasetComparison(Record, kw_only=True, omit_defaults=False):
    """All pairs on one dataset. ``ranks`` are over the largest group of runs that can be compared with each other."""

    dataset: str
    title: str
    metric: str
    setting: str
    pairs: list[Pair]
    refusals: list[Refusal]
    ranks: list[Rank]


class Comparison(Record, kw_only=True, omit_defaults=False):
    """Some runs beside each other. ``comparisons`` is how many tests were made, which p-values are corrected for."""

    runs: list[ComparedRun]
    datasets: list[DatasetComparison]
    comparisons: int
    baseline: str | None = None
    llmuses_version: str = ""

    @property
    def complete(self) -> bool:
        """Whether no pair was refused."""
        return not any(dataset.refusals for dataset in self.datasets)
