"""A run's report as one HTML page that needs nothing beside it: no script, no font, no picture from elsewhere."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from functools import cache

from llmuses.i18n import LANGUAGES, Lang, points, text
from llmuses.markup import Markup, cut_short, icon, join, legend, stack, tally
from llmuses.markup import interval as drawn_interval
from llmuses.records import Counts, Estimate, Report, Run, RunStatus
from llmuses.reports._content import (
    Content,
    Fact,
    Row,
    Section,
    Table,
    content,
    interval,
    margin,
    marks,
    number,
)
from llmuses.settings import static_dir

_STYLES = ("tokens.css", "components.css", "report.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_NAMES = {"en": "English", "zh": "中文"}
_HTML_LANG = {"en": "en", "zh": "zh-CN"}
_TWO_COLUMNS = 12
"""A table with more rows than this is set in two columns where there is room."""

_LOGO = Markup(
    '<svg viewBox="0 0 22 22" aria-hidden="true"><path d="M3 11h16M3 7v8M19 7v8" fill="none" stroke="var(--u-ink)" '
    'stroke-width="1.6" stroke-linecap="round"/><circle cx="11" cy="11" r="3.9" fill="var(--u-accent)"/></svg>'
)


def html(run: Run, reports: Iterable[Report], lang: Lang = "en") -> str:
    """Return the report of a run as a page in all languages; ``lang`` is shown first, a switch shows the others.

    The page is light or dark as the reader's system is, makes no request and runs no script; what models and datasets
    bring along is escaped. Raises DataError where the installation lacks the stylesheets.
    """
    reports = list(reports)
    versions = {each: content(run, reports, each) for each in LANGUAGES}
    page = Markup(
        '<!doctype html>\n<html lang="{}">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="{}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        '<title>{}</title>\n<link rel="icon" type="image/svg+xml" href="{}">\n<style>\n{}\n</style>\n</head>\n'
        '<body class="u">\n{}\n{}\n</body>\n</html>\n'
    )
    written = page.format(
        _HTML_LANG[lang],
        _POLICY,
        versions[lang].title,
        _icon_address(),
        styles(),
        _bar(lang),
        join((_version(run, said, each) for each, said in versions.items()), "\n"),
    )
    return str(written)


# --- frame -------------------------------------------------------------------------------------------------


@cache
def styles() -> Markup:
    """Return the page's stylesheet: the app's tokens and components, the dark colours under the system's wish."""
    sheets = [(static_dir() / name).read_text("utf-8") for name in _STYLES]
    return Markup("\n".join(_compact(_by_system(sheet)) for sheet in sheets))


def _by_system(sheet: str) -> str:
    """Return a stylesheet whose block of dark tokens follows the system instead of a class."""
    return re.sub(
        r"^\.dark \{(.*?)^\}",
        r"@media screen and (prefers-color-scheme: dark) { :root {\1} }",
        sheet,
        flags=re.DOTALL | re.MULTILINE,
    )


def _compact(sheet: str) -> str:
    bare = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    return "\n".join(line for raw in bare.splitlines() if (line := " ".join(raw.split())))


@cache
def _icon_address() -> str:
    drawing = (static_dir() / "logo.svg").read_bytes()
    return "data:image/svg+xml;base64," + base64.b64encode(drawing).decode()


def _bar(chosen: Lang) -> Markup:
    """Return the head bar with the languages as radio buttons: a stylesheet shows the chosen version."""
    buttons = join(
        Markup(
            '<label class="g-chip" lang="{}"><input class="sr" type="radio" name="lang" value="{}"{}>{}</label>'
        ).format(_HTML_LANG[lang], lang, Markup(" checked") if lang == chosen else "", _NAMES[lang])
        for lang in LANGUAGES
    )
    label = " / ".join(text(lang, "report.language") for lang in LANGUAGES)
    return Markup(
        '<header class="u-bar"><div><span class="brand">{}<span>llmuses</span></span>'
        '<fieldset class="g-join tools" aria-label="{}">{}</fieldset></div></header>'
    ).format(_LOGO, label, buttons)


def _version(run: Run, said: Content, lang: Lang) -> Markup:
    body = [_head(run, said, lang)]
    body += [_note(note) for note in said.notes]
    body += [_note(warning, warn=True) for section in said.sections for warning in section.warnings]
    if said.sections:
        body.append(_results(said.sections, lang))
    body += [_section(section, place, lang) for place, section in enumerate(said.sections)]
    body.append(_run(said, lang))
    body.append(Markup('<p class="u-foot r-foot">{}</p>').format(text(lang, "report.foot")))
    return Markup('<main class="u-page r-page" lang="{}" data-lang="{}">\n{}\n</main>').format(
        _HTML_LANG[lang], lang, join(body, "\n")
    )


def _head(run: Run, said: Content, lang: Lang) -> Markup:
    state = "correct" if run.status is RunStatus.DONE else "failed"
    demo = Markup(' <span class="u-tag acc">{}</span>').format(text(lang, "report.demo")) if run.demo else ""
    return Markup(
        '<div class="r-head"><div class="sm qq">{}</div><h1>{}</h1>'
        '<div class="row wrap md q"><span class="u-v {}">{}{}</span>{}<span class="mono r-any">{}</span></div></div>'
    ).format(text(lang, "report.kind"), run.model, state, icon(state, small=True), said.status, demo, run.run_id)


def _note(words: str, warn: bool = False) -> Markup:
    return Markup('<div class="u-note{}">{}<span>{}</span></div>').format(
        " warn" if warn else "", icon("failed" if warn else "info"), words
    )


# --- tables ------------------------------------------------------------------------------------------------

_AXIS = Markup('<span class="u-axis" aria-hidden="true">{}</span>').format(
    join(Markup('<b style="left:{0}%">{0}</b>').format(tick) for tick in (0, 25, 50, 75, 100))
)


def _results(sections: Sequence[Section], lang: Lang) -> Markup:
    """Return the table over all datasets, each name a way down to its section."""
    rows = join(
        Markup('<tr><td class="name"><a href="#{}-{}">{}</a></td><td class="q set">{}</td>{}</tr>').format(
            lang, place, section.report.title, section.setting, _cells(section.report, section.report.chance, lang)
        )
        for place, section in enumerate(sections)
    )
    setting = Markup('<th class="set" scope="col">{}</th>').format(text(lang, "report.setting"))
    return Markup('<section><div class="r-sub"><h2>{}</h2><span class="sm qq end">{}</span></div>{}</section>').format(
        text(lang, "report.results"),
        text(lang, "report.axis_note"),
        _table(text(lang, "report.benchmark"), rows, lang, "r-results", setting),
    )


def _table(kind: str, rows: Markup, lang: Lang, style: str = "", more: str = "") -> Markup:
    return Markup(
        '<table class="u-tbl r-tbl {}"><thead><tr><th scope="col">{}</th>{}<th class="n sc" scope="col">{}</th>'
        '<th class="n pm" scope="col">±</th><th class="iv" scope="col">{}<span class="sr">{}</span></th>'
        '<th class="n nn" scope="col">{}</th><th class="mk" scope="col"><span class="sr">{}</span></th></tr></thead>'
        "<tbody>{}</tbody></table>"
    ).format(
        style,
        kind,
        more,
        text(lang, "report.score"),
        _AXIS,
        text(lang, "report.interval"),
        text(lang, "report.n"),
        text(lang, "report.counts"),
        rows,
    )


def _cells(estimate: Estimate, chance: float | None, lang: Lang) -> Markup:
    """Return the cells of one estimate: score, margin, dot and whisker, n, marks."""
    return Markup(
        '<td class="n m sc">{}</td><td class="n q pm">{}</td><td class="iv" title="{}">{}</td><td class="n q nn">{}</td>'
        '<td class="q mk">{}</td>'
    ).format(
        points(estimate.score),
        margin(estimate),
        interval(estimate, lang),
        _whisker(estimate, chance),
        number(estimate.n),
        _marks(estimate.counts, lang),
    )


def _whisker(estimate: Estimate, chance: float | None) -> Markup:
    if estimate.score is None or estimate.ci95 is None:
        return Markup('<i class="u-iv none" aria-hidden="true"></i>')
    low, high = estimate.ci95
    return drawn_interval(low, estimate.score, high, chance)


def _marks(counts: Counts, lang: Lang) -> Markup:
    pieces = (
        Markup('<span class="r-mark {0}" title="{2}">{1}<span>{2}</span></span>').format(
            mark, icon(mark, small=True), words
        )
        for mark, words in marks(counts, lang)
    )
    return join(pieces, " ")


def _scores(tables: Sequence[Table], chance: float | None, lang: Lang) -> Markup:
    """Return the tables of a dataset's parts: short ones beside each other, a long one as two halves."""
    short = [table for table in tables if len(table.rows) <= _TWO_COLUMNS]
    long = [table for table in tables if len(table.rows) > _TWO_COLUMNS]
    pieces = (
        [Markup('<div class="r-two">{}</div>').format(join(_headed(table, chance, lang) for table in short))]
        if short
        else []
    )
    for table in long:
        half = (len(table.rows) + 1) // 2
        halves = join(
            _table(table.kind, _score_rows(part, chance, lang), lang) for part in (table.rows[:half], table.rows[half:])
        )
        pieces.append(_heading(table.heading, number(len(table.rows))))
        pieces.append(Markup('<div class="r-two r-long">{}</div>').format(halves))
    return join(pieces)


def _headed(table: Table, chance: float | None, lang: Lang) -> Markup:
    return Markup("<div>{}{}</div>").format(
        _heading(table.heading), _table(table.kind, _score_rows(table.rows, chance, lang), lang)
    )


def _heading(words: str, aside: str = "") -> Markup:
    return Markup('<div class="r-sub"><h3>{}</h3><span class="sm qq tn">{}</span></div>').format(words, aside)


def _score_rows(rows: Sequence[Row], chance: float | None, lang: Lang) -> Markup:
    return join(
        Markup('<tr><td class="nm" title="{0}">{0}</td>{1}</tr>').format(row.name, _cells(row.estimate, chance, lang))
        for row in rows
    )


# --- sections ----------------------------------------------------------------------------------------------


def _section(section: Section, place: int, lang: Lang) -> Markup:
    report = section.report
    return Markup('<section id="{}-{}" class="r-set">{}<div class="u-card r-card">{}{}</div>{}</section>').format(
        lang,
        place,
        _section_head(section),
        _figure(section, lang),
        _facts(section.facts),
        _scores(section.tables, report.chance, lang),
    )


def _section_head(section: Section) -> Markup:
    return Markup('<div class="r-sub"><h2>{}</h2><span class="md q end">{}</span></div>').format(
        section.report.title, section.setting
    )


def _figure(section: Section, lang: Lang) -> Markup:
    report = section.report
    if report.score is None:
        figure = Markup('<span class="r-fig">–</span> <span class="q">{}</span>').format(
            text(lang, "report.no_score_note")
        )
    else:
        figure = Markup('<span class="r-fig tn">{}</span> <span class="q tn">{} ({})</span>').format(
            points(report.score), margin(report), interval(report, lang)
        )
    return Markup(
        '<div class="r-top"><div>{}<span class="end md q tn">n = {}</span></div>{}<div class="r-line">{}</div>{}</div>'
    ).format(
        figure,
        number(report.n),
        stack(tally(report.counts), lang),
        _whisker(report, report.chance),
        _legend(report.counts, lang),
    )


def _legend(counts: Counts, lang: Lang) -> Markup:
    truncated = ""
    if counts.truncated:
        truncated = cut_short(lang, text(lang, "report.truncated", n=number(counts.truncated)))
    return Markup('<div class="r-legend">{}{}</div>').format(legend(tally(counts), lang), truncated)


def _facts(facts: Iterable[Fact]) -> Markup:
    pieces = (
        Markup("<div><dt>{}</dt><dd{}>{}</dd></div>").format(
            fact.label, Markup(' class="mono"') if fact.code else "", fact.value
        )
        for fact in facts
    )
    return Markup('<dl class="r-facts">{}</dl>').format(join(pieces))


def _run(said: Content, lang: Lang) -> Markup:
    command = Markup("")
    if said.command:
        command = Markup('<h3>{}</h3><pre class="u-code">{}</pre><p class="sm qq">{}</p>').format(
            text(lang, "report.reproduce"), said.command, text(lang, "report.reproduce_note")
        )
    return Markup(
        '<section class="r-set"><div class="r-sub"><h2>{}</h2></div><div class="u-card r-card">{}{}</div></section>'
    ).format(text(lang, "report.run"), _facts(said.facts), command)
