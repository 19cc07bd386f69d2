"""The primitive that the whole house uses: ``infer(model, items, store)``.

What the store holds is not asked again; the rest is asked, and on disk before it is handed on. So the evaluator's
predictions, the arena's answers and the judge's verdicts all resume, share answers, and never pay twice.
"""

from __future__ import annotations

import contextlib
import logging
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
from llmuses.store import JsonlStore, Sync

_log = logging.getLogger(__name__)


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
) -> Generator[tuple[Item, Prediction], None, None]:
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


def stored(identity: str, items: Items, store: Predictions, *, failures: bool = False) -> Answered:
    """Yield what the run's own files hold, then set aside the lines that nothing asks for.

    With ``failures`` a stored failure counts as an answer: for stages that ask nothing.
    """
    lines: dict[str, _Lines] = {}
    places: dict[str, dict[int, int]] = {}
    found: dict[str, set[int]] = {}
    missing = array("Q")
    with contextlib.ExitStack() as files:
        for index in range(len(items)):
            item = items[index]
            name = item.dataset
            if name not in lines:
                lines[name] = files.enter_context(_Lines(store.of(name).path, failures))
                places[name] = {hash((h.key, h.sample_id, h.repeat)): offset for h, offset in lines[name].heads()}
                found[name] = set()
            prediction = None
            if places[name]:
                key = prediction_key(item.ask, identity, item.repeat)
                offset = places[name].get(hash((key, item.sample.sample_id, item.repeat)))
                prediction = None if offset is None else lines[name].read(offset, key)
            if prediction is None or offset is None:
                missing.append(index)
            else:
                found[name].add(offset)
                yield item, prediction
    for name, offsets in found.items():
        own = store.of(name)
        if own.path.exists() and own.count_lines() > len(offsets):
            own.keep_only(offsets, superseded(own.path))
    return missing


def superseded(path: Path) -> Path:
    """Return the file that holds what was set aside from a store's file."""
    return path.with_suffix(".superseded.jsonl")


def _copied(model: Model, items: Items, missing: Sequence[int], store: Predictions, reuse: Sequence[Path]) -> Answered:
    """Copy answers from other files into this run's and yield them."""
    still_missing = array("Q")
    with contextlib.ExitStack() as files:
        others = [files.enter_context(_Lines(path)) for path in reuse]
        places: dict[str, tuple[int, int]] = {}
        for number, lines in enumerate(others):
            places.update((head.key, (number, offset)) for head, offset in lines.heads())
        for index in missing:
            item = items[index]
            key = prediction_key(item.ask, model.identity, item.repeat)
            number, offset = places.get(key, (0, -1))
            known = others[number].read(offset, key) if offset >= 0 else None
            if known is None:
                still_missing.append(index)
                continue
            prediction = make_prediction(model.name, item, known.response, known.tstamp)
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
    """Send what is missing; write each answer down, then yield it.

    Requests that are equal and under way together are sent once.
    """
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
            prediction = make_prediction(model.name, item, response, time.time())
            store.append(prediction)
            if share is not None and response.error is None:
                share.append(prediction)
            yield item, prediction

    responses = model.run(requests())
    try:
        for response in responses:
            yield from written(response.key, response)
    finally:
        if isinstance(responses, Generator):
            responses.close()  # cancels what is in flight
    for key in list(waiting):
        error = ResponseError(kind=ErrorKind.FAILED, code="no_response", message="the model gave no response")
        yield from written(key, Response(key=key, error=error))


def make_prediction(model: str, item: Item, response: Response, tstamp: float) -> Prediction:
    """Return the line that says what an item asked and what came back."""
    return Prediction(
        key=response.key,
        dataset=item.dataset,
        sample_id=item.sample.sample_id,
        subset=item.sample.subset,
        repeat=item.repeat,
        model=model,
        ask=item.ask,
        response=_writable(response),
        question_at=item.question_at,
        shots=item.shots,
        tstamp=tstamp,
    )


def _writable(response: Response) -> Response:
    """Spell out what UTF-8 cannot hold (half a surrogate pair, as a broken server may send it)."""
    for holder, name in ((response, "text"), (response, "reasoning"), (response.error, "message")):
        value = getattr(holder, name, None)
        if value is not None and not value.isascii():
            setattr(holder, name, value.encode("utf-8", "backslashreplace").decode())
    return response


class _ResponseHead(msgspec.Struct):
    error: ResponseError | None = None


class _Head(msgspec.Struct):
    """As much of a prediction as an index needs."""

    key: str
    sample_id: str
    response: _ResponseHead
    repeat: int = 0


def _is_for_good(error: ResponseError | None) -> bool:
    """Whether there is an answer, or a refusal that stays one."""
    return error is None or error.kind is ErrorKind.REJECTED


class _Lines:
    """The answered lines of one prediction file, found by offset.

    The file is opened once: another process may replace it meanwhile, and offsets hold for the one that was indexed.
    """

    def __init__(self, path: Path, failures: bool = False):
        self._path = path
        self._failures = failures
        self._file = open(path, "rb") if path.exists() else None
        self._decode = msgspec.json.Decoder(Prediction).decode

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def heads(self) -> Iterator[tuple[_Head, int]]:
        """Yield the head and the offset of each line that holds an answer, or a refusal that is for good."""
        if self._file is None:
            return
        decode = msgspec.json.Decoder(_Head).decode
        offset = 0
        for number, raw in enumerate(self._file, 1):
            if not raw.endswith(b"\n"):
                return  # torn: the next append sets it aside
            try:
                head = None if raw.isspace() else decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError) as problem:
                _log.warning("%s:%d: skipped, not a prediction (%s)", self._path, number, problem)
            else:
                if head is not None and (self._failures or _is_for_good(head.response.error)):
                    yield head, offset
            offset += len(raw)

    def read(self, offset: int, key: str) -> Prediction | None:
        """Return the prediction at an offset, None where the line is damaged or holds another key."""
        assert self._file is not None
        self._file.seek(offset)
        try:
            prediction = self._decode(self._file.readline())
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            _log.warning("%s, at byte %d: skipped, not a prediction (%s)", self._path, offset, problem)
            return None
        return prediction if prediction.key == key else None
