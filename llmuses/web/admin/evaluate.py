"""The tab of a new evaluation: a form, what it will take, and a prompt as it will be sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leaderboard.board_words import Words
from leaderboard.browse_parts import setting_words, title_words
from llmuses.benchmarks import benchmark_names, get_benchmark
from llmuses.benchmarks.programs import PROGRAM_LIMITS
from llmuses.evaluation.dry_run import DryRun
from llmuses.evaluation.plan import Plan
from llmuses.evaluation.report import setting
from llmuses.markup import Markup, attrs, count, icon, join, link
from llmuses.settings import model_entries
from llmuses.statistics.intervals import wilson
from llmuses.visit import Visit
from llmuses.web.admin.evaluation import (
    SOURCES,
    EvaluationAsked,
    command_of,
    device_for,
    estimate,
    known_models,
    plan_of,
    spec_and_args,
)
from llmuses.web.admin.example import EXAMPLE, pager
from llmuses.web.admin.given_keys import check_key
from llmuses.web.admin.hello import HELLO
from llmuses.web.admin.parts import command_line
from llmuses.web.admin.room import Deed, Doing, Room, Tab
from llmuses.web.admin.rules import Role
from llmuses.web.admin.sessions import Person
from llmuses.web.admin.start_form import start_form


def view(room: Room, person: Person, visit: Visit) -> Markup:
    """Return the tab. What the address names is filled in, so that a form can be handed on as a link."""
    say = Words(visit.lang, "admin")
    fields = (part(say, visit.query) for part in (_model, _datasets, _settings))
    return start_form(say, visit.query, "eval", "clock", ("start", "plan"), *fields)


def _model(say: Words, query: Mapping[str, str]) -> Markup:
    chosen = query.get("source", "known")
    sources = join(
        Markup('<label class="g-chip"><input class="sr" type="radio" name="source" value="{}"{}>{}</label>').format(
            source, attrs(checked=source == chosen), say(f"eval.source.{source}")
        )
        for source in SOURCES
    )
    names = join(Markup('<option value="{}"></option>').format(name) for name in known_models())
    return Markup(
        '<fieldset class="g-field u-plain"><legend>{source}</legend><span class="g-join">{sources}</span></fieldset>'
        '<label class="g-field"><span>{model}</span><input class="g-input" name="model" list="known-models" required'
        ' value="{value}"><small>{help}</small></label><datalist id="known-models">{names}</datalist>'
        '<div class="u-trio" data-for="api">{url}{key}{slots}</div>'
        '<div class="u-trio" data-for="directory modelscope huggingface">{precision}{device}</div>'
        '<div class="row"><button class="g-btn sm" type="submit" data-deed="hello" data-wait="{wait}" formnovalidate>{hello}</button>'
        '<div class="md q" data-outcome="hello" role="status"></div></div>'
    ).format(
        source=say("eval.source"),
        sources=sources,
        model=say("eval.model"),
        value=query.get("model", ""),
        help=say("eval.model.help"),
        names=names,
        url=_field(say, "base_url", query, placeholder="https://…/v1", wide=True),
        key=_field(say, "api_key_env", query, placeholder="OPENAI_API_KEY"),
        slots=_field(say, "concurrency", query, number=True, placeholder="32"),
        precision=_field(say, "precision", query, placeholder="float32, bfloat16, auto"),
        device=_field(say, "device_map", query, placeholder="cuda, cuda:1, auto, cpu"),
        hello=say("eval.hello"),
        wait=say("eval.hello.wait"),
    )


def _datasets(say: Words, query: Mapping[str, str]) -> Markup:
    chosen = query.get("datasets", "").split(",")
    boxes = join(
        Markup(
            '<label class="g-chip" title="{}"><input class="sr" type="checkbox" name="datasets" value="{}" data-many{}>{}</label>'
        ).format(
            Words(say.lang, "catalogue")(f"about.{name}"),
            name,
            attrs(checked=name in chosen, data_runs_code=get_benchmark(name).runs_code),
            title_words(name, get_benchmark(name).title, say.lang),
        )
        for name in benchmark_names()
    )
    return Markup(
        '<fieldset class="g-field u-plain"><legend>{}</legend><span class="g-chips u-wrap">{}</span>'
        '<small>{} <a href="catalogue">{}</a> {}</small></fieldset>'
        '<p class="u-note warn" data-note="code">{}<span>{}</span></p>'
    ).format(
        say("eval.datasets"),
        boxes,
        say("eval.datasets.help"),
        say("eval.catalogue"),
        say("eval.datasets.own"),
        icon("failed"),
        say("eval.code", seconds=f"{PROGRAM_LIMITS.seconds:.0f}", mb=PROGRAM_LIMITS.memory_mb),
    )


def _settings(say: Words, query: Mapping[str, str]) -> Markup:
    first = (_field(say, name, query, number=True) for name in ("limit", "few_shot", "repeats"))
    second = (_field(say, name, query, number=True) for name in ("temperature", "max_tokens", "seed"))
    return Markup(
        '<div class="u-trio">{}</div><div class="u-trio">{}</div>'
        '<label class="u-check"><input type="checkbox" name="sample_data"{}> {}</label>'
    ).format(join(first), join(second), attrs(checked=query.get("sample_data") == "1"), say("eval.sample_data"))


def _field(
    say: Words, name: str, query: Mapping[str, str], *, number: bool = False, placeholder: str = "", wide: bool = False
) -> Markup:
    return Markup(
        '<label class="g-field{wide}"><span>{label}</span><input class="g-input" name="{name}" type="{kind}"{step}'
        ' value="{value}" placeholder="{placeholder}"><small>{help}</small></label>'
    ).format(
        wide=" u-two" if wide else "",
        label=say(f"eval.{name}"),
        name=name,
        kind="number" if number else "text",
        step=attrs(step="any" if name == "temperature" else 1, min=0) if number else "",
        value=query.get(name, ""),
        placeholder=placeholder or say("eval.default"),
        help=say(f"eval.{name}.help"),
    )


# --- what it will take ---------------------------------------------------------------------------------------------


def _plan(doing: Doing, asked: EvaluationAsked) -> Mapping[str, Any]:
    say = Words(doing.lang, "admin")
    plan = plan_of(asked, doing.room)
    found = estimate(plan)
    shown = _estimate(doing.room, plan, found, command_of(asked, doing.room), say)
    first = pager(asked, found[0].example, 1, found[0].calls, say)
    return {"html": str(Markup('{}<div data-outcome="example">{}</div>').format(shown, first))}


def _estimate(room: Room, plan: Plan, found: list[DryRun], command: list[str], say: Words) -> Markup:
    rate = _rate(room, plan.model_spec)
    entry = model_entries().get(plan.model_spec)
    price = entry.price if entry else None
    settings = {part.dataset: setting_words(setting(part, False), say.lang) for part in plan.datasets}
    rows = join(_estimated(one, settings[one.dataset], rate, say) for one in found)
    calls = sum(one.calls for one in found)
    prompt, answers = sum(one.prompt_tokens for one in found), sum(one.max_answer_tokens for one in found)
    money = ""
    if price and entry:
        cost = (prompt * price[0] + answers * price[1]) / 1e6
        money = say("eval.money", cost=f"{cost:,.2f}", currency=entry.currency)
    heads = join(
        Markup('<th scope="col"{}>{}</th>').format(
            attrs(class_=None if name in ("dataset", "setting") else "n"), say(f"eval.head.{name}")
        )
        for name in ("dataset", "setting", "calls", "prompt", "answers", "time", "precision")
    )
    return Markup(
        '<div class="row"><h3>{title}</h3><span class="sm qq">{basis}</span></div><div class="u-wide"><table class="u-tbl">'
        '<thead><tr>{heads}</tr></thead><tbody>{rows}<tr><th scope="row" class="b">{all}</th><td></td><td class="n b">{calls}</td>'
        '<td class="n b">{prompt}</td><td class="n b">{answers}</td><td class="n b">{time}</td><td></td></tr></tbody></table></div>'
        '<p class="sm q">{note} {money}</p><h3>{cli}</h3><div class="u-code">{command}</div>'
    ).format(
        title=say("eval.estimate"),
        basis=say("eval.basis", rate=f"{rate:.1f}") if rate else say("eval.basis.none"),
        heads=heads,
        rows=rows,
        all=say("eval.all"),
        calls=count(calls),
        prompt=_tokens(prompt),
        answers=_tokens(answers),
        time=_minutes(calls / rate) if rate else "–",
        note=say("eval.precision.note"),
        money=money,
        cli=say("eval.command"),
        command=command_line(command),
    )


def _estimated(one: DryRun, asked: str, rate: float | None, say: Words) -> Markup:
    low, high = wilson(one.calls / 2, one.calls)
    return Markup(
        '<tr><th scope="row" class="name">{}</th><td class="q">{}</td><td class="n">{}</td><td class="n">{}</td><td class="n">{}</td><td class="n">{}</td>'
        '<td class="n q">±{:.1f}</td></tr>'
    ).format(
        title_words(one.dataset, get_benchmark(one.dataset).title, say.lang),
        asked,
        count(one.calls),
        _tokens(one.prompt_tokens),
        _tokens(one.max_answer_tokens) if one.max_answer_tokens else "–",
        _minutes(one.calls / rate) if rate else "–",
        50 * (high - low),
    )


def _rate(room: Room, spec: str) -> float | None:
    """Return the samples a second of the last run of this model, None where it never ran long enough to tell."""
    for entry in room.results.runs():
        states = entry.run.states.values()
        answered, seconds = sum(state.answered for state in states), sum(state.seconds for state in states)
        if entry.run.model_spec == spec and answered >= 10 and seconds >= 1:
            return answered / seconds
    return None


def _tokens(number: int) -> str:
    return f"{number / 1e6:.2f} M" if number >= 100_000 else count(number)


def _minutes(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02d} h" if minutes >= 60 else f"{max(minutes, 1)} min"


def _start(doing: Doing, asked: EvaluationAsked) -> Mapping[str, Any]:
    room = doing.room
    if asked.source == "api":
        check_key(spec_and_args(asked, room)[1], doing.person)
    titles = ", ".join(get_benchmark(name).title for name in asked.datasets)
    command = command_of(asked, room)
    job = room.log.submit(command, f"{command[2]}: {titles}", device_for(asked, room), doing.person.name)
    return {"go": link("admin", tab="jobs", job=job)}


TAB = Tab("evaluate", Role.OPERATOR, view)
DEEDS = {
    "plan": Deed(Role.OPERATOR, EvaluationAsked, _plan, audited=False),
    "example": EXAMPLE,
    "start": Deed(Role.OPERATOR, EvaluationAsked, _start),
    "hello": HELLO,
}
