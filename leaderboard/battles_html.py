"""Battles as HTML: filters, how models did in each category, the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leaderboard.arena_board_html import category_words, language_words
from leaderboard.arenas import Source
from leaderboard.battles import PAGE, RESULTS, Hall, Place, Share, by_people, question_of
from leaderboard.board_words import Words
from leaderboard.boards_head import view_actions
from leaderboard.browse_parts import go, pager, when, words
from leaderboard.chart_figures import Dot
from leaderboard.chart_series import Series, radar
from leaderboard.charts_html import drawing, table_twin
from leaderboard.fields_html import joined, select
from leaderboard.sub_pages import BROWSE, sub_pages
from llmuses.i18n import points
from llmuses.markup import Markup, attrs, count, icon, join, link, margin, message, note
from llmuses.records import Battle, Winner

MOST_MODELS = 30
"""So many models have a line in the table by category; the list below it has all of them."""

ON_RADAR = 4


def frame(say: Words, body: Markup, files: tuple[str, str], title: str = "", busy: bool = False) -> Markup:
    """Return a page of battles around its body. ``files`` are what static/charts.js draws with; it asks again where ``busy``."""
    return Markup(
        '<div id="main" class="u-page b-page v-page v-battles" tabindex="-1" data-title="{} · llmuses" data-plotly="{}"'
        ' data-template="{}"{}>{}</div>'
    ).format(title or say("title"), *files, attrs(data_live="1" if busy else None), body)


def head(say: Words, there: Place | None = None) -> Markup:
    """Return the page's head with its sub-pages, and the ways to take the view ``there`` away."""
    actions = "" if there is None else view_actions("battles", there.query(), say.shared)
    return Markup('<div class="u-head"><h1>{}</h1>{}{}</div>').format(
        say("browse"), sub_pages(say.lang, "battles", BROWSE), actions
    )


def nothing(say: Words) -> Markup:
    """Return what is said where there are no battles."""
    command = Markup('<div class="u-code u-act">llmuses view --review-file battle.jsonl</div>')
    return message(say("nothing"), say("nothing_why"), "info", command)


def list_page(say: Words, hall: Hall, sources: Sequence[Source], there: Place) -> Markup:
    """Return the filters, how models did, and one page of the battles that are asked for."""
    shown = hall.select(there)
    places = hall.newest(shown)
    pages = max(1, -(-len(places) // PAGE))
    page = min(max(there.page, 1), pages)
    part = places[(page - 1) * PAGE : page * PAGE]
    scores = _scores(say, hall, there) if len(hall.rows) else Markup("")
    body = (
        table(say, hall, there, hall.read(part), part.tolist())
        if len(part)
        else message(say("none_fit"), say("none_fit_why"), "find", _clear(say, there))
    )
    turn = pager(
        (page - 1) * PAGE + 1,
        len(part),
        len(places),
        there.to(page=page - 1) if page > 1 else None,
        there.to(page=page + 1) if page < pages else None,
        words(say.lang),
    )
    delay = note(say("delay"), "", "clock") if hall.delayed else ""
    return join(
        [
            head(say, there if scores else None),
            _filters(say, hall, sources, there),
            delay,
            scores,
            Markup('<div class="row v-cardhead"><h2 class="v-h">{}</h2><span class="sm qq tn">{}</span></div>').format(
                say("battles"), say("n_battles", n=count(len(places)))
            ),
            Markup('<div class="u-card b-card">{}{}</div>').format(body, turn if len(part) else ""),
        ]
    )


def _clear(say: Words, there: Place) -> Markup:
    return Markup('<p class="u-act">{}</p>').format(go(Place(arena=there.arena).to(), say("clear"), class_="g-btn sm"))


def _filters(say: Words, hall: Hall, sources: Sequence[Source], there: Place) -> Markup:
    fields = []
    if len(sources) > 1:
        names = [(source.name, source.title) for source in sources]
        fields.append(select("arena", say("arena"), names, hall.source.name, names[0][0]))
    everything, board = ("", say("all")), Words(say.lang, "arena_board")
    if len(hall.groups) > 1:
        groups = [everything, *((name, category_words(name, board)) for name in hall.groups if name)]
        fields.append(select("group", say("category"), groups, there.group or ""))
    if len(tongues := hall.languages()) > 1:
        named = [everything, *((name, language_words(name, board)) for name in tongues)]
        fields.append(select("language", say("language"), named, there.language or ""))
    models = [(name, name) for name in sorted(hall.models(), key=str.lower)]
    fields.append(select("model", say("model"), [everything, *models], there.model or ""))
    if there.model:
        others = [pair for pair in models if pair[0] != there.model]
        fields.append(select("other", say("against"), [everything, *others], there.other or ""))
    judges = hall.judges()
    if len(judges) > 1:
        options = [(name, say("people") if name == "human" else name) for name in judges]
        fields.append(select("judge", say("judged_by"), [everything, *options], there.judge or ""))
    results = [name for name in RESULTS if there.model or name not in ("won", "lost")]
    fields.append(joined("result", say("result"), [(n, say(f"result.{n}")) for n in results], there.result, "all"))
    return Markup(
        '<form class="u-filters row v-filters" role="search" data-resets="page id" aria-label="{}">{}</form>'
    ).format(say("filters"), join(fields))


# --- how models did ------------------------------------------------------------------------------------------------


def _scores(say: Words, hall: Hall, there: Place) -> Markup:
    overall = hall.shares(hall.select(there._replace(group=None, result="all", other=None, model=None)))
    if not overall:
        return Markup("")
    every = hall.by_group(there._replace(other=None, model=None))
    groups = {name: shares for name, shares in every.items() if shares}
    names = [name for name in overall if name in (there.model, there.other)] + [
        name for name in overall if name not in (there.model, there.other)
    ]
    table = _by_group(say, there, overall, groups, names[:MOST_MODELS])
    drawn = _radar(say, groups, names[:ON_RADAR]) if len(groups) > 2 else Markup("")
    left = (
        Markup('<p class="sm qq v-said">{}</p>').format(say("first", n=MOST_MODELS)) if len(names) > MOST_MODELS else ""
    )
    return Markup(
        '<div class="v-shares{}"><section aria-labelledby="v-shares"><div class="row v-cardhead"><h2 class="v-h" id="v-shares">{}</h2>'
        '<span class="sm qq">{}</span></div>{}{}</section>{}</div>'
    ).format("" if drawn else " v-alone", say("shares"), say("shares.note"), table, left, drawn)


def _by_group(
    say: Words,
    there: Place,
    overall: Mapping[str, Share],
    groups: Mapping[str, Mapping[str, Share]],
    names: Sequence[str],
) -> Markup:
    several = len(groups) > 1
    heads = join(
        Markup('<th scope="col" class="n">{}</th>').format(
            go(
                there.to(group=group or None),
                category(say, group) or say("unsorted"),
                aria_current="true" if there.group == group and group else None,
            )
        )
        for group in groups
    )
    rows = join(
        Markup('<tr{}><th scope="row"><span class="cut">{}</span></th>{}{}</tr>').format(
            attrs(class_="on" if name in (there.model, there.other) else None),
            Markup('<a href="{}">{}</a>').format(link("model", name=name), name),
            _share(say, name, say("overall"), overall.get(name), there.to(model=name)),
            join(
                _share(
                    say,
                    name,
                    category(say, group) or say("unsorted"),
                    shares.get(name),
                    there.to(model=name, group=group or None),
                )
                for group, shares in groups.items()
            )
            if several
            else "",
        )
        for name in names
    )
    return Markup(
        '<div class="u-wide v-sharebox" role="region" aria-label="{}" tabindex="0"><table class="u-tbl v-plain v-sharetable"><thead><tr>'
        '<th scope="col">{}</th><th scope="col" class="n">{}</th>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(say("shares"), say("model"), say("overall"), heads if several else "", rows)


def _share(say: Words, model: str, group: str, share: Share | None, href: str) -> Markup:
    if share is None:
        return Markup('<td class="n qq">–</td>')
    words_of = say("share.words", model=model, group=group, share=points(share.share), n=count(share.n))
    return Markup('<td class="n" title="{}">{} <small class="q">{}</small></td>').format(
        words_of, go(href, points(share.share), aria_label=words_of), margin(share.ci95)
    )


def _radar(say: Words, groups: Mapping[str, Mapping[str, Share]], names: Sequence[str]) -> Markup:
    series = []
    for name in names:
        dots = [
            Dot(name, 100 * share.share, 100 * share.ci95[0], 100 * share.ci95[1])
            if (share := shares.get(name))
            else None
            for shares in groups.values()
        ]
        series.append(Series(name, dots))
    charts = Words(say.lang, "charts")
    kinds = [category(say, group) or say("unsorted") for group in groups]
    figure = radar(kinds, series, {"sentence": charts("sentence.radar"), "kind": charts("kind")})
    return Markup('<section class="u-card v-chart"><h2 class="v-h">{}</h2>{}{}</section>').format(
        say("radar"), drawing(figure), table_twin(figure.table, charts, say("radar"))
    )


# --- the list ------------------------------------------------------------------------------------------------------


def table(say: Words, hall: Hall, there: Place, battles: Sequence[Battle], places: Sequence[int]) -> Markup:
    """Return battles, which stand at these places of the hall, as a table with a line each."""
    rows = join(_row(say, hall, there, battle, place) for battle, place in zip(battles, places, strict=True))
    heads = join(
        Markup('<th scope="col" class="v-{0}">{1}</th>').format(name, say(f"col.{name}"))
        for name in ("won", "prompt", "model_a", "model_b", "kind", "judge", "when")
    )
    return Markup(
        '<div class="u-wide" role="region" aria-label="{}" tabindex="0"><table class="u-tbl v-list-of"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(say("battles"), heads, rows)


def outcome(say: Words, battle: Battle, model: str | None) -> Markup:
    """Return who won, or how it went for one model, as glyph and word."""
    if battle.winner in (Winner.TIE, Winner.BOTH_BAD):
        sign, look, said = "tie", "", say(f"winner.{battle.winner.value}")
    else:
        winner = battle.model_a if battle.winner is Winner.MODEL_A else battle.model_b
        won = model is None or winner == model
        sign, look = ("correct", "correct") if won else ("wrong", "wrong")
        said = say("won") if model and won else say("lost") if model else say("won_by", model=winner)
    drawing_of = Markup('<span class="v-tie" aria-hidden="true">=</span>') if sign == "tie" else icon(sign, small=True)
    return Markup('<span class="u-v bare {}">{}<span class="cut">{}</span></span>').format(look, drawing_of, said)


def _row(say: Words, hall: Hall, there: Place, battle: Battle, place: int) -> Markup:
    asked = " ".join(" ".join(question_of(battle)).split()) or battle.question_id or battle.battle_id
    href = there.to(id=battle.battle_id)
    torn = (
        Markup(' <span class="u-tag" title="{}">{}</span>').format(say("torn.why"), say("torn"))
        if hall.rows.torn[place]
        else ""
    )
    reason = hall.reason(place)
    out = Markup(' <span class="u-tag" title="{}">{}</span>').format(reason, say("not_counted")) if reason else ""
    return Markup(
        '<tr><td>{}</td><th scope="row" class="name">{}{}{}</th><td>{}</td><td>{}</td><td class="q">{}</td><td class="q">{}</td>'
        '<td class="q tn">{}</td></tr>'
    ).format(
        outcome(say, battle, there.model),
        go(href, asked[:200], class_="cut", lang=code_of(battle)),
        torn,
        out,
        battle.model_a,
        battle.model_b,
        category(say, battle.category) or "–",
        say("person") if by_people(battle) else battle.judge,
        when(battle.tstamp, say.lang),
    )


def category(say: Words, name: str | None) -> str:
    """Return a category in the reader's language, "" for none."""
    return category_words(name, Words(say.lang, "arena_board")) if name else ""


def code_of(battle: Battle) -> str | None:
    """Return the code of a battle's language as HTML has it; None where it is no code."""
    code = battle.language or ""
    return code if code.isascii() and code.isalpha() and 2 <= len(code) <= 3 else None
