"""Two runs on the same questions: which list a reader walks through, and which question is shown.

Part of the browse pages: ``browse?run=R&with=S&dataset=D&sample=I``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaderboard.browse_parts import datasets, go, words
from leaderboard.comparing import Comparer, Outcome, Paired
from leaderboard.pair_html import PairShown, Side, pair_page
from leaderboard.results import RunEntry, Runs
from leaderboard.samples import Samples, Shelf
from llmuses.comparison.result import Pair
from llmuses.comparison.words import refusal_words
from llmuses.errors import LlmusesError
from llmuses.i18n import Lang, text
from llmuses.markup import Markup, link, message

_LONGEST = 300


class Show(StrEnum):
    """Which questions are walked through: those on which the two differ, one half of them, both wrong, all."""

    DISAGREE = "disagree"
    FIRST = "first"
    SECOND = "second"
    WRONG = "wrong"
    ALL = "all"


OUTCOMES = {
    Show.DISAGREE: (Outcome.FIRST, Outcome.SECOND),
    Show.FIRST: (Outcome.FIRST,),
    Show.SECOND: (Outcome.SECOND,),
    Show.WRONG: (Outcome.WRONG,),
    Show.ALL: tuple(Outcome),
}


class PairPlace(NamedTuple):
    """Where a reader stands. ``jump`` asks for the next disagreement after the sample that is named."""

    run: str
    other: str
    dataset: str
    sample: str | None = None
    show: Show = Show.DISAGREE
    jump: bool = False

    def to(self, **changes: Any) -> str:
        """Return the address of this view with some things changed."""
        there = self._replace(**{"jump": False, **changes})
        return link(
            "browse",
            run=there.run,
            dataset=there.dataset,
            **{"with": there.other},
            sample=there.sample,
            show=None if there.show is Show.DISAGREE else there.show.value,
            jump="disagree" if there.jump else None,
        )


def pair_place(query: Mapping[str, str]) -> PairPlace | None:
    """Return where an address leads, None where it is not about two runs."""
    run, other, dataset = (query.get(name, "")[:_LONGEST] for name in ("run", "with", "dataset"))
    if not (run and other and dataset):
        return None
    show = query.get("show", "")
    known = show in set(Show)
    sample = query.get("sample", "")
    return PairPlace(
        run,
        other,
        dataset,
        sample[:_LONGEST] or None,
        Show(show) if known else Show.DISAGREE,
        query.get("jump") == "disagree",
    )


def pair_view(results: Runs, shelf: Shelf, comparer: Comparer, lang: Lang, place: PairPlace) -> Markup:
    """Return the page of one question in two runs. Whatever its address names wrongly is said, with a way on."""
    first, second = results.run(place.run), results.run(place.other)
    if first is None or second is None:
        return _missing(lang, "no_such_run", "browse")
    for entry in (first, second):
        if place.dataset not in datasets(entry) or place.dataset not in entry.reports:
            return _missing(lang, "no_such_dataset", link("browse", run=entry.run_id))
        if not entry.samples_inside(place.dataset):
            return _missing(lang, "outside", link("browse", run=entry.run_id), "outside_why")
    try:
        pair = comparer.pair(place.dataset, first, second)
        paired = comparer.samples(place.dataset, first, second)
    except LlmusesError as problem:
        return _alone(message(text(lang, "versus.nothing"), str(problem), "failed"))
    if not isinstance(pair, Pair):
        labels = {entry.run_id: entry.run.model for entry in (first, second)}
        why = refusal_words(pair, labels, lang)
        return _alone(
            message(text(lang, "versus.refused.page"), why, "info", _way(lang, link("browse", run=place.run)))
        )
    shown = _shown(shelf, place, pair, paired, first, second)
    if shown is None:
        return _missing(lang, "no_such_sample", place.to(sample=None))
    return pair_page(lang, shown)


def _alone(body: Markup) -> Markup:
    return Markup('<div class="b-alone">{}</div>').format(body)


def _way(lang: Lang, href: str) -> Markup:
    return go(href, words(lang)("way_on"), class_="g-btn")


def _missing(lang: Lang, what: str, href: str, why: str = "no_such_why") -> Markup:
    say = words(lang)
    return _alone(message(say(what), say(why), "find", _way(lang, href)))


def _shown(
    shelf: Shelf, place: PairPlace, pair: Pair, paired: Paired, first: RunEntry, second: RunEntry
) -> PairShown | None:
    walked = paired.select(*OUTCOMES[place.show])
    at = _position(place, paired, walked)
    if at is None:
        return None
    place_of = int(np.searchsorted(walked, at))
    inside = place_of < len(walked) and int(walked[place_of]) == at
    after = place_of + 1 if inside else place_of
    sample = paired.ids[at]
    sides = [_side(shelf, entry, place.dataset, sample) for entry in (first, second)]
    if sides[0] is None or sides[1] is None:
        return None
    here = place._replace(sample=sample, jump=False)
    return PairShown(
        first=sides[0],
        second=sides[1],
        pair=pair,
        binary=paired.binary,
        dataset=place.dataset,
        sample=sample,
        here=here.to(),
        asked=place.to(jump=True) if place.jump else None,
        chips=[
            (show.value, _number(paired, show), place.to(show=show, sample=None), show is place.show) for show in Show
        ],
        index=place_of if inside else None,
        total=len(walked),
        before=here.to(sample=paired.ids[walked[place_of - 1]]) if place_of > 0 else None,
        after=here.to(sample=paired.ids[walked[after]]) if after < len(walked) else None,
        jump=here.to(jump=True),
    )


def _number(paired: Paired, show: Show) -> int:
    return sum(paired.number(outcome) for outcome in OUTCOMES[show])


def _position(place: PairPlace, paired: Paired, walked: NDArray[np.intp]) -> int | None:
    """Return the position of the question to show: the one named, the next disagreement after it, or the list's first."""
    if place.sample is None:
        return int(walked[0]) if len(walked) else 0 if paired.ids else None
    try:
        at = paired.ids.index(place.sample)
    except ValueError:
        return None
    differ = paired.select(*OUTCOMES[Show.DISAGREE])
    if place.jump and len(differ):
        return int(differ[np.searchsorted(differ, at, side="right") % len(differ)])
    return at


def _side(shelf: Shelf, entry: RunEntry, dataset: str, sample: str) -> Side | None:
    samples: Samples = shelf.samples(entry.reviews(dataset), entry.predictions(dataset))
    rows = samples.rows()
    at = rows.position(sample, 0)
    if at is None:
        return None
    review = samples.reviews(rows, [at])[0]
    return Side(entry, review, samples.prediction(review))
