"""The list of all runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from leaderboard.browse_parts import Words, datasets, go, pager, scored, short, title, when, words
from leaderboard.browse_query import Place
from leaderboard.results import Damage, RunEntry
from leaderboard.sub_pages import BROWSE, sub_pages
from llmuses.i18n import LANGUAGES, Lang, points
from llmuses.markup import Markup, count, icon, join, margin, message, note
from llmuses.records import RunStatus

RUNS_A_PAGE = 50

_SIGNS = {
    RunStatus.DONE: "correct",
    RunStatus.RUNNING: "clock",
    RunStatus.INCOMPLETE: "failed",
    RunStatus.INTERRUPTED: "failed",
}


class More(NamedTuple):
    """One more column, for readers with more rights: its heading, and what stands in a run's row."""

    head: str
    cell: Callable[[RunEntry], Markup]


def runs_page(
    lang: Lang, place: Place, entries: Sequence[RunEntry], damaged: Sequence[Damage], more: More | None = None
) -> Markup:
    """Return the list of runs, the newest first, fifty a page, with what a search leaves of them."""
    say = words(lang)
    found = [entry for entry in entries if fits(entry, place.q)]
    pages = max(1, -(-len(found) // RUNS_A_PAGE))
    page = min(max(place.page, 1), pages)
    shown = found[(page - 1) * RUNS_A_PAGE : page * RUNS_A_PAGE]
    if not entries:
        body = message(say("no_runs"), say("no_runs_why"), "file", _first_command())
    elif not found:
        clear = go("browse", say("clear"), class_="g-btn")
        body = message(say("no_run_fits", q=place.q), say("no_run_fits_why"), "find", clear)
    else:
        before = place.to(page=page - 1) if page > 1 else None
        after = place.to(page=page + 1) if page < pages else None
        turns = (
            pager((page - 1) * RUNS_A_PAGE + 1, len(shown), len(found), before, after, say) if pages > 1 else Markup("")
        )
        body = _table(lang, shown, turns, more)
    return Markup('<div class="u-head"><h1>{}</h1>{}{}</div>{}<div data-title="{} · llmuses"{}>{}</div>').format(
        say("browse"),
        sub_pages(lang, "runs", BROWSE),
        _search(say, place, len(found), len(entries)) if entries else "",
        _damage(say, damaged),
        say("browse"),
        Markup(' data-live="3"') if any(entry.running for entry in shown) else "",
        body,
    )


def fits(entry: RunEntry, q: str) -> bool:
    """Return whether a run's model, id or datasets hold every word of a search."""
    titles = [title(entry, dataset, lang) for dataset in datasets(entry) for lang in LANGUAGES]
    told = " ".join([entry.run.model, entry.run.model_spec, entry.run_id, *titles])
    told = f"{told} {' '.join(datasets(entry))} {entry.status}".lower()
    return all(word in told for word in q.lower().split())


def _first_command() -> Markup:
    command = "llmuses eval --model baseline:random --datasets mmlu --sample-data"
    return Markup('<p><code class="u-code">{}</code></p>').format(command)


def _search(say: Words, place: Place, found: int, total: int) -> Markup:
    said = say("n_runs", n=count(total)) if not place.q else say("n_of_runs", n=count(found), total=count(total))
    return Markup(
        '<form class="u-filters row grow" data-resets="page"><label class="g-input sm b-find b-wide">{}'
        '<input type="search" name="q" value="{}"'
        ' placeholder="{}" aria-label="{}" autocomplete="off" data-find></label><span class="sm qq end tn{}">{}</span>'
        "</form>"
    ).format(icon("find", small=True), place.q, say("find_run"), say("find_run"), " b-found" if place.q else "", said)


def _damage(say: Words, damaged: Sequence[Damage]) -> Markup:
    said = [
        note(
            say("damaged", file=f"{damage.path.parent.name}/{damage.path.name}", problem=damage.problem),
            "warn",
            "failed",
        )
        for damage in damaged
    ]
    return Markup('<div class="b-notes">{}</div>').format(join(said)) if said else Markup("")


def _table(lang: Lang, entries: Sequence[RunEntry], turns: Markup, more: More | None) -> Markup:
    say = words(lang)
    heads = (
        ("b-model", "model"),
        ("b-results", "results"),
        ("n b-n", "samples"),
        ("b-status", "status"),
        ("b-when", "started"),
    )
    last = [("b-more", more.head)] if more else []
    return Markup(
        '<div class="u-card b-card"><table class="u-tbl b-runs"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>{}'
        "</div>"
    ).format(
        join(
            Markup('<th scope="col" class="{}">{}</th>').format(look, words_)
            for look, words_ in (*((look, say(f"col.{name}")) for look, name in heads), *last)
        ),
        join(_row(lang, entry, more) for entry in entries),
        turns,
    )


def _row(lang: Lang, entry: RunEntry, more: More | None) -> Markup:
    say = words(lang)
    names = datasets(entry)
    n = sum(entry.reports[name].n for name in names if name in entry.reports)
    return Markup(
        '<tr><td role="rowheader" class="name b-model">{} {}<span class="mono qq sm">{}</span></td><td class="b-results">{}</td>'
        '<td class="n b-n">{}</td><td class="b-status">{}</td><td class="q b-when">{}</td>{}</tr>'
    ).format(
        go(Place(run=entry.run_id).to(), entry.run.model),
        demo_tag(say, entry),
        short(entry),
        join(_result(lang, entry, name) for name in names),
        count(n) if n else "–",
        status(lang, entry),
        when(entry.run.started, lang),
        Markup('<td class="b-more">{}</td>').format(more.cell(entry)) if more else "",
    )


def _result(lang: Lang, entry: RunEntry, dataset: str) -> Markup:
    href = Place(run=entry.run_id, dataset=dataset).to()
    so_far, report = entry.so_far(dataset), entry.reports.get(dataset)
    if so_far is not None:
        done = words(lang)("answered_short", n=count(so_far.answered), total=count(so_far.total))
        figure = Markup('<span class="tn q">{} <small>{}</small></span> <small class="qq tn">{}</small>').format(
            points(so_far.score), margin(so_far.ci95), done
        )
    elif report is not None:
        figure = scored(report)
        if not report.complete:
            figure += Markup(' <span title="{}">{}</span>').format(
                words(lang)("status.incomplete"), icon("failed", small=True)
            )
    else:
        figure = Markup('<span class="qq">–</span>')
    return Markup('<span class="b-result">{}{}</span>').format(go(href, title(entry, dataset, lang)), figure)


def demo_tag(say: Words, entry: RunEntry) -> Markup:
    """Return the tag of a run that the app made by itself."""
    if not entry.run.demo:
        return Markup("")
    return Markup('<span class="u-tag" title="{}">{}</span> ').format(say("demo_why"), say("demo"))


def status(lang: Lang, entry: RunEntry) -> Markup:
    """Return what state a run is in, as glyph and word."""
    name = entry.status.value
    return Markup('<span class="b-state {}">{}{}</span>').format(
        name, icon(_SIGNS[entry.status], small=True), words(lang)(f"status.{name}")
    )
