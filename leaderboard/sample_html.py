"""One sample: the list it stands in at the left, the sample, its facts at the right."""

from __future__ import annotations

from leaderboard.answer_html import middle, verdict_alone
from leaderboard.browse_parts import go, public, short, title, trail, words
from leaderboard.browse_query import Place
from leaderboard.details_html import details
from leaderboard.results import RunEntry
from leaderboard.sample_index import Rows
from leaderboard.samples import Filter
from leaderboard.samples_html import Listing, notes, side_list
from leaderboard.shown import Shown
from llmuses.i18n import Lang
from llmuses.markup import Markup, attrs, count, icon
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
    return Markup(
        '<div class="b-top row">{}<div class="row end b-turn"><span class="md q tn b-where">{}</span>{}{}'
        '<button type="button" class="g-btn sm ghost b-link" data-copy="">{}<span data-words>{}</span></button></div>'
        "</div>"
    ).format(
        trail(*steps),
        where,
        _turn(place, shown.before, "prev", "left", say("previous"), "K"),
        _turn(place, shown.after, "next", "right", say("next"), "J"),
        icon("link", small=True),
        say("copy_link"),
    )


def _turn(place: Place, review: Review | None, rel: str, sign: str, word: str, key: str) -> Markup:
    drawing = icon(sign, small=True)
    content = (
        Markup("{}{}<kbd>{}</kbd>").format(drawing, word, key)
        if rel == "prev"
        else Markup("{}<kbd>{}</kbd>{}").format(word, key, drawing)
    )
    if review is None:
        return Markup('<span class="g-btn sm" disabled aria-hidden="true">{}</span>').format(content)
    href = place.to(sample=review.sample_id, repeat=review.repeat, page=0)
    return go(href, content, class_="g-btn sm", rel=rel)
