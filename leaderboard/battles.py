"""Battles to read: which ones a reader asks for, how models did in each category, one battle with both its orders."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import numpy as np
from numpy.typing import NDArray

from leaderboard.arenas import Source
from leaderboard.battle_index import UNSORTED, Battles, BattleShelf
from llmuses.errors import DataError
from llmuses.records import HUMAN, Battle
from llmuses.statistics.intervals import wilson
from llmuses.yaml_files import read_yaml

PAGE = 50
PUBLIC_AFTER = 86_400.0
"""Seconds. Battles of the arena on this site are shown a day after they were voted on, so that no vote can be watched."""

REST = "*"
"""In a mapping: the group of all categories that no other group names."""

RESULTS = ("all", "won", "lost", "tied", "torn")
_LONGEST = 300

Mask = NDArray[np.bool_]


class Place(NamedTuple):
    """Where a reader stands: which battles, and which of them is open. ``group`` is None for all."""

    arena: str | None = None
    group: str | None = None
    language: str | None = None
    model: str | None = None
    other: str | None = None
    judge: str | None = None
    result: str = "all"
    page: int = 0
    id: str | None = None

    def to(self, **changes: Any) -> str:
        """Return the address of this view with some things changed; other filters begin at the first page."""
        if changes.keys() - {"page", "id"}:
            changes = {"page": 0, "id": None, **changes}
        said = self._replace(**changes).query()
        return f"battles?{urlencode(said, quote_via=quote)}" if said else "battles"

    def query(self) -> dict[str, str]:
        """Return the query of this view's address."""
        query = {
            "arena": self.arena,
            "group": self.group,
            "language": self.language,
            "model": self.model,
            "other": self.other,
            "judge": self.judge,
            "result": None if self.result == "all" else self.result,
            "page": str(self.page) if self.page > 1 else None,
            "id": self.id,
        }
        return {name: value for name, value in query.items() if value is not None}


def place(query: Mapping[str, str]) -> Place:
    """Return where an address leads. What it cannot mean is taken as not said."""

    def text(name: str) -> str | None:
        value = query.get(name, "")
        return value if 0 < len(value) <= _LONGEST else None

    page = query.get("page", "")
    result = query.get("result", "all")
    return Place(
        arena=text("arena"),
        group=text("group"),
        language=text("language"),
        model=text("model"),
        other=text("other"),
        judge=text("judge"),
        result=result if result in RESULTS else "all",
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 8 else 0,
        id=text("id"),
    )


# --- categories --------------------------------------------------------------------------------------------------


@cache
def read_mapping(path: Path) -> dict[str, list[str]]:
    """Return a file of category groups: each group's name with the categories in it, ``*`` for all others.

    Raises UsageError for a file that cannot be read or is no YAML, DataError for one that holds something else.
    """
    found = read_yaml(path)
    fits = isinstance(found, dict) and all(
        isinstance(name, str) and isinstance(kinds, list) and all(isinstance(kind, str) for kind in kinds)
        for name, kinds in found.items()
    )
    if not fits:
        raise DataError(f"{path}: a mapping gives each group a list of categories, such as  writing: [essay, letter].")
    return dict(found)


def groups_of(categories: Sequence[str], mapping: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the groups with the categories of theirs that occur, in the mapping's order.

    Without a mapping each category is a group; with one, those that it does not name are in its group with ``*``, or on
    their own where it has none.
    """
    named = {kind: group for group, kinds in mapping.items() for kind in kinds if kind != REST}
    rest = next((group for group, kinds in mapping.items() if REST in kinds), None)
    found: dict[str, list[str]] = {group: [] for group in mapping}
    for category in categories:
        found.setdefault(named.get(category) or rest or category, []).append(category)
    return {group: kinds for group, kinds in found.items() if kinds}


# --- what is there -----------------------------------------------------------------------------------------------


class Share(NamedTuple):
    """How a model did: the share that it won, ties as half, with its interval, over ``n`` battles."""

    share: float
    ci95: tuple[float, float]
    n: int


class Hall:
    """One file of battles as a reader may see it now: of the arena on this site without the last day's, unless ``fresh``
    ones are for this reader too."""

    def __init__(self, shelf: BattleShelf, source: Source, clock: Callable[[], float] = time.time, fresh: bool = False):
        self.source = source
        self.delayed = source.live and not fresh
        self._shelf = shelf
        self.rows: Battles = shelf.battles(source.battles)
        self._open = np.ones(len(self.rows), np.bool_)
        if self.delayed:
            self._open = self.rows.tstamp <= clock() - PUBLIC_AFTER
        mapping = read_mapping(source.mapping) if source.mapping else {}
        order = np.bincount(self.rows.category, minlength=len(self.rows.categories))
        names = [self.rows.categories[code] for code in np.argsort(-order, kind="stable")]
        self.groups = groups_of(names, mapping)

    def select(self, there: Place) -> Mask:
        """Return which battles a reader asks for [n]."""
        rows, shown = self.rows, self._open.copy()
        if there.group is not None:
            kinds = [rows.categories.index(kind) for kind in self.groups.get(there.group, [])]
            shown &= np.isin(rows.category, kinds)
        if there.language is not None:
            shown &= rows.language == _code(rows.languages, there.language)
        if there.judge is not None:
            shown &= rows.judge == _code(rows.judges, there.judge)
        if there.model is not None:
            one = _code(rows.models, there.model)
            first, second = rows.a == one, rows.b == one
            shown &= first | second
            won = (first & (rows.outcome == 0)) | (second & (rows.outcome == 1))
            lost = (first & (rows.outcome == 1)) | (second & (rows.outcome == 0))
            if there.result in ("won", "lost"):
                shown &= won if there.result == "won" else lost
            if there.other is not None:
                two = _code(rows.models, there.other)
                shown &= (rows.a == two) | (rows.b == two)
        if there.result == "tied":
            shown &= rows.outcome >= 2
        elif there.result == "torn":
            shown &= rows.torn
        return shown

    def newest(self, shown: Mask) -> NDArray[np.intp]:
        """Return the places of some battles, the newest first."""
        found = np.flatnonzero(shown)
        return found[np.argsort(-self.rows.tstamp[found], kind="stable")] if len(found) else found

    def read(self, places: Sequence[int] | NDArray[np.intp]) -> list[Battle]:
        """Return some battles whole."""
        return self._shelf.read(self.source.battles, self.rows, [int(each) for each in places])

    def reason(self, place_of: int) -> str | None:
        """Return why a battle is not in the ratings, None where it is."""
        return self.rows.excluded.get(int(self.rows.name[place_of]))

    def models(self) -> list[str]:
        """Return the models, the one with most battles first."""
        rows = self.rows
        number = len(rows.models)
        played = np.bincount(rows.a[self._open], minlength=number) + np.bincount(rows.b[self._open], minlength=number)
        return [rows.models[code] for code in np.argsort(-played, kind="stable") if played[code]]

    def languages(self) -> list[str]:
        """Return the languages that battles name, the commonest first."""
        number = np.bincount(self.rows.language[self._open], minlength=len(self.rows.languages))
        names = [self.rows.languages[code] for code in np.argsort(-number, kind="stable") if number[code]]
        return [name for name in names if name != UNSORTED]

    def judges(self) -> list[str]:
        """Return who judged, the one who judged most first."""
        number = np.bincount(self.rows.judge[self._open], minlength=len(self.rows.judges))
        return [self.rows.judges[code] for code in np.argsort(-number, kind="stable") if number[code]]

    def shares(self, shown: Mask) -> dict[str, Share]:
        """Return how each model did in some battles that count, the best first. Excluded ones do not count."""
        rows = self.rows
        kept = shown & ~np.isin(rows.name, np.array(list(rows.excluded), np.uint64)) if rows.excluded else shown
        number = len(rows.models)
        a, b, outcome = rows.a[kept], rows.b[kept], rows.outcome[kept]
        tie = outcome >= 2
        played = np.bincount(a, minlength=number) + np.bincount(b, minlength=number)
        won = np.bincount(a, (outcome == 0) + tie / 2, number) + np.bincount(b, (outcome == 1) + tie / 2, number)
        found = {
            rows.models[code]: Share(float(won[code] / n), wilson(float(won[code]), int(n)), int(n))
            for code, n in enumerate(played)
            if n
        }
        return dict(sorted(found.items(), key=lambda item: -item[1].share))

    def by_group(self, there: Place) -> dict[str, dict[str, Share]]:
        """Return how each model did in each group, with whatever else the reader chose."""
        wider = there._replace(group=None, result="all")
        return {group: self.shares(self.select(wider._replace(group=group))) for group in self.groups}

    def same_question(self, place_of: int) -> NDArray[np.intp]:
        """Return the places of the battles over the same question, this one among them."""
        return np.flatnonzero((self.rows.question == self.rows.question[place_of]) & self._open)

    def shown(self, battle_id: str) -> int | None:
        """Return the place of a battle that may be shown, None where there is none."""
        found = self.rows.place(battle_id)
        return found if found is not None and self._open[found] else None


def _code(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else -1


def question_of(battle: Battle) -> list[str]:
    """Return what was asked, turn by turn."""
    if battle.conversation:
        asked = [message.content for message in battle.conversation if message.role == "user"]
        if asked:
            return asked
    return [battle.question] if battle.question else []


def by_people(battle: Battle) -> bool:
    """Return whether a person decided."""
    return battle.judge == HUMAN
