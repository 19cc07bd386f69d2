"""What opens beside the board for a result that others published: all that their table says of it, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.board_words import Words
from leaderboard.browse_parts import facts, setting_words, when
from leaderboard.figures import published_column
from llmuses.i18n import points
from llmuses.markup import Markup, count, crumbs, icon, join, link, margin, note
from llmuses.records import PublishedResult
from llmuses.visit import Visit

OF_PUBLISHED = "published_by"
"""The parameter of a query that names a source; ``of`` names the model."""


def published_drawer(published: Sequence[PublishedResult], visit: Visit) -> Markup:
    """Return the drawer over all that one source published of one model; nothing where there is none."""
    query = {name: visit.query.get(name, "") for name in (OF_PUBLISHED, "of", "column")}
    found = [result for result in published if (result.source, result.model) == (query[OF_PUBLISHED], query["of"])]
    if not found:
        return Markup("")
    say = Words(visit.lang, "board")
    model = found[0].model
    return Markup(
        '<aside class="u-drawer" aria-label="{label}" tabindex="-1" data-key="{key}"><header><div class="row">{path}'
        '<span class="end"></span><button class="g-btn sm ghost" type="button" title="{close}" aria-label="{close}" data-close>'
        '{cross}</button></div></header><div class="body"><div class="u-below">{note}</div>{facts}{results}</div></aside>'
    ).format(
        label=say("drawer"),
        key=link("", **{name: value for name, value in query.items() if value}).lstrip("?"),
        path=crumbs((say("title"), link("benchmarks")), (model, None)),
        close=say("close"),
        cross=icon("close"),
        note=note(say("published.note"), "", "info"),
        facts=Markup('<div class="u-facts-box">{}</div>').format(facts([(say("published.source"), _source(found[0].source))])),
        results=join(_result(result, say) for result in found),
    )  # fmt: skip


def _source(source: str) -> Markup:
    if source.startswith(("https://", "http://")):
        return Markup('<a href="{}" rel="noopener noreferrer nofollow" target="_blank">{}</a>').format(source, source)
    return Markup("{}").format(source)


def _result(result: PublishedResult, say: Words) -> Markup:
    column = published_column(result)
    interval = ""
    if result.ci95 is not None:
        low, high = (points(bound) for bound in result.ci95)
        interval = f"{margin(result.ci95)} ({say('to', low=low, high=high)})"
    pairs: list[tuple[str, object]] = [
        ("n", None if result.n is None else count(result.n)),
        *((name, points(score)) for name, score in result.parts.items()),
        *result.notes.items(),
        (say("published.added"), when(result.tstamp, say.lang) if result.tstamp else None),
    ]
    return Markup(
        '<h3>{} <span class="qq">{}</span></h3><div class="row u-figure"><span class="tn b">{}</span><span class="tn q">{}</span>'
        '<span class="md qq end">{}</span></div><div class="u-facts-box">{}</div>'
    ).format(
        column.title,
        setting_words(result.setting, say.lang),
        points(result.score),
        interval,
        result.metric,
        facts(pairs),
    )
