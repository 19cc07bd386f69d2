"""The notebook's door to a run: ``evaluate(model, datasets, ...)``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmuses.benchmarks import Benchmark
from llmuses.benchmarks.own_class import own_faults
from llmuses.errors import UsageError
from llmuses.evaluation.choosing import chosen_benchmarks
from llmuses.evaluation.plan import Plan, make_plan
from llmuses.evaluation.runner import OpenJudge, Result, Setup, remembered_model, run_plan
from llmuses.evaluation.work import Listener, Stage
from llmuses.models import Model, load_model
from llmuses.models.load import check_model, default_mode, public_args
from llmuses.records import DatasetPlan
from llmuses.settings import outputs_dir


def evaluate(
    model: str | Model,
    datasets: str | Benchmark | Sequence[str | Benchmark],
    *,
    model_args: Mapping[str, Any] | None = None,
    dataset_args: Mapping[str, Mapping[str, Any]] | None = None,
    generation_config: Mapping[str, Any] | None = None,
    limit: int | None = None,
    repeats: int = 1,
    seed: int = 0,
    sample_data: bool = False,
    outputs: Path | str | None = None,
    stage: Stage = Stage.ALL,
    mem_cache: bool = False,
    unsafe_code: bool = False,
    listener: Listener | None = None,
    command: str = "",
    demo: bool = False,
    hidden: bool = False,
) -> Result:
    """Evaluate one model on some benchmarks and return the result, whose ``reports`` are in the datasets' order.

    ``model`` is a SPEC or a Model; a benchmark is a name, an instance of a class of one's own, or where that class is:
    ``FILE.py:Class``, ``module:Class``. ``limit`` is per subset. The same call again takes the run up where it stopped.
    ``unsafe_code`` lets code that the model wrote run without isolation, where the machine has none to offer.
    ``hidden`` keeps the run from public pages until it is published (one on which somebody decided before stays as they said).
    Raises LlmusesError with one line for people.

        result = evaluate("baseline:random", ["mmlu", "gsm8k"], sample_data=True)
        result.reports[0].score, result.reports[0].ci95
    """
    if not isinstance(model, str | Model):
        raise UsageError(
            f"evaluate() takes one model, a SPEC or a Model, not {type(model).__name__}: call it once a model."
        )
    folder = Path(outputs) if outputs else outputs_dir()
    chosen = [datasets] if isinstance(datasets, str | Benchmark) else list(datasets)
    benchmarks = chosen_benchmarks(chosen, folder)
    setup = Setup(folder, stage, mem_cache, listener, command, demo, hidden)
    with own_faults(benchmarks.values()):
        plan = make_plan(
            model if isinstance(model, str) else model.name,
            list(benchmarks.values()),
            prefers=default_mode(model) if isinstance(model, str) else model.prefers,
            model_args=public_args(model_args or {}),
            dataset_args=dataset_args,
            generation=generation_config,
            limit=limit,
            repeats=repeats,
            seed=seed,
            sample_data=sample_data,
            model_identity="" if isinstance(model, str) else model.identity,
            unsafe_code=unsafe_code,
        )
        if stage.asks and isinstance(model, str):
            check_model(model, **(model_args or {}))
        judge = judge_opener(plan, dataset_args or {}, check=stage in (Stage.ALL, Stage.REVIEW))
        return run_plan(plan, _model_opener(model, model_args or {}, plan, setup), benchmarks, setup, judge)


def _model_opener(
    model: str | Model, model_args: Mapping[str, Any], plan: Plan, setup: Setup
) -> Callable[[], contextlib.AbstractContextManager[Model]]:
    """Return what loads the model and frees it; where nothing is asked it is the one that the run's record names."""

    @contextlib.contextmanager
    def opened() -> Iterator[Model]:
        if not setup.stage.asks:
            yield remembered_model(setup.outputs / plan.run_id)
        elif isinstance(model, str):
            with contextlib.closing(load_model(model, **model_args)) as loaded:
                yield loaded
        else:
            yield model

    return opened


def judge_opener(plan: Plan, dataset_args: Mapping[str, Mapping[str, Any]], check: bool = True) -> OpenJudge:
    """Return what loads the judge of a dataset; with ``check`` raise at once what loading one of them would raise."""

    def arguments(part: DatasetPlan) -> tuple[str, dict[str, Any]]:
        assert part.judge is not None
        return part.judge.model_spec, dict(dataset_args[part.dataset].get("judge_args", {}))

    @contextlib.contextmanager
    def opened(part: DatasetPlan) -> Iterator[Model]:
        spec, args = arguments(part)
        with contextlib.closing(load_model(spec, **args)) as loaded:
            yield loaded

    for part in plan.datasets:
        if check and part.judge is not None:
            spec, args = arguments(part)
            check_model(spec, **args)
    return opened
