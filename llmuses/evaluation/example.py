"""How a benchmark asks: one prompt of each of its forms, made from the sample set that comes with it."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from typing import NamedTuple

from llmuses.benchmarks.base import Benchmark, Prompt
from llmuses.benchmarks.registry import get_benchmark
from llmuses.evaluation.dataset import Dataset
from llmuses.evaluation.plan import usual_plan
from llmuses.records import DatasetPlan, Mode


class Form(NamedTuple):
    """One way in which a benchmark can be asked, with everything else as it is by default."""

    mode: Mode
    variant: str


def forms(benchmark: Benchmark) -> list[Form]:
    """Return the ways in which a benchmark can be asked, the default of each mode first."""
    variants = benchmark.variants or ("",)
    return [Form(mode, name) for mode in benchmark.modes for name in variants if mode in benchmark.modes_in(name)]


def form_plan(benchmark: Benchmark, form: Form) -> DatasetPlan:
    """Return the plan of a form over the shipped sample set."""
    return usual_plan(benchmark, form.mode, form.variant)


@cache
def example_prompt(name: str, form: Form) -> Prompt:
    """Return the prompt for the first sample of a registered benchmark's sample set.

    Raises UnknownNameError for no such benchmark, DataError where it comes without a sample set.
    """
    benchmark = get_benchmark(name)
    with closing(Dataset(benchmark, form_plan(benchmark, form), limit=1, seed=0)) as dataset:
        return dataset.prompt(dataset[0])
