"""Prompts as they will be sent, one at a time: turned over before an evaluation is started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from leaderboard.answer_html import fold, split_prompt, turns
from leaderboard.board_words import Words
from leaderboard.browse_parts import title_words
from llmuses.benchmarks import get_benchmark
from llmuses.evaluation.dry_run import example, text_of
from llmuses.inference import Item
from llmuses.markup import Markup, attrs, count, icon, join, link
from llmuses.models.tokens import estimated_tokens
from llmuses.records import Loglikelihood
from llmuses.web.admin.evaluation import EvaluationAsked, plan_of
from llmuses.web.admin.room import Deed, Doing
from llmuses.web.admin.rules import Role


class ExampleAsked(EvaluationAsked, kw_only=True, frozen=True):
    """The form, and which prompt of it: the ``number``-th, from 1, of a dataset."""

    dataset: str
    number: int = 1


def pager(asked: EvaluationAsked, item: Item, number: int, of: int, say: Words) -> Markup:
    """Return a prompt, with what leads to the others of its dataset, and to the other datasets."""
    return Markup(
        '<div class="row"><h3>{title}</h3><span class="g-join">{datasets}</span><span class="sm qq end tn">{at}</span>{before}{after}'
        '</div><div class="u-card u-asked">{prompt}<p class="sm"><a href="{how}">{scored}</a></p></div>'
    ).format(
        title=say("eval.asis"),
        datasets=join(_dataset(asked, name, name == item.dataset, say) for name in asked.datasets),
        at=say("eval.example.at", n=count(number), of=count(of), tokens=count(estimated_tokens(text_of(item.ask)))),
        before=_step(asked, item.dataset, number - 1, of, "left", say("eval.example.before")),
        after=_step(asked, item.dataset, number + 1, of, "right", say("eval.example.after")),
        prompt=_prompt(item, say),
        how=link("catalogue", q=item.dataset),
        scored=say("eval.scored"),
    )


def _about(asked: EvaluationAsked, dataset: str, number: int) -> str:
    form = {name: value for name, value in msgspec.to_builtins(asked).items() if name not in ("dataset", "number")}
    return msgspec.json.encode({**form, "dataset": dataset, "number": number}).decode()


def _dataset(asked: EvaluationAsked, name: str, chosen: bool, say: Words) -> Markup:
    return Markup(
        '<button class="g-chip{}" type="button" data-deed="example" data-about="{}" data-step="{}"{}>{}</button>'
    ).format(
        " on" if chosen else "",
        _about(asked, name, 1),
        name,
        attrs(aria_current="true" if chosen else None),
        title_words(name, get_benchmark(name).title, say.lang),
    )


def _step(asked: EvaluationAsked, dataset: str, number: int, of: int, way: str, words: str) -> Markup:
    return Markup(
        '<button class="g-btn sm ghost" type="button" data-deed="example" data-about="{}" data-step="{}" aria-label="{}"'
        ' title="{}"{}>{}</button>'
    ).format(_about(asked, dataset, number), way, words, words, attrs(disabled=not 1 <= number <= of), icon(way))


def _prompt(item: Item, say: Words) -> Markup:
    """Return what is sent; worked examples are folded, the options of a log-likelihood listed."""
    before, question = split_prompt(item)
    labelled = not isinstance(item.ask, Loglikelihood)
    shots = Markup("")
    if before:
        browse = Words(say.lang, "browse")
        size = browse("n_characters", n=count(sum(len(content) for _, content in before)))
        caption = browse("examples", n=item.shots) if item.shots else browse("introduction")
        shots = fold(caption, size, turns(say.lang, before, labelled), None, "examples")
    return shots + turns(say.lang, question, labelled) + _continuations(item, say)


def _continuations(item: Item, say: Words) -> Markup:
    if not isinstance(item.ask, Loglikelihood):
        return Markup("")
    options: Sequence[str] = item.ask.continuations
    return Markup('<p class="sm qq">{}</p><ul class="u-plainlist">{}</ul>').format(
        say("eval.example.options"), join(Markup('<li class="mono">{}</li>').format(option) for option in options)
    )


def _example(doing: Doing, asked: ExampleAsked) -> Mapping[str, Any]:
    plan = plan_of(asked, doing.room)
    benchmarks = {part.dataset: get_benchmark(part.dataset) for part in plan.datasets}
    item, of = example(plan, benchmarks, asked.dataset, asked.number)
    return {"html": str(pager(asked, item, asked.number, of, Words(doing.lang, "admin")))}


EXAMPLE = Deed(Role.OPERATOR, ExampleAsked, _example, audited=False)
