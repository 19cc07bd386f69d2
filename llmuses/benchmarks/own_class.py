"""A class of the user's own as a benchmark: found by its place, checked, and described for those who do not have it."""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from llmuses.benchmarks.base import Benchmark, HubIds
from llmuses.benchmarks.registry import benchmark_names, get_benchmark
from llmuses.errors import LlmusesError, UnknownNameError, UsageError
from llmuses.own_code import fault, own_object, place, text_sha256
from llmuses.records import DatasetPlan, GenerationConfig, Mode, OwnClass

GROUPS = ("knowledge", "reasoning", "maths", "code", "instructions", "own")


def benchmark_of(name: str) -> Benchmark:
    """Return a benchmark by its name, or that of the class which ``FILE.py:Class`` or ``module:Class`` stands for.

    The latter runs the user's code: never to be called with what came over the network or out of a run's record. Raises
    UnknownNameError, or UsageError with the file and line of what is wrong with the class.
    """
    if name.endswith(".py"):
        raise UsageError(f"'{name}' names a file; name the class in it, too: {name}:CLASS.")
    if ":" not in name:
        return get_benchmark(name)
    kind = own_object(name, "class")
    if not isinstance(kind, type) or not issubclass(kind, Benchmark):
        raise UsageError(f"{place(kind)}: {name} is no benchmark: a class that builds on one of llmuses.benchmarks.")
    return _instance(kind)


@cache
def _instance(kind: type[Benchmark]) -> Benchmark:
    who = f"{place(kind)}: the benchmark {kind.__name__}"
    if inspect.isabstract(kind):
        raise UsageError(f"{who} has no {', no '.join(sorted(kind.__abstractmethods__))}: a method each is missing.")
    try:
        return kind()
    except Exception as problem:
        line = fault(problem, files_of(kind))
        raise UsageError(line or f"{who} cannot be made without arguments ({problem}).") from problem


def check_class(benchmark: Benchmark) -> None:
    """Raise UsageError for a class that does not say what every benchmark has to, or has the name of one of ours."""
    kind = type(benchmark)
    who = f"the benchmark {kind.__name__}"
    try:
        _check(benchmark, who)
    except UnknownNameError:
        raise
    except UsageError as problem:
        raise UsageError(f"{place(kind)}: {problem}") from None


def _check(benchmark: Benchmark, who: str) -> None:
    for name in ("name", "title", "group", "paper", "homepage", "licence"):
        if not isinstance(getattr(benchmark, name, None), str) or not getattr(benchmark, name):
            raise UsageError(f"{who} has no {name}: set it to a text.")
    if not re.fullmatch(r"[A-Za-z0-9_][\w.-]*", benchmark.name):
        raise UsageError(f"the benchmark name '{benchmark.name}' is no file name: letters, digits, '_', '-' and '.'.")
    if _is_own(type(benchmark)) and benchmark.name in benchmark_names():
        raise UsageError(f"the name '{benchmark.name}' is that of a benchmark of llmuses: give {who} another one.")
    if benchmark.group not in GROUPS:
        raise UnknownNameError(f"group of {who}", benchmark.group, GROUPS)
    several = {name: getattr(benchmark, name, None) for name in ("files", "subsets", "languages")}
    several |= {f"split_names[{split!r}]": names for split, names in benchmark.split_names.items()}
    for name, value in several.items():
        if not _are_texts(value):
            raise UsageError(f'{who}: {name} must be a tuple of texts, such as ("{name}",).')
    for name, is_right, wanted in _KINDS:
        if not is_right(getattr(benchmark, name, None)):
            raise UsageError(f"{who}: {name} must be {wanted}.")
    metrics: Any = getattr(benchmark, "metrics", None)
    named = [metrics.get(mode) for mode in benchmark.modes] if isinstance(metrics, Mapping) else [()]
    if not all(names and _are_texts(names) for names in named):
        raise UsageError(f'{who}: metrics must name those of each mode, such as {{Mode.GENERATE: ("acc",)}}.')


def _are_texts(value: object) -> bool:
    return isinstance(value, tuple | list) and all(isinstance(each, str) for each in value)


_KINDS: tuple[tuple[str, Callable[[Any], object], str], ...] = (
    ("few_shot", lambda value: type(value) is int, "a whole number"),
    ("version", lambda value: type(value) is int, "a whole number"),
    ("publish_samples", lambda value: type(value) is bool, "True or False"),
    ("generation", lambda value: isinstance(value, GenerationConfig), "a GenerationConfig"),
    ("hub", lambda value: value is None or isinstance(value, HubIds), "HubIds(modelscope, huggingface), or None"),
    (
        "modes",
        lambda value: isinstance(value, tuple | list) and value and all(isinstance(each, Mode) for each in value),
        "a tuple of modes, such as (Mode.GENERATE,)",
    ),
)
"""What a class says beside texts: its name, whether it is right, and what it has to be."""


# --- for the record ----------------------------------------------------------------------------------------


def own_class(benchmark: Benchmark) -> OwnClass | None:
    """Return what a run writes down of a class of the user's own, None for a benchmark of ours.

    Raises UsageError where its file is gone.
    """
    return _described(type(benchmark)) if _is_own(type(benchmark)) else None


@cache  # what a class was made of does not change with its file
def _described(kind: type[Benchmark]) -> OwnClass:
    files = files_of(kind)
    return OwnClass(
        name=kind.__name__,
        file=files[0] if files else "",
        sha256=text_sha256(files) if files else "",
        title=kind.title,
        group=kind.group,
        version=kind.version,
        languages=tuple(kind.languages),
        publish_samples=kind.publish_samples,
    )


def known_benchmark(dataset: str, plan: DatasetPlan | None = None) -> Benchmark | OwnClass | None:
    """Return what knows a benchmark's title, group, version and languages, None where nobody does.

    That is what a run wrote down of a class of the user's own, whose code is not run for it, else the benchmark of ours.
    """
    if plan is not None and plan.own:
        return plan.own
    return get_benchmark(dataset) if dataset in benchmark_names() else None


def files_of(kind: type) -> list[str]:
    """Return the user's files that a class and those that it builds on are from, its own first; [] where one is in none."""
    modules = [sys.modules.get(each.__module__) for each in kind.__mro__ if _is_own(each)]
    files = [getattr(module, "__file__", None) for module in modules]
    return [file for file in dict.fromkeys(map(str, files)) if file.endswith(".py")] if all(files) else []


def _is_own(kind: type) -> bool:
    package = kind.__module__.partition(".")[0]
    return package != "llmuses" and package not in sys.stdlib_module_names


@contextlib.contextmanager
def own_faults(benchmarks: Iterable[Benchmark]) -> Iterator[None]:
    """Say an error that a user's own class makes in one line, with its file and line. Raises UsageError for it."""
    try:
        yield
    except LlmusesError:
        raise
    except Exception as problem:
        if line := own_fault(problem, benchmarks):
            raise UsageError(line) from problem
        raise


def own_fault(problem: Exception, benchmarks: Iterable[Benchmark]) -> str | None:
    """Return the line that says where in a user's own class an error was made, None where it was made elsewhere."""
    files = {file for benchmark in benchmarks for file in files_of(type(benchmark))}
    return fault(problem, files) if files else None
