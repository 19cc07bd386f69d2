"""The report of one dataset of a run, from its reviews."""

from __future__ import annotations

import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from llmuses import __version__
from llmuses.benchmarks import Benchmark
from llmuses.evaluation.aggregate import Aggregate, alike, by_category
from llmuses.evaluation.folder import RunFolder
from llmuses.evaluation.identity import fingerprint, identity
from llmuses.records import DatasetPlan, DatasetState, Estimate, Mode, Report, Run, Status, Totals
from llmuses.settings import model_entries
from llmuses.statistics.intervals import detectable_difference

_REASONS, _REASON = 3, 200
"""How many reasons of failure a report names, and their length in characters."""


def make_report(folder: RunFolder, run: Run, plan: DatasetPlan, benchmark: Benchmark) -> Report:
    """Return the report over the reviews that the folder holds; what has no review yet counts as failed."""
    state = run.states[plan.dataset]
    metrics = benchmark.metrics_of(plan)
    aggregate = Aggregate(metrics, run.repeats, benchmark.by_parts)
    tagged = Aggregate(metrics, run.repeats, benchmark.by_parts)
    failures: Counter[str] = Counter()
    for review in folder.reviews(plan.dataset):
        aggregate.add(review)
        if review.status is Status.FAILED and review.reason:
            failures[review.reason[:_REASON]] += 1
        if review.tag is not None:
            tagged.add(msgspec.structs.replace(review, subset=review.tag))
    for subset, planned in state.planned.items():
        seen = aggregate.seen(subset)
        aggregate.missing(subset, max(0, planned * run.repeats - seen))
    main = metrics[0]
    whole = aggregate.estimate(main)
    categories = _categories(benchmark, aggregate.subsets)
    parts = identity(plan, state, benchmark, run)
    repeat_scores = aggregate.repeat_scores if run.repeats > 1 else []
    return Report(
        **msgspec.structs.asdict(whole),
        dataset=plan.dataset,
        title=benchmark.title,
        group=benchmark.group,
        mode=plan.mode,
        metric="pass@1" if benchmark.pass_at else main,
        setting=setting(plan, state.borrowed_shots),
        few_shot=plan.few_shot,
        chance=state.chance,
        model=run.model,
        model_identity=run.model_identity,
        subsets={subset: aggregate.estimate(main, [subset]) for subset in aggregate.subsets},
        categories={name: aggregate.estimate(main, members) for name, members in categories.items()},
        tags={tag: tagged.estimate(main, [tag]) for tag in sorted(tagged.subsets)},
        averages=_averages(aggregate, main, categories, benchmark.groups, whole),
        metrics=_metrics(aggregate, benchmark, metrics, run.repeats),
        repeats=run.repeats,
        repeat_scores=repeat_scores,
        repeat_sd=statistics.stdev(repeat_scores) if len(repeat_scores) > 1 else None,
        failures=dict(failures.most_common(_REASONS)),
        publish_samples=benchmark.publish_samples,
        dataset_sha256=state.sha256,
        fingerprint=fingerprint(parts),
        identity=parts,
        totals=_totals(run, aggregate, state),
        served_models=state.served_models,
        detectable=detectable_difference(whole.score, -(-whole.n // run.repeats)) if whole.score is not None else None,
        llmuses_version=__version__,
        tstamp=time.time(),
    )


def setting(plan: DatasetPlan, borrowed_shots: bool) -> str:
    """Return what stands under a benchmark's name on the boards: ``5-shot``, ``0-shot, logprob``, ..."""
    parts = ["given answers"] if plan.answers else []
    if plan.few_shot or not plan.answers:
        parts.append(f"{plan.few_shot}-shot" + (" (borrowed)" if borrowed_shots else ""))
    if plan.few_shot and plan.few_shot_as == "turns":
        parts.append("turns")
    if plan.mode is Mode.LOGPROB:
        parts.append("logprob")
    if plan.variant:
        parts.append(plan.variant)
    if plan.judge is not None:
        parts.append(f"judged by {plan.judge.model_spec}")
    if plan.extract is not None:
        parts.append("own extraction")
    if plan.unsafe_code:
        parts.append("unsafe code")
    if plan.sample_data:
        parts.append("sample set")
    return ", ".join(parts)


def _metrics(aggregate: Aggregate, benchmark: Benchmark, metrics: Sequence[str], repeats: int) -> dict[str, Estimate]:
    """Return the metrics beside the main one: of pass@1 those over more tries, as far as the repeats go."""
    others = {metric: aggregate.estimate(metric) for metric in metrics[1:]}
    tries = [k for k in benchmark.pass_at if 1 < k <= repeats]
    return {**{f"pass@{k}": aggregate.estimate(metrics[0], k=k) for k in tries}, **others}


def _categories(benchmark: Benchmark, subsets: list[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for subset in subsets:
        if subset in benchmark.categories:
            groups[benchmark.categories[subset]].append(subset)
    return dict(groups)


def _averages(
    aggregate: Aggregate,
    metric: str,
    categories: dict[str, list[str]],
    groups: Mapping[str, tuple[str, ...]],
    whole: Estimate,
) -> dict[str, Estimate]:
    averages = {}
    if len(aggregate.subsets) > 1:
        averages["subsets_weighted"] = whole
        averages["subsets_unweighted"] = aggregate.estimate(metric, weigh=alike)
    if len(categories) > 1:
        members = [name for group in categories.values() for name in group]
        of_subset = {name: category for category, group in categories.items() for name in group}
        averages["categories_unweighted"] = aggregate.estimate(metric, members, by_category(of_subset))
    for name, members_of_group in groups.items():
        if set(members_of_group) <= set(aggregate.subsets):  # the mean of some of them is another figure
            averages[name] = aggregate.estimate(metric, members_of_group, alike)
    return averages


def _totals(run: Run, aggregate: Aggregate, state: DatasetState) -> Totals:
    totals = Totals(
        prompt_tokens=aggregate.prompt_tokens,
        completion_tokens=aggregate.completion_tokens,
        reasoning_tokens=aggregate.reasoning_tokens,
        seconds=state.seconds,
    )
    entry = model_entries().get(run.model_spec)
    if entry and entry.price:
        prompt, answer = entry.price
        totals.cost = (totals.prompt_tokens * prompt + totals.completion_tokens * answer) / 1e6
        totals.currency = entry.currency
    return totals
