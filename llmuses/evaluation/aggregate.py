"""From reviews to a report: counts, means and intervals, as a stream that keeps sums only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from llmuses.records import Counts, Estimate, Review, Status
from llmuses.statistics.intervals import Stratum, bounds, stratified


class _Sum:
    """Scores of one subset: how many, their sum, the sum of their squares; per sample where it is asked again."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.n = 0
        self.strata: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
        self.samples: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0, 0.0]))


class Aggregate:
    """Adds reviews up and gives estimates. ``repeats`` > 1 makes a question's repeats one cluster.

    Repeats of one question are not independent: the mean over them is the question's score, and the interval is over
    questions.
    """

    def __init__(self, metrics: Sequence[str], repeats: int = 1):
        self._metrics = metrics
        self._repeats = repeats
        self._subsets: dict[str, _Sum] = defaultdict(_Sum)
        self.prompt_tokens = self.completion_tokens = 0

    def add(self, review: Review) -> None:
        """Count one review."""
        subset = self._subsets[review.subset]
        counts = subset.counts
        setattr(counts, review.status, getattr(counts, review.status) + 1)
        counts.truncated += review.truncated
        self.prompt_tokens += review.prompt_tokens or 0
        self.completion_tokens += review.tokens or 0
        if review.status is Status.FAILED:
            return
        counts.correct += review.scores[self._metrics[0]] == 1.0
        subset.n += 1
        for metric in self._metrics:
            score = review.scores[metric]
            if self._repeats > 1:
                cell = subset.samples[metric][review.sample_id]
                cell[0] += 1
                cell[1] += score
            else:
                sums = subset.strata[metric]
                sums[0] += 1
                sums[1] += score
                sums[2] += score * score

    def seen(self, subset: str) -> int:
        """Return how many reviews of a subset were counted."""
        counts = self._subsets[subset].counts
        return counts.scored + counts.unparsed + counts.rejected + counts.failed

    def missing(self, subset: str, number: int) -> None:
        """Count samples that have no answer yet as failed."""
        self._subsets[subset].counts.failed += number

    def estimate(
        self, metric: str, subsets: Iterable[str] | None = None, weights: Mapping[str, float] | None = None
    ) -> Estimate:
        """Return the estimate over some subsets, all by default.

        ``weights`` are by subset and need not sum to 1; without them a subset weighs by its size, the plain mean.
        """
        names = list(self._subsets if subsets is None else subsets)
        counts = _added(self._subsets[name].counts for name in names)
        filled = [name for name in names if self._subsets[name].n]
        if not filled:
            nothing = bounds(None, 0, counts.failed)
            return Estimate(score=None, n=0, stderr=None, ci95=None, counts=counts, bounds=nothing)
        strata = [self._stratum(self._subsets[name], metric) for name in filled]
        if weights is None:
            weights = {name: self._subsets[name].n for name in filled}
        whole = sum(weights[name] for name in filled)
        interval = stratified(strata, [weights[name] / whole for name in filled])
        n = sum(self._subsets[name].n for name in filled)
        return Estimate(
            score=interval.mean,
            n=n,
            stderr=interval.stderr,
            ci95=(interval.low, interval.high),
            counts=counts,
            bounds=bounds(interval.mean, n, counts.failed),
        )

    def _stratum(self, subset: _Sum, metric: str) -> Stratum:
        """Return a subset's scores as a stratum; repeats as one pseudo-value for each question.

        A pseudo-value is the mean plus the question's residual, scaled: their mean is the plain mean over all
        answers, and their sample variance over their number is the cluster-robust variance of it (Cameron & Miller
        2015, section II, with the factor G / (G - 1)).
        """
        if self._repeats == 1:
            n, total, squares = subset.strata[metric]
            return Stratum(int(n), total, squares)
        questions = subset.samples[metric].values()
        mean = sum(total for _, total in questions) / subset.n
        scale = len(questions) / subset.n
        values = [mean + (total - mean * size) * scale for size, total in questions]
        return Stratum(len(values), sum(values), sum(value * value for value in values))

    def category_weights(self, categories: Mapping[str, Sequence[str]]) -> dict[str, float]:
        """Return weights under which each category weighs the same, and inside it each subset by its size."""
        weights = {}
        for members in categories.values():
            size = sum(self._subsets[name].n for name in members)
            weights.update({name: self._subsets[name].n / size if size else 0.0 for name in members})
        return weights

    @property
    def subsets(self) -> list[str]:
        """Return the subsets that were counted, in alphabetical order."""
        return sorted(self._subsets)


def _added(all_counts: Iterable[Counts]) -> Counts:
    total = Counts()
    for counts in all_counts:
        for field in Counts.__struct_fields__:
            setattr(total, field, getattr(total, field) + getattr(counts, field))
    return total
