"""Plans and answers for the tests of benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from llmuses.benchmarks import Benchmark
from llmuses.records import DatasetPlan, Generate, Loglikelihood, Mode, Response, Sample, Score
from llmuses.settings import REGISTRY

SAMPLES = REGISTRY / "data"
DATA = Path(__file__).parents[4] / "shared" / "data"
"""Real rows, which lie beside a checkout on some machines only."""


def plan_for(
    benchmark: Benchmark, mode: Mode, few_shot: int = 0, few_shot_as: Literal["text", "turns"] = "text"
) -> DatasetPlan:
    return DatasetPlan(
        dataset=benchmark.name,
        mode=mode,
        few_shot=few_shot,
        few_shot_as=few_shot_as,
        subsets=[],
        split=benchmark.split,
        local_path=None,
        hub="modelscope",
        sample_data=True,
        generation=benchmark.generation,
        variant=benchmark.variants[0] if benchmark.variants else "",
    )


def rows_of(benchmark: Benchmark, subset: str, split: str) -> list[Sample]:
    return list(benchmark.samples(SAMPLES / benchmark.name, subset, split))


def examples_of(benchmark: Benchmark, subset: str, number: int) -> list[Sample]:
    """Return as many worked examples as there are, at most ``number``; none where they are the asked rows themselves."""
    if benchmark.few_shot_split == benchmark.split:
        return []
    if not benchmark.find(SAMPLES / benchmark.name, subset, benchmark.few_shot_split):
        return []
    return rows_of(benchmark, subset, benchmark.few_shot_split)[:number]


def modes_of(benchmark: Benchmark) -> list[Mode]:
    """Return the modes whose answers are scored without a judge model."""
    return [mode for mode in benchmark.modes if not benchmark.needs_judge(plan_for(benchmark, mode))]


def shipped_subsets(benchmark: Benchmark) -> list[str]:
    root = SAMPLES / benchmark.name
    return [subset for subset in benchmark.subsets_in(root) if benchmark.find(root, subset, benchmark.split)]


def text_of(ask: Generate | Loglikelihood, at: tuple[int, int]) -> str:
    """Return what a prompt says from a place on."""
    message, offset = at
    if isinstance(ask, Loglikelihood):
        assert message == 0
        return ask.context[offset:]
    assert message == len(ask.messages) - 1
    return ask.messages[message].content[offset:]


def written(text: str | None) -> Response:
    return Response(key="k", text=text)


def scored(*logprobs: float | None) -> Response:
    return Response(key="k", scores=[Score(logprob=logprob) for logprob in logprobs])
