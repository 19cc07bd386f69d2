"""Benchmarks by name."""

from __future__ import annotations

import importlib
from functools import cache

from llmuses.benchmarks.base import Benchmark
from llmuses.errors import UnknownNameError

_CLASSES = {
    "aime": "AIME",
    "arc": "ARC",
    "bbh": "BBH",
    "ceval": "CEval",
    "cmmlu": "CMMLU",
    "competition_math": "CompetitionMath",
    "gpqa": "GPQA",
    "general_mcq": "GeneralMCQ",
    "general_qa": "GeneralQA",
    "gsm8k": "GSM8K",
    "humaneval": "HumanEval",
    "ifeval": "IFEval",
    "hellaswag": "HellaSwag",
    "mbpp": "MBPP",
    "mmlu": "MMLU",
    "mmlu_pro": "MMLUPro",
    "truthful_qa": "TruthfulQA",
}
"""Each benchmark's name, which is its module's too, and its class."""


def benchmark_names() -> list[str]:
    """Return the names of all benchmarks."""
    return sorted(_CLASSES)


@cache
def get_benchmark(name: str) -> Benchmark:
    """Return a benchmark by its name. Raises UnknownNameError."""
    if name not in _CLASSES:
        raise UnknownNameError("dataset", name, _CLASSES)
    module = importlib.import_module(f"llmuses.benchmarks.{name}")
    benchmark: Benchmark = getattr(module, _CLASSES[name])()
    return benchmark
