"""A run under way: every answer is scored as it comes, and run.json kept up to date."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from llmuses.errors import StoreError
from llmuses.evaluation.dataset import Dataset
from llmuses.evaluation.folder import RunFolder
from llmuses.evaluation.judging import VerdictItems, earlier_verdicts, judge_ask, judged
from llmuses.evaluation.kept import KeptReviews
from llmuses.evaluation.report import make_report
from llmuses.evaluation.scoring import Scored, Scoring
from llmuses.inference import Item
from llmuses.models import Model
from llmuses.records import DatasetState, Prediction, Report, Review, Run, RunStatus, Status
from llmuses.reports import write_reports

Answers = Generator[tuple[Item, Prediction], None, Any]

_SAVE_EVERY = 1.0
"""Seconds between two writes of run.json while a run is under way."""


class Stage(StrEnum):
    """How much of a run is done: everything, only the asking, only the scoring, only the adding up."""

    ALL = "all"
    INFER = "infer"
    REVIEW = "review"
    REPORT = "report"

    @property
    def asks(self) -> bool:
        """Whether the model is asked anything."""
        return self in (Stage.ALL, Stage.INFER)


class Listener(Protocol):
    """Who is told how a run goes."""

    def started(self, run: Run) -> None: ...

    def progressed(self, run: Run, dataset: str, fresh: bool) -> None:
        """One more (sample, repeat) is answered or judged; ``fresh`` if the model was asked just now."""

    def finished(self, run: Run, reports: list[Report]) -> None: ...


class Work:
    """A run under way: takes answers one by one, has them scored, keeps run.json up to date."""

    def __init__(
        self,
        run: Run,
        folder: RunFolder,
        datasets: list[Dataset],
        stage: Stage,
        scoring: Scoring,
        listener: Listener | None,
    ):
        self.run = run
        self.folder = folder
        self.datasets = datasets
        self.listener = listener
        self._stage = stage
        self._scoring = scoring
        self._by_name = {dataset.plan.dataset: dataset for dataset in datasets}
        self._kept = {
            name: KeptReviews(
                folder.reviews(name),
                dataset.benchmark.version,
                dataset.benchmark.metrics_of(dataset.plan),
                rescore=stage is Stage.REVIEW,
            )
            for name, dataset in self._by_name.items()
        }
        self._began = time.time()  # tells old answers from new
        self._started = self._last = time.monotonic()
        self._unshared = 0.0
        self._seconds = run.seconds

    @property
    def answered(self) -> int:
        """How many answers the run has so far."""
        return sum(state.answered for state in self.run.states.values())

    def go_through(self, answers: Answers) -> None:
        """Score every answer as it comes, but for those that a judge has to score."""
        with contextlib.closing(answers):
            for item, prediction in answers:
                self._take(item, prediction)
        for scored in self._scoring.rest():
            self._keep(scored)

    def _take(self, item: Item, prediction: Prediction) -> None:
        state = self.run.states[item.dataset]
        fresh = prediction.tstamp >= self._began
        state.answered += 1
        if self._stage is Stage.INFER:
            state.failed += prediction.response.error is not None
        else:
            self._score(item, prediction)
        served = prediction.response.served_model
        if served and served not in state.served_models:
            state.served_models.append(served)
        now = time.monotonic()
        if fresh:
            self._unshared += now - self._last
            state.seconds += self._share(prediction.response.latency)
        self._last = now
        self._tell(item.dataset, fresh)

    def _share(self, latency: float | None) -> float:
        """Return how many seconds of those since the last answers were this one's.

        Answers that one pass gave come all at once, with their shares of it as latencies: the first must not take all
        that was waited for. Of answers that were written side by side each takes what passed since the one before it.
        """
        share = self._unshared if latency is None else min(latency, self._unshared)
        self._unshared -= share
        return share

    def _tell(self, dataset: str, fresh: bool) -> None:
        self.run.seconds = self._seconds + time.monotonic() - self._started
        self.folder.save_run(self.run, at_most_every=_SAVE_EVERY)
        if self.listener:
            self.listener.progressed(self.run, dataset, fresh)

    def _score(self, item: Item, prediction: Prediction) -> None:
        dataset = self._by_name[item.dataset]
        by_judge = judge_ask(dataset, item.sample, prediction.response) is not None
        if by_judge and self._stage is not Stage.REPORT:
            return  # in the second pass
        known = self._kept[item.dataset].find(prediction, item.sample.target)
        if known is not None:
            self._count(self.run.states[item.dataset], item.dataset, known)
        elif not by_judge:
            for scored in self._scoring.take(item, prediction):
                self._keep(scored)

    def judge(self, dataset: Dataset, judge: Model, outputs: Path) -> None:
        """Have a judge model score the answers of a dataset; verdicts that any run holds are not asked for again."""
        items = VerdictItems(dataset, self.run.repeats, self.folder.predictions.of(dataset.plan.dataset))
        reuse = earlier_verdicts(outputs, dataset.plan.dataset)
        for scored in judged(judge, items, self.folder.verdicts, dataset, reuse):
            known = self._kept[dataset.plan.dataset].find(scored.prediction, scored.item.sample.target, scored.review)
            self._keep(scored, known)
            self._tell(dataset.plan.dataset, fresh=False)

    def _keep(self, scored: Scored, known: Review | None = None) -> None:
        name = scored.item.dataset
        if known is None:
            self.folder.reviews(name).append(scored.review)
        self._count(self.run.states[name], name, known or scored.review)

    def _count(self, state: DatasetState, name: str, result: Review) -> None:
        state.reviewed += 1
        if result.status is Status.FAILED:
            state.failed += 1
        else:
            state.unparsed += result.status is Status.UNPARSED
            dataset = self._by_name[name]
            state.correct += result.scores[dataset.benchmark.metrics_of(dataset.plan)[0]]

    def finish(self) -> list[Report]:
        """Set superseded reviews aside, write reports and the run's final status, return the reports."""
        if self._stage is Stage.INFER:
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

    def cut_short(self, why: str) -> str:
        """Write that the run was interrupted; return why, what is kept, and what to do."""
        with contextlib.suppress(StoreError):  # a full disk may be the very reason
            self.stop(RunStatus.INTERRUPTED)
        total = sum(state.total for state in self.run.states.values())
        return (
            f"{why.rstrip('.')}: {self.answered:,} of {total:,} answers are kept in {self.folder.path}; "
            "the same command goes on from there."
        )

    def stop(self, status: RunStatus) -> None:
        """Write the run's status; no process works in it any more."""
        self.run.status = status
        self.run.pid = None
        self.run.finished = time.time()
        self.folder.save_run(self.run)
