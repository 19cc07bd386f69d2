"""The browse pages as one function of a visit: all runs, one run, the samples of a dataset in it, one sample."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from leaderboard.browse_parts import datasets, go, public, words
from leaderboard.browse_query import Place, place
from leaderboard.comparing import Comparer
from leaderboard.kept import sign
from leaderboard.pair import pair_place, pair_view
from leaderboard.results import RunEntry, Runs
from leaderboard.run_html import run_page
from leaderboard.runs_html import More, runs_page
from leaderboard.sample_html import sample_page
from leaderboard.samples import (
    PAGE_SIZE,
    Filter,
    Samples,
    Shelf,
    Sort,
    disagreements,
    find_review,
    select,
)
from leaderboard.samples_html import Listing, samples_page
from leaderboard.shown import Other, Shown
from llmuses.i18n import Lang
from llmuses.markup import Markup, message
from llmuses.records import Review
from llmuses.visit import Visit

_OTHER_RUNS = 100
"""The newest runs of a dataset that are looked into for other answers to one sample."""

_AT_HAND = 3 << 28
"""Bytes of other runs' reviews up to which one sample is found by their indexes: those of more would drive each other off
the shelf, and their files are searched."""


_SHORTEST = 0.05
"""Seconds. Where nothing took longer, as with players that only guess, nothing is worth calling slow."""


def browse(
    results: Runs, shelf: Shelf, visit: Visit, comparer: Comparer | None = None, more: More | None = None
) -> Markup:
    """Return the page that an address names. Whatever it names wrongly is said, with a way on. ``more`` is one
    more column of the list of runs."""
    there, two = place(visit.query), pair_place(visit.query)

    def write() -> Markup:
        if two is not None:
            return pair_view(results, shelf, comparer or Comparer(), visit.lang, two)
        return _body(results, shelf, visit.lang, there, more)

    try:
        body = write()
    except (msgspec.DecodeError, FileNotFoundError):  # the files were replaced between index and reading: once more
        body = write()
    return Markup('<div id="main" class="u-page b-page">{}</div>').format(body)


def _body(results: Runs, shelf: Shelf, lang: Lang, there: Place, more: More | None) -> Markup:
    if there.run is None:
        return runs_page(lang, there, results.runs(), results.damaged(), more)
    entry = results.run(there.run)
    if entry is None:
        return _missing(lang, "no_such_run", "browse")
    if there.dataset is None:
        return run_page(lang, entry)
    if there.dataset not in datasets(entry):
        return _missing(lang, "no_such_dataset", Place(run=there.run).to())
    if not entry.samples_inside(there.dataset):
        return _missing(lang, "outside", Place(run=there.run).to(), "outside_why")
    view = _View(results, shelf, lang, there, entry)
    return view.samples() if there.sample is None else view.sample()


def _missing(lang: Lang, what: str, way_on: str, why: str = "no_such_why") -> Markup:
    say = words(lang)
    return Markup('<div class="b-alone">{}</div>').format(
        message(say(what), say(why), "find", go(way_on, say("way_on"), class_="g-btn"))
    )


class _View:
    """One look at the samples of a dataset: the index as it stands now, and the list that the address asks for."""

    def __init__(self, results: Runs, shelf: Shelf, lang: Lang, there: Place, entry: RunEntry):
        assert there.dataset is not None
        self._results, self._shelf, self._lang, self._place, self._entry = results, shelf, lang, there, entry
        self._dataset = there.dataset
        self._samples = self._open(entry)
        self._rows = self._samples.rows()
        self._others = [e for e in results.runs() if e.run_id != entry.run_id and self._dataset in datasets(e)]
        self._among = self._found()

    def _open(self, entry: RunEntry) -> Samples:
        return self._shelf.samples(entry.reviews(self._dataset), entry.predictions(self._dataset))

    def _other_runs(self) -> Iterator[RunEntry]:
        return (other for other in self._others[:_OTHER_RUNS] if other.samples_inside(self._dataset))

    def _found(self) -> NDArray[np.uint64] | None:
        return self._samples.search(self._place.q, public(self._entry, self._dataset)) if self._place.q else None

    def _disagree(self) -> NDArray[np.bool_]:
        return disagreements(self._rows, (self._open(other).rows() for other in self._other_runs()))

    def _select(self, which: Filter, sort: Sort = Sort.ORDER) -> NDArray[np.intp]:
        disagree = self._disagree() if which is Filter.DISAGREE else None
        return select(self._rows, which, self._place.subset, sort, self._among, disagree)

    def _numbers(self) -> dict[Filter, int]:
        counted = [which for which in Filter if which is not Filter.DISAGREE]
        numbers: dict[Filter, int] = {which: len(self._select(which)) for which in counted}
        if not np.any(self._rows.latency >= _SHORTEST):
            numbers[Filter.SLOW] = 0
        if not self._others:
            numbers[Filter.DISAGREE] = 0
        return numbers

    def _listing(self, positions: NDArray[np.intp], page: int) -> Listing:
        pages = max(1, -(-len(positions) // PAGE_SIZE))
        first = (min(max(page, 1), pages) - 1) * PAGE_SIZE
        reviews = self._samples.reviews(self._rows, positions[first : first + PAGE_SIZE])
        return Listing(reviews, first, len(positions), self._numbers())

    def samples(self) -> Markup:
        """Return the list."""
        positions = self._select(self._place.filter, self._place.sort)
        listing = self._listing(positions, self._place.page)
        return samples_page(self._lang, self._place, self._entry, self._rows, listing)

    def sample(self) -> Markup:
        """Return one sample with its list beside it."""
        at = self._rows.position(self._place.sample or "", self._place.repeat)
        if at is not None and self._place.jump:
            at = self._next_disagreement(at)
        if at is None:
            return _missing(self._lang, "no_such_sample", self._place.samples())
        positions = self._select(self._place.filter, self._place.sort)
        index = _index(positions, at)
        near = index if index is not None else int(np.searchsorted(positions, at)) if self._in_order else 0
        listing = self._listing(positions, self._place.page or near // PAGE_SIZE + 1)
        review = self._review(at)
        after = near + 1 if index is not None else near
        here = self._place._replace(sample=review.sample_id, repeat=review.repeat, jump=False)
        shown = Shown(
            review=review,
            prediction=self._samples.prediction(review),
            index=index,
            before=self._review(positions[near - 1]) if near > 0 else None,
            after=self._review(positions[after]) if after < len(positions) else None,
            others=list(self._other_answers(review)),
            repeats=list(self._repeats(review)),
            jumped_from=self._place.to(jump=True) if self._place.jump else None,
        )
        return sample_page(self._lang, here, self._entry, self._rows, listing, shown)

    @property
    def _in_order(self) -> bool:
        return self._place.sort is Sort.ORDER

    def _review(self, position: int | np.intp) -> Review:
        return self._samples.reviews(self._rows, [int(position)])[0]

    def _next_disagreement(self, at: int) -> int:
        """Return the next position where runs differ, beginning again after the last; ``at`` where there is none."""
        positions = self._select(Filter.DISAGREE)
        if not len(positions):
            return at
        return int(positions[np.searchsorted(positions, at, side="right") % len(positions)])

    def _repeats(self, review: Review) -> Iterator[Review]:
        if self._entry.run.repeats > 1:
            for repeat in range(min(self._entry.run.repeats, 100)):
                if (at := self._rows.position(review.sample_id, repeat)) is not None:
                    yield self._review(at)

    def _other_answers(self, review: Review) -> Iterator[Other]:
        """Yield what other runs made of the same question, the newest run of each model and setting."""
        seen = set()
        others = list(self._other_runs())
        files = (sign(entry.reviews(self._dataset)) for entry in others)
        few = sum(file[1] for file in files if file) <= _AT_HAND
        for entry in others:
            report = entry.reports.get(self._dataset)
            who = (entry.run.model, report.setting if report else "")
            if who in seen:
                continue
            other = self._review_in(entry, review, few)
            if other is not None and (other.prompt, other.target) == (review.prompt, review.target):
                seen.add(who)
                yield Other(entry, other)

    def _review_in(self, entry: RunEntry, review: Review, indexed: bool) -> Review | None:
        """Return another run's review of a sample, by its index where that is at hand and ``indexed``."""
        place = (entry.reviews(self._dataset), entry.predictions(self._dataset))
        samples = self._shelf.at_hand(*place) if indexed else None
        if samples is None:
            return find_review(place[0], review.sample_id, review.repeat)
        rows = samples.rows()
        at = rows.position(review.sample_id, review.repeat)
        return None if at is None else samples.reviews(rows, [at])[0]


def _index(positions: NDArray[np.intp], position: int) -> int | None:
    found = np.flatnonzero(positions == position)
    return int(found[0]) if len(found) else None
