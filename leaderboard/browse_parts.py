"""Small pieces that the browse pages share: the path to a page, dates, durations, a score with its interval."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial

from leaderboard.results import RunEntry
from llmuses.benchmarks.own_class import known_benchmark
from llmuses.i18n import Lang, date_words, points, text
from llmuses.markup import Markup, attrs, icon, join, margin
from llmuses.records import Estimate

Words = Callable[..., str]

_PLAIN_NAME = re.compile(r"[\w][\w.+@-]*")


def words(lang: Lang) -> Words:
    """Return a function from a name in the catalogue ``browse``, and values, to the sentence."""
    return partial(_say, lang)


def _say(lang: Lang, name: str, /, **values: object) -> str:
    return text(lang, f"browse.{name}", **values)


def datasets(entry: RunEntry) -> list[str]:
    """Return the datasets of a run whose names can be file names: a run folder may come from anywhere."""
    return [name for name in entry.datasets() if _PLAIN_NAME.fullmatch(name)]


def title_words(dataset: str, title: str, lang: Lang) -> str:
    """Return what a benchmark is called in a language: the user's own rows have a name in each, others are called alike."""
    key = f"catalogue.title.{dataset}"
    return text(lang, key) if dataset in ("general_mcq", "general_qa") and text("en", key) == title else title


def title(entry: RunEntry, dataset: str, lang: Lang) -> str:
    """Return what a dataset is called in a language."""
    if report := entry.reports.get(dataset):
        return title_words(dataset, report.title, lang)
    known = known_benchmark(dataset, entry.plan(dataset))
    return title_words(dataset, known.title, lang) if known else dataset


def public(entry: RunEntry, dataset: str) -> bool:
    """Return whether a dataset's rows may be shown: its report and the benchmark of its name say so.

    Where only one of the two is there it decides alone; where neither is, the rows stay private.
    """
    report = entry.reports.get(dataset)
    said = [] if report is None else [report.publish_samples]
    if known := known_benchmark(dataset, entry.plan(dataset)):
        said.append(known.publish_samples)
    return bool(said) and all(said)


def setting_words(setting: str, lang: Lang) -> str:
    """Return a report's setting in the reader's language."""
    for part in ("sample set", "turns", "borrowed", "given answers"):
        setting = setting.replace(part, text(lang, f"board.{part.replace(' ', '_')}"))
    return setting


def short(entry: RunEntry) -> str:
    """Return the eight digits by which people tell runs apart."""
    return entry.run.plan_hash[:8]


def trail(*steps: tuple[str, str | None]) -> Markup:
    """Return the path to this page from (word, address) pairs; the last one, without an address, is the page itself."""
    pieces = [
        Markup('<a href="{}" data-go>{}</a>').format(href, word)
        if href
        else Markup('<span class="b-here" aria-current="page">{}</span>').format(word)
        for word, href in steps
    ]
    return Markup('<nav class="u-crumb" aria-label="Path">{}</nav>').format(join(pieces, icon("right", small=True)))


def go(href: str, content: object, **attributes: object) -> Markup:
    """Return a link to another state of the browse pages: followed without loading the page again."""
    return Markup('<a href="{}"{} data-go>{}</a>').format(href, attrs(**attributes), content)


def turning(lang: Lang, path: Markup, where: str, before: str | None, after: str | None) -> Markup:
    """Return the bar above one of many: the path to it, which of them it is, the ways to its neighbours, its link to copy."""
    say = words(lang)
    return Markup(
        '<div class="b-top row">{}<div class="row end b-turn"><span class="md q tn b-where">{}</span>{}{}'
        '<button type="button" class="g-btn sm ghost b-link" data-copy="">{}<span data-words>{}</span></button></div></div>'
    ).format(
        path,
        where,
        _turn(before, "prev", [icon("left", small=True), say("previous"), Markup("<kbd>K</kbd>")]),
        _turn(after, "next", [say("next"), Markup("<kbd>J</kbd>"), icon("right", small=True)]),
        icon("link", small=True),
        say("copy_link"),
    )


def _turn(href: str | None, rel: str, content: Iterable[str]) -> Markup:
    if href is None:
        return Markup('<span class="g-btn sm" disabled aria-hidden="true">{}</span>').format(join(content))
    return go(href, join(content), class_="g-btn sm", rel=rel)


def when(moment: float, lang: Lang, seconds: bool = False) -> Markup:
    """Return a moment (seconds since 1970) as date and time, UTC; an en dash where it is not known."""
    if not moment:
        return Markup("–")
    exact = datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" title="UTC">{}</time>').format(exact, date_words(moment, lang, seconds))


def duration(seconds: float) -> str:
    """Return a duration as people read it: ``0.31 s``, ``48 s``, ``17:54``, ``2:05:09``."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def scored(estimate: Estimate) -> Markup:
    """Return a score and half its interval's width in points, ``88.1 ±1.7``."""
    return Markup('<span class="tn"><b class="m">{}</b> <small class="q">{}</small></span>').format(
        points(estimate.score), margin(estimate.ci95)
    )


def facts(pairs: Iterable[tuple[str, object]]) -> Markup:
    """Return labels and values in two columns; pairs without a value are left out."""
    rows = (Markup("<dt>{}</dt><dd>{}</dd>").format(label, value) for label, value in pairs if value not in (None, ""))
    return Markup('<dl class="u-facts">{}</dl>').format(join(rows))


def sample_name(sample_id: str, subset: str, several: bool) -> str:
    """Return a sample's id for a list: without its subset where that is said already or is the only one."""
    prefix = f"{subset}/"
    return sample_id.removeprefix(prefix) if not several and sample_id != prefix else sample_id


def pager(first: int, shown: int, total: int, before: str | None, after: str | None, say: Words) -> Markup:
    """Return "51 to 100 of 157" and the two ways to turn the page; ``first`` counts from 1."""
    there = say("span", first=f"{first:,}", last=f"{first + shown - 1:,}", total=f"{total:,}") if shown else ""
    turns = (
        go(href, icon(sign), class_="g-btn sm ghost", aria_label=name, title=name)
        if href
        else Markup('<span class="g-btn sm ghost" aria-hidden="true" disabled>{}</span>').format(icon(sign))
        for href, sign, name in ((before, "left", say("page_before")), (after, "right", say("page_after")))
    )
    return Markup('<div class="row sm qq b-pager"><span class="tn">{}</span><span class="end">{}</span></div>').format(
        there, join(turns)
    )
