"""Where a reader stands in the browse pages: what an address says, checked, and the addresses of everything else."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

from leaderboard.samples import Filter, Sort

E = TypeVar("E", bound=StrEnum)

_LONGEST = 300
"""No name in an address is longer; a longer one cannot be meant."""


class Place(NamedTuple):
    """One view: all runs (no ``run``), a run, the samples of a ``dataset`` in it, or one ``sample``.

    ``page`` counts from 1; 0 is the page on which the sample stands. ``repeat`` counts from 0, as in the records.
    """

    run: str | None = None
    dataset: str | None = None
    sample: str | None = None
    repeat: int = 0
    filter: Filter = Filter.ALL
    subset: str | None = None
    sort: Sort = Sort.ORDER
    q: str = ""
    page: int = 0
    rendered: bool = False
    jump: bool = False
    """Asks for the next sample on which the runs disagree, instead of this one."""

    def to(self, **changes: Any) -> str:
        """Return the address of this view with some things changed, defaults left out.

        Another filter, subset, sort or search begins at its first page.
        """
        if changes.keys() & {"filter", "subset", "sort", "q"}:
            changes = {"page": 0, **changes}
        there = self._replace(**{"jump": False, **changes})
        query = {
            "run": there.run,
            "dataset": there.dataset,
            "sample": there.sample,
            "repeat": there.repeat or None,
            "filter": None if there.filter is Filter.ALL else there.filter.value,
            "subset": there.subset,
            "sort": None if there.sort is Sort.ORDER else there.sort.value,
            "q": there.q or None,
            "page": there.page if there.page > 1 or (there.page and there.sample) else None,
            "view": "rendered" if there.rendered else None,
            "jump": "disagree" if there.jump else None,
        }
        said = {name: value for name, value in query.items() if value is not None}
        return f"browse?{urlencode(said, quote_via=quote)}" if said else "browse"

    def samples(self, **changes: Any) -> str:
        """Return the address of the list that this sample stands in."""
        return self.to(**{"sample": None, "repeat": 0, "page": 0, "rendered": False, **changes})


def place(query: Mapping[str, str]) -> Place:
    """Return where an address leads. What it cannot mean is taken as not said."""
    return Place(
        run=_name(query, "run"),
        dataset=_name(query, "dataset"),
        sample=_name(query, "sample"),
        repeat=_number(query, "repeat"),
        filter=_choice(query, "filter", Filter, Filter.ALL),
        subset=_name(query, "subset"),
        sort=_choice(query, "sort", Sort, Sort.ORDER),
        q=query.get("q", "").strip()[:_LONGEST],
        page=_number(query, "page"),
        rendered=query.get("view") == "rendered",
        jump=query.get("jump") == "disagree",
    )


def _name(query: Mapping[str, str], name: str) -> str | None:
    value = query.get(name, "")
    return value if 0 < len(value) <= _LONGEST else None


def _number(query: Mapping[str, str], name: str) -> int:
    value = query.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 9 else 0


def _choice(query: Mapping[str, str], name: str, kind: type[E], default: E) -> E:
    return next((choice for choice in kind if choice.value == query.get(name)), default)
