"""Which pairs of answers are judged: all of them, or as many as the budget allows, drawn uniformly."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from arena.pipeline.answers import Answer
from arena.pipeline.judging import Slot
from arena.pipeline.players import Cast
from arena.pipeline.questions import Question
from llmuses.judge.templates import JudgeMode


class Matches(NamedTuple):
    """What is judged, and what cannot be since an answer is missing. ``probability`` is the chance that each pair had."""

    slots: list[Slot]
    unanswered: list[Slot]
    probability: float


def pairings(cast: Cast, mode: JudgeMode) -> list[tuple[str, ...]]:
    """Return who meets whom: names in an order that does not hang on the config's, a baseline last; one name to be scored."""
    names = sorted(player.name for player in cast.judged)
    if mode is JudgeMode.SINGLE:
        return [(name,) for name in names]
    if cast.baseline is not None:
        return [(name, cast.baseline.name) for name in names]
    return list(combinations(names, 2))


def matches(
    questions: Sequence[Question],
    pairs: Sequence[tuple[str, ...]],
    answers: Mapping[str, Mapping[str, Answer]],
    most: int | None = None,
    held: Collection[frozenset[str]] = (),
) -> Matches:
    """Return the slots of all questions and pairs, or ``most`` of them: those that were judged before (``held``), then
    others drawn at random. The draw follows from the names, so that it is the same in every run."""
    whole = [Slot(question, *names) for question in questions for names in pairs]
    playable = [slot for slot in whole if all(slot.question.question_id in answers[name] for name in slot.names)]
    probability = 1 / max(1, len(pairs))
    if most is not None and most < len(whole):
        before = {id(slot): frozenset((slot.question.question_id, *slot.names)) in held for slot in playable}
        drawn = sorted(playable, key=lambda slot: (not before[id(slot)], _draw(slot)))[:most]
        kept = {id(slot) for slot in drawn}
        return Matches([slot for slot in playable if id(slot) in kept], [], probability)
    able = {id(slot) for slot in playable}
    return Matches(playable, [slot for slot in whole if id(slot) not in able], probability)


def _draw(slot: Slot) -> bytes:
    return hashlib.blake2b("\x00".join((slot.question.question_id, *slot.names)).encode(), digest_size=8).digest()
