"""One run: what it measured, dataset by dataset, and everything that it takes to do it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath

from leaderboard.browse_parts import (
    Words,
    datasets,
    duration,
    facts,
    go,
    public,
    scored,
    short,
    title,
    trail,
    when,
    words,
)
from leaderboard.browse_query import Place
from leaderboard.results import RunEntry, SoFar
from leaderboard.runs_html import demo_tag, status
from leaderboard.samples import Filter
from leaderboard.samples_html import figure
from llmuses.i18n import Lang, points
from llmuses.markup import Markup, count, icon, interval, join, legend, link, margin, note, stack, tally
from llmuses.records import DatasetPlan, Estimate, Report, RunStatus

_OPEN_ROWS = 12
"""A longer table of subsets is folded at first."""


def run_page(lang: Lang, entry: RunEntry) -> Markup:
    """Return the page of one run."""
    say = words(lang)
    run = entry.run
    took = (run.finished or run.updated) - run.started
    meta = [status(lang, entry), when(run.started, lang)]
    if run.started and took > 0:
        meta.append(Markup("{}").format(say("took", t=duration(took))))
    return Markup(
        '<div class="b-top row">{trail}</div><div class="b-title" data-title="{model} · llmuses"{live}><h1>{model}'
        '</h1>{demo}<span class="md q row wrap">{meta}</span>'
        '<span class="row end">{downloads}</span></div>{notes}<div class="b-run"><div>{results}</div>'
        '<aside aria-label="{plan_word}">{plan}</aside></div>'
    ).format(
        trail=trail((say("browse"), "browse"), (say("run_of", model=run.model, run=short(entry)), None)),
        model=run.model,
        live=Markup(' data-live="3"') if entry.running else "",
        demo=demo_tag(say, entry),
        meta=join(Markup("<span>{}</span>").format(part) for part in meta),
        downloads=_downloads(say, entry),
        notes=_notes(say, entry),
        results=join(_dataset(lang, entry, dataset) for dataset in datasets(entry)),
        plan_word=say("plan"),
        plan=_plan(lang, entry),
    )


def _notes(say: Words, entry: RunEntry) -> Markup:
    said = Markup("")
    if entry.status is RunStatus.INTERRUPTED:
        said = note(say("interrupted_why"), "warn", "failed")
    elif entry.status is RunStatus.INCOMPLETE:
        given = any(plan.answers for plan in entry.run.datasets)
        said = note(say("given_incomplete_why" if given else "incomplete_why"), "warn", "failed")
    return Markup('<div class="b-notes">{}</div>').format(said) if said else said


def _downloads(say: Words, entry: RunEntry) -> Markup:
    kinds = [kind for kind in ("report.html", "report.md", "run.json") if (entry.folder / kind).is_file()]
    return join(
        Markup('<a class="g-btn sm ghost" href="{}"{}>{}{}</a>').format(
            link(f"export/{kind}", run=entry.run_id),
            Markup(' target="_blank"') if kind == "report.html" else Markup(" download"),
            icon("file" if kind == "report.html" else "download", small=True),
            say(f"file.{kind}"),
        )
        for kind in kinds
    )


# --- one dataset ---------------------------------------------------------------------------------------------


def _dataset(lang: Lang, entry: RunEntry, dataset: str) -> Markup:
    say = words(lang)
    report, so_far = entry.reports.get(dataset), entry.so_far(dataset)
    samples = go(Place(run=entry.run_id, dataset=dataset).to(), say("samples"), class_="g-btn sm")
    if so_far is not None:
        body = _unfinished(say, so_far)
    elif report is not None:
        body = _report(lang, entry, dataset, report)
    else:
        body, samples = Markup('<p class="md q">{}</p>').format(say("not_begun")), Markup("")
    return Markup(
        '<section class="u-card b-dataset"><div class="row"><h2>{}</h2><span class="row end">{}{}</span></div>{}'
        "</section>"
    ).format(title(entry, dataset, lang), _dataset_files(say, entry, dataset), samples, body)


def _dataset_files(say: Words, entry: RunEntry, dataset: str) -> Markup:
    kinds = []
    if dataset in entry.reports:
        kinds.append("report.json")
    if public(entry, dataset):
        kinds += [
            f"{path.parent.name}.jsonl"
            for path in (entry.reviews(dataset), entry.predictions(dataset))
            if path.is_file() and entry.inside(path)
        ]
    if not kinds:
        return Markup("")
    links = join(
        Markup('<a href="{}" download>{}</a>').format(
            link(f"export/{kind}", run=entry.run_id, dataset=dataset), say(f"file.{kind}")
        )
        for kind in kinds
    )
    return Markup('<span class="sm row b-files">{}{}</span>').format(icon("download", small=True), links)


def _unfinished(say: Words, so_far: SoFar) -> Markup:
    share = 100 * so_far.answered / so_far.total if so_far.total else 0
    return Markup(
        '<div class="b-figure"><span class="b-fig tn">{}</span><span class="q tn">{} {}</span>'
        '<span class="end md qq tn">{}</span></div>'
        '<span class="u-prog" role="progressbar" aria-valuenow="{:.0f}" aria-valuemin="0" aria-valuemax="100">'
        '<i style="--p:{:.1f}"></i></span>'
    ).format(
        points(so_far.score),
        margin(so_far.ci95),
        say("so_far"),
        say("answered", n=count(so_far.answered), total=count(so_far.total)),
        share,
        share,
    )


def _report(lang: Lang, entry: RunEntry, dataset: str, report: Report) -> Markup:
    say = words(lang)
    at = Place(run=entry.run_id, dataset=dataset)
    numbers = tally(report.counts)
    missed = sum(numbers.values()) - numbers["correct"]
    read = (
        go(at.to(filter=Filter.NOT_CORRECT), say("read_wrong", n=count(missed)), class_="sm") if missed else Markup("")
    )
    tables = []
    if report.categories:
        tables.append(_table(lang, say("categories"), report.categories, report, None, folded=False))
    if len(report.subsets) > 1:
        tables.append(_table(lang, say("subsets"), report.subsets, report, at, folded=len(report.subsets) > _OPEN_ROWS))
    return Markup("{}{}{}{}{}{}{}").format(
        figure(lang, report),
        stack(numbers, lang),
        Markup('<div class="b-under row">{}<span class="end">{}</span></div>').format(legend(numbers, lang), read),
        _bounds(say, report),
        _averages(say, report),
        join(tables),
        facts(_totals(lang, report)),
    )


def _bounds(say: Words, report: Report) -> Markup:
    if report.bounds is None:
        return Markup("")
    low, high = report.bounds
    words_ = say("bounds", n=count(report.counts.failed), low=points(low), high=points(high))
    return Markup('<div class="b-notes">{}</div>').format(note(words_, "warn", "failed"))


_AVERAGES = ("subsets_weighted", "subsets_unweighted", "categories_unweighted")


def _averages(say: Words, report: Report) -> Markup:
    named: dict[str, Estimate] = {}
    for name, estimate in report.averages.items():
        named[say(f"average.{name}") if name in _AVERAGES else say("average.group", group=name)] = estimate
    named.update(report.metrics)
    if not named:
        return Markup("")
    return Markup('<dl class="u-facts b-averages">{}</dl>').format(
        join(Markup("<dt>{}</dt><dd>{}</dd>").format(name, scored(estimate)) for name, estimate in named.items())
    )


def _table(
    lang: Lang, caption: str, parts: Mapping[str, Estimate], report: Report, at: Place | None, folded: bool
) -> Markup:
    """Return the scores of the parts of a dataset, on one axis; with ``at`` their names lead to their samples."""
    say = words(lang)
    rows = join(_part(say, name, estimate, report, at) for name, estimate in parts.items())
    heads = Markup(
        '<th scope="col" class="b-part">{}</th><th scope="col" class="n">{}</th><th scope="col" class="n">±</th>'
        '<th scope="col" class="b-iv"><span class="u-axis" aria-hidden="true"><b style="left:25%">25</b>'
        '<b style="left:50%">50</b><b style="left:75%">75</b></span></th>'
        '<th scope="col" class="n">n</th><th scope="col" class="n">{}</th>'
    ).format(caption, say("col.score"), say("filter.not_correct"))
    table = Markup('<table class="u-tbl b-parts"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>').format(
        heads, rows
    )
    if not folded:
        return table
    summary = Markup('<summary class="u-fold">{}{}<span class="qq end tn">{}</span></summary>').format(
        icon("right", small=True), caption, count(len(parts))
    )
    return Markup('<details class="b-fold" data-fold="{}">{}{}</details>').format(
        f"subsets-{report.dataset}", summary, table
    )


def _part(say: Words, name: str, estimate: Estimate, report: Report, at: Place | None) -> Markup:
    counts = estimate.counts
    missed = sum(tally(counts).values()) - counts.correct
    low, high = estimate.ci95 or (0.0, 0.0)
    return Markup(
        '<tr><td role="rowheader" class="name b-part" title="{}">{}</td><td class="n">{}</td><td class="n q" title="{}">{}</td><td class="b-iv">{}'
        '</td><td class="n q">{}</td><td class="n">{}</td></tr>'
    ).format(
        name,
        go(at.to(subset=name), name) if at else Markup('<span class="m">{}</span>').format(name),
        points(estimate.score),
        say("range", low=points(low), high=points(high)) if estimate.ci95 else "",
        margin(estimate.ci95),
        interval(low, estimate.score or 0.0, high, report.chance) if estimate.ci95 else "",
        count(estimate.n),
        go(at.to(subset=name, filter=Filter.NOT_CORRECT), count(missed)) if at and missed else count(missed),
    )


def _totals(lang: Lang, report: Report) -> list[tuple[str, object]]:
    say = words(lang)
    totals = report.totals
    tokens = [say("tokens_in", n=count(totals.prompt_tokens)), say("tokens_out", n=count(totals.completion_tokens))]
    if totals.reasoning_tokens:
        tokens.append(say("tokens_thinking", n=count(totals.reasoning_tokens)))
    known = totals.prompt_tokens or totals.completion_tokens
    return [
        (say("fact.tokens"), say("comma").join(tokens) if known else None),
        (say("fact.time"), duration(totals.seconds) if totals.seconds else None),
        (say("fact.cost"), None if totals.cost is None else f"{totals.cost:,.2f} {totals.currency or ''}"),
        (say("fact.cut"), say("cut_n", n=count(report.counts.truncated)) if report.counts.truncated else None),
        (
            say("fact.detectable"),
            None if report.detectable is None else say("detectable", points=points(report.detectable)),
        ),
        (say("fact.served"), say("comma").join(name for name in report.served_models if name != report.model)),
    ]


# --- the plan ------------------------------------------------------------------------------------------------


def _plan(lang: Lang, entry: RunEntry) -> Markup:
    say = words(lang)
    run = entry.run
    general: list[tuple[str, object]] = [
        (say("fact.run"), _code(run.run_id)),
        (say("fact.spec"), _code(run.model_spec)),
        *((name, _value(value)) for name, value in sorted(run.model_args.items())),
        (say("fact.identity"), _code(run.model_identity)),
        *((name, _value(value)) for name, value in sorted(run.model_details.items())),
        (say("fact.limit"), say("a_subset", n=count(run.limit)) if run.limit else say("no_limit")),
        (say("fact.repeats"), run.repeats),
        (say("fact.seed"), run.seed),
        (say("fact.started"), when(run.started, lang, seconds=True)),
        (say("fact.finished_at"), when(run.finished, lang, seconds=True) if run.finished else None),
    ]
    versions = facts((name, version) for name, version in sorted(run.versions.items()))
    blocks = [
        Markup("<h3>{}</h3>{}").format(say("plan"), facts(general)),
        _command(say, run.command),
        *(_dataset_plan(lang, entry, plan) for plan in run.datasets),
        Markup("<h3>{}</h3>{}").format(say("versions"), versions) if run.versions else Markup(""),
    ]
    return join(Markup('<div class="b-block">{}</div>').format(block) for block in blocks if block)


def _command(say: Words, command: str) -> Markup:
    if not command:
        return Markup("")
    return Markup(
        '<div class="row b-h"><h3>{}</h3><button type="button" class="g-btn sm ghost end" data-copy="{}">{}'
        "<span data-words>{}</span></button></div>"
        '<pre class="u-code">{}</pre>'
    ).format(say("command"), command, icon("copy", small=True), say("copy"), command)


def _dataset_plan(lang: Lang, entry: RunEntry, plan: DatasetPlan) -> Markup:
    say = words(lang)
    state = entry.run.states.get(plan.dataset)
    generation = plan.generation
    source = say("sample_data") if plan.sample_data else plan.local_path or plan.hub
    pairs: list[tuple[str, object]] = [
        (say("fact.mode"), say(f"mode.{plan.mode}")),
        (say("fact.shots"), say(f"shots.{plan.few_shot_as}", n=plan.few_shot) if plan.few_shot else "0"),
        (say("fact.rows"), _code(source)),
        (say("fact.split"), plan.split),
        (say("subsets"), _subsets(plan.subsets)),
    ]
    if plan.own:
        code = f"{plan.own.name} {PurePath(plan.own.file).name} {plan.own.sha256[:16]}"
        pairs.append((say("fact.class"), _code(" ".join(code.split()))))
    if plan.answers:
        pairs.append((say("fact.setting"), say("given", format=plan.answers)))
    elif plan.mode.value == "generate":
        pairs.append(
            (say("fact.setting"), f"temperature {generation.temperature:g}, max_tokens {generation.max_tokens}")
        )
    if state is not None:
        pairs += [
            (say("fact.order"), say("order", method=state.order.method, seed=state.order.seed, n=count(state.order.n))),
            (say("fact.order_hash"), _hash(state.order.sha256)),
            (say("fact.rows_hash"), _hash(state.sha256)),
        ]
    return Markup("<h3>{}</h3>{}").format(title(entry, plan.dataset, lang), facts(pairs))


def _subsets(subsets: Sequence[str]) -> str | None:
    if not subsets:
        return None
    return ", ".join(subsets) if len(subsets) <= 4 else f"{len(subsets)}: {', '.join(subsets[:3])}, …"


def _value(value: object) -> Markup:
    return _code(value if isinstance(value, str) else repr(value))


def _code(value: str) -> Markup:
    return Markup('<span class="mono b-wrap">{}</span>').format(value)


def _hash(digest: str) -> Markup:
    return Markup('<span class="mono" title="{}">{}</span>').format(digest, digest[:16])
