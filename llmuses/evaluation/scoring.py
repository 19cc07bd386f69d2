"""Scoring answers as they come: at once, or on threads where a scorer waits for other processes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple

from llmuses.benchmarks.base import Scorer
from llmuses.evaluation.dataset import Dataset
from llmuses.evaluation.review import review
from llmuses.inference import Item
from llmuses.records import Prediction, Review

_WAITING = 64
"""How many answers may wait for their turn, for each thread."""


class Scored(NamedTuple):
    """An answered item and what it was worth."""

    item: Item
    prediction: Prediction
    review: Review


class Scoring:
    """Scores the answers of a run. Enter it before the model is loaded: it opens what the scorers need.

    Raises LlmusesError on entering where a scorer needs something that the machine lacks.
    """

    def __init__(self, datasets: Mapping[str, Dataset]):
        self._datasets = datasets
        self._scorers: dict[str, Scorer] = {}
        self._stack = ExitStack()
        self._threads: ThreadPoolExecutor | None = None
        self._limit = _WAITING * (os.cpu_count() or 1)
        self._waiting: deque[Future[Scored]] = deque()

    def __enter__(self) -> Scoring:
        with ExitStack() as opened:
            for name, dataset in self._datasets.items():
                self._scorers[name] = opened.enter_context(dataset.benchmark.scorer(dataset.plan))
            if any(dataset.benchmark.waits for dataset in self._datasets.values()):
                self._threads = ThreadPoolExecutor(os.cpu_count() or 1, "scoring")
                opened.callback(self._threads.shutdown, wait=True, cancel_futures=True)
            self._stack = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def take(self, item: Item, prediction: Prediction) -> Iterator[Scored]:
        """Score one answer; yield what is done by now: this one, or earlier ones. Waits where too many wait."""
        if self._threads is None or not self._datasets[item.dataset].benchmark.waits:
            yield self._score(item, prediction)
            return
        self._waiting.append(self._threads.submit(self._score, item, prediction))
        while self._waiting and (self._waiting[0].done() or len(self._waiting) > self._limit):
            yield self._waiting.popleft().result()

    def rest(self) -> Iterator[Scored]:
        """Yield what is still waiting, as it is done."""
        while self._waiting:
            yield self._waiting.popleft().result()

    def _score(self, item: Item, prediction: Prediction) -> Scored:
        dataset = self._datasets[item.dataset]
        return Scored(
            item,
            prediction,
            review(dataset.benchmark, dataset.plan, item, prediction, self._scorers[item.dataset]),
        )
