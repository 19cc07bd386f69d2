"""From reviews to a report: counts, means and intervals, as a stream that keeps sums only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from llmuses.records import Counts, Estimate, Review, Status
from llmuses.statistics.intervals import Stratum, cluster_stratum, stratified

Weigh = Callable[[Mapping[str, int]], Mapping[str, float]]
"""Makes weights of the subsets' sizes."""


def by_size(sizes: Mapping[str, int]) -> Mapping[str, float]:
    """Weigh each subset by its size: the plain mean over all samples."""
    return dict(sizes)


def alike(sizes: Mapping[str, int]) -> Mapping[str, float]:
    """Weigh all subsets the same."""
    return dict.fromkeys(sizes, 1.0)


def by_category(categories: Mapping[str, str]) -> Weigh:
    """Weigh all categories the same, and inside a category each subset by its size."""

    def weigh(sizes: Mapping[str, int]) -> Mapping[str, float]:
        whole: dict[str, int] = defaultdict(int)
        for name, size in sizes.items():
            whole[categories[name]] += size
        return {name: size / whole[categories[name]] for name, size in sizes.items()}

    return weigh


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
        self.prompt_tokens = self.completion_tokens = self.reasoning_tokens = 0

    def add(self, review: Review) -> None:
        """Count one review."""
        subset = self._subsets[review.subset]
        counts = subset.counts
        setattr(counts, review.status, getattr(counts, review.status) + 1)
        counts.truncated += review.truncated
        self.prompt_tokens += review.prompt_tokens or 0
        self.completion_tokens += review.tokens or 0
        self.reasoning_tokens += review.reasoning_tokens or 0
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

    def estimate(self, metric: str, subsets: Iterable[str] | None = None, weigh: Weigh = by_size) -> Estimate:
        """Return the estimate over some subsets, all by default.

        ``weigh`` makes the subsets' weights, which need not sum to 1, of their sizes; by size is the plain mean. The
        bounds are over all that was asked: each subset's failed samples are taken as wrong, or right.
        """
        names = list(self._subsets if subsets is None else subsets)
        counts = _added(self._subsets[name].counts for name in names)
        scored = {name: self._subsets[name].n for name in names if self._subsets[name].n}
        limits = self._bounds(metric, names, weigh) if counts.failed else None
        if not scored:
            return Estimate(score=None, n=0, stderr=None, ci95=None, counts=counts, bounds=limits)
        strata = [self._stratum(self._subsets[name], metric) for name in scored]
        weights = weigh(scored)
        interval = stratified(strata, [weights[name] for name in scored])
        return Estimate(
            score=interval.mean,
            n=sum(scored.values()),
            stderr=interval.stderr,
            ci95=(interval.low, interval.high),
            counts=counts,
            bounds=limits,
        )

    def _bounds(self, metric: str, names: Sequence[str], weigh: Weigh) -> tuple[float, float]:
        asked = {name: self._subsets[name].n + self._subsets[name].counts.failed for name in names}
        asked = {name: size for name, size in asked.items() if size}
        weights = weigh(asked)
        low = high = 0.0
        for name, size in asked.items():
            subset = self._subsets[name]
            right = self._total(subset, metric)
            low += weights[name] * right / size
            high += weights[name] * (right + subset.counts.failed) / size
        whole = sum(weights[name] for name in asked)
        return low / whole, high / whole

    def _total(self, subset: _Sum, metric: str) -> float:
        if self._repeats == 1:
            return subset.strata[metric][1]
        return sum(total for _, total in subset.samples[metric].values())

    def _stratum(self, subset: _Sum, metric: str) -> Stratum:
        """Return a subset's scores as a stratum, the repeats of one question as a cluster."""
        if self._repeats == 1:
            n, total, squares = subset.strata[metric]
            return Stratum(int(n), total, squares)
        questions = subset.samples[metric].values()
        return cluster_stratum([total for _, total in questions], [int(size) for size, _ in questions])

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
