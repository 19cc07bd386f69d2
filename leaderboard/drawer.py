"""What opens beside the board when a figure is clicked: how it came about, and the samples that are not correct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from leaderboard.board_rows import Row, collect
from leaderboard.board_table import describe
from leaderboard.board_words import Words, chance_words, column_title, setting_words
from leaderboard.browse_parts import facts, public, sample_name, when
from leaderboard.browse_query import Place
from leaderboard.figures import Cell, Column, cells
from leaderboard.published_drawer import OF_PUBLISHED, published_drawer
from leaderboard.results import RunEntry
from leaderboard.samples import Filter, Shelf, select
from llmuses.i18n import points
from llmuses.markup import (
    Markup,
    count,
    crumbs,
    cut_short,
    glyph,
    icon,
    join,
    legend,
    link,
    margin,
    note,
    stack,
    tally,
    verdict_of,
)
from llmuses.records import Counts, Mode, PublishedResult, Review
from llmuses.statistics.intervals import wilson
from llmuses.visit import Visit

OTHERS = 6
"""How many other runs of the model the drawer names."""

LISTED = 20
"""How many samples the drawer lists; the rest is one link away."""


class _Figure(NamedTuple):
    """The figure that the drawer is about."""

    entry: RunEntry
    column: Column
    cell: Cell
    runs: int
    """How many runs of this model have a figure in this column."""
    standing: str
    """What this one is among them: ``largest``, the one that shows on the board; ``newest``, or ``one_of`` them."""
    others: list[tuple[RunEntry, Cell]]
    """The other ones, the newest first."""
    model: str
    """Where the model's name leads."""


def drawer(
    entries: Sequence[RunEntry], shelf: Shelf, visit: Visit, published: Sequence[PublishedResult] = ()
) -> Markup:
    """Return the drawer for the run and dataset that the query names, or for a result published elsewhere; nothing where
    they are not there."""
    if OF_PUBLISHED in visit.query:
        return published_drawer(published, visit)
    figure = _find(entries, visit.query)
    if figure is None:
        return Markup("")
    say = Words(visit.lang, "board")
    key = link("", run=figure.entry.run_id, dataset=figure.cell.dataset).lstrip("?")
    return Markup(
        '<aside class="u-drawer" aria-label="{}" tabindex="-1" data-key="{}">{}<div class="body">{}{}{}</div>{}</aside>'
    ).format(
        say("drawer"),
        key,
        _header(figure, say),
        _verdicts(figure, say),
        _facts(figure, say),
        _samples(figure, shelf, say),
        _footer(figure, say),
    )


def _find(entries: Sequence[RunEntry], query: Mapping[str, str]) -> _Figure | None:
    entry = next((each for each in entries if each.run_id == query.get("run")), None)
    if entry is None:
        return None
    found = next(((c, cell) for c, cell in cells(entry) if cell.dataset == query.get("dataset")), None)
    if found is None:
        return None
    column, cell = found
    runs = [
        (other, each)
        for other in entries
        if (other.run.model, other.run.model_identity) == (entry.run.model, entry.run.model_identity)
        for place, each in cells(other)
        if place.place == column.place
    ]
    same = [each for _, each in runs]
    earlier = [(other, each) for other, each in runs if other is not entry]
    columns, rows = collect(entries)
    shown = next((each for each in columns if each.place == column.place), column)
    return _Figure(entry, shown, cell, len(same), _standing(cell, same), earlier, _model(entry, rows))


def _model(entry: RunEntry, rows: Sequence[Row]) -> str:
    """Return the address of a run's model: by its SPEC where two models have its name."""
    told_apart = any(row.backend for row in rows if row.model == entry.run.model)
    return link("model", name=entry.run.model_spec if told_apart else entry.run.model)


def _standing(cell: Cell, same: Sequence[Cell]) -> str:
    """Return what a figure is among those of its model and column, the newest of which comes first."""
    totals = [each.total for each in same]
    shown = max(same, key=lambda each: each.weight)
    if shown.run_id == cell.run_id and cell.total == max(totals) > min(totals):
        return "largest"
    return "newest" if same[0].run_id == cell.run_id else "one_of"


def _header(figure: _Figure, say: Words) -> Markup:
    cell, column = figure.cell, figure.column
    interval = ""
    if cell.ci95 is not None:
        low, high = (points(bound) for bound in cell.ci95)
        interval = Markup('<span class="tn q">{} <span class="qq">({})</span></span>').format(
            margin(cell.ci95), say("to", low=low, high=high)
        )
    return Markup(
        '<header><div class="row">{path}<span class="end"></span>'
        '<button class="g-btn sm ghost" type="button" title="{copy}" aria-label="{copy}" data-copy="">'
        '{link}<span class="sr" data-words></span></button>'
        '<button class="g-btn sm ghost" type="button" title="{close}" aria-label="{close}" data-close>{cross}</button>'
        '</div><div class="row u-figure"><span class="tn b">{score}</span>{interval}'
        '<span class="md qq tn end">n = {n} · {setting}</span></div>'
        "</header>"
    ).format(
        path=crumbs(
            (say("title"), link("benchmarks")),
            (figure.entry.run.model, figure.model),
            (column_title(column, say), None),
        ),
        copy=say("copy"),
        link=icon("link"),
        close=say("close"),
        cross=icon("close"),
        score=points(cell.score),
        interval=interval,
        n=count(cell.n),
        setting=" · ".join([setting_words(column, say), *chance_words(column, say)]),
    )


def _verdicts(figure: _Figure, say: Words) -> Markup:
    cell = figure.cell
    warning = note(describe(cell, say), "warn", "clock" if cell.report is None else "failed") if not cell.ranked else ""
    if cell.report is None:
        return Markup('<div class="u-below">{}</div>').format(warning)
    numbers = tally(cell.report.counts)
    below = Markup('<div class="u-below">{}</div>').format(warning) if warning else ""
    return join([stack(numbers, say.lang), legend(numbers, say.lang), below])


def _facts(figure: _Figure, say: Words) -> Markup:
    entry, cell = figure.entry, figure.cell
    which = ""
    if figure.runs > 1:
        which = say(figure.standing, n=figure.runs)
    run = Markup('<a class="mono" href="{}">{}</a> <span class="qq">· {}{}</span>').format(
        link("browse", run=entry.run_id),
        entry.run_id,
        when(entry.run.started, say.lang),
        Markup(" · {}").format(which) if which else "",
    )
    pairs: list[tuple[str, object]] = [
        (say("fact.run"), run),
        (say("fact.others"), _others(figure, say)),
        (say("fact.model"), f"{entry.run.model_spec}{say('comma')}{_asked(entry, cell.dataset, say)}"),
        (say("fact.counted"), say("counted")),
    ]
    if cell.report is not None:
        counts = cell.report.counts
        pairs.append((say("fact.without"), _without(counts, cell.report.score, say)))
        if counts.truncated:
            words = say("cut", n=count(counts.truncated))
            pairs.append((say("fact.cut"), Markup("{} {}").format(cut_short(say.lang), words)))
        if cell.report.detectable is not None:
            pairs.append((say("fact.detectable"), say("detectable", n=points(cell.report.detectable))))
    return Markup('<div class="u-facts-box">{}</div>').format(facts(pairs))


def _others(figure: _Figure, say: Words) -> Markup:
    """Return the model's other runs in this column: each opens in this one's place."""
    shown = [
        Markup('<a href="{}" data-drawer="{}">{}</a> <span class="tn">{} {}</span>').format(
            link("benchmarks", run=entry.run_id, dataset=cell.dataset),
            link("", run=entry.run_id, dataset=cell.dataset).lstrip("?"),
            when(entry.run.started, say.lang),
            points(cell.score),
            margin(cell.ci95),
        )
        for entry, cell in figure.others[:OTHERS]
    ]
    left = len(figure.others) - len(shown)
    return join([*shown, *([say("others.more", n=left)] if left > 0 else [])], "<br>")


def _asked(entry: RunEntry, dataset: str, say: Words) -> str:
    plan = entry.plan(dataset)
    if plan is None:
        return ""
    if plan.answers:
        return say("given", format=plan.answers)
    if plan.mode is Mode.LOGPROB:
        return say("logprob")
    return say("sampled", temperature=f"{plan.generation.temperature:g}", tokens=count(plan.generation.max_tokens))


def _without(counts: Counts, score: float | None, say: Words) -> Markup | None:
    """Return the score over the answers that were read; ``None`` where that is all of them, or partial scores exist."""
    unread = counts.unparsed + counts.rejected
    if not unread or not counts.scored or score is None:
        return None
    if abs(score * (counts.scored + unread) - counts.correct) > 0.5:
        return None
    return Markup('<span class="tn">{} {} <span class="qq">{}</span></span>').format(
        points(counts.correct / counts.scored),
        margin(wilson(counts.correct, counts.scored)),
        say("without", n=count(counts.scored)),
    )


# --- the samples ------------------------------------------------------------------------------------------------


def _samples(figure: _Figure, shelf: Shelf, say: Words) -> Markup:
    entry, dataset = figure.entry, figure.cell.dataset
    head = Markup('<div class="row u-below"><h3>{}</h3></div>').format(say("not_correct"))
    if not public(entry, dataset):
        return join([head, note(say("unpublished"), "", "lock")])
    if not entry.samples_inside(dataset):
        return join([head, note(say("outside"), "warn", "lock")])
    samples = shelf.samples(entry.reviews(dataset), entry.predictions(dataset))
    rows = samples.rows()
    positions = select(rows, Filter.NOT_CORRECT)
    reviews = samples.reviews(rows, [int(position) for position in islice(positions, LISTED)])
    if not reviews:
        return join([head, Markup('<p class="md q">{}</p>').format(say("all_correct" if len(rows) else "none_yet"))])
    several = len(rows.subset_names) > 1
    titles = Markup(
        '<div class="u-listhead sm qq{}"><span>{}</span><span>{}</span><span>{}</span><span>{}</span></div>'
    ).format(" u-several" if several else "", say("col.no"), say("col.prompt"), say("col.read_out"), say("col.target"))
    items = join(_item(figure, review, several, say) for review in reviews)
    return Markup('{}{}<ul class="u-list u-drawn{}">{}</ul>{}').format(
        head, titles, " u-several" if several else "", items, _rest(figure, len(positions), say)
    )


def _item(figure: _Figure, review: Review, several: bool, say: Words) -> Markup:
    read_out = (
        Markup('<span class="qq">{}</span>').format(say("none")) if review.extracted is None else review.extracted[:40]
    )
    href = link(
        "browse",
        run=figure.entry.run_id,
        dataset=figure.cell.dataset,
        sample=review.sample_id,
        repeat=review.repeat,
    )
    return Markup(
        '<li>{}<span class="tn qq cut" title="{}"><a href="{}" tabindex="-1"><bdi>{}</bdi></a></span><a class="cut" href="{}">{}</a>{}'
        '<span class="tn sm cut">{}</span><span class="tn sm qq cut">{}</span></li>'
    ).format(
        glyph(verdict_of(review), say.lang),
        review.sample_id,
        href,
        sample_name(review.sample_id, review.subset, several),
        href,
        review.prompt[:160] or review.sample_id,
        cut_short(say.lang) if review.truncated else Markup("<span></span>"),
        read_out,
        review.target[:40],
    )


def _rest(figure: _Figure, total: int, say: Words) -> Markup:
    if total <= LISTED:
        return Markup("")
    return Markup('<p class="sm qq u-gap">{}</p>').format(say("rest", n=count(total - LISTED)))


def _footer(figure: _Figure, say: Words) -> Markup:
    entry, cell = figure.entry, figure.cell
    place = Place(run=entry.run_id, dataset=cell.dataset)
    buttons = []
    wrong = None if cell.report is None else sum(tally(cell.report.counts).values()) - cell.report.counts.correct
    if wrong and public(entry, cell.dataset):
        buttons.append(
            Markup('<a class="g-btn primary" href="{}">{}</a>').format(
                place.to(filter=Filter.NOT_CORRECT), say("read", n=count(wrong))
            )
        )
    buttons.append(Markup('<a class="g-btn" href="{}">{}</a>').format(place.to(), say("all_samples")))
    if public(entry, cell.dataset):
        buttons.append(
            Markup('<a class="g-btn ghost end" href="{}" download>{}JSONL</a>').format(
                link("export/reviews.jsonl", run=entry.run_id, dataset=cell.dataset), icon("download", small=True)
            )
        )
    return Markup('<footer class="row">{}</footer>').format(join(buttons))
