"""llmuses: measure language models and compare them, with an error bar on every number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from llmuses.benchmarks import Benchmark
    from llmuses.comparison import compare
    from llmuses.evaluation import evaluate, score
    from llmuses.models import load_model

__all__ = ["Benchmark", "__version__", "compare", "evaluate", "load_model", "score"]

_HOMES = {
    "Benchmark": "llmuses.benchmarks",
    "compare": "llmuses.comparison",
    "evaluate": "llmuses.evaluation",
    "load_model": "llmuses.models",
    "score": "llmuses.evaluation",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: ``import llmuses`` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llmuses' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
