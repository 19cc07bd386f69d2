"""What a run would ask, without asking: an example prompt of each dataset, the number of calls and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from llmuses.benchmarks import Benchmark
from llmuses.evaluation.dataset import Dataset, RunItems
from llmuses.evaluation.plan import Plan
from llmuses.models.tokens import estimated_tokens
from llmuses.records import Ask, Generate


class DryRun(NamedTuple):
    """What one dataset of a run would ask.

    ``prompt_tokens`` is an estimate from the length of the text (four characters a token, Chinese three for two);
    ``max_answer_tokens`` is what the answers may take at most.
    """

    dataset: str
    example: Ask
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
            asks = [items[index].ask for index in range(0, len(items), max(1, len(items) // 200))]
            mean = sum(estimated_tokens(text_of(ask)) for ask in asks) / len(asks)
            longest = dataset_plan.generation.max_tokens if isinstance(asks[0], Generate) else 0
            found.append(
                DryRun(dataset_plan.dataset, asks[0], len(items), round(mean * len(items)), longest * len(items))
            )
        finally:
            dataset.close()
    return found


def text_of(ask: Ask) -> str:
    """Return everything that an ask sends, as one text."""
    if isinstance(ask, Generate):
        return "\n".join(message.content for message in ask.messages)
    return ask.context + "".join(ask.continuations)
