"""One sample: the list it stands in at the left, the sample, its facts at the right."""

from __future__ import annotations

from leaderboard.answer_html import middle, verdict_alone
from leaderboard.browse_parts import public, short, title, trail, turning, words
from leaderboard.browse_query import Place
from leaderboard.details_html import details
from leaderboard.results import RunEntry
from leaderboard.sample_index import Rows
from leaderboard.samples import Filter
from leaderboard.samples_html import Listing, notes, side_list
from leaderboard.shown import Shown
from llmuses.i18n import Lang
from llmuses.markup import Markup, attrs, count
from llmuses.records import Review


def sample_page(lang: Lang, place: Place, entry: RunEntry, rows: Rows, listing: Listing, shown: Shown) -> Markup:
    """Return the page of one sample: the list at the left, the sample, its facts at the right."""
    name = _name(shown.review, rows)
    heading = words(lang)("sample", name=name)
    content = middle(lang, place, shown) if public(entry, place.dataset or "") else verdict_alone(lang, shown.review)
    return Markup(
        '{head}{notes}<div class="b-sample" data-at="{at}"{asked} data-title="{title}">{side}'
        '<section class="b-middle">{middle}</section>{details}</div>'
    ).format(
        head=_head(lang, place, entry, listing, shown, heading),
        notes=notes(lang, entry, place.dataset or "", rows),
        at=place.to(),
        asked=attrs(data_from=shown.jumped_from),
        title=f"{heading} · {title(entry, place.dataset or '', lang)} · {entry.run.model} · llmuses",
        side=side_list(lang, place, entry, rows, listing, shown.review),
        middle=content,
        details=details(lang, place, entry, shown),
    )


def _name(review: Review, rows: Rows) -> str:
    return review.sample_id if len(rows.subset_names) > 1 else review.sample_id.removeprefix(f"{review.subset}/")


def _head(lang: Lang, place: Place, entry: RunEntry, listing: Listing, shown: Shown, heading: str) -> Markup:
    say = words(lang)
    which = "" if place.filter is Filter.ALL else say(f"filter.{place.filter}").lower()
    where = (
        Markup("")
        if shown.index is None
        else Markup('{} <span class="qq">{}</span>').format(
            say("nth", n=count(shown.index + 1), total=count(listing.total)), which
        )
    )
    steps = (
        (say("browse"), "browse"),
        (say("run_of", model=entry.run.model, run=short(entry)), Place(run=place.run).to()),
        (title(entry, place.dataset or "", lang), place.samples()),
        (heading, None),
    )
    before, after = (
        None if each is None else place.to(sample=each.sample_id, repeat=each.repeat, page=0)
        for each in (shown.before, shown.after)
    )
    return turning(lang, trail(*steps), where, before, after)
