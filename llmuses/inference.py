"""The primitive that the whole house uses: ``infer(model, items, store)``.

What the store holds is not asked again; the rest is asked, and on disk before it is handed on. So the evaluator's
predictions, the arena's answers and the judge's verdicts all resume, share answers, and never pay twice.
"""

from __future__ import annotations

import contextlib
import time
from array import array
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from llmuses.models.base import Model
from llmuses.records import (
    Ask,
    ErrorKind,
    Prediction,
    Request,
    Response,
    ResponseError,
    Sample,
    prediction_key,
)
from llmuses.store import START, JsonlStore, Reader, Sync


class Item(NamedTuple):
    """One (sample, repeat) to be answered: the question side of a prediction."""

    dataset: str
    sample: Sample
    repeat: int
    ask: Ask
    question_at: tuple[int, int] = (0, 0)
    shots: int = 0


class Items(Protocol):
    """A sequence of items, made when they are looked at: a large run never holds them all."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Item: ...


class Predictions:
    """The predictions of a run: a folder with one JSONL store a dataset."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._stores: dict[str, JsonlStore[Prediction]] = {}

    def of(self, dataset: str) -> JsonlStore[Prediction]:
        """Return the store of one dataset."""
        if dataset not in self._stores:
            self._stores[dataset] = JsonlStore(self.folder / f"{dataset}.jsonl", Prediction, Sync.GROUP)
        return self._stores[dataset]

    def append(self, prediction: Prediction) -> None:
        """Write one prediction to its dataset's file."""
        self.of(prediction.dataset).append(prediction)

    def close(self) -> None:
        """Force everything to the disk."""
        for store in self._stores.values():
            store.close()


def infer(
    model: Model,
    items: Items,
    store: Predictions,
    *,
    reuse: Sequence[Path] = (),
    share: JsonlStore[Prediction] | None = None,
) -> Iterator[tuple[Item, Prediction]]:
    """Yield each item with its prediction: stored ones first, then new ones as they are answered and written.

    ``reuse`` names prediction files of other runs: an answer under the same key is copied from there. ``share`` is a
    store that new answers are written to as well. A stored failure counts as not answered; lines that no item asks
    for any more are set aside in ``DATASET.superseded.jsonl``. Raises what the model raises; closing the iterator
    cancels what is in flight.
    """
    missing = yield from stored(model.identity, items, store)
    if reuse and len(missing):
        missing = yield from _copied(model, items, missing, store, reuse)
    yield from _asked(model, items, missing, store, share)


Answered = Generator[tuple[Item, Prediction], None, Sequence[int]]
"""Yields items with their predictions and returns the indices of the items that are still without one."""


def stored(identity: str, items: Items, store: Predictions) -> Answered:
    """Yield what the run's own files hold, then set aside the lines that nothing asks for."""
    lines: dict[str, dict[int, int]] = {}
    found: dict[str, set[int]] = {}
    missing = array("Q")
    for index in range(len(items)):
        item = items[index]
        own = store.of(item.dataset)
        if item.dataset not in lines:
            lines[item.dataset] = {
                hash((head.key, head.sample_id, head.repeat)): offset for head, offset in _answered_lines(own.path)
            }
            found[item.dataset] = set()
        if not lines[item.dataset]:
            missing.append(index)
            continue
        key = prediction_key(item.ask, identity, item.repeat)
        offset = lines[item.dataset].get(hash((key, item.sample.sample_id, item.repeat)))
        if offset is None:
            missing.append(index)
        else:
            found[item.dataset].add(offset)
            yield item, next(own.read_at([offset]))
    for dataset, offsets in found.items():
        own = store.of(dataset)
        if own.path.exists() and own.count_lines() > len(offsets):
            own.keep_only(offsets, own.path.with_suffix(".superseded.jsonl"))
    return missing


def _copied(model: Model, items: Items, missing: Sequence[int], store: Predictions, reuse: Sequence[Path]) -> Answered:
    """Copy answers from other runs' files into this run's and yield them."""
    others = [JsonlStore(path, Prediction) for path in reuse]
    places: dict[str, tuple[int, int]] = {}
    for number, path in enumerate(reuse):
        places.update((head.key, (number, offset)) for head, offset in _answered_lines(path))
    still_missing = array("Q")
    for index in missing:
        item = items[index]
        place = places.get(prediction_key(item.ask, model.identity, item.repeat))
        if place is None:
            still_missing.append(index)
            continue
        number, offset = place
        known = next(others[number].read_at([offset]))
        prediction = _prediction(model, item, known.response, known.tstamp)
        store.append(prediction)
        yield item, prediction
    return still_missing


def _asked(
    model: Model,
    items: Items,
    missing: Sequence[int],
    store: Predictions,
    share: JsonlStore[Prediction] | None,
) -> Iterator[tuple[Item, Prediction]]:
    """Send what is missing; write each answer down, then yield it. Requests that are equal are sent once."""
    waiting: dict[str, list[Item]] = {}

    def requests() -> Iterator[Request]:
        for index in missing:
            item = items[index]
            key = prediction_key(item.ask, model.identity, item.repeat)
            if key in waiting:
                waiting[key].append(item)
            else:
                waiting[key] = [item]
                yield Request(key, item.ask)

    def written(key: str, response: Response) -> Iterator[tuple[Item, Prediction]]:
        for item in waiting.pop(key, ()):
            prediction = _prediction(model, item, response, time.time())
            store.append(prediction)
            if share is not None and response.error is None:
                share.append(prediction)
            yield item, prediction

    with contextlib.closing(model.run(requests())) as responses:  # type: ignore[type-var]
        for response in responses:
            yield from written(response.key, response)
    for key in list(waiting):
        error = ResponseError(kind=ErrorKind.FAILED, code="no_response", message="the model gave no response")
        yield from written(key, Response(key=key, error=error))


def _prediction(model: Model, item: Item, response: Response, tstamp: float) -> Prediction:
    return Prediction(
        key=response.key,
        dataset=item.dataset,
        sample_id=item.sample.sample_id,
        subset=item.sample.subset,
        repeat=item.repeat,
        model=model.name,
        ask=item.ask,
        response=response,
        question_at=item.question_at,
        shots=item.shots,
        tstamp=tstamp,
    )


class _ResponseHead(msgspec.Struct):
    error: ResponseError | None = None


class _Head(msgspec.Struct):
    """As much of a prediction as an index needs."""

    key: str
    sample_id: str
    response: _ResponseHead
    repeat: int = 0


def _answered_lines(path: Path) -> Iterator[tuple[_Head, int]]:
    """Yield the head and the offset of each line that holds an answer, or a refusal that is for good."""
    reader = Reader(path, msgspec.json.Decoder(_Head).decode, START)
    for head in reader:
        error = head.response.error
        if error is None or error.kind is ErrorKind.REJECTED:
            yield head, reader.offset
