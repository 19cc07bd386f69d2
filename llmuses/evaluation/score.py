"""Scoring answers that some other program produced: ``score(dataset, predictions, ...)``. No model is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import msgspec

from llmuses.benchmarks import Benchmark
from llmuses.benchmarks.own_class import own_faults
from llmuses.errors import UsageError
from llmuses.evaluation.answer_log import AnswerLog
from llmuses.evaluation.choosing import chosen_benchmarks
from llmuses.evaluation.evaluate import judge_opener
from llmuses.evaluation.plan import Plan, make_plan
from llmuses.evaluation.recorded import RecordedAnswers
from llmuses.evaluation.runner import Result, Setup, carry_out, opened_datasets
from llmuses.evaluation.work import Answers, Listener, Work
from llmuses.settings import outputs_dir


def score(
    dataset: str | Benchmark,
    predictions: Path | str | Sequence[Path | str],
    *,
    dataset_args: Mapping[str, Mapping[str, Any]] | None = None,
    name: str | None = None,
    sample_data: bool = False,
    outputs: Path | str | None = None,
    unsafe_code: bool = False,
    listener: Listener | None = None,
    command: str = "",
    hidden: bool = False,
) -> Result:
    """Score the answers of one or several files on one benchmark and return the result, a run like any other.

    The files' format is told by their content: see ``llmuses.evaluation.formats``. ``name`` is what the model is called,
    by default as the log or its file is. A dataset may be a class of one's own, as for ``evaluate``. An answer whose
    sample comes again is its next repeat; a sample without an answer is ``failed``. The same files again give the same run.
    ``hidden`` keeps it from public pages, as in ``evaluate``.
    Raises LlmusesError with one line for people.

        result = score("gsm8k", "answers.jsonl", dataset_args={"gsm8k": {"local_path": "DIR"}})
        result.reports[0].score, result.reports[0].ci95
    """
    folder = Path(outputs) if outputs else outputs_dir()
    benchmarks = chosen_benchmarks([dataset], folder)
    (benchmark,) = benchmarks.values()
    files = [predictions] if isinstance(predictions, Path | str) else list(predictions)
    with closing(AnswerLog([Path(file) for file in files])) as log, own_faults(benchmarks.values()):
        model = name or log.model
        plan = _plan(benchmark, log, model, dataset_args or {}, sample_data, unsafe_code)
        judge = judge_opener(plan, dataset_args or {})
        with opened_datasets(plan, benchmarks) as datasets:
            recorded = RecordedAnswers(log, datasets[0], model)
            plan = msgspec.structs.replace(plan, repeats=recorded.repeats)
            setup = Setup(folder, listener=listener, command=command, hidden=hidden)
            return carry_out(plan, datasets, lambda: nullcontext(recorded), _answers, setup, judge)


def _answers(recorded: RecordedAnswers, work: Work, _: Setup) -> Answers:
    return recorded.answers(work.folder.predictions)


def _plan(
    benchmark: Benchmark,
    log: AnswerLog,
    model: str,
    dataset_args: Mapping[str, Mapping[str, Any]],
    sample_data: bool,
    unsafe_code: bool,
) -> Plan:
    """Return the plan of a run that asks nothing: its few-shot number is what the user says of the answers, or none."""
    own = {"few_shot_num": 0, **dataset_args.get(benchmark.name, {})}
    if log.mode not in benchmark.modes or own.get("mode", log.mode) != log.mode:
        wanted = own.get("mode") or " or ".join(benchmark.modes)
        raise UsageError(f"{log.paths[0]}: its answers are of mode {log.mode}, {benchmark.name} is scored in {wanted}.")
    plan = make_plan(
        model,
        [benchmark],
        prefers=log.mode,
        dataset_args={**dataset_args, benchmark.name: own},
        sample_data=sample_data,
        model_identity=log.identity,
        unsafe_code=unsafe_code,
    )
    part = msgspec.structs.replace(plan.datasets[0], answers=log.format)
    return msgspec.structs.replace(plan, datasets=[part])
