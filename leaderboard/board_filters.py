"""Filters by what a model is (size, organisation, licence, type), as both boards have them: read, applied, written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from leaderboard.board_words import Words
from leaderboard.known_models import Known
from llmuses.markup import Markup, attrs, icon, join

SIZES = {"1": 1.0, "4": 4.0, "10": 10.0, "40": 40.0, "100": 100.0}
"""The largest model that each choice of a size lets through, in billions of parameters."""
LARGER = "larger"
"""The choice of a size beyond all of these."""
KINDS = ("chat", "base")
NAMES = ("size", "org", "licence", "kind")
"""The parameters of a query that narrow a board so."""


class Narrow(NamedTuple):
    """What a model must be to be shown; an empty text lets everything through."""

    size: str = ""
    org: str = ""
    licence: str = ""
    kind: str = ""

    def keeps(self, known: Known) -> bool:
        """Return whether a model is let through: one of which it is not known is not."""
        return (
            (not self.org or known.organisation == self.org)
            and (not self.licence or known.licence == self.licence)
            and (not self.kind or known.kind == self.kind)
            and (not self.size or (known.size is not None and self._fits(known.size)))
        )

    def _fits(self, size: float) -> bool:
        return size > max(SIZES.values()) if self.size == LARGER else size <= SIZES[self.size]


def read_narrow(query: Mapping[str, str]) -> Narrow:
    """Return what a query narrows to. Sizes and types that do not exist are ignored."""
    size, kind = query.get("size", ""), query.get("kind", "")
    return Narrow(
        size if size in SIZES or size == LARGER else "",
        query.get("org", "")[:100],
        query.get("licence", "")[:100],
        kind if kind in KINDS else "",
    )


Go = Callable[..., str]


def narrow_menu(narrow: Narrow, models: Sequence[Known], say: Words) -> Markup:
    """Return the menu of these filters: only those that could tell these models apart."""
    fields = [
        _field("size", say("narrow.size"), narrow.size, _sizes(models, say), say),
        _field("kind", say("narrow.kind"), narrow.kind, _kinds(models, say), say),
        _field("org", say("narrow.org"), narrow.org, _values(m.organisation for m in models), say),
        _field("licence", say("narrow.licence"), narrow.licence, _values(m.licence for m in models), say),
    ]
    if not any(fields):
        return Markup("")
    return Markup(
        '<details class="u-menu u-hide-phone"><summary class="g-chip">{}{}</summary>'
        '<div class="u-pop u-narrow">{}</div></details>'
    ).format(say("narrow.more"), icon("down", small=True), join(fields))


def narrow_chips(narrow: Narrow, say: Words, go: Go) -> Markup:
    """Return a chip for each filter that is on: a click takes it off."""
    words = {
        "size": narrow.size and _size_words(narrow.size, say),
        "kind": narrow.kind and say(f"kind.{narrow.kind}"),
        "org": narrow.org,
        "licence": narrow.licence,
    }
    return join(
        Markup('<a class="g-chip on" data-go href="{}" title="{}">{}{}</a>').format(
            go(**{name: None}, rows=None), say("narrow.off"), said, icon("close", small=True)
        )
        for name, said in words.items()
        if said
    )


def _field(name: str, label: str, chosen: str, options: Sequence[tuple[str, str]], say: Words) -> Markup:
    if len(options) < 2 and not chosen:
        return Markup("")
    if chosen and chosen not in dict(options):
        options = [*options, (chosen, chosen)]
    choices = join(
        Markup('<option value="{}"{}>{}</option>').format(value, attrs(selected=value == chosen), words)
        for value, words in (("", say("narrow.all")), *options)
    )
    return Markup('<label><span>{}</span><select class="g-chip" name="{}">{}</select></label>').format(
        label, name, choices
    )


def _sizes(models: Sequence[Known], say: Words) -> list[tuple[str, str]]:
    if not any(model.size is not None for model in models):
        return []
    return [(choice, _size_words(choice, say)) for choice in (*SIZES, LARGER)]


def _size_words(choice: str, say: Words) -> str:
    return say("narrow.larger", n=f"{max(SIZES.values()):g}") if choice == LARGER else say("narrow.upto", n=choice)


def _kinds(models: Sequence[Known], say: Words) -> list[tuple[str, str]]:
    there = {model.kind for model in models}
    return [(kind, say(f"kind.{kind}")) for kind in KINDS if kind in there]


def _values(values: Iterable[str | None]) -> list[tuple[str, str]]:
    counted = Counter(value for value in values if value)
    return [
        (value, f"{value} ({number})") for value, number in sorted(counted.items(), key=lambda pair: pair[0].lower())
    ]
