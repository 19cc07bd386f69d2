"""The list of a dataset's samples in one run: a page of its own, and the column beside a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.browse_parts import Words, go, pager, public, sample_name, setting_words, short, title, trail, words
from leaderboard.browse_query import Place
from leaderboard.results import RunEntry
from leaderboard.sample_index import Rows, Verdict
from leaderboard.samples import PAGE_SIZE, Filter, Sort
from llmuses.i18n import Lang, points
from llmuses.markup import (
    Markup,
    attrs,
    count,
    cut_short,
    glyph,
    icon,
    interval,
    join,
    legend,
    link,
    margin,
    message,
    note,
    stack,
    verdict_of,
)
from llmuses.records import Report, Review


@dataclass(frozen=True)
class Listing:
    """One page of a filtered list: ``reviews`` are those from position ``first`` (from 0) of ``total``."""

    reviews: Sequence[Review]
    first: int
    total: int
    numbers: dict[Filter, int]
    """How many samples each filter shows; a filter whose number takes long to count may be missing."""

    @property
    def page(self) -> int:
        """Return which page this is, from 1."""
        return self.first // PAGE_SIZE + 1

    @property
    def pages(self) -> int:
        """Return how many pages there are."""
        return max(1, -(-self.total // PAGE_SIZE))


def samples_page(lang: Lang, place: Place, entry: RunEntry, rows: Rows, listing: Listing) -> Markup:
    """Return the samples of ``place.dataset`` in a run: its figure, the filters, fifty rows."""
    say = words(lang)
    dataset = place.dataset or ""
    steps = (
        (say("browse"), "browse"),
        (say("run_of", model=entry.run.model, run=short(entry)), Place(run=place.run).to()),
        (title(entry, dataset, lang), None),
    )
    if len(rows) == 0:
        body = message(say("no_samples"), say("no_samples_why"), "file")
    elif listing.total == 0:
        clear = go(place.samples(filter=Filter.ALL, subset=None, q=""), say("clear"), class_="g-btn")
        body = message(say("none_fit"), say("none_fit_why"), "find", clear)
    else:
        body = _table(lang, place, entry, rows, listing)
    return Markup(
        '<div class="b-top row">{trail}<span class="end row">{downloads}</span></div>{head}{notes}{form}'
        '<div data-title="{name}" class="b-samples">{body}</div>'
    ).format(
        trail=trail(*steps),
        downloads=_downloads(say, place, entry),
        head=_figure(lang, entry, dataset),
        notes=notes(lang, entry, dataset, rows),
        form=_form(lang, place, rows, listing) if len(rows) else "",
        name=f"{title(entry, dataset, lang)} · {entry.run.model} · llmuses",
        body=body,
    )


def notes(lang: Lang, entry: RunEntry, dataset: str, rows: Rows) -> Markup:
    """Return what a reader must know before reading: lines that are damaged, rows that may not be shown."""
    say = words(lang)
    said = []
    if rows.broken:
        said.append(note(say("broken", n=count(rows.broken), rest=count(len(rows))), "warn", "failed"))
    if not public(entry, dataset):
        said.append(note(say("unpublished"), "", "lock"))
    return Markup('<div class="b-notes">{}</div>').format(join(said)) if said else Markup("")


def _downloads(say: Words, place: Place, entry: RunEntry) -> Markup:
    if not public(entry, place.dataset or ""):
        return Markup("")
    links = (
        Markup('<a class="g-btn sm ghost" href="{}" download>{}{}</a>').format(
            link(f"export/{kind}.jsonl", run=place.run, dataset=place.dataset),
            icon("download", small=True),
            say(f"file.{kind}"),
        )
        for kind in ("reviews", "predictions")
    )
    return join(links)


def _figure(lang: Lang, entry: RunEntry, dataset: str) -> Markup:
    report = entry.reports.get(dataset)
    so_far = entry.so_far(dataset)
    say = words(lang)
    if so_far is not None:
        middle = Markup('<span class="b-fig tn">{}</span><span class="q tn">{} {}</span>').format(
            points(so_far.score), margin(so_far.ci95), say("so_far")
        )
        end = say("answered", n=count(so_far.answered), total=count(so_far.total))
        return Markup('<div class="b-figure">{}<span class="end md qq tn">{}</span></div>').format(middle, end)
    if report is None:
        return Markup("")
    return figure(lang, report)


def figure(lang: Lang, report: Report) -> Markup:
    """Return a report's one number: the score, its interval in figures and drawn, n and setting."""
    say = words(lang)
    low, high = report.ci95 or (0.0, 0.0)
    range_ = say("range", low=points(low), high=points(high)) if report.ci95 else ""
    drawing = interval(low, report.score or 0.0, high, report.chance) if report.ci95 else ""
    chance = say("chance", points=points(report.chance)) if report.chance else ""
    return Markup(
        '<div class="b-figure"><span class="b-fig tn">{}</span><span class="q tn">{} <span class="qq">{}</span></span>'
        '<span class="b-axis">{}</span><span class="end md qq tn">{}</span></div>'
    ).format(
        points(report.score),
        margin(report.ci95),
        range_,
        drawing,
        join([part for part in (f"n = {count(report.n)}", setting_words(report.setting, lang), chance) if part], " · "),
    )


def _form(lang: Lang, place: Place, rows: Rows, listing: Listing) -> Markup:
    say = words(lang)
    numbers = {verdict.value: rows.count(verdict) for verdict in Verdict}
    chips = (
        Markup(
            '<label class="g-chip"{}><input class="sr" type="radio" name="filter" value="{}" data-default="all"{}>{}{}'
            "</label>"
        ).format(
            attrs(data_cur=which is place.filter),
            which,
            attrs(checked=which is place.filter),
            say(f"filter.{which}"),
            _number(listing.numbers.get(which)),
        )
        for which in Filter
        if which is place.filter or listing.numbers.get(which, 1)
    )
    return Markup(
        '{stack}{legend}<form class="u-filters b-filters" data-resets="page">'
        '<fieldset class="g-chips g-scroll"><legend class="sr">{show}</legend>{chips}</fieldset>{subset}{sort}{find}'
        "</form>"
    ).format(
        stack=stack(numbers, lang),
        legend=legend(numbers, lang),
        show=say("show"),
        chips=join(chips),
        subset=subset_field(lang, place, rows),
        sort=sort_field(lang, place),
        find=find_field(lang, place),
    )


def _number(number: int | None) -> Markup:
    return Markup("") if number is None else Markup(' <span class="tn qq">{}</span>').format(count(number))


def subset_field(lang: Lang, place: Place, rows: Rows) -> Markup:
    """Return the choice of a subset, nothing where there is only one."""
    names = sorted(rows.subset_names)
    if len(names) < 2:
        return Markup("")
    return _select(
        words(lang)("subset"),
        "subset",
        "",
        place.subset or "",
        [("", words(lang)("all_subsets"))] + [(n, n) for n in names],
    )


def sort_field(lang: Lang, place: Place) -> Markup:
    """Return the choice of an order."""
    say = words(lang)
    options = [(sort.value, say(f"sort.{sort}")) for sort in Sort]
    return _select(say("sorted"), "sort", Sort.ORDER.value, place.sort.value, options)


def filter_field(lang: Lang, place: Place, listing: Listing) -> Markup:
    """Return the choice of a filter as one field, for the narrow column."""
    say = words(lang)
    options = []
    for which in Filter:
        number = listing.numbers.get(which)
        if number != 0 or which is place.filter:
            said = say(f"filter.{which}")
            options.append((which.value, said if number is None else f"{said} {count(number)}"))
    return _select(say("show"), "filter", Filter.ALL.value, place.filter.value, options)


def find_field(lang: Lang, place: Place) -> Markup:
    """Return the search field."""
    name = words(lang)("find_sample")
    return Markup(
        '<label class="g-input sm b-find">{}<input type="search" name="q" value="{}" placeholder="{}" aria-label="{}"'
        ' autocomplete="off" data-find></label>'
    ).format(icon("find", small=True), place.q, name, name)


def _select(label: str, name: str, default: str, chosen: str, options: Sequence[tuple[str, str]]) -> Markup:
    choices = (
        Markup("<option{}>{}</option>").format(attrs(value=value, selected=value == chosen), said)
        for value, said in options
    )
    return Markup('<select class="g-chip{}" name="{}" aria-label="{}" data-default="{}">{}</select>').format(
        " on" if chosen != default else "", name, label, default, join(choices)
    )


def _table(lang: Lang, place: Place, entry: RunEntry, rows: Rows, listing: Listing) -> Markup:
    say = words(lang)
    several = len(rows.subset_names) > 1 and place.subset is None
    shown = public(entry, place.dataset or "")
    body = join(_row(lang, place, review, several, shown) for review in listing.reviews)
    named = [sample_name(r.sample_id, r.subset, several) for r in listing.reviews]
    no = "no" if all(name.isdecimal() for name in named) else "id"
    names = (no, "prompt" if shown else "key", "read_out", "target", "tokens", "seconds")
    heads = (
        Markup('<th class="{}" scope="col">{}</th>').format(
            f"b-{'no' if name == no else name}" + (" n" if name in _RIGHT else ""), say(f"col.{name}")
        )
        for name in names
    )
    return Markup(
        '<div class="u-card b-card"><div class="u-wide"><table class="u-tbl b-list" style="--no:{}ch"><thead><tr>'
        '<th class="b-v" scope="col"><span class="sr">{}</span></th>'
        "{}</tr></thead><tbody>{}</tbody></table></div>{}</div>"
    ).format(_id_width(listing, several, 36), say("col.verdict"), join(heads), body, list_pager(place, listing, say))


_RIGHT = ("read_out", "target", "tokens", "seconds")


def _row(lang: Lang, place: Place, review: Review, several: bool, shown: bool) -> Markup:
    say = words(lang)
    href = place.to(sample=review.sample_id, repeat=review.repeat, page=0)
    name = sample_name(review.sample_id, review.subset, several)
    read_out = (
        review.extracted if review.extracted is not None else Markup('<span class="qq">{}</span>').format(say("none"))
    )
    if shown:
        first = Markup('<td role="rowheader" class="name">{}{}</td>').format(
            go(href, review.prompt or "–", title=review.prompt),
            Markup(" {}").format(cut_short(lang)) if review.truncated else "",
        )
    else:
        first = Markup('<td role="rowheader" class="name mono">{}{}</td>').format(
            go(href, review.key), Markup(" {}").format(cut_short(lang)) if review.truncated else ""
        )
        read_out = Markup("")
    return Markup(
        '<tr><td class="b-v">{}</td><td class="tn q b-tail" title="{}">{}</td>{}<td class="n">{}</td><td class="n q">{}</td>'
        '<td class="n q">{}</td>'
        '<td class="n q">{}</td></tr>'
    ).format(
        glyph(verdict_of(review), lang),
        review.sample_id,
        go(href, _repeated(name, review.repeat), tabindex="-1"),
        first,
        read_out,
        review.target if shown else "",
        "–" if review.tokens is None else count(review.tokens),
        "–" if review.latency is None else f"{review.latency:.2f}",
    )


def _repeated(name: str, repeat: int) -> Markup:
    times = Markup(' <span class="qq">×{}</span>').format(repeat + 1) if repeat else ""
    return Markup('<bdi dir="ltr">{}{}</bdi>').format(name, times)


def _id_width(listing: Listing, several: bool, most: float) -> float:
    """Return how wide the column of ids is, in digits' widths; a longer id keeps its end, which tells it apart."""
    lengths = (len(sample_name(r.sample_id, r.subset, several)) + 3 * (r.repeat > 0) for r in listing.reviews)
    return round(min(1.2 * max([4, *lengths]), most), 1)


def list_pager(place: Place, listing: Listing, say: Words) -> Markup:
    """Return which part of the list this is, and the ways to the parts before and after."""
    before = place.to(page=listing.page - 1) if listing.page > 1 else None
    after = place.to(page=listing.page + 1) if listing.page < listing.pages else None
    return pager(listing.first + 1, len(listing.reviews), listing.total, before, after, say)


def side_list(lang: Lang, place: Place, entry: RunEntry, rows: Rows, listing: Listing, current: Review) -> Markup:
    """Return the column beside a sample: filter, order, search, fifty samples with the current one marked."""
    say = words(lang)
    shown = public(entry, place.dataset or "")
    several = len(rows.subset_names) > 1 and place.subset is None
    items, subset = [], None
    for review in listing.reviews:
        if several and review.subset != subset:
            subset = review.subset
            items.append(
                Markup('<li class="b-group sm qq" title="{}"><span class="cut">{}</span></li>').format(subset, subset)
            )
        here = (review.sample_id, review.repeat) == (current.sample_id, current.repeat)
        items.append(_item(lang, place, review, shown, here))
    empty = Markup('<p class="md q b-none">{}</p>').format(say("none_fit")) if not items else ""
    return Markup(
        '<aside class="u-card b-side" aria-label="{}"><form class="u-filters row" data-resets="page">{}{}{}</form>'
        '<ul class="u-list b-scroll" style="--no:{}ch" data-keep="{}">{}</ul>{}{}</aside>'
    ).format(
        say("samples"),
        filter_field(lang, place, listing),
        sort_field(lang, place),
        find_field(lang, place),
        _id_width(listing, False, 14),
        place.samples(page=listing.page),
        join(items),
        empty,
        list_pager(place, listing, say),
    )


def _item(lang: Lang, place: Place, review: Review, shown: bool, here: bool) -> Markup:
    link = go(
        place.to(sample=review.sample_id, repeat=review.repeat, page=0),
        review.prompt or "–" if shown else review.key,
        class_="cut grow" if shown else "cut grow mono",
    )
    return Markup(
        '<li{}>{}<span class="tn qq cut b-tail" title="{}">{}</span><span class="row b-line">{}{}</span></li>'
    ).format(
        attrs(class_="on" if here else None, aria_current="true" if here else None),
        glyph(verdict_of(review), lang),
        review.sample_id,
        _repeated(sample_name(review.sample_id, review.subset, False), review.repeat),
        link,
        cut_short(lang) if review.truncated else "",
    )
