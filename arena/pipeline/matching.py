"""Which pairs of answers are judged: all of them, or as many as a budget allows, drawn under a policy of matchmaking."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from arena.matchmaking import Matchmaker, Policy, pairs
from arena.pipeline.answers import Answer
from arena.pipeline.judging import Slot
from arena.pipeline.players import Cast
from arena.pipeline.questions import Question
from arena.ratings.counts import LOSS, TIE, WIN, PairCounts, count_pairs
from llmuses.judge.templates import JudgeMode
from llmuses.records import Battle, Record, Winner
from llmuses.store import JsonlStore, Sync

_ROUNDS = 10
"""A policy that learns from results draws a tenth of a budget at a time."""


class Drawn(Record, kw_only=True):
    """A line of ``matches.jsonl``: what was drawn to be judged, under which policy, and the chance that its pair had."""

    question_id: str
    model_a: str
    model_b: str
    policy: str
    pair_probability: float
    tstamp: float


class Budget(NamedTuple):
    """So many slots at ``most``, drawn under a policy. ``path`` is where draws are written down, and ``held`` what was judged
    before, each slot as the set of its question's id and its models' names."""

    most: int
    policy: Policy
    path: Path
    held: Collection[frozenset[str]]


def pairings(cast: Cast, mode: JudgeMode) -> list[tuple[str, ...]]:
    """Return who meets whom: names in an order that does not hang on the config's, a baseline last; one name to be scored."""
    names = sorted(player.name for player in cast.judged)
    if mode is JudgeMode.SINGLE:
        return [(name,) for name in names]
    if cast.baseline is not None:
        return [(name, cast.baseline.name) for name in names]
    return list(combinations(names, 2))


def every_slot(questions: Sequence[Question], pairings: Sequence[tuple[str, ...]]) -> list[Slot]:
    """Return everything that there is to judge: each question with each of ``pairings``."""
    alike = 1 / max(1, len(pairings))
    return [_slot(question, names, alike) for question in questions for names in pairings]


class Matches:
    """What is judged, round by round, and what cannot be since an answer is missing (``unanswered``).

    Without a budget that is everything, in one round. With one it is what was drawn or judged before, then pairs that the
    policy draws; each pair's questions come in an order that chance decides. What is drawn is written down before it is
    judged, so that a run that was stopped goes on with it. ``expected`` are as many slots as will be judged: those that will
    be where nothing has to be drawn, others like them where something has.
    """

    def __init__(
        self,
        whole: Sequence[Slot],
        answers: Mapping[str, Mapping[str, Answer]],
        budget: Budget | None = None,
    ):
        playable = [slot for slot in whole if all(slot.question.question_id in answers[name] for name in slot.names)]
        self.unanswered = [
            slot for slot in whole if any(slot.question.question_id not in answers[n] for n in slot.names)
        ]
        self._budget = budget if budget is not None and budget.most < len(whole) else None
        self._begun, self._left = playable, list[Slot]()
        if self._budget is not None:
            self.unanswered = []
            self._begun, self._left = _parted(playable, self._budget)
        self.expected = self._begun + self._left[: self._missing]

    @property
    def _missing(self) -> int:
        """Return how many slots are to be drawn."""
        return 0 if self._budget is None else min(self._budget.most - len(self._begun), len(self._left))

    def rounds(self, decided: Callable[[], Iterable[Battle]]) -> Iterator[list[Slot]]:
        """Yield slots to be judged; ``decided`` returns the battles that all those yielded so far came to."""
        if self._begun or not self._missing:
            yield self._begun
        budget, missing = self._budget, self._missing
        if budget is None or not missing:
            return
        if any(slot.two is None for slot in self._left):
            yield self._left[:missing]  # single answers: there are no pairs
            return
        size = math.ceil(missing / _ROUNDS) if budget.policy.learns else missing
        deck = _Deck(self._left, budget.policy, len(self._begun))
        with JsonlStore(budget.path, Drawn, Sync.GROUP) as store:
            for begin in range(0, missing, size):
                slots = deck.draw(min(size, missing - begin), decided())
                now = time.time()
                store.append_all(_line(slot, now) for slot in slots)
                yield slots


def _slot(question: Question, names: Sequence[str], chance: float) -> Slot:
    return Slot(question, names[0], names[1] if len(names) > 1 else None, chance=chance)


def _parted(playable: Sequence[Slot], budget: Budget) -> tuple[list[Slot], list[Slot]]:
    """Return the slots that were drawn or judged before, and the others in an order that chance decides: it follows from
    the names, so that it is the same in every run."""
    drawn = {frozenset((line.question_id, line.model_a, line.model_b)): line for line in JsonlStore(budget.path, Drawn)}
    begun, left = [], []
    for slot in sorted(playable, key=_lot):
        key = frozenset((slot.question.question_id, *slot.names))
        if (line := drawn.get(key)) is not None:
            begun.append(slot._replace(policy=line.policy, chance=line.pair_probability))
        elif key in budget.held:
            begun.append(slot)
        else:
            left.append(slot)
    return begun[: budget.most], left


def _lot(slot: Slot) -> bytes:
    return hashlib.blake2b("\x00".join((slot.question.question_id, *slot.names)).encode(), digest_size=8).digest()


def _line(slot: Slot, now: float) -> Drawn:
    assert slot.two is not None and slot.policy is not None and slot.chance is not None
    return Drawn(
        question_id=slot.question.question_id,
        model_a=slot.one,
        model_b=slot.two,
        policy=slot.policy,
        pair_probability=slot.chance,
        tstamp=now,
    )


class _Deck:
    """Slots that are left, drawn pair by pair. The same slots, policy and number of earlier ones give the same draws."""

    def __init__(self, left: Sequence[Slot], policy: Policy, before: int):
        self._policy = policy
        self._names = sorted({name for slot in left for name in slot.names})
        seed = hashlib.blake2b("\x00".join((*self._names, str(before))).encode(), digest_size=8).digest()
        self._rng = np.random.default_rng(int.from_bytes(seed))
        self._place = {name: number for number, name in enumerate(self._names)}
        self._piles: dict[tuple[int, int], list[Slot]] = {}
        for slot in reversed(left):
            one, two = sorted(self._place[name] for name in slot.names)
            self._piles.setdefault((one, two), []).append(slot)

    def draw(self, number: int, decided: Iterable[Battle]) -> list[Slot]:
        """Return so many slots; a pair whose questions are all drawn is drawn no more."""
        maker = Matchmaker(self._policy, self._counts(decided), self._rng)
        first, second = (side.tolist() for side in pairs(len(self._names)))
        drawn = []
        for _ in range(number):
            there = np.array([bool(self._piles.get(pair)) for pair in zip(first, second, strict=True)])
            match = maker.choose(there)
            one, two = sorted((match.first, match.second))
            slot = self._piles[one, two].pop()
            drawn.append(slot._replace(policy=self._policy.name, chance=match.probability))
        return drawn

    def _counts(self, decided: Iterable[Battle]) -> PairCounts:
        rows = [
            (self._place[battle.model_a], self._place[battle.model_b], _OUTCOMES.get(battle.winner, TIE))
            for battle in decided
            if battle.model_a in self._place and battle.model_b in self._place
        ]
        first, second, outcome = np.array(rows, np.int64).reshape(-1, 3).T
        return count_pairs(len(self._names), first, second, outcome)


_OUTCOMES = {Winner.MODEL_A: WIN, Winner.MODEL_B: LOSS}
