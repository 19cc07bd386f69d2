"""Answers that another program produced, in the place of a model's."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from llmuses.errors import DataError
from llmuses.evaluation.answer_log import AnswerLog
from llmuses.evaluation.dataset import Dataset, RunItems
from llmuses.evaluation.placing import place_answers, score_order
from llmuses.evaluation.work import Answers
from llmuses.inference import Item, Predictions, make_prediction, stored
from llmuses.records import Ask, ErrorKind, Generate, Loglikelihood, Response, ResponseError, prediction_key

_UNKNOWN_TIME = 0.0

_UNEVEN = 100
"""With so many more places than answers, one sample was repeated by a slip."""


class RecordedAnswers:
    """The answers of a log, each at its sample and repeat: the same sample again in the log is its next repeat.

    ``repeats`` is how often the most frequent sample stands there. Raises DataError as ``place_answers`` does, and where
    a single sample stands there far more often than the others.
    """

    def __init__(self, log: AnswerLog, dataset: Dataset, name: str):
        self.name = name
        self.identity = log.identity
        self.details: Mapping[str, Any] = {
            "format": log.format,
            "files": ", ".join(map(str, log.paths)),
            "lines": len(log),
            "torn": ", ".join(map(str, log.torn)),
        }
        self._log = log
        self._dataset = dataset.plan.dataset
        turns = place_answers(log, dataset)
        seen = array("Q", bytes(8 * len(dataset)))
        for turn in turns:
            seen[turn] += 1
        self.repeats = max(1, *seen)
        if self.repeats * len(dataset) > _UNEVEN * max(len(log), len(dataset)):
            often = dataset[seen.index(self.repeats)].sample_id
            raise DataError(f"{log.paths[0]}: '{often}' has {self.repeats:,} answers, most samples none or a few.")
        self._numbers = array("q", [-1]) * (len(dataset) * self.repeats)
        seen = array("Q", bytes(8 * len(dataset)))
        for number, turn in enumerate(turns):
            self._numbers[seen[turn] * len(dataset) + turn] = number
            seen[turn] += 1
        self._items = RunItems([dataset], self.repeats)

    def answers(self, store: Predictions) -> Answers:
        """Yield each item of the run with its prediction, those that are on disk first; write the others down."""
        items = _Items(self)
        missing: Sequence[int] = range(len(self))
        if store.of(self._dataset).path.exists():  # else there is nothing to look for
            missing = yield from stored(self.identity, items, store, failures=True)
        for index in missing:
            item, response = self.at(index)
            key = prediction_key(item.ask, self.identity, item.repeat)
            prediction = make_prediction(self.name, item, msgspec.structs.replace(response, key=key), _UNKNOWN_TIME)
            store.append(prediction)
            yield item, prediction

    def __len__(self) -> int:
        return len(self._numbers)

    def at(self, index: int) -> tuple[Item, Response]:
        """Return what was asked and answered at a place in the order of asking; where the log does not say what was
        asked, the question as we put it without worked examples."""
        item = self._items[index]
        number = self._numbers[index]
        if number < 0:
            error = ResponseError(kind=ErrorKind.FAILED, code="no_prediction", message="no prediction in the file")
            return item, Response(key="", error=error)
        answer = self._log[number]
        response = answer.response
        if isinstance(answer.ask, Loglikelihood) and isinstance(item.ask, Loglikelihood):
            order = score_order(answer, item.ask.continuations) or []
            texts = tuple(answer.ask.continuations[n] for n in order)
            ask = msgspec.structs.replace(answer.ask, continuations=texts)
            scores = [(response.scores or [])[n] for n in order]
            return _asked(item, ask), msgspec.structs.replace(response, scores=scores)
        return _asked(item, answer.ask), response


def _asked(item: Item, ask: Ask | None) -> Item:
    """Return an item with what was really asked, and where the sample's question begins in it."""
    if ask is None:
        return item
    texts = [message.content for message in ask.messages] if isinstance(ask, Generate) else [ask.context]
    question_at = (len(texts) - 1, max(0, texts[-1].rfind(item.sample.question)))
    return item._replace(ask=ask, question_at=question_at)


class _Items:
    def __init__(self, recorded: RecordedAnswers):
        self._recorded = recorded

    def __len__(self) -> int:
        return len(self._recorded)

    def __getitem__(self, index: int) -> Item:
        return self._recorded.at(index)[0]
