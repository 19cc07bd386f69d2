"""The record: what the judges' verdicts decide, as battle lines in a file that only grows.

A battle whose answers were asked anew is not deleted: an exclusion line takes it out, and the new one stands below it.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from arena.comparisons import BETWEEN_TURNS, comparison_id
from arena.pipeline.answers import Answer
from arena.pipeline.judges import DRY_RUN
from arena.pipeline.judging import Bench, Call, Fate, Slot, Verdict
from llmuses.errors import DataError
from llmuses.judge.orders import combine
from llmuses.judge.verdicts import PairVerdict
from llmuses.records import Battle, Exclusion, Message, Record, Redaction, Winner
from llmuses.store import JsonlStore, Sync


class Undecided(NamedTuple):
    """A slot without a battle: a call failed, was refused for good, or could not be read."""

    slot: Slot
    fate: Fate
    reason: str


class Decided(NamedTuple):
    """A slot with its battle; ``contradictory``: the judge changed its mind with the order."""

    slot: Slot
    battle: Battle
    contradictory: bool


class Scored(NamedTuple):
    """One answer's score from 1 to 10."""

    slot: Slot
    rating: float
    tstamp: float


def outcomes(bench: Bench, verdicts: Mapping[Call, Verdict]) -> list[Decided | Undecided | Scored]:
    """Return what became of each slot."""
    calls: dict[int, list[Call]] = {}
    for call in verdicts:
        calls.setdefault(call.slot, []).append(call)
    found: list[Decided | Undecided | Scored] = []
    for index, slot in enumerate(bench.slots):
        own = sorted(calls[index], key=lambda call: call.swapped)
        said = [verdicts[call] for call in own]
        unread = [verdict for verdict in said if verdict.fate is not Fate.READ]
        if unread:
            worst = max(unread, key=lambda verdict: list(Fate).index(verdict.fate))
            found.append(Undecided(slot, worst.fate, worst.reason))
        elif slot.two is None:
            assert isinstance(said[0].reading, float)
            found.append(Scored(slot, said[0].reading, said[0].tstamp))
        else:
            found.append(_decided(bench, slot, own, said))
    return found


def _decided(bench: Bench, slot: Slot, calls: Sequence[Call], said: Sequence[Verdict]) -> Decided:
    readings = [verdict.reading for verdict in said if isinstance(verdict.reading, PairVerdict)]
    straight = [r.turned() if call.swapped else r for r, call in zip(readings, calls, strict=True)]
    contradictory = False
    winner = straight[0].winner
    if len(readings) == 2:
        combined = combine(readings[0], readings[1])
        assert combined.winner is not None
        winner, contradictory = combined.winner, combined.contradictory
    assert slot.two is not None
    identifier = slot.question.question_id
    answers = bench.answers[slot.one][identifier], bench.answers[slot.two][identifier]
    battle = Battle(
        battle_id=_battle_id(bench.judge.name, slot, answers, winner),
        question_id=identifier,
        model_a=slot.one,
        model_b=slot.two,
        winner=winner,
        judge=bench.judge.name,
        category=slot.question.category,
        language=slot.question.language,
        question=slot.question.text,
        output_a=BETWEEN_TURNS.join(answers[0].turns),
        output_b=BETWEEN_TURNS.join(answers[1].turns),
        scores=_mean_scores(straight),
        verdicts=[reading.winner for reading in straight] if len(straight) == 2 else None,
        policy=slot.policy,
        pair_probability=slot.chance,
        generation_config=answers[0].generation if answers[0].generation == answers[1].generation else None,
        finish_a=answers[0].finish,
        finish_b=answers[1].finish,
        latency_a=answers[0].latency,
        latency_b=answers[1].latency,
        tstamp=max(verdict.tstamp for verdict in said),
    )
    if len(slot.question.turns) > 1:
        battle.conversation = [Message("user", turn) for turn in slot.question.turns]
    battle.comparison_id = comparison_id(battle)
    return Decided(slot, battle, contradictory)


def _mean_scores(readings: Sequence[PairVerdict]) -> dict[str, float] | None:
    scores = [reading.scores for reading in readings if reading.scores is not None]
    if not scores:
        return None
    return {f"model_{'ab'[side]}": sum(pair[side] for pair in scores) / len(scores) for side in (0, 1)}


def _battle_id(judge: str, slot: Slot, answers: tuple[Answer, Answer], winner: Winner) -> str:
    """Return a hash over who judged which answers how: the same battle has the same id in every run."""
    said = (judge, slot.question.question_id, slot.names, [answer.turns for answer in answers], winner)
    return hashlib.blake2b(msgspec.json.encode(said), digest_size=8).hexdigest()


class _Line(Record, kw_only=True):
    """As much of a line of the record as is needed to know what is there: a battle, an exclusion (with a reason), or what
    takes one back (restored)."""

    battle_id: str
    reason: str | None = None
    restored: str | None = None
    redacted: bool = False
    tstamp: float = 0.0
    question_id: str = ""
    model_a: str = ""
    model_b: str = ""
    judge: str = ""


class Recorded(NamedTuple):
    """What was written down: battles that are new, and earlier ones that they take out."""

    fresh: int
    replaced: int


def record(path: Path, battles: Iterable[Battle]) -> Recorded:
    """Append what is not there yet; take out earlier battles of the same slot and judge. Raises StoreError."""
    lines = list(JsonlStore(path, _Line))
    excluded = _excluded(lines)
    valid = {line.battle_id for line in lines if line.model_a} - excluded
    slots = {_slot(line): line.battle_id for line in lines if line.battle_id in valid}
    now = time.time()
    fresh: list[Battle] = []
    gone: list[Exclusion] = []
    for battle in battles:
        while battle.battle_id in excluded:  # it was taken out once: it comes back under another id
            battle.battle_id = f"{battle.battle_id}+"
        if battle.battle_id in valid:
            continue
        if (earlier := slots.get(_slot(battle))) is not None:
            gone.append(Exclusion(battle_id=earlier, reason="answered or judged anew", tstamp=now))
        fresh.append(battle)
    with JsonlStore(path, Exclusion, Sync.GROUP) as store:
        store.append_all(gone)
    with JsonlStore(path, Battle, Sync.GROUP) as store:
        store.append_all(fresh)
    return Recorded(len(fresh), len(gone))


def withdraw_others(path: Path, questions: Collection[str]) -> int:
    """Withdraw the battles over other questions than these, whatever became of them, and return how many. Raises StoreError."""
    lines = list(JsonlStore(path, _Line))
    withdrawn = {line.battle_id for line in lines if line.redacted}
    others = {line.battle_id for line in lines if line.model_a and line.question_id not in questions} - withdrawn
    now = time.time()
    with JsonlStore(path, Redaction, Sync.GROUP) as store:
        store.append_all(Redaction(battle_id=battle_id, tstamp=now) for battle_id in sorted(others))
    return len(others)


def _excluded(lines: Iterable[_Line]) -> set[str]:
    """Return the battles that are taken out: excluded after they were last restored, or withdrawn."""
    out: dict[str, float] = {}
    back: dict[str, float] = {}
    for line in lines:
        if line.restored is not None:
            back[line.battle_id] = max(line.tstamp, back.get(line.battle_id, -1.0))
        elif line.reason is not None:
            said = math.inf if line.redacted else line.tstamp
            out[line.battle_id] = max(said, out.get(line.battle_id, -1.0))
    return {battle_id for battle_id, said in out.items() if said > back.get(battle_id, -1.0)}


def _slot(line: _Line | Battle) -> tuple[str, str, str, str]:
    return (line.question_id, line.model_a, line.model_b, line.judge)


def record_dry_run(path: Path, battles: Sequence[Battle]) -> None:
    """Write battles that chance decided, each taken out by an exclusion line before it: no rating takes them."""
    path.unlink(missing_ok=True)
    reason = "dry run: the winner was drawn at random"
    with JsonlStore(path, Exclusion, Sync.NEVER) as store:
        store.append_all(Exclusion(battle_id=battle.battle_id, reason=reason) for battle in battles)
    with JsonlStore(path, Battle, Sync.NEVER) as store:
        store.append_all(battles)


def read_record(path: Path) -> list[Battle]:
    """Return the battles of a file that no exclusion line takes out. Raises DataError where there is none."""
    lines = list(JsonlStore(path, _Line))
    excluded = _excluded(lines)
    battles = [battle for battle in JsonlStore(path, Battle) if battle.battle_id not in excluded]
    if not battles:
        raise DataError(f"{path}: there is no battle to rate; enable reviews_gen.")
    return battles


def is_dry_run(battle: Battle) -> bool:
    """Return whether chance decided a battle."""
    return battle.judge == DRY_RUN
