"""From reviews to a report: counts, means and intervals, as a stream that keeps sums only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from llmuses.records import Counts, Estimate, Review, Status
from llmuses.statistics.intervals import Stratum, cluster_stratum, stratified
from llmuses.statistics.pass_at_k import pass_at_k

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
    questions. So are the parts of one question, which the metrics ``by_parts`` count instead of questions.
    """

    def __init__(self, metrics: Sequence[str], repeats: int = 1, by_parts: Collection[str] = ()):
        self._metrics = metrics
        self._repeats = repeats
        self._by_parts = by_parts
        self._subsets: dict[str, _Sum] = defaultdict(_Sum)
        self._by_repeat: dict[int, list[float]] = defaultdict(lambda: [0, 0.0])
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
        main = review.scores[self._metrics[0]]
        counts.correct += main == 1.0
        self._by_repeat[review.repeat][0] += 1
        self._by_repeat[review.repeat][1] += main
        subset.n += 1
        for metric in self._metrics:
            score = review.scores[metric]
            if self._clustered(metric):
                parts = review.parts if metric in self._by_parts else 1
                cell = subset.samples[metric][review.sample_id]
                cell[0] += parts
                cell[1] += score * parts
            else:
                sums = subset.strata[metric]
                sums[0] += 1
                sums[1] += score
                sums[2] += score * score

    def _clustered(self, metric: str) -> bool:
        """Whether one question gives several scores of a metric."""
        return self._repeats > 1 or metric in self._by_parts

    def seen(self, subset: str) -> int:
        """Return how many reviews of a subset were counted."""
        counts = self._subsets[subset].counts
        return counts.scored + counts.unparsed + counts.rejected + counts.failed

    def missing(self, subset: str, number: int) -> None:
        """Count samples that have no answer yet as failed."""
        self._subsets[subset].counts.failed += number

    def estimate(
        self, metric: str, subsets: Iterable[str] | None = None, weigh: Weigh = by_size, k: int = 1
    ) -> Estimate:
        """Return the estimate over some subsets, all by default.

        ``weigh`` makes the subsets' weights, which need not sum to 1, of their sizes; by size is the plain mean. The
        bounds are over all that was asked: each subset's failed samples are taken as wrong, or right. ``k`` above 1
        makes it pass@k, over the questions that have k answers at least.
        """
        names = list(self._subsets if subsets is None else subsets)
        counts = _added(self._subsets[name].counts for name in names)
        sizes = {name: self._size(self._subsets[name], metric, k) for name in names}
        scored = {name: size for name, size in sizes.items() if size}
        limits = self._bounds(metric, names, weigh, k) if counts.failed else None
        if not scored:
            return Estimate(score=None, n=0, stderr=None, ci95=None, counts=counts, bounds=limits)
        strata = [self._stratum(self._subsets[name], metric, k) for name in scored]
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

    def _bounds(self, metric: str, names: Sequence[str], weigh: Weigh, k: int) -> tuple[float, float]:
        asked = {name: self._asked(self._subsets[name], metric) for name in names}
        asked = {name: size for name, size in asked.items() if size}
        weights = weigh(asked)
        low = high = 0.0
        for name in asked:
            least, most = self._limits(self._subsets[name], metric, k)
            low += weights[name] * least
            high += weights[name] * most
        whole = sum(weights[name] for name in asked)
        return low / whole, high / whole

    def _limits(self, subset: _Sum, metric: str, k: int) -> tuple[float, float]:
        """Return the score of a subset with all failed samples taken as wrong, and as right."""
        failed = subset.counts.failed
        if k == 1:
            right, size, asked = self._total(subset, metric), self._size(subset, metric, k), self._asked(subset, metric)
            return right / asked, (right + asked - size) / asked
        n, questions = self._repeats, -(-(subset.n + failed) // self._repeats)
        seen = [(int(size), round(total)) for size, total in subset.samples[metric].values()]
        low = sum(pass_at_k(n, right, k) for _, right in seen)
        high = sum(pass_at_k(n, right + n - size, k) for size, right in seen)
        return low / questions, (high + (questions - len(seen))) / questions

    def _total(self, subset: _Sum, metric: str) -> float:
        if not self._clustered(metric):
            return subset.strata[metric][1]
        return sum(total for _, total in subset.samples[metric].values())

    def _asked(self, subset: _Sum, metric: str) -> int:
        """Return how many scores a subset would have without failures; a failed sample has as many parts as the others."""
        size = self._size(subset, metric, 1)
        return size + round(subset.counts.failed * (size / subset.n if subset.n else 1.0))

    def _size(self, subset: _Sum, metric: str, k: int) -> int:
        """Return how many of a subset's answers, or of their parts, are in a score."""
        if k == 1 and metric not in self._by_parts:
            return subset.n
        return sum(int(size) for size, _ in subset.samples[metric].values() if size >= k)

    def _stratum(self, subset: _Sum, metric: str, k: int) -> Stratum:
        """Return a subset's scores as a stratum, the repeats of one question as a cluster."""
        if not self._clustered(metric):
            n, total, squares = subset.strata[metric]
            return Stratum(int(n), total, squares)
        questions = subset.samples[metric].values()
        if k > 1:
            values = [pass_at_k(int(size), round(total), k) for size, total in questions if size >= k]
            return cluster_stratum(values, [1] * len(values))
        return cluster_stratum([total for _, total in questions], [int(size) for size, _ in questions])

    @property
    def repeat_scores(self) -> list[float]:
        """Return the main score of each repeat alone, in order: the plain mean over what counts of it."""
        return [total / n for _, (n, total) in sorted(self._by_repeat.items())]

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
