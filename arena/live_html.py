"""The markup of the battle page, from plain data. static/arena.js fills it: this is everything that it does not write.

Every piece has its place from the first paint on, so that nothing moves: panes and start lie over each other, what
the vote slot may hold lies over each other too, and the script only says which of them is seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from arena.live.published import Standing
from arena.live.rules import Rules
from arena.live.wire import Mode
from arena.live_composer import composer, note
from arena.live_panels import drawer
from llmuses.i18n import Lang, date_words, sentences, text
from llmuses.markup import Markup, attrs, count, icon, join, message
from llmuses.records import Winner

CHOICES = (Winner.MODEL_A, Winner.TIE, Winner.BOTH_BAD, Winner.MODEL_B)
"""The four votes in the order of their buttons, which is that of the keys 1 to 4."""

CARDS = 6
"""How many prompts to begin with are shown at once."""

_SIDES = {Mode.BATTLE: ("a", "b"), Mode.SIDE: ("a", "b"), Mode.DIRECT: ("one",)}


def battle_page(
    lang: Lang,
    mode: str | None,
    rules: Rules,
    playable: bool,
    standing: Standing | None,
    still: bool = False,
    terms: Sequence[str] | None = None,
) -> Markup:
    """Return the page. ``mode`` is what the address asks for, ``playable`` whether two models may ever play here, ``still``
    whether this copy is only read, ``terms`` the arena's own."""
    if not playable:
        return _empty(lang)
    modes = [each for each in Mode if each in rules.modes]
    current = next((each for each in modes if each == mode), modes[0])
    words = sentences(lang, "arena", "say.", "refused.")
    return Markup(
        '<div id="main" class="u-page" tabindex="-1"><div class="g-arena" data-arena="{mode}"{still} data-words="{words}"'
        ' data-prompts="{prompts}">{body}</div>{drawer}{templates}</div>'
    ).format(
        mode=current,
        still=attrs(data_still=still),
        words=msgspec.json.encode(words).decode(),
        prompts=msgspec.json.encode(_prompts(lang, rules.samples)).decode(),
        body=join(
            [
                Markup('<h1 class="sr">{}</h1>').format(text(lang, "arena.heading")),
                _modes(lang, modes, current, rules),
                _stage(lang, modes, current, rules, standing),
                _caption(lang),
                _slot(lang, rules),
                composer(lang, rules),
                note(lang),
            ]
        ),
        drawer=drawer(lang, terms),
        templates=_templates(lang),
    )


def _empty(lang: Lang) -> Markup:
    """Return the page of an arena in which nobody can play: what it needs."""
    action = Markup('<p class="u-act"><a class="g-btn sm" href="leaderboard">{}</a></p>').format(
        text(lang, "arena.leaderboard")
    )
    words = message(text(lang, "arena.empty.title"), text(lang, "arena.empty.body"), "info", action)
    return Markup('<div id="main" class="u-page u-alone" tabindex="-1"><h1 class="sr">{}</h1>{}</div>').format(
        text(lang, "arena.heading"), words
    )


def _modes(lang: Lang, modes: Sequence[Mode], current: Mode, rules: Rules) -> Markup:
    links = join(
        Markup('<a href="arena{}" data-mode="{}"{}>{}</a>').format(
            "" if each is Mode.BATTLE else f"?mode={each}",
            each,
            attrs(aria_current="true" if each is current else None),
            text(lang, f"arena.mode.{each}"),
        )
        for each in modes
    )
    about = join(
        Markup('<span data-in="{}"{}>{}</span>').format(
            each, attrs(hidden=each is not current), text(lang, f"arena.about.{each}")
        )
        for each in modes
    )
    signs = join(
        Markup('<a href="arena-login/{}">{}</a> · ').format(
            name, text(lang, "arena.sign_in", where=provider.label or name)
        )
        for name, provider in rules.logins.items()
    )
    return Markup(
        '<div class="row"><nav class="u-sub a-modes" aria-label="{}">{}</nav><span class="end md qq">'
        '<span data-sign-in>{}</span><span class="g-hide">{} · </span>'
        '<button type="button" class="a-link g-hide" data-open="votes">{how}</button>'
        '<button type="button" class="a-icon a-how phone-only" data-open="votes" title="{how}" aria-label="{how}">{sign}</button></span></div>'
    ).format(text(lang, "arena.modes"), links, signs, about, how=text(lang, "arena.how"), sign=icon("info"))


# --- the stage: start, and the panes in its place ---------------------------------------------------------------


def _stage(lang: Lang, modes: Sequence[Mode], current: Mode, rules: Rules, standing: Standing | None) -> Markup:
    return Markup('<div class="a-stage">{}{}</div>').format(
        _start(lang, modes, current, rules, standing), join(_panes(lang, mode) for mode in modes)
    )


def _start(lang: Lang, modes: Sequence[Mode], current: Mode, rules: Rules, standing: Standing | None) -> Markup:
    heads = join(
        Markup(
            '<div data-in="{mode}"{hidden}><h2 class="a-title">{title}</h2><p class="q a-about">{body}</p>{choice}</div>'
        ).format(
            mode=mode,
            hidden=attrs(hidden=mode is not current),
            title=text(lang, f"arena.start.{mode}.title"),
            body=text(lang, f"arena.start.{mode}.body"),
            choice=_choice(lang, mode),
        )
        for mode in modes
    )
    return Markup(
        '<section class="g-start" aria-label="{}"><div>{}{}<p class="sm qq g-hide a-standing">{}</p></div></section>'
    ).format(text(lang, "arena.prompts"), heads, _examples(lang, rules.samples), _standing(lang, standing))


def _choice(lang: Lang, mode: Mode) -> Markup:
    if mode is Mode.BATTLE:
        return Markup("")
    return Markup('<div class="row a-choice">{}</div>').format(
        join(
            Markup(
                '<label class="a-field"><span class="sm qq">{}</span><select class="g-chip" data-choose="{}" disabled>'
                "<option>–</option></select></label>"
            ).format(text(lang, f"arena.choose.{side}"), side)
            for side in _SIDES[mode]
        )
    )


def _prompts(lang: Lang, samples: Mapping[str, Mapping[str, Sequence[str]]]) -> list[dict[str, str]]:
    """Return the prompts to begin with: those of the reader's language by category, then the other languages'."""
    own = [
        {"category": category, "text": prompt, "lang": lang}
        for category, prompts in samples.get(lang, {}).items()
        for prompt in prompts
    ]
    foreign = [
        {"category": "other", "text": prompt, "lang": other}
        for other, categories in samples.items()
        if other != lang
        for prompts in categories.values()
        for prompt in prompts
    ]
    return own + foreign


def _examples(lang: Lang, samples: Mapping[str, Mapping[str, Sequence[str]]]) -> Markup:
    prompts = _prompts(lang, samples)
    if not prompts:
        return Markup("")
    categories = list(dict.fromkeys(prompt["category"] for prompt in prompts))
    chips = join(
        Markup('<label class="g-chip"><input class="sr" type="radio" name="category" value="{}"{}>{}</label>').format(
            category, attrs(checked=category == "all"), _category(lang, category)
        )
        for category in ("all", *categories)
    )
    first = [next(prompt for prompt in prompts if prompt["category"] == category) for category in categories]
    cards = join(
        Markup('<button type="button"{}><span{}>{}</span><div class="cut2"{}>{}</div></button>').format(
            attrs(data_prompt=prompt["text"]),
            attrs(lang=prompt["lang"] if prompt["category"] == "other" and prompt["lang"] != lang else None),
            _category(lang, prompt["category"]),
            attrs(lang=prompt["lang"] if prompt["lang"] != lang else None),
            prompt["text"],
        )
        for prompt in first[: CARDS - 1] + first[CARDS - 1 :][-1:]
    )
    return Markup(
        '<div class="row g-scroll a-categories"><fieldset class="g-chips"><legend class="sr">{}</legend>{}</fieldset>'
        '<span class="end g-hide"></span><button type="button" class="g-btn sm ghost g-hide" data-do="others">{}{}</button></div>'
        '<div class="u-prompts">{}</div>'
    ).format(text(lang, "arena.prompts"), chips, icon("again", small=True), text(lang, "arena.others"), cards)


def _category(lang: Lang, category: str) -> str:
    """Return a category's word; a category of one's own is its own word."""
    try:
        return text(lang, f"arena.category.{category}")
    except KeyError:
        return category


def _standing(lang: Lang, standing: Standing | None) -> Markup:
    if standing is None:
        return Markup("<span>{}</span>").format(text(lang, "arena.standing.none"))
    words = text(
        lang,
        "arena.standing.1" if standing.votes == 1 else "arena.standing",
        votes=count(standing.votes),
        models=standing.models,
        when=f"{date_words(standing.tstamp, lang)} UTC",
    )
    return Markup('<span class="tn">{}</span> · <a href="leaderboard">{}</a>').format(
        words, text(lang, "arena.leaderboard")
    )


def _panes(lang: Lang, mode: Mode) -> Markup:
    sides = join(
        Markup(
            '<section class="g-pane" data-side="{side}" aria-label="{name}"><div class="u-pane-head">{letter}'
            '<div class="a-who"><div class="who cut">{name}</div><div class="sub cut">{hidden}</div></div>'
            '<div class="end a-right"></div></div>'
            '<div class="g-chat" tabindex="0" role="group" aria-label="{chat}"></div></section>'
        ).format(
            side=side,
            name=text(lang, f"arena.pane.{side}"),
            letter="" if side == "one" else join(_letter(lang, letter, side) for letter in _SIDES[mode]),
            hidden=text(lang, "arena.hidden" if mode is Mode.BATTLE else "arena.chosen"),
            chat=text(lang, f"arena.chat.{side}"),
        )
        for side in _SIDES[mode]
    )
    return Markup('<div class="g-panes{}" data-room="{}" hidden>{}</div>').format(
        " a-one" if mode is Mode.DIRECT else "", mode, sides
    )


def _letter(lang: Lang, letter: str, side: str) -> Markup:
    """Return a pane's letter. On a phone, where one pane is seen at a time, the other one's stands beside it and leads there."""
    if letter == side:
        return Markup('<span class="u-letter" aria-hidden="true">{}</span>').format(letter.upper())
    return Markup(
        '<button type="button" class="u-letter a-other phone-only" data-see="{0}" title="{1}" aria-label="{1}">{2}</button>'
    ).format(letter, text(lang, f"arena.see.{letter}"), letter.upper())


def _templates(lang: Lang) -> Markup:
    return Markup(
        '<template data-turn><article class="a-turn"><h2 class="sr">{prompt}</h2><div class="user">'
        '<img class="a-sent" alt="" hidden><div class="a-asked"></div>'
        '<button type="button" class="a-icon" data-do="edit" title="{edit}" aria-label="{edit}" hidden>{pen}</button></div>'
        '<h2 class="sr">{answer}</h2><div class="bot">'
        '<details class="a-thought" hidden><summary class="u-fold">{right}{thinking}</summary><div class="a-thinking"></div></details>'
        '<div class="a-blocks"></div>'
        '<div class="a-wait"><span class="u-skel"></span><span class="u-skel"></span><span class="u-skel"></span>'
        '<span class="md q a-long" hidden>{long}</span></div>'
        '<div class="u-note err" hidden>{sign}<span></span></div>'
        '<div class="a-tools" hidden><button type="button" class="a-icon" data-do="copy" title="{copy}" aria-label="{copy}">{copying}</button>'
        '<button type="button" class="a-icon" data-do="again" title="{again}" aria-label="{again}">{turning}</button></div>'
        "</div></article></template>"
    ).format(
        prompt=text(lang, "arena.your_prompt"),
        answer=text(lang, "arena.answer"),
        edit=text(lang, "arena.edit"),
        pen=icon("edit"),
        right=icon("right", small=True),
        thinking=text(lang, "arena.thinking"),
        long=text(lang, "arena.waiting.long"),
        sign=icon("failed"),
        copy=text(lang, "arena.copy"),
        copying=icon("copy"),
        again=text(lang, "arena.again"),
        turning=icon("again"),
    )


# --- caption and vote slot -----------------------------------------------------------------------------------------


def _caption(lang: Lang) -> Markup:
    return Markup(
        '<div class="u-votecap"><span role="status"><span data-caption></span><span class="sr" data-said></span></span>'
        '<button type="button" class="a-link" data-caption-action hidden></button>'
        '<button type="button" class="a-link" data-do="keep" data-caption-keep hidden>{}</button></div>'
    ).format(text(lang, "arena.say.withdraw.keep"))


def _slot(lang: Lang, rules: Rules) -> Markup:
    steps = join(
        Markup("<span{}><b>{}</b> {}</span>").format(
            attrs(data_in="battle" if step == 4 else None), step, text(lang, f"arena.step.{step}")
        )
        for step in range(1, 5)
    )
    votes = join(
        Markup(
            '<button type="button" class="g-btn" data-vote="{}" disabled aria-keyshortcuts="{}">{}<kbd aria-hidden="true">{}</kbd></button>'
        ).format(choice, place, text(lang, f"arena.vote.{choice}"), place)
        for place, choice in enumerate(CHOICES, 1)
    )
    return Markup(
        '<div class="a-slot"><div class="u-steps" data-slot="steps">{steps}</div>'
        '<div class="g-votes" role="group" aria-label="{vote}" data-slot="votes" hidden>{votes}</div>'
        '<div class="g-votes{three}" role="group" aria-label="{after}" data-slot="after" hidden>'
        '<button type="button" class="g-btn picked" disabled data-chosen>{tick}<span class="g-hide"></span><span class="phone-only"></span></button>'
        "{judge}"
        '<button type="button" class="g-btn" data-do="link">{chain}{link}</button>{next}</div>'
        '<div class="g-votes a-two" role="group" aria-label="{after}" data-slot="failed" hidden>'
        '<button type="button" class="g-btn" data-do="again">{again}<span data-again></span></button>{next}</div>'
        '<div class="g-votes a-two" role="group" aria-label="{after}" data-slot="chat" hidden>'
        '<button type="button" class="g-btn" data-do="again">{again}{once_more}</button>'
        '<button type="button" class="g-btn" data-do="next" aria-keyshortcuts="N">{new}<kbd aria-hidden="true">N</kbd></button></div>'
        '<div class="u-steps" data-slot="closed" hidden><span>{closed}</span></div></div>'
    ).format(
        steps=steps,
        vote=text(lang, "arena.vote"),
        votes=votes,
        after=text(lang, "arena.after"),
        tick=icon("correct"),
        judge=Markup("")
        if rules.judge is None
        else Markup('<button type="button" class="g-btn" data-do="judge">{}{}</button>').format(
            icon("scales"), _two_lengths(lang, "judge")
        ),
        three=" a-three" if rules.judge is None else "",
        chain=icon("link"),
        link=_two_lengths(lang, "link"),
        next=Markup(
            '<button type="button" class="g-btn primary" data-do="next" aria-keyshortcuts="N">{}<kbd aria-hidden="true">N</kbd></button>'
        ).format(text(lang, "arena.next")),
        again=icon("again"),
        once_more=text(lang, "arena.again"),
        new=text(lang, "arena.new_chat"),
        closed=text(lang, "arena.closed"),
    )


def _two_lengths(lang: Lang, name: str) -> Markup:
    """Return a label in full and, for a phone, in short."""
    return Markup('<span data-words><span class="g-hide">{}</span><span class="phone-only">{}</span></span>').format(
        text(lang, f"arena.{name}"), text(lang, f"arena.{name}.short")
    )
