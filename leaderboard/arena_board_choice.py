"""What a reader of the arena board chose: which arena, whose votes, of what, and how it is shown."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

from leaderboard.arenas import Facts, Votes, rule_of, votes_of
from leaderboard.board_filters import NAMES, Narrow, read_narrow

if TYPE_CHECKING:
    from arena.rating_records import Rule

CHOICES = ("arena", "category", "language", "votes", "judge", "style", "q", "sort", "rows", "pick", "board", *NAMES)
"""The parameters of a query that choose a view of the arena board."""

SORTS = ("rank", "name", "rating", "votes", "org", "licence")
FIRST_DESCENDING = ("rating", "votes")
MOST_PICKED = 4
"""So many models can be compared at once."""


class Choice(NamedTuple):
    """``judge`` is one of those that decided battles; ``category`` and ``language`` are empty for all of them."""

    votes: Votes = "people"
    judge: str = ""
    category: str = ""
    language: str = ""
    style: bool = False
    words: str = ""
    narrow: Narrow = Narrow()
    sort: str = "rank"
    picked: tuple[str, ...] = ()

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """Return the key and whether the order is descending."""
        return self.sort.lstrip("-"), self.sort.startswith("-")

    @property
    def grouped(self) -> bool:
        """Whether categories and languages are rated side by side, each leaning on all battles where it has few of its own."""
        return self.votes != "both" and not self.style


def read_choice(query: Mapping[str, str], facts: Facts, languages: Sequence[str] = ()) -> Choice:
    """Return what a query chooses among what an arena's battles are of. Whatever is not there is ignored."""
    judges = [name for name, _ in facts.judges if name != "human"]
    category, language = query.get("category", ""), query.get("language", "")
    sort = query.get("sort", "rank")
    return Choice(
        votes=votes_of(facts, query.get("votes")),
        judge=query["judge"] if query.get("judge") in judges else next(iter(judges), ""),
        category=category if category in dict(facts.categories) else "",
        language=language if language in languages or _code(language) else "",
        style=query.get("style") == "1" and votes_of(facts, query.get("votes")) != "both",
        words=query.get("q", "").strip()[:200],
        narrow=read_narrow(query),
        sort=sort if sort.removeprefix("-") in SORTS else "rank",
        picked=read_picked(query.get("pick", "")),
    )


def _code(language: str) -> bool:
    return language.isascii() and language.isalpha() and len(language) in (2, 3)


def rule_for(choice: Choice, facts: Facts) -> Rule:
    """Return the rule that the chosen view is rated by: what ``llmuses rate`` makes of the same options."""
    chosen = (
        facts._replace(judges=sorted(facts.judges, key=lambda pair: pair[0] != choice.judge)) if choice.judge else facts
    )
    more: dict[str, object] = {}
    if not choice.grouped:
        more = {"category": choice.category or None, "language": choice.language or None}
    elif choice.category:
        more = {"by": "category", "language": choice.language or None}
    elif choice.language:
        more = {"by": "language"}
    if choice.style:
        more["style"] = True
    return rule_of(chosen, choice.votes, **more)


def command(rule: Rule, battles: str) -> str:
    """Return the command line that computes the same ratings."""
    parts = ["llmuses rate --battles", shlex.quote(battles)]
    for name in ("by", "judge", "category", "language"):
        if value := getattr(rule, name):
            parts.append(f"--{name} {shlex.quote(value)}")
    if rule.cluster != "none":
        parts.append(f"--cluster {rule.cluster}")
    if rule.combine != "none":
        parts.append(f"--combine {rule.combine}")
    parts += [flag for flag, on in (("--style", rule.style), ("--blind-only", rule.blind_only)) if on]
    return " ".join(parts)


def audit_command(battles: str) -> str:
    """Return the command line that holds the judges of the same battles against people."""
    return f"llmuses audit --battles {shlex.quote(battles)}"


def read_picked(text: str) -> tuple[str, ...]:
    """Return the names of picked models, as ``written_picked`` wrote them; the first few count."""
    return tuple(dict.fromkeys(unquote(part) for part in text.split(",") if part))[:MOST_PICKED]


def written_picked(name: str) -> str:
    """Return a model's name as one part of a list in an address."""
    return quote(name, safe="")
