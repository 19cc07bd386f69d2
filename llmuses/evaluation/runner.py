"""One run, from plan to report: load the rows, lock the folder, load the model, ask, score, add up."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from llmuses import __version__
from llmuses.benchmarks import Benchmark
from llmuses.benchmarks.own_class import own_fault
from llmuses.errors import CutShortError, Interrupted, LlmusesError, StoreError, UsageError
from llmuses.evaluation.dataset import Dataset, RunItems
from llmuses.evaluation.folder import RunFolder, earlier_answers
from llmuses.evaluation.plan import Plan
from llmuses.evaluation.scoring import Scoring
from llmuses.evaluation.work import Answers, Listener, Stage, Work
from llmuses.inference import infer, stored
from llmuses.models import Model
from llmuses.records import DatasetPlan, DatasetState, Mode, Prediction, Report, Request, Response, Run, RunStatus
from llmuses.settings import job_id, work_dir
from llmuses.store import JsonlStore
from llmuses.visibility import begin_hidden, whoever_runs_this

OpenJudge = Callable[[DatasetPlan], AbstractContextManager[Model]]
"""Loads the judge that a dataset's plan names, and frees it."""


class Source(Protocol):
    """Where a run's answers come from: a model, or what another program wrote down of one."""

    @property
    def name(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def details(self) -> Mapping[str, Any]: ...


S = TypeVar("S", bound=Source)


class Result(NamedTuple):
    """What a run came to: its record, its reports in the order of the datasets, its folder."""

    run: Run
    reports: list[Report]
    folder: Path

    @property
    def complete(self) -> bool:
        """Whether every sample of every dataset was answered."""
        return self.run.status is RunStatus.DONE


class Setup(NamedTuple):
    """How a plan is carried out: none of it changes an answer.

    ``mem_cache`` shares answers with all runs of the same model on this machine; ``command`` and ``demo`` are for the
    record.
    """

    outputs: Path
    stage: Stage = Stage.ALL
    mem_cache: bool = False
    listener: Listener | None = None
    command: str = ""
    demo: bool = False
    hidden: bool = False
    """Keeps the run from public pages until somebody decides otherwise."""


def run_plan(
    plan: Plan,
    opened: Callable[[], AbstractContextManager[Model]],
    benchmarks: Mapping[str, Benchmark],
    setup: Setup,
    judge: OpenJudge | None = None,
) -> Result:
    """Do what a plan says and return the result; a run that exists is taken up where it stopped.

    ``opened`` loads the model, once the rows are known to be there and the folder is ours, and frees it; ``judge`` loads
    the model that scores the answers of a dataset where the plan names one. Raises DataError before anything is
    written, RunLockedError where another process works in the run, ModelError where the model cannot be asked at all,
    CutShortError for an error in the middle, Interrupted on Ctrl-C or SIGTERM.
    """
    with opened_datasets(plan, benchmarks) as datasets:
        return carry_out(plan, datasets, opened, _answers, setup, judge)


@contextmanager
def opened_datasets(plan: Plan, benchmarks: Mapping[str, Benchmark]) -> Iterator[list[Dataset]]:
    """Give the datasets of a plan, in its order. Raises DataError."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(closing(Dataset(benchmarks[part.dataset], part, plan.limit, plan.seed)))
            for part in plan.datasets
        ]


def carry_out(
    plan: Plan,
    datasets: list[Dataset],
    opened: Callable[[], AbstractContextManager[S]],
    answers: Callable[[S, Work, Setup], Answers],
    setup: Setup,
    judge: OpenJudge | None = None,
) -> Result:
    """Score the answers that ``answers`` gets of what ``opened`` opens, and report them. Raises as ``run_plan`` does."""
    with ExitStack() as stack:
        scoring = stack.enter_context(Scoring({dataset.plan.dataset: dataset for dataset in datasets}))
        folder = stack.enter_context(RunFolder(setup.outputs / plan.run_id))
        hidden = setup.hidden and begin_hidden(folder.path, whoever_runs_this())  # before there is anything to show
        with opened() as source:
            before = folder.read_run()
            run = _new_run(plan, source, datasets, before, setup)
            run.began_hidden = hidden or (before is not None and before.began_hidden)
            folder.save_run(run)
            work = Work(run, folder, datasets, setup.stage, scoring, setup.listener)
            if work.listener:
                work.listener.started(run)
            with _cut_short(work):
                work.go_through(answers(source, work, setup))
        with _cut_short(work):  # the model is freed: the judge may need its place
            _judge(work, judge, setup)
            reports = work.finish()
        if work.listener:
            work.listener.finished(run, reports)
        return Result(run, reports, folder.path)


def _judge(work: Work, judge: OpenJudge | None, setup: Setup) -> None:
    """Have the judges score what they have to, each dataset by its own."""
    if setup.stage not in (Stage.ALL, Stage.REVIEW) or judge is None:
        return
    for dataset in work.datasets:
        if dataset.plan.judge is not None:
            with judge(dataset.plan) as model:
                work.judge(dataset, model, setup.outputs)


@contextmanager
def _cut_short(work: Work) -> Iterator[None]:
    """Write down that the run was interrupted, whatever interrupts it."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Interrupted(work.cut_short("stopped")) from stop
    except LlmusesError as problem:
        words = work.cut_short(str(problem))
        if not work.answered:
            raise
        raise CutShortError(words) from problem
    except BaseException as problem:
        line = isinstance(problem, Exception) and own_fault(problem, [each.benchmark for each in work.datasets])
        words = work.cut_short(line or "")
        if line:
            raise CutShortError(words) from problem
        raise


def _answers(model: Model, work: Work, setup: Setup) -> Answers:
    """Return the run's answers: stored ones only where nothing is to be asked."""
    items = RunItems(work.datasets, work.run.repeats)
    if not setup.stage.asks:
        return stored(model.identity, items, work.folder.predictions, failures=True)
    reuse = earlier_answers(setup.outputs, work.run)
    share = None
    if setup.mem_cache:
        name = hashlib.sha256(model.identity.encode()).hexdigest()[:16]
        share = JsonlStore(work_dir() / "answers" / f"{name}.jsonl", Prediction)
        reuse.append(share.path)
    return infer(model, items, work.folder.predictions, reuse=reuse, share=share)


def _new_run(plan: Plan, source: Source, datasets: list[Dataset], before: Run | None, setup: Setup) -> Run:
    states = {}
    for dataset in datasets:
        name = dataset.plan.dataset
        known = before.states.get(name) if before else None
        states[name] = DatasetState(
            total=len(dataset) * plan.repeats,
            planned=dataset.planned(),
            sha256=dataset.sha256,
            order=dataset.order,
            chance=dataset.chance,
            borrowed_shots=dataset.borrowed_shots,
            prompts_sha256=dataset.prompts_sha256,
            seconds=known.seconds if known else 0.0,
        )
    now = time.time()
    return Run(
        run_id=plan.run_id,
        plan_hash=plan.digest,
        model=source.name,
        model_spec=plan.model_spec,
        model_identity=source.identity,
        model_args=plan.model_args,
        model_details=dict(source.details),
        datasets=plan.datasets,
        limit=plan.limit,
        repeats=plan.repeats,
        seed=plan.seed,
        status=RunStatus.RUNNING,
        states=states,
        versions={"llmuses": __version__, "python": platform.python_version()},
        command=setup.command,
        demo=setup.demo,
        job=job_id(),
        pid=os.getpid(),
        started=before.started if before else now,
        seconds=before.seconds if before else 0.0,
    )


class _RememberedModel:
    """The model of a run's record: known by name, not loaded. It answers nothing."""

    prefers = Mode.GENERATE

    def __init__(self, run: Run):
        self.name = run.model
        self.identity = run.model_identity
        self.details: Mapping[str, Any] = run.model_details

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        raise StoreError(f"{self.name} is not loaded in this stage.")

    def close(self) -> None:
        """Nothing is held."""


def remembered_model(folder: Path) -> Model:
    """Return the model of a run that exists, for stages that ask nothing. Raises UsageError where there is no run."""
    run = RunFolder(folder).read_run()
    if run is None:
        raise UsageError(f"nothing to review: there is no run {folder}; the same command with --stage infer makes it.")
    return _RememberedModel(run)
