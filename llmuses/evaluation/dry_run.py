"""What a run would ask, without asking: an example prompt of each dataset, the number of calls and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from llmuses.benchmarks import Benchmark
from llmuses.errors import UsageError
from llmuses.evaluation.dataset import Dataset, RunItems
from llmuses.evaluation.plan import Plan
from llmuses.inference import Item
from llmuses.models.tokens import estimated_tokens
from llmuses.records import Ask, Generate


class DryRun(NamedTuple):
    """What one dataset of a run would ask.

    ``prompt_tokens`` is an estimate from the length of the text (four characters a token, Chinese three for two);
    ``max_answer_tokens`` is what the answers may take at most. ``example`` is what is asked first.
    """

    dataset: str
    example: Item
    calls: int
    prompt_tokens: int
    max_answer_tokens: int


def dry_run(plan: Plan, benchmarks: Mapping[str, Benchmark]) -> list[DryRun]:
    """Return what each dataset would ask. Raises DataError where rows are missing."""
    found = []
    for dataset_plan in plan.datasets:
        dataset = Dataset(benchmarks[dataset_plan.dataset], dataset_plan, plan.limit, plan.seed)
        try:
            items = RunItems([dataset], plan.repeats)
            seen = [items[index] for index in range(0, len(items), max(1, len(items) // 200))]
            asks = [item.ask for item in seen]
            mean = sum(estimated_tokens(text_of(ask)) for ask in asks) / len(asks)
            longest = dataset_plan.generation.max_tokens if isinstance(asks[0], Generate) else 0
            found.append(
                DryRun(dataset_plan.dataset, seen[0], len(items), round(mean * len(items)), longest * len(items))
            )
        finally:
            dataset.close()
    return found


def example(plan: Plan, benchmarks: Mapping[str, Benchmark], name: str, number: int) -> tuple[Item, int]:
    """Return what a dataset of a plan is asked as its ``number``-th, from 1, and how many there are.

    Raises UsageError where there is no such dataset or number, DataError where rows are missing.
    """
    dataset_plan = next((each for each in plan.datasets if each.dataset == name), None)
    if dataset_plan is None:
        raise UsageError(f"{name} is not among the datasets.")
    dataset = Dataset(benchmarks[name], dataset_plan, plan.limit, plan.seed)
    try:
        items = RunItems([dataset], plan.repeats)
        if not 1 <= number <= len(items):
            raise UsageError(f"{name} has {len(items)} samples here; there is no number {number}.")
        return items[number - 1], len(items)
    finally:
        dataset.close()


def text_of(ask: Ask) -> str:
    """Return everything that an ask sends, as one text."""
    if isinstance(ask, Generate):
        return "\n".join(message.content for message in ask.messages)
    return ask.context + "".join(ask.continuations)
