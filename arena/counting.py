"""Ratings that follow a growing file of battles: only what is new is read.

Battles are kept as counts beside a cursor into the file, in a small state file. Ratings are computed from the counts
alone, so that they are exactly what ``rate`` makes of the whole file.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import msgspec
import numpy as np

from arena.battle_files import OUTCOMES, Skipped, is_person
from arena.first_place import first_place
from arena.fitting import figures_of_counts
from arena.rating import check, mixed_lines, rate, skipped_lines
from arena.rating_lines import lines_of, unrated
from arena.rating_records import Ratings, Rule
from arena.ratings.counts import PairCounts
from arena.ratings.graph import standing
from llmuses.errors import DataError, StoreError, UnknownNameError, UsageError
from llmuses.records import HUMAN
from llmuses.store import START, Cursor, Reader

_VERSION = 2


class _Line(msgspec.Struct):
    """What of a line counts. A field of another type is as good as missing."""

    battle_id: object = None
    model_a: object = None
    model_b: object = None
    winner: object = None
    win: object = None
    judge: object = None
    reason: object = None
    anony: object = None


class Tally(msgspec.Struct):
    """The state file: what the file's battles come to up to ``cursor``.

    ``cells`` counts, for each pair of places in ``names`` (the earlier one first), wins, losses and ties of the first;
    ``judges`` says how many battles each decided.
    ``head`` is how the file began and ``tail`` what stood before the cursor: they tell when another file stands in its
    place. A file with exclusion lines (``excludes``) is read whole each time, since what they take out is not in here.
    """

    version: int
    judge: str | None
    blind_only: bool
    cursor: Cursor = START
    head: bytes = b""
    tail: bytes = b""
    excludes: bool = False
    names: list[str] = msgspec.field(default_factory=list)
    cells: dict[tuple[int, int], list[int]] = msgspec.field(default_factory=dict)
    judges: dict[str, int] = msgspec.field(default_factory=dict)
    skipped: tuple[int, int, int] = (0, 0, 0)


class Follower:
    """Follows one file of battles. ``ratings`` reads what was appended since, and returns the ratings of all of it.

    Works for Bradley-Terry ratings whose intervals are per battle; other rules need the battles again: UsageError.
    """

    def __init__(self, path: Path | str, rule: Rule | None = None, state: Path | None = None):
        self.rule = rule or Rule()
        self.path = Path(path)
        self.state = state or self.path.with_name(self.path.name + ".counts")
        check(self.rule)
        plain = Rule(ties=self.rule.ties, scale=self.rule.scale, judge=self.rule.judge,
                     blind_only=self.rule.blind_only, seed=self.rule.seed)  # fmt: skip
        if self.rule != plain:
            raise UsageError(
                "ratings can be kept up to date with method bt, per battle, by judge or blind only; anything else needs the "
                "whole file."
            )
        self._tally = self._load()

    def ratings(self) -> Ratings:
        """Return the ratings of the file as it is now, and keep the state file. Raises as ``rate`` does."""
        self.update()
        tally = self._tally
        if tally.excludes:
            return rate(self.path, self.rule)
        counts, names = _counts(tally)
        anchor = self.rule.scale.anchor
        if not names:
            raise DataError(f"{self.path}: no line is a battle that was asked for.")
        if anchor is not None and anchor[0] not in names:
            raise UnknownNameError("model to anchor", anchor[0], names)
        found = standing(counts)
        figures = None
        if len(found.rated) > 1:
            figures = figures_of_counts(counts, found.rated, [names[index] for index in found.rated], self.rule)
        models = lines_of(names, counts, found, figures)
        unreadable, no_winner, same = tally.skipped
        return Ratings(
            models=models,
            battles=sum(model.battles for model in models) // 2,
            rule=self.rule,
            groups={},
            ties=None if figures is None else figures.ties,
            first_place=first_place(counts, names, found, figures, self.rule.scale) if figures is not None else None,
            notes=[
                *skipped_lines(Skipped(unreadable, no_winner, same)),
                *mixed_lines(tally.judges, self.rule),
                *unrated(names, counts, found),
            ],
        )

    def update(self) -> int:
        """Read what is new, keep the state file, and return how many lines were read."""
        if not self.path.is_file():
            raise DataError(f"{self.path}: there is no such file of battles.")
        if not self._same_file():
            self._tally = self._fresh()
        tally, before = self._tally, self._tally.cursor
        reader = Reader(self.path, msgspec.json.Decoder(_Line).decode, before)
        counter = _Counter(tally, self.rule)
        for line in reader:
            if reader.offset < before.offset:
                break  # the file was replaced or cut meanwhile: the reader began again, and so does this
            counter.add(line)
        if reader.cursor.offset < before.offset:
            self._tally = self._fresh()
            return self.update()
        counter.close(len(reader.broken))
        read = reader.cursor.line - before.line
        tally.cursor = reader.cursor
        if read:
            tally.head = _piece(self.path, 0, min(_PIECE, tally.cursor.offset))
            tally.tail = _piece(self.path, max(0, tally.cursor.offset - _PIECE), min(_PIECE, tally.cursor.offset))
            self._save()
        return read

    def _same_file(self) -> bool:
        tally = self._tally
        begin = max(0, tally.cursor.offset - len(tally.tail))
        return (
            _piece(self.path, 0, len(tally.head)) == tally.head
            and _piece(self.path, begin, len(tally.tail)) == tally.tail
        )

    def _fresh(self) -> Tally:
        return Tally(_VERSION, self.rule.judge, self.rule.blind_only)

    def _load(self) -> Tally:
        try:
            found = msgspec.msgpack.decode(self.state.read_bytes(), type=Tally)
        except (OSError, msgspec.MsgspecError):
            return self._fresh()
        mine = (_VERSION, self.rule.judge, self.rule.blind_only)
        return found if (found.version, found.judge, found.blind_only) == mine else self._fresh()

    def _save(self) -> None:
        fresh = self.state.with_name(self.state.name + ".new")
        try:
            fresh.write_bytes(msgspec.msgpack.encode(self._tally))
            fresh.replace(self.state)
        except OSError as problem:
            raise StoreError(f"cannot write {self.state}: {problem.strerror or problem}") from problem


_PIECE = 4096


def _piece(path: Path, begin: int, size: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(begin)
        return file.read(size)


class _Counter:
    """Adds lines to a tally."""

    def __init__(self, tally: Tally, rule: Rule):
        self._tally = tally
        self._takes: Callable[[str], bool] = (lambda judge: True) if rule.judge is None else rule.judge.__eq__
        self._blind = rule.blind_only
        self._place = {name: place for place, name in enumerate(tally.names)}
        self._unreadable, self._no_winner, self._same = tally.skipped

    def add(self, line: _Line) -> None:
        """Count one line."""
        one, two = line.model_a, line.model_b
        if not isinstance(one, str) or not isinstance(two, str):
            if one is None and two is None and line.reason is not None:
                self._tally.excludes = True
            else:
                self._unreadable += 1
            return
        winner = line.winner if line.winner is not None else line.win
        outcome = OUTCOMES.get(winner.lower()) if isinstance(winner, str) else None
        if outcome is None:
            self._no_winner += 1
        if one == two:
            self._same += 1
        judge = line.judge if isinstance(line.judge, str) and not is_person(line.judge) else HUMAN
        taken = self._takes(judge) and not (self._blind and line.anony is False)
        if outcome is None or one == two or not taken:
            return
        self._tally.judges[judge] = self._tally.judges.get(judge, 0) + 1
        first, second = self._number(one), self._number(two)
        if first > second:
            first, second, outcome = second, first, outcome if outcome == 2 else 1 - outcome
        self._tally.cells.setdefault((first, second), [0, 0, 0])[outcome] += 1

    def close(self, broken: int) -> None:
        """Note what was skipped, ``broken`` lines that are no JSON among them."""
        self._tally.skipped = (self._unreadable + broken, self._no_winner, self._same)

    def _number(self, name: str) -> int:
        place = self._place.get(name)
        if place is None:
            place = self._place[name] = len(self._tally.names)
            self._tally.names.append(name)
        return place


def _counts(tally: Tally) -> tuple[PairCounts, list[str]]:
    """Return the counts as ``BattleTable.counts`` has them: models in alphabetical order, pairs in order, lower one first."""
    names = sorted(tally.names)
    place = {name: number for number, name in enumerate(names)}
    number = [place[name] for name in tally.names]
    if not tally.cells:
        none = np.zeros(0)
        return PairCounts(len(names), none.astype(np.int64), none.astype(np.int64), none, none, none), names
    pairs = np.array(number, np.int64)[np.fromiter(chain.from_iterable(tally.cells), np.int64).reshape(-1, 2)]
    wins, losses, ties = np.fromiter(chain.from_iterable(tally.cells.values()), np.float64).reshape(-1, 3).T
    swapped = pairs[:, 0] > pairs[:, 1]
    wins, losses = np.where(swapped, losses, wins), np.where(swapped, wins, losses)
    first, second = pairs.min(axis=1), pairs.max(axis=1)
    order = np.lexsort((second, first))
    return PairCounts(len(names), first[order], second[order], wins[order], losses[order], ties[order]), names
