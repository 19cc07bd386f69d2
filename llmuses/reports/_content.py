"""What a report says, in words and figures of one language: written once, drawn by Markdown and by HTML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from llmuses.i18n import Lang, date_words, points, text
from llmuses.records import Counts, DatasetPlan, DatasetState, Estimate, Mode, OwnClass, Report, Run

MARKS = ("unparsed", "rejected", "failed", "truncated")
"""What is said of a score's answers where it happened at all; the glyphs of the pages have the same names."""

_HUBS = {"modelscope": "ModelScope", "huggingface": "Hugging Face"}


class Fact(NamedTuple):
    """A label and what is said under it. ``code`` is for names and hashes that are to be copied as they are."""

    label: str
    value: str
    code: bool = False


class Row(NamedTuple):
    """A name and its estimate: one line of a table of scores."""

    name: str
    estimate: Estimate


class Table(NamedTuple):
    """Estimates under one heading; ``kind`` heads the column of names."""

    heading: str
    kind: str
    rows: list[Row]


class Section(NamedTuple):
    """One dataset: what warns the reader first, what is known about the score, the scores of its parts."""

    report: Report
    setting: str
    warnings: list[str]
    facts: list[Fact]
    tables: list[Table]


class Content(NamedTuple):
    """A whole report in one language."""

    title: str
    status: str
    notes: list[str]
    sections: list[Section]
    facts: list[Fact]
    command: str


def content(run: Run, reports: Iterable[Report], lang: Lang) -> Content:
    """Return what a run's report says in one language. Nothing in it is escaped."""
    plans = {plan.dataset: plan for plan in run.datasets}
    sections = [_section(report, plans.get(report.dataset), run.states.get(report.dataset), lang) for report in reports]
    notes = []
    if run.demo:
        notes.append(text(lang, "report.demo_note"))
    elif any(plan.sample_data for plan in run.datasets):
        notes.append(text(lang, "report.sample_set_note"))
    if not sections:
        notes.append(text(lang, "report.empty"))
    return Content(
        title=text(lang, "report.title", model=run.model),
        status=text(lang, f"report.status.{run.status}"),
        notes=notes,
        sections=sections,
        facts=_run_facts(run, lang),
        command=run.command,
    )


# --- figures -----------------------------------------------------------------------------------------------


def margin(estimate: Estimate) -> str:
    """Return half the width of the 95% interval in points, ``±1.7``; nothing where there is no score."""
    if estimate.ci95 is None:
        return ""
    low, high = estimate.ci95
    return f"±{50 * (high - low):.1f}"


def interval(estimate: Estimate, lang: Lang) -> str:
    """Return the 95% interval in points, ``86.4 to 89.8``; an en dash where there is no score."""
    if estimate.ci95 is None:
        return "–"
    low, high = estimate.ci95
    return text(lang, "report.range", low=points(low), high=points(high))


def marks(counts: Counts, lang: Lang) -> list[tuple[str, str]]:
    """Return what happened to answers that are not plainly right or wrong, as (mark, words)."""
    numbers = ((mark, getattr(counts, mark)) for mark in MARKS)
    return [(mark, _counted(mark, n, lang)) for mark, n in numbers if n]


def verdicts(counts: Counts, lang: Lang) -> str:
    """Return how many answers got each verdict, in one line."""
    words = [_counted("correct", counts.correct, lang), _counted("wrong", counts.scored - counts.correct, lang)]
    words += [said for _, said in marks(counts, lang)]
    return text(lang, "report.separator").join(words)


def _counted(name: str, n: int, lang: Lang) -> str:
    return text(lang, "report.truncated" if name == "truncated" else f"web.number.{name}", n=number(n))


def number(value: int) -> str:
    """Return a whole number with thousands set apart."""
    return f"{value:,}"


def duration(seconds: float, lang: Lang) -> str:
    """Return a span of time in the two units that matter: ``1 h 12 min``, ``3 min 20 s``, ``4.2 s``."""
    if seconds < 0.05:
        return text(lang, "report.seconds", s="< 0.1")
    if seconds < 10:
        return text(lang, "report.seconds", s=f"{seconds:.1f}")
    whole = round(seconds)
    if whole < 60:
        return text(lang, "report.seconds", s=whole)
    if whole < 3600:
        return text(lang, "report.minutes", m=whole // 60, s=whole % 60)
    return text(lang, "report.hours", h=number(whole // 3600), m=whole % 3600 // 60)


def moment(tstamp: float, lang: Lang) -> str:
    """Return a point in time, in UTC: ``24 Nov 2026, 14:06 UTC``."""
    return f"{date_words(tstamp, lang)} UTC"


# --- one dataset -------------------------------------------------------------------------------------------


def _section(report: Report, plan: DatasetPlan | None, state: DatasetState | None, lang: Lang) -> Section:
    borrowed = state is not None and state.borrowed_shots
    return Section(
        report=report,
        setting=_setting(plan, borrowed, lang) if plan else report.setting,
        warnings=_warnings(report, plan is not None and bool(plan.answers), lang),
        facts=[
            *_score_facts(report, lang),
            *_effort_facts(report, lang),
            *_data_facts(report, plan, borrowed, lang),
        ],
        tables=[table for table in _tables(report, lang) if table.rows],
    )


def _setting(plan: DatasetPlan, borrowed: bool, lang: Lang) -> str:
    parts = [text(lang, "report.given")] if plan.answers else []
    if plan.few_shot or not plan.answers:
        parts.append(text(lang, "report.shots.borrowed" if borrowed else "report.shots", n=plan.few_shot))
    if plan.few_shot and plan.few_shot_as == "turns":
        parts.append(text(lang, "report.turns"))
    if plan.mode is Mode.LOGPROB:
        parts.append(text(lang, "report.logprob"))
    if plan.variant:
        parts.append(plan.variant)
    if plan.judge is not None:
        parts.append(text(lang, "report.judged_by", judge=plan.judge.model_spec))
    if plan.extract is not None:
        parts.append(text(lang, "report.own_extraction"))
    if plan.unsafe_code:
        parts.append(text(lang, "report.unsafe_code"))
    if plan.sample_data:
        parts.append(text(lang, "report.sample_set"))
    return text(lang, "report.separator").join(parts)


def _warnings(report: Report, given: bool, lang: Lang) -> list[str]:
    failed = report.counts.failed
    if not failed:
        return []
    total = report.n + failed
    key = "report.incomplete.given" if given else "report.incomplete"
    why = [
        text(lang, "report.failure", n=number(count), dataset=report.title, reason=reason)
        for reason, count in report.failures.items()
        if not given
    ]
    if report.score is None or report.bounds is None:
        return [text(lang, f"{key}.none", dataset=report.title, total=number(total)), *why]
    low, high = report.bounds
    share = max(0.1, 100 * failed / total)
    return [
        text(
            lang,
            key,
            dataset=report.title,
            n=number(failed),
            total=number(total),
            share=f"{share:.1f}",
            answered=number(report.n),
            low=points(low),
            high=points(high),
        ),
        *why,
    ]


def _tables(report: Report, lang: Lang) -> list[Table]:
    def say(name: str, **values: Any) -> str:
        return text(lang, f"report.{name}", **values)

    sizes = {
        "subsets_weighted": 0,
        "subsets_unweighted": len(report.subsets),
        "categories_unweighted": len(report.categories),
    }
    averages = [
        Row(say(f"average.{name}", n=sizes[name]) if name in sizes else say("average.group", group=name), value)
        for name, value in report.averages.items()
    ]
    categories = [Row(name, value) for name, value in report.categories.items()]
    subsets = [Row(name, value) for name, value in report.subsets.items()] if len(report.subsets) > 1 else []
    return [
        Table(say("averages"), say("average"), averages),
        Table(say("categories"), say("category"), categories),
        Table(say("subsets"), say("subset"), subsets),
        Table(say("tags"), say("tag"), [Row(name, value) for name, value in report.tags.items()]),
    ]


def _score_facts(report: Report, lang: Lang) -> Iterator[Fact]:
    def fact(name: str, words: str, **values: Any) -> Fact:
        return Fact(text(lang, f"report.{name}"), text(lang, f"report.{words}", **values))

    counts = report.counts
    yield Fact(text(lang, "report.metric"), report.metric)
    yield fact("asked", f"mode.{report.mode}")
    if counts.unparsed or counts.rejected or counts.failed:
        said = ["report.counted.wrong"] if counts.unparsed or counts.rejected else []
        said += ["report.counted.failed"] if counts.failed else []
        between = " " if lang == "en" else ""
        yield Fact(text(lang, "report.counted"), between.join(text(lang, words) for words in said))
    if report.bounds is not None:
        low, high = report.bounds
        yield fact("bounds", "bounds.words", low=points(low), high=points(high))
    if counts.truncated:
        yield fact("cut", "cut.words", n=number(counts.truncated), total=number(report.n))
    if report.chance is not None:
        yield fact("chance", _against_chance(report, report.chance), chance=points(report.chance))
    if report.detectable is not None:
        yield fact("detectable", "detectable.words", points=points(report.detectable))
    if report.repeats > 1:
        yield fact("repeats", "repeats.words", n=report.repeats)
    if report.repeat_sd is not None:
        spread = {"low": points(min(report.repeat_scores)), "high": points(max(report.repeat_scores))}
        yield fact("spread", "spread.words", sd=points(report.repeat_sd), **spread)
    for name, estimate in report.metrics.items():
        label = text(lang, "report.other_metric", name=name)
        yield Fact(label, f"{points(estimate.score)} {margin(estimate)}".rstrip())


def _against_chance(report: Report, chance: float) -> str:
    if report.ci95 is None or chance <= 0:
        return "chance.level"
    low, high = report.ci95
    if high < chance:
        return "chance.below"
    return "chance.not_apart" if low <= chance else "chance.level"


def _effort_facts(report: Report, lang: Lang) -> Iterator[Fact]:
    totals = report.totals
    if totals.prompt_tokens or totals.completion_tokens:
        form = "reasoning" if totals.reasoning_tokens else "words" if totals.completion_tokens else "read"
        words = text(
            lang,
            f"report.tokens.{form}",
            read=number(totals.prompt_tokens),
            written=number(totals.completion_tokens),
            reasoning=number(totals.reasoning_tokens),
        )
        yield Fact(text(lang, "report.tokens"), words)
    if totals.seconds:
        yield Fact(text(lang, "report.time"), duration(totals.seconds, lang))
    if totals.cost is not None:
        amount = f"{totals.cost:,.2f}" if totals.cost >= 1 else f"{totals.cost:.4f}"
        words = text(lang, "report.cost.words", amount=amount, currency=totals.currency or "")
        yield Fact(text(lang, "report.cost"), words)
    if report.served_models:
        yield Fact(text(lang, "report.served"), text(lang, "report.separator").join(report.served_models))


def _data_facts(report: Report, plan: DatasetPlan | None, borrowed: bool, lang: Lang) -> Iterator[Fact]:
    if plan is not None and plan.mode is Mode.GENERATE and not plan.answers:
        yield Fact(text(lang, "report.generation"), _generation(plan, lang))
    if plan is not None:
        if plan.sample_data:
            where = text(lang, "report.data.sample", split=plan.split)
        elif plan.local_path:
            where = text(lang, "report.data.path", path=plan.local_path, split=plan.split)
        else:
            where = text(lang, "report.data.hub", hub=_HUBS.get(plan.hub, plan.hub), split=plan.split)
        yield Fact(text(lang, "report.data"), where)
        if plan.own:
            yield Fact(text(lang, "report.class"), _own_class(plan.own, lang))
    if borrowed:
        yield Fact(text(lang, "report.examples"), text(lang, "report.examples.borrowed"))
    if report.dataset_sha256:
        yield Fact(text(lang, "report.sha256"), report.dataset_sha256, code=True)
    if report.fingerprint:
        words = text(lang, "report.fingerprint.words", fingerprint=report.fingerprint)
        yield Fact(text(lang, "report.fingerprint"), words)


def _own_class(own: OwnClass, lang: Lang) -> str:
    if not own.file:
        return own.name
    return text(lang, "report.class.words", name=own.name, file=own.file, sha256=own.sha256)


def _generation(plan: DatasetPlan, lang: Lang) -> str:
    config = plan.generation
    said = text(
        lang, "report.generation.words", temperature=f"{config.temperature:g}", max_tokens=number(config.max_tokens)
    )
    others = {
        "top_p": config.top_p,
        "top_k": config.top_k,
        "repetition_penalty": config.repetition_penalty,
        "seed": config.seed,
        "stop": json.dumps(config.stop, ensure_ascii=False) if config.stop else None,
    }
    known = [f"{name} {value}" for name, value in others.items() if value is not None]
    return text(lang, "report.separator").join([said, *known])


# --- the run -----------------------------------------------------------------------------------------------


def _run_facts(run: Run, lang: Lang) -> list[Fact]:
    def label(name: str) -> str:
        return text(lang, f"report.{name}")

    limit = text(lang, "report.limit.words", n=number(run.limit)) if run.limit else label("limit.none")
    facts = [
        Fact(label("model"), run.model_spec, code=True),
        Fact(label("identity"), run.model_identity, code=True),
        *_details({**run.model_args, **run.model_details}, label("details"), lang),
        Fact(label("seed"), text(lang, "report.seed.words", seed=run.seed)),
        Fact(label("limit"), limit),
        Fact(label("run_id"), run.run_id, code=True),
        Fact(label("plan"), run.plan_hash, code=True),
    ]
    if run.started:
        facts.append(Fact(label("started"), moment(run.started, lang)))
    if run.seconds:
        facts.append(Fact(label("took"), duration(run.seconds, lang)))
    if run.versions:
        versions = text(lang, "report.separator").join(f"{name} {version}" for name, version in run.versions.items())
        facts.append(Fact(label("versions"), versions))
    return [fact for fact in facts if fact.value]


def _details(details: Mapping[str, Any], label: str, lang: Lang) -> Iterator[Fact]:
    """Yield what is known about a model: one fact, its parts named."""
    known = [f"{name} {_plain(value)}" for name, value in details.items() if value not in (None, "", [], {})]
    if known:
        yield Fact(label, text(lang, "report.separator").join(known))


def _plain(value: Any) -> str:
    if isinstance(value, bool | dict | list | tuple):
        return json.dumps(value, ensure_ascii=False)
    return number(value) if isinstance(value, int) else str(value)
