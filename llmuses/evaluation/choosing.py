"""The benchmarks that somebody names: ours by name, a class of the user's own by its place, or as an object."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llmuses.benchmarks import Benchmark
from llmuses.benchmarks.own_class import benchmark_of
from llmuses.errors import StoreError, UnknownNameError, UsageError
from llmuses.evaluation.plan import named_benchmarks
from llmuses.records import OwnClass, Run
from llmuses.store import read_json


def chosen_benchmarks(datasets: Sequence[str | Benchmark], outputs: Path) -> dict[str, Benchmark]:
    """Return benchmarks by name, each once; ``FILE.py:Class`` and ``module:Class`` run the user's code.

    Raises UnknownNameError for a name that nothing has, UsageError for one that cannot be used: where a run below
    ``outputs`` asked a class of that name, it says where its code lay then.
    """
    try:
        return named_benchmarks([benchmark_of(each) if isinstance(each, str) else each for each in datasets])
    except UnknownNameError as problem:
        hint = _hint(problem.name, outputs) if problem.name in datasets else None
        if hint is None:
            raise
        raise UsageError(hint) from None


def _hint(name: str, outputs: Path) -> str | None:
    """Return what to do about a name that none of our benchmarks has, and a class of the user's own may have."""
    own = _earlier_class(name, outputs)
    if own is not None:
        where = f"it lay in {own.file}: name it as {own.file}:{own.name}" if own.file else "it lay in no file"
        return f"'{name}' is no benchmark of llmuses but the user's own class {own.name}; {where}."
    if Path(f"{name}.py").is_file():
        return f"unknown dataset '{name}': a class of your own is named with its file, {name}.py:CLASS."
    return None


def _earlier_class(dataset: str, outputs: Path) -> OwnClass | None:
    """Return the class of one's own that a run asked under a name, that of the latest run."""
    found: list[tuple[float, OwnClass]] = []
    for path in outputs.glob("*/run.json"):
        try:
            run = read_json(path, Run)
        except StoreError:
            continue
        found += [(run.started, plan.own) for plan in run.datasets if plan.own and plan.dataset == dataset]
    return max(found, key=lambda pair: pair[0])[1] if found else None
