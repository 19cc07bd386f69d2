"""The second step: the judge's calls, through ``infer``. What it said before is not asked again; what cannot be read is asked
once more.

``verdicts/JUDGE.jsonl`` holds what the judge said first, ``verdicts/JUDGE.again.jsonl`` what it said when asked once more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from arena.pipeline.answers import Answer, Progress
from arena.pipeline.config import Orders
from arena.pipeline.judges import Judge, Reading, Shown
from arena.pipeline.questions import Question
from llmuses.inference import Item, Predictions, infer, superseded
from llmuses.judge.cost import JudgeCost, estimated_cost
from llmuses.models import Model
from llmuses.records import ErrorKind, Prediction, ResponseError, Sample, prediction_key
from llmuses.store import JsonlStore


class Slot(NamedTuple):
    """What is to be judged: a question with two models' answers, ``one`` being the battle's model_a, or with one model's.

    ``chance`` is the one that its pair had of being chosen under ``policy``; both are None where somebody chose the pair.
    """

    question: Question
    one: str
    two: str | None = None
    policy: str | None = "uniform"
    chance: float | None = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        """Return the models."""
        return (self.one,) if self.two is None else (self.one, self.two)


class Call(NamedTuple):
    """One judge call: a slot, shown in its own order or swapped."""

    slot: int
    swapped: bool


class Fate(StrEnum):
    """What became of a judge call."""

    READ = "read"
    UNPARSED = "unparsed"
    REJECTED = "rejected"
    FAILED = "failed"


class Verdict(NamedTuple):
    """What a judge said. ``reading`` is in the order that was shown; ``again`` says that it was asked twice."""

    fate: Fate
    reading: Reading = None
    reason: str = ""
    again: bool = False
    tstamp: float = 0.0


class Spent(msgspec.Struct):
    """What a judge's calls took, earlier ones included: tokens as its server counted them."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    again: int = 0

    def add(self, prediction: Prediction) -> None:
        """Count a call."""
        self.calls += 1
        usage = prediction.response.usage
        if usage is not None:
            self.prompt_tokens += usage.prompt_tokens or 0
            self.completion_tokens += usage.completion_tokens or 0

    def take(self, other: Spent) -> None:
        """Add what other calls took."""
        self.calls += other.calls
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        self.again += other.again


class Bench(NamedTuple):
    """What a judge is to judge: the slots, every answer by model and question, its store."""

    judge: Judge
    slots: Sequence[Slot]
    answers: Mapping[str, Mapping[str, Answer]]
    store: Predictions
    reuse: Sequence[Path] = ()

    def calls(self) -> list[Call]:
        """Return the calls: each slot in one order or both."""
        if all(slot.two is None for slot in self.slots):
            return [Call(index, False) for index in range(len(self.slots))]
        if self.judge.orders is Orders.SWAP:
            return [Call(index, swapped) for index in range(len(self.slots)) for swapped in (False, True)]
        drawn = self.judge.orders is Orders.RANDOM
        return [Call(n, drawn and is_swapped(slot, self.judge.seed)) for n, slot in enumerate(self.slots)]

    def shown(self, call: Call) -> Shown:
        """Return what a call shows."""
        slot = self.slots[call.slot]
        one = self.answers[slot.one][slot.question.question_id]
        if slot.two is None:
            return Shown(slot.question, one)
        two = self.answers[slot.two][slot.question.question_id]
        return Shown(slot.question, two, one) if call.swapped else Shown(slot.question, one, two)


def is_swapped(slot: Slot, seed: int) -> bool:
    """Return whether a slot is shown the other way round in ``randomize_order``: it follows from the names alone."""
    said = "\x00".join((str(seed), slot.question.question_id, *slot.names))
    return bool(hashlib.blake2b(said.encode(), digest_size=1).digest()[0] & 1)


class CallItems:
    """Calls as items for ``infer``: of calls that ask the very same only the first."""

    def __init__(self, bench: Bench, calls: Sequence[Call], identity: str, repeat: int = 0):
        self._bench = bench
        self._repeat = repeat
        self.dataset = bench.judge.file if repeat == 0 else f"{bench.judge.file}.again"
        self.keys = [prediction_key(bench.judge.wording.ask(bench.shown(c)), identity, repeat) for c in calls]
        first: dict[str, Call] = {}
        for key, call in zip(self.keys, calls, strict=True):
            first.setdefault(key, call)
        self.unique = list(first.values())

    def __len__(self) -> int:
        return len(self.unique)

    def __getitem__(self, index: int) -> Item:
        call = self.unique[index]
        slot = self._bench.slots[call.slot]
        names = slot.names[::-1] if call.swapped else slot.names
        sample = Sample(
            sample_id="|".join((slot.question.question_id, *names)),
            subset=slot.question.category,
            question=slot.question.text,
            target="",
        )
        return Item(self.dataset, sample, self._repeat, self._bench.judge.wording.ask(self._bench.shown(call)))


class Expected(NamedTuple):
    """What a judge's calls would take: of ``calls``, ``held`` are answered; ``cost`` is that of the others."""

    calls: int
    held: int
    cost: JudgeCost


def expected(bench: Bench, identity: str | None) -> Expected:
    """Return what is still to be asked, without asking; all of it where the model's identity is not known."""
    calls = bench.calls()
    items = CallItems(bench, calls, identity or "")
    path = bench.store.of(items.dataset).path
    held: set[str] = set()
    if identity is not None:
        held.update(key for file in (path, superseded(path), *bench.reuse) for key in held_keys(file))
    first: dict[str, Call] = {}
    for key, call in zip(items.keys, calls, strict=True):
        first.setdefault(key, call)
    missing = [call for key, call in first.items() if key not in held]
    asks = (bench.judge.wording.ask(bench.shown(call)).messages for call in missing)
    return Expected(len(first), len(first) - len(missing), estimated_cost(asks, bench.judge.wording.max_tokens))


class _Outcome(msgspec.Struct):
    error: ResponseError | None = None


class _Held(msgspec.Struct):
    key: str
    sample_id: str
    response: _Outcome


def _held(path: Path) -> Iterator[_Held]:
    for line in JsonlStore(path, _Held):
        if line.response.error is None or line.response.error.kind is ErrorKind.REJECTED:
            yield line


def held_keys(path: Path) -> Iterator[str]:
    """Yield the keys of the calls that a file of verdicts answers."""
    return (line.key for line in _held(path))


def held_slots(path: Path) -> set[frozenset[str]]:
    """Return what a file of verdicts is about: each slot as the set of its question's id and its models' names."""
    return {frozenset(line.sample_id.split("|")) for line in _held(path)}


class Watcher(Protocol):
    """Is told now and then what a judge has said so far."""

    @property
    def due(self) -> bool:
        """Whether it wants to be told."""

    def take(self, bench: Bench, verdicts: Mapping[Call, Verdict]) -> None:
        """Take in what was said so far."""


def judged(
    bench: Bench, model: Model, progress: Progress, watcher: Watcher | None = None
) -> tuple[dict[Call, Verdict], Spent]:
    """Ask a judge what it was not asked before; return all its verdicts, and what they took. Raises what the judge raises."""
    calls = bench.calls()
    spent = Spent()
    verdicts = _asked(bench, calls, model, 0, progress, spent, watcher)
    unread = [call for call in calls if verdicts[call].fate is Fate.UNPARSED]
    if unread:
        before = spent.calls
        for call, verdict in _asked(bench, unread, model, 1, progress, spent).items():
            verdicts[call] = verdict._replace(again=True)
        spent.again = spent.calls - before
    return verdicts, spent


def _asked(
    bench: Bench,
    calls: Sequence[Call],
    model: Model,
    repeat: int,
    progress: Progress,
    spent: Spent,
    watcher: Watcher | None = None,
) -> dict[Call, Verdict]:
    items = CallItems(bench, calls, model.identity, repeat)
    place = dict(zip(items.keys, calls, strict=True))
    said: dict[str, Verdict] = {}
    path = bench.store.of(items.dataset).path
    reuse = [file for file in (superseded(path), *bench.reuse) if file.exists()]
    with closing(infer(model, items, bench.store, reuse=reuse)) as answered:
        for _, prediction in answered:
            said[prediction.key] = verdict_of(prediction, lambda text, key: _read(bench, place[key], text))
            spent.add(prediction)
            progress(items.dataset, len(said), len(items))
            if watcher is not None and watcher.due:
                watcher.take(
                    bench, {call: said[key] for call, key in zip(calls, items.keys, strict=True) if key in said}
                )
    return {call: said[key] for call, key in zip(calls, items.keys, strict=True)}


def _read(bench: Bench, call: Call, text: str) -> Reading:
    return bench.judge.wording.read(text, bench.shown(call))


def verdict_of(prediction: Prediction, read: Callable[[str, str], Reading]) -> Verdict:
    """Return what a stored call says; ``read`` reads a text that answers a key."""
    response = prediction.response
    if response.error is not None:
        fate = Fate.REJECTED if response.error.kind is ErrorKind.REJECTED else Fate.FAILED
        return Verdict(fate, None, response.error.code, tstamp=prediction.tstamp)
    reading = read(response.text or "", prediction.key)
    if reading is None:
        return Verdict(Fate.UNPARSED, None, _first_words(response.text or ""), tstamp=prediction.tstamp)
    return Verdict(Fate.READ, reading, tstamp=prediction.tstamp)


def _first_words(text: str) -> str:
    words = " ".join(text.split())
    return f"{words[:60]}…" if len(words) > 60 else words or "nothing"
