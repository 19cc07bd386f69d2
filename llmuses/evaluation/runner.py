"""One run, from plan to report: load, ask, score, add up. Scoring overlaps asking."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from llmuses import __version__
from llmuses.benchmarks import Benchmark
from llmuses.errors import Interrupted, LlmusesError, StoreError, UsageError
from llmuses.evaluation.dataset import Dataset, RunItems
from llmuses.evaluation.folder import RunFolder, sibling_predictions
from llmuses.evaluation.kept import KeptReviews
from llmuses.evaluation.plan import Plan
from llmuses.evaluation.report import make_report
from llmuses.evaluation.review import review
from llmuses.inference import Item, infer, stored
from llmuses.models import Model
from llmuses.records import DatasetState, Mode, Prediction, Report, Request, Response, Review, Run, RunStatus, Status
from llmuses.reports import write_reports
from llmuses.settings import work_dir
from llmuses.store import JsonlStore

_SAVE_EVERY = 1.0
"""Seconds between two writes of run.json while a run is under way."""


class Stage(StrEnum):
    """How much of a run is done: everything, only the asking, only the scoring, only the adding up."""

    ALL = "all"
    INFER = "infer"
    REVIEW = "review"
    REPORT = "report"


class Listener(Protocol):
    """Who is told how a run goes."""

    def started(self, run: Run) -> None: ...

    def answered(self, run: Run, dataset: str, fresh: bool) -> None:
        """One more (sample, repeat) has an answer; ``fresh`` if it was asked just now and not stored before."""

    def finished(self, run: Run, reports: list[Report]) -> None: ...


class Result(NamedTuple):
    """What a run came to: its record, its reports in the order of the datasets, its folder."""

    run: Run
    reports: list[Report]
    folder: Path

    @property
    def complete(self) -> bool:
        """Whether every sample of every dataset was answered."""
        return self.run.status is RunStatus.DONE


def run_plan(
    plan: Plan,
    opened: Callable[[], AbstractContextManager[Model]],
    benchmarks: Mapping[str, Benchmark],
    outputs: Path,
    *,
    stage: Stage = Stage.ALL,
    mem_cache: bool = False,
    listener: Listener | None = None,
    command: str = "",
    demo: bool = False,
) -> Result:
    """Do what a plan says and return the result; a run that exists is taken up where it stopped.

    ``opened`` loads the model, once the rows are known to be there, and frees it. ``mem_cache`` shares answers with all runs of the same model on this machine. Raises DataError before anything is
    written, RunLockedError where another process works in the run, ModelError where the model cannot be asked,
    Interrupted on Ctrl-C or SIGTERM.
    """
    datasets: list[Dataset] = []
    try:
        for dataset_plan in plan.datasets:
            datasets.append(Dataset(benchmarks[dataset_plan.dataset], dataset_plan, plan.limit, plan.seed))
        with opened() as model:
            return _run(plan, model, datasets, outputs, stage, mem_cache, listener, command, demo)
    finally:
        for dataset in datasets:
            dataset.close()


def _run(
    plan: Plan,
    model: Model,
    datasets: list[Dataset],
    outputs: Path,
    stage: Stage,
    mem_cache: bool,
    listener: Listener | None,
    command: str,
    demo: bool,
) -> Result:
    with RunFolder(outputs / plan.run_id) as folder:
        before = folder.read_run()
        run = _new_run(plan, model, datasets, before, command, demo)
        work = _Work(run, folder, datasets, stage, listener, before)
        folder.save_run(run)
        if listener:
            listener.started(run)
        try:
            work.go_through(_answers(model, work, outputs, mem_cache))
        except KeyboardInterrupt as stop:
            raise work.interrupted("stopped") from stop
        except BaseException as problem:
            if before is None and not any(folder.path.glob("predictions/*.jsonl")):
                work.stop(RunStatus.INTERRUPTED)
                shutil.rmtree(folder.path)
                raise
            if isinstance(problem, LlmusesError):
                raise work.interrupted(str(problem)) from problem
            work.stop(RunStatus.INTERRUPTED)
            raise
        reports = work.finish()
        if listener:
            listener.finished(run, reports)
        return Result(run, reports, folder.path)


def _answers(model: Model, work: _Work, outputs: Path, mem_cache: bool) -> Iterator[tuple[Item, Prediction]]:
    """Return the run's answers: stored ones only where nothing is to be asked."""
    items = RunItems(work.datasets, work.run.repeats)
    if work.stage in (Stage.REVIEW, Stage.REPORT):
        return stored(model.identity, items, work.folder.predictions)
    reuse = sibling_predictions(outputs, work.run)
    share = None
    if mem_cache:
        name = hashlib.sha256(model.identity.encode()).hexdigest()[:16]
        share = JsonlStore(work_dir() / "answers" / f"{name}.jsonl", Prediction)
        reuse += [share.path] if share.path.exists() else []
    return infer(model, items, work.folder.predictions, reuse=reuse, share=share)


def _new_run(plan: Plan, model: Model, datasets: list[Dataset], before: Run | None, command: str, demo: bool) -> Run:
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
            seconds=known.seconds if known else 0.0,
            scorer_version=dataset.benchmark.version,
        )
    now = time.time()
    return Run(
        run_id=plan.run_id,
        plan_hash=plan.digest,
        model=model.name,
        model_spec=plan.model_spec,
        model_identity=model.identity,
        model_args=plan.model_args,
        model_details=dict(model.details),
        datasets=plan.datasets,
        limit=plan.limit,
        repeats=plan.repeats,
        seed=plan.seed,
        status=RunStatus.RUNNING,
        states=states,
        versions={"llmuses": __version__, "python": platform.python_version()},
        command=command,
        demo=demo,
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


class _Work:
    """A run under way: takes answers one by one, reviews them, keeps run.json up to date."""

    def __init__(
        self,
        run: Run,
        folder: RunFolder,
        datasets: list[Dataset],
        stage: Stage,
        listener: Listener | None,
        before: Run | None,
    ):
        self.run = run
        self.folder = folder
        self.datasets = datasets
        self.stage = stage
        self._listener = listener
        self._by_name = {dataset.plan.dataset: dataset for dataset in datasets}
        self._kept = {
            name: KeptReviews(folder.reviews(name), rescore=self._rescore(before, dataset))
            for name, dataset in self._by_name.items()
        }
        self._began = self._last = time.time()
        self._seconds = run.seconds

    def _rescore(self, before: Run | None, dataset: Dataset) -> bool:
        """Whether earlier reviews are void: asked for, or made by an earlier version of the scorer."""
        known = before.states.get(dataset.plan.dataset) if before else None
        return self.stage is Stage.REVIEW or known is None or known.scorer_version != dataset.benchmark.version

    def go_through(self, answers: Iterator[tuple[Item, Prediction]]) -> None:
        """Review every answer as it comes."""
        try:
            for item, prediction in answers:
                self._take(item, prediction)
        finally:
            answers.close()  # type: ignore[attr-defined]

    def _take(self, item: Item, prediction: Prediction) -> None:
        state = self.run.states[item.dataset]
        fresh = prediction.tstamp >= self._began
        if self.stage is not Stage.INFER:
            self._count(state, self._review(item, prediction))
        else:
            state.answered += 1
            state.failed += prediction.response.error is not None
        served = prediction.response.served_model
        if served and served not in state.served_models:
            state.served_models.append(served)
        now = time.time()
        if fresh:
            state.seconds += now - self._last
        self._last = now
        self.run.seconds = self._seconds + now - self._began
        self.folder.save_run(self.run, at_most_every=_SAVE_EVERY)
        if self._listener:
            self._listener.answered(self.run, item.dataset, fresh)

    def _review(self, item: Item, prediction: Prediction) -> Review:
        known = self._kept[item.dataset].find(prediction, item.sample.target)
        if known is not None:
            return known
        dataset = self._by_name[item.dataset]
        result = review(dataset.benchmark, dataset.plan, item, prediction)
        self.folder.reviews(item.dataset).append(result)
        return result

    @staticmethod
    def _count(state: DatasetState, result: Review) -> None:
        state.answered += 1
        if result.status is Status.FAILED:
            state.failed += 1
        else:
            state.correct += next(iter(result.scores.values()))

    def finish(self) -> list[Report]:
        """Set superseded reviews aside, write reports and the run's final status, return the reports."""
        if self.stage is Stage.INFER:
            self.stop(self._final_status())
            return []
        reports = []
        for dataset in self.datasets:
            self._kept[dataset.plan.dataset].drop_superseded()
            report = make_report(self.folder, self.run, dataset.plan, dataset.benchmark)
            self.folder.save_report(report)
            reports.append(report)
        self.stop(self._final_status())
        write_reports(self.folder.path, self.run, reports)
        return reports

    def _final_status(self) -> RunStatus:
        states = self.run.states.values()
        complete = all(state.answered == state.total and state.failed == 0 for state in states)
        return RunStatus.DONE if complete else RunStatus.INCOMPLETE

    def interrupted(self, why: str) -> Interrupted:
        """Write that the run was interrupted; return the error that says why, what is kept, and what to do."""
        self.stop(RunStatus.INTERRUPTED)
        states = self.run.states.values()
        done, total = sum(state.answered for state in states), sum(state.total for state in states)
        return Interrupted(
            f"{why}: {done:,} of {total:,} answers are kept in {self.folder.path}; the same command goes on from there."
        )

    def stop(self, status: RunStatus) -> None:
        """Write the run's status; no process works in it any more."""
        self.run.status = status
        self.run.pid = None
        self.run.finished = time.time()
        self.folder.save_run(self.run)
