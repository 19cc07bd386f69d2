"""Ratings in batches: what the public sees of the votes, a while after they were cast."""

from __future__ import annotations

import contextlib
import logging
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from arena.audit_voters import odd_voters
from arena.battle_files import BattleTable, Selection, open_battles
from arena.live.rules import Publishing
from arena.live.wire import Between, Moved
from arena.rating import rate
from arena.rating_records import ModelRating, Rule
from arena.ratings.counts import PairCounts
from llmuses.errors import DataError, LlmusesError, RunLockedError, StoreError
from llmuses.records import HUMAN, Record, VoterMark, Winner
from llmuses.statistics.intervals import Z95
from llmuses.store import JsonlStore, Sync, lock_folder, read_json, write_json

FILE = "published.json"
MARKS = "voters.jsonl"
_POINTS = 400 / math.log(10)
_log = logging.getLogger(__name__)


class Met(Record, kw_only=True, omit_defaults=False):
    """How often two models met in blind battles, as ``first`` sees it."""

    first: str
    second: str
    wins: int
    losses: int
    ties: int


class Published(Record, kw_only=True, omit_defaults=False):
    """``published.json``: the ratings of one batch, from people's blind votes with manipulation weighed down.

    ``size`` is how many bytes of the file of battles are in it.
    """

    tstamp: float
    size: int
    votes: int
    models: list[ModelRating]
    met: list[Met]
    notes: list[str]

    def rating(self, model: str) -> ModelRating | None:
        """Return a model's line; None where it has none."""
        return next((line for line in self.models if line.model == model), None)

    def between(self, a: str, b: str) -> Between | None:
        """Return how model A did against model B, ties as half; None where they had no battle."""
        for met in self.met:
            if {met.first, met.second} == {a, b}:
                n = met.wins + met.losses + met.ties
                won = met.wins if met.first == a else met.losses
                return Between(n=n, share=(won + met.ties / 2) / n) if n else None
        return None

    def counts(self) -> tuple[list[str], PairCounts]:
        """Return the models' names and how often they met."""
        names = sorted({name for met in self.met for name in (met.first, met.second)})
        place = {name: number for number, name in enumerate(names)}
        rows = [(place[met.first], place[met.second], met.wins, met.losses, met.ties) for met in self.met]
        first, second, wins, losses, ties = np.array(rows, np.float64).reshape(-1, 5).T
        return names, PairCounts(len(names), first.astype(np.int64), second.astype(np.int64), wins, losses, ties)


class Standing(NamedTuple):
    """What was last published: how many votes and models, and when (seconds since 1970)."""

    votes: int
    models: int
    tstamp: float


class Publisher:
    """Publishes for all processes that share a folder: one of them at a time, the others read what it wrote."""

    def __init__(self, folder: Path, rules: Publishing, clock: Callable[[], float]):
        self._folder = folder
        self._rules = rules
        self._clock = clock
        self._seen: tuple[int, int] | None = None
        self._latest: Published | None = None

    @property
    def battles(self) -> Path:
        """Return the file of battles."""
        return self._folder / "battles.jsonl"

    def latest(self) -> Published | None:
        """Return what was published last, by whichever process; None where nothing was yet."""
        path = self._folder / FILE
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        if self._seen != (status.st_ino, status.st_mtime_ns):
            with contextlib.suppress(StoreError):  # what was there before is still true
                self._latest = read_json(path, Published)
                self._seen = (status.st_ino, status.st_mtime_ns)
        return self._latest

    def is_due(self) -> bool:
        """Return whether enough time has passed and enough votes came since."""
        latest = self.latest()
        if latest is not None and 0 <= self._clock() - latest.tstamp < self._rules.seconds:
            return False
        with contextlib.suppress(FileNotFoundError):
            return _lines_after(self.battles, latest.size if latest else 0) >= self._rules.votes
        return False

    def publish(self) -> bool:
        """Rate the file of battles as it is now, mark odd voters, write both down. Return whether there was anything to say.

        Does nothing where another process is at it. Raises StoreError.
        """
        try:
            lock = lock_folder(self._folder, ".publishing", str(self._folder))
        except RunLockedError:
            return False
        with lock:
            size = os.path.getsize(self.battles)
            try:
                ratings = rate(self.battles, Rule(judge=HUMAN, robust=True))
                with open_battles([self.battles], Selection(HUMAN, blind_only=True), ("voter", "tstamp")) as table:
                    met, votes = _met(table)
                    self._mark(table)
            except DataError as problem:
                _log.info("nothing to publish: %s", problem)
                return False
            found = Published(
                tstamp=self._clock(), size=size, votes=votes, models=ratings.models, met=met, notes=ratings.notes
            )
            write_json(self._folder / FILE, found)
        return True

    def publish_quietly(self) -> None:
        """Do as ``publish`` does; what goes wrong is in the log, and the arena goes on."""
        try:
            self.publish()
        except LlmusesError as problem:
            _log.error("ratings were not published: %s", problem)

    def _mark(self, table: BattleTable) -> None:
        """Write down which voters look odd, where that is news. Their votes stay where they are."""
        store = JsonlStore(self._folder / MARKS, VoterMark, Sync.ALWAYS)
        known = {mark.voter: mark.reasons for mark in store}
        now = self._clock()
        odd = [
            VoterMark(voter=found.voter, votes=found.votes, reasons=found.reasons, tstamp=now)
            for found in odd_voters(table)
            if known.get(found.voter) != found.reasons
        ]
        store.append_all(odd)
        store.close()


def read_published(folder: Path) -> Published | None:
    """Return the ratings last published in a folder; None where there are none yet. Raises StoreError."""
    path = folder / FILE
    return read_json(path, Published) if path.exists() else None


def _met(table: BattleTable) -> tuple[list[Met], int]:
    counts = table.counts()
    columns = (counts.first, counts.second, counts.wins, counts.losses, counts.ties)
    met = [
        Met(first=table.names[first], second=table.names[second], wins=int(won), losses=int(lost), ties=int(tied))
        for first, second, won, lost, tied in zip(*(column.tolist() for column in columns), strict=True)
    ]
    return met, int(counts.battles)


def _lines_after(path: Path, offset: int) -> int:
    with open(path, "rb") as file:
        file.seek(offset)
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 18), b""))


def expectation(published: Published | None, a: str, b: str, choice: Winner) -> tuple[float | None, Moved | None]:
    """Return model A's published chance to win, and by how many points a vote like this one moves the two ratings.

    A step of Newton's method from what is published: a rating's variance times what the vote says beyond what was expected.
    The covariance of the two is left out, which makes it a little too large. None where a side has no interval yet.
    """
    lines = [published.rating(name) if published else None for name in (a, b)]
    if any(line is None or line.rating is None or line.ci95 is None for line in lines):
        return None, None
    one, two = (line for line in lines if line is not None)
    assert one.rating is not None and two.rating is not None
    expected = 1 / (1 + 10 ** ((two.rating - one.rating) / 400))
    surprise = {Winner.MODEL_A: 1.0, Winner.MODEL_B: 0.0}.get(choice, 0.5) - expected
    return expected, Moved(a=_step(one, surprise), b=_step(two, -surprise))


def _step(line: ModelRating, surprise: float) -> float:
    assert line.ci95 is not None
    error = (line.ci95[1] - line.ci95[0]) / 2 / Z95 / _POINTS
    return _POINTS * error**2 * surprise
