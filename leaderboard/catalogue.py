"""The catalogue of benchmarks: what each one asks, where its rows lie, how it is scored, an example prompt of each form."""

from __future__ import annotations

from collections.abc import Iterator

from leaderboard.board import GROUPS
from leaderboard.board_words import Words
from leaderboard.browse_parts import facts, title_words
from leaderboard.sub_pages import BROWSE, sub_pages
from llmuses.benchmarks import Benchmark, benchmark_names, get_benchmark
from llmuses.errors import LlmusesError
from llmuses.evaluation.example import Form, example_prompt, form_plan, forms
from llmuses.i18n import Lang, text
from llmuses.markup import Markup, attrs, count, icon, join, link, message, note
from llmuses.records import Generate, Mode
from llmuses.visit import Visit


def catalogue(visit: Visit) -> Markup:
    """Return the page: a table of all benchmarks by group, or of those that a search finds."""
    say = Words(visit.lang, "catalogue")
    wanted = visit.query.get("q", "")[:100]
    everything = [get_benchmark(name) for name in benchmark_names()]
    found = [benchmark for benchmark in everything if _fits(benchmark, wanted, visit.lang)]
    body = _table(found, say) if found else message(say("none"), say("none_why", q=wanted), "find")
    return Markup(
        '<div id="main" class="u-page b-page" data-title="{title} · llmuses">'
        '<div class="u-head"><h1>{browse}</h1>{pages}{search}</div>{body}</div>'
    ).format(
        title=say("title"),
        browse=text(visit.lang, "web.nav.browse"),
        pages=sub_pages(visit.lang, "catalogue", BROWSE),
        search=_search(say, wanted, len(found), len(everything)),
        body=body,
    )


def _fits(benchmark: Benchmark, wanted: str, lang: Lang) -> bool:
    told = " ".join(
        (
            benchmark.name,
            benchmark.title,
            title_words(benchmark.name, benchmark.title, lang),
            benchmark.group,
            *benchmark.languages,
            *benchmark.subsets,
            about(benchmark, lang),
        )
    )
    return all(word in told.lower() for word in wanted.lower().split())


def about(benchmark: Benchmark, lang: Lang) -> str:
    """Return in a sentence what a benchmark asks."""
    return text(lang, f"catalogue.about.{benchmark.name}")


def _search(say: Words, wanted: str, found: int, total: int) -> Markup:
    said = say("n", n=total) if not wanted else say("n_of", n=found, total=total)
    return Markup(
        '<form class="u-filters row grow"><label class="g-input sm b-find b-wide">{}<input type="search" name="q"'
        ' value="{}" placeholder="{}" aria-label="{}" autocomplete="off" data-find></label>'
        '<span class="sm qq end tn" role="status">{}</span></form>'
    ).format(icon("find", small=True), wanted, say("find"), say("find"), said)


# --- the table ---------------------------------------------------------------------------------------------


def _table(benchmarks: list[Benchmark], say: Words) -> Markup:
    heads = (("c-name", "name"), ("", "about"), ("c-lang", "languages"), ("n c-n", "subsets"), ("c-asked", "asked"),
             ("c-licence", "licence"))  # fmt: skip
    return Markup(
        '<div class="u-card b-card"><div class="u-wide"><table class="u-tbl c-list"><thead><tr>{}</tr></thead>{}</table>'
        "</div></div>"
    ).format(
        join(Markup('<th scope="col" class="{}">{}</th>').format(look, say(f"col.{name}")) for look, name in heads),
        join(_group(group, members, say) for group, members in _grouped(benchmarks)),
    )


def _grouped(benchmarks: list[Benchmark]) -> Iterator[tuple[str, list[Benchmark]]]:
    for group in GROUPS:
        if members := [benchmark for benchmark in benchmarks if benchmark.group == group]:
            yield group, members


def _group(group: str, members: list[Benchmark], say: Words) -> Markup:
    return Markup('<tbody><tr class="c-group"><th scope="colgroup" colspan="6">{}</th></tr>{}</tbody>').format(
        text(say.lang, f"board.group.{group}"), join(_row(benchmark, say) for benchmark in members)
    )


def _row(benchmark: Benchmark, say: Words) -> Markup:
    return Markup(
        '<tr><td role="rowheader" class="name c-name"><a href="{}" data-drawer="{}">{}</a> <span class="mono qq sm">{}</span></td>'
        '<td class="q">{}</td><td class="q c-lang">{}</td><td class="n c-n">{}</td><td class="q c-asked">{}</td>'
        '<td class="q c-licence">{}{}</td></tr>'
    ).format(
        link("catalogue", benchmark=benchmark.name),
        link("", benchmark=benchmark.name).lstrip("?"),
        title_words(benchmark.name, benchmark.title, say.lang),
        benchmark.name,
        about(benchmark, say.lang),
        say("list").join(text(say.lang, f"catalogue.lang.{code}") for code in benchmark.languages),
        count(len(benchmark.subsets)) if benchmark.subsets else "–",
        say("shots", n=benchmark.few_shot) + say("list") + say("list").join(_mode_words(benchmark, say)),
        benchmark.licence,
        ""
        if benchmark.publish_samples
        else Markup(' <span class="qq" title="{}">{}</span>').format(say("unpublished"), icon("lock", small=True)),
    )


def _mode_words(benchmark: Benchmark, say: Words) -> list[str]:
    return [say(f"mode.{mode}") for mode in benchmark.modes]


# --- the drawer --------------------------------------------------------------------------------------------


def catalogue_drawer(visit: Visit) -> Markup:
    """Return what is known of the benchmark that the query names; nothing where there is none."""
    name = visit.query.get("benchmark", "")
    if name not in benchmark_names():
        return Markup("")
    say = Words(visit.lang, "catalogue")
    benchmark = get_benchmark(name)
    return Markup(
        '<aside class="u-drawer" aria-label="{title}" tabindex="-1" data-key="{key}"><header><div class="row">'
        '<h2>{title}</h2><span class="mono qq sm">{name}</span><span class="end"></span>'
        '<button class="g-btn sm ghost" type="button" title="{close}" aria-label="{close}" data-close>{cross}</button>'
        '</div><p class="md q">{about}</p></header><div class="body">{facts}{examples}</div></aside>'
    ).format(
        title=title_words(benchmark.name, benchmark.title, say.lang),
        key=link("", benchmark=name).lstrip("?"),
        name=name,
        close=say("close"),
        cross=icon("close"),
        about=about(benchmark, visit.lang),
        facts=Markup('<div class="u-facts-box">{}</div>').format(facts(_facts(benchmark, say))),
        examples=_examples(benchmark, say),
    )


def _facts(benchmark: Benchmark, say: Words) -> list[tuple[str, object]]:
    split, shots = benchmark.split, benchmark.few_shot_split
    worked = say("shots_from", n=benchmark.few_shot, split=shots) if benchmark.few_shot else say("shots", n=0)
    metrics = (
        f"{say(f'mode.{form.mode}')}{say('colon')}{say('list').join(benchmark.metrics_of(form_plan(benchmark, form)))}"
        for form in (Form(mode, next(iter(benchmark.variants), "")) for mode in benchmark.modes)
    )
    named = say("list").join(benchmark.subsets[:12]) + (
        f" … ({len(benchmark.subsets)})" if benchmark.subsets[12:] else ""
    )
    return [
        (say("fact.paper"), _out(benchmark.paper)),
        (say("fact.homepage"), _out(benchmark.homepage)),
        (say("fact.hub"), _hubs(benchmark)),
        (say("fact.licence"), benchmark.licence),
        (say("fact.shown"), say("published" if benchmark.publish_samples else "unpublished")),
        (say("fact.split"), split),
        (say("fact.subsets"), named),
        (say("fact.worked"), worked),
        (say("fact.metrics"), join(map(Markup.escape, metrics), "<br>")),
        (say("fact.variants"), say("list").join(benchmark.variants)),
        (say("fact.pass_at"), say("list").join(map(str, benchmark.pass_at))),
        (say("fact.judge"), say("judge") if any(_judged(benchmark, form) for form in forms(benchmark)) else ""),
        (say("fact.run"), Markup('<code class="mono">llmuses eval --model MODEL --datasets {}</code>').format(benchmark.name)),
    ]  # fmt: skip


def _out(address: str) -> Markup:
    return Markup('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>').format(
        address, address.removeprefix("https://")
    )


def _hubs(benchmark: Benchmark) -> Markup:
    if benchmark.hub is None:
        return Markup("")
    places = (
        ("https://modelscope.cn/datasets/", benchmark.hub.modelscope, "ModelScope"),
        ("https://huggingface.co/datasets/", benchmark.hub.huggingface, "Hugging Face"),
    )
    return join(
        (
            Markup('<span><a href="{}{}" rel="noopener noreferrer" target="_blank">{}</a> <span class="qq">{}</span></span>')
            .format(base, name, name, hub)
            for base, name, hub in places
        ),
        "<br>",
    )  # fmt: skip


def _judged(benchmark: Benchmark, form: Form) -> bool:
    return benchmark.needs_judge(form_plan(benchmark, form))


def _examples(benchmark: Benchmark, say: Words) -> Markup:
    head = Markup('<div class="row u-below"><h3>{}</h3><span class="sm qq">{}</span></div>').format(
        say("examples"), say("examples_from")
    )
    return join([head, *(_example(benchmark, form, say, number == 0) for number, form in enumerate(forms(benchmark)))])


def _example(benchmark: Benchmark, form: Form, say: Words, unfolded: bool) -> Markup:
    try:
        prompt = example_prompt(benchmark.name, form)
    except LlmusesError as problem:  # a benchmark whose rows are the user's own may have none to show
        return note(str(problem), "", "info")
    ask = prompt.ask
    what = say(f"form.{form.mode}") + (say("colon") + form.variant if form.variant else "")
    if _judged(benchmark, form):
        what += say("list") + say("judged")
    asked = (
        join(_turn(message.role, message.content, len(ask.messages) > 1, say) for message in ask.messages)
        if isinstance(ask, Generate)
        else _turn("user", ask.context, False, say)
    )
    scored = Markup("")
    if form.mode is Mode.LOGPROB and not isinstance(ask, Generate):
        options = join(Markup("<li><code>{}</code></li>").format(option) for option in ask.continuations)
        scored = Markup('<p class="sm qq c-after">{}</p><ul class="c-options">{}</ul>').format(
            say("continuations"), options
        )
    return Markup('<details class="b-fold"{}><summary class="u-fold">{}<span>{}</span></summary>{}{}</details>').format(
        attrs(open=unfolded), icon("right", small=True), what, asked, scored
    )


def _turn(role: str, content: str, named: bool, say: Words) -> Markup:
    label = Markup('<p class="sm qq c-role">{}</p>').format(say(f"role.{role}")) if named else ""
    return Markup('{}<pre class="u-code c-prompt">{}</pre>').format(label, content)
