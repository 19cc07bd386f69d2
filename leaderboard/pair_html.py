"""One question in two runs: the prompt once, two answers beside each other, the way to the next disagreement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.answer_html import answer, fold, reading, split_prompt, turns
from leaderboard.board_words import Words
from leaderboard.browse_parts import duration, facts, go, public, short, title, turning, words
from leaderboard.compare_html import signed, test_words
from leaderboard.results import RunEntry
from llmuses.comparison.result import Pair
from llmuses.i18n import Lang, points
from llmuses.markup import Markup, attrs, count, icon, join, link, margin, note, verdict, verdict_of
from llmuses.records import Generate, Prediction, Review


@dataclass(frozen=True)
class Side:
    """One run's answer: its review, and its prediction where it was kept."""

    entry: RunEntry
    review: Review
    prediction: Prediction | None

    @property
    def model(self) -> str:
        """Return the model's name."""
        return self.entry.run.model


@dataclass(frozen=True)
class PairShown:
    """What the page shows. ``chips`` are the lists that can be walked through: name, size, address, whether it is this one."""

    first: Side
    second: Side
    pair: Pair
    binary: bool
    dataset: str
    sample: str
    here: str
    asked: str | None
    chips: Sequence[tuple[str, int, str, bool]]
    index: int | None
    total: int
    before: str | None
    after: str | None
    jump: str

    @property
    def public(self) -> bool:
        """Whether the question and the answers may be shown."""
        return all(public(side.entry, self.dataset) for side in (self.first, self.second))


def labels(first: Side, second: Side) -> tuple[str, str]:
    """Return what the two are called: the models' names, with the run where both are of one model."""
    if first.model != second.model:
        return first.model, second.model
    return f"{first.model} {short(first.entry)}", f"{second.model} {short(second.entry)}"


def pair_page(lang: Lang, shown: PairShown) -> Markup:
    """Return the page."""
    say = Words(lang, "versus")
    names = labels(shown.first, shown.second)
    heading = words(lang)("sample", name=shown.sample)
    prompt = _prompt(lang, shown, say) if shown.public else note(words(lang)("unpublished"), "", "lock")
    cards = join(_card(lang, shown, side, name) for side, name in zip((shown.first, shown.second), names, strict=True))
    return Markup(
        '{}{}<div class="v-pair" data-at="{}"{} data-title="{} · llmuses">{}<div class="v-two">{}</div>{}</div>'
    ).format(
        _head(lang, shown, say, heading),
        _lists(shown, say, names),
        shown.here,
        attrs(data_from=shown.asked),
        f"{heading} · {title(shown.first.entry, shown.dataset, lang)} · {names[0]} – {names[1]}",
        prompt,
        cards,
        _keys(lang, shown, say),
    )


def _head(lang: Lang, shown: PairShown, say: Words, heading: str) -> Markup:
    where = say("nth", n=count(shown.index + 1), total=count(shown.total)) if shown.index is not None else ""
    models = {"a": shown.second.model, "b": shown.first.model}
    benchmark = title(shown.first.entry, shown.dataset, lang)
    steps = [
        Markup('<a href="{}">{}</a>').format(link("compare", **models), say("title")),
        go(shown.chips[-1][2], benchmark),
        Markup('<span class="b-here" aria-current="page">{}</span>').format(heading),
    ]
    path = Markup('<nav class="u-crumb" aria-label="Path">{}</nav>').format(join(steps, icon("right", small=True)))
    return turning(lang, path, where, shown.before, shown.after)


def list_words(say: Words, name: str, names: tuple[str, str], binary: bool) -> str:
    """Return what a list of questions is called: those that only the first got right, and so on."""
    kind = "right" if binary else "better"
    if name in ("first", "second"):
        return say(f"only.{kind}", model=names[name == "second"])
    return say(f"show.{name}" if binary or name != "wrong" else "show.same")


def _lists(shown: PairShown, say: Words, names: tuple[str, str]) -> Markup:
    chips = join(
        go(
            href,
            Markup('{} <span class="tn">{}</span>').format(list_words(say, name, names, shown.binary), count(number)),
            class_="g-chip on" if here else "g-chip",
            aria_current="true" if here else None,
        )
        for name, number, href, here in shown.chips
    )
    pair = shown.pair
    return Markup(
        '<div class="row v-lists"><span class="md qq" aria-hidden="true">{}</span><nav class="g-chips v-wrap" aria-label="{}">{}</nav>'
        '<span class="md qq end">{} <span class="tn v-ink">{} {}</span>{}{}</span></div>'
    ).format(
        say("show"),
        say("show"),
        chips,
        say("difference"),
        signed(pair.difference),
        margin(pair.ci95),
        say("comma"),
        say(f"test.{pair.method}", p=test_words(pair.p_value)),
    )


def _prompt(lang: Lang, shown: PairShown, say: Words) -> Markup:
    one, two = shown.first.prediction, shown.second.prediction
    kept = one or two
    if kept is None:
        return note(words(lang)("no_prediction"), "warn", "failed")
    same = one is None or two is None or split_prompt(one) == split_prompt(two)
    tokens = {side.review.prompt_tokens for side in (shown.first, shown.second)} - {None}
    said = words(lang)("n_tokens", n=count(tokens.pop() or 0)) if len(tokens) == 1 else ""
    about = say("comma").join(filter(None, [say("prompt.same") if same else say("prompt.unlike"), said]))
    body = _asked(lang, kept)
    return Markup('<div class="row b-h"><h3>{}</h3><span class="sm qq tn">{}</span></div>{}').format(
        words(lang)("prompt"), about, body
    )


def _asked(lang: Lang, prediction: Prediction) -> Markup:
    say = words(lang)
    before, asked = split_prompt(prediction)
    labelled = isinstance(prediction.ask, Generate) and len(prediction.ask.messages) > 1
    shots = Markup("")
    if before:
        caption = say("examples", n=prediction.shots) if prediction.shots else say("introduction")
        size = say("n_characters", n=count(sum(len(content) for _, content in before)))
        shots = fold(caption, size, turns(lang, before, labelled), "F", "examples")
    return Markup('{}<div class="u-card b-pad b-gap">{}</div>').format(shots, turns(lang, asked, labelled))


def _card(lang: Lang, shown: PairShown, side: Side, name: str) -> Markup:
    browse, review = words(lang), side.review
    about = [Words(lang, "versus")("run", run=short(side.entry))]
    if review.tokens is not None:
        about.append(browse("tokens_out", n=count(review.tokens)))
    if review.latency is not None:
        about.append(duration(review.latency))
    own = link("browse", run=side.entry.run_id, dataset=shown.dataset, sample=shown.sample)
    if not shown.public:
        body = facts(((browse("col.key"), Markup('<span class="mono">{}</span>').format(review.key)),))
    elif side.prediction is None:
        body = note(browse("no_prediction"), "warn", "failed") + reading(lang, review)
    else:
        body = answer(lang, review, side.prediction)
    value = next(iter(review.scores.values()), None)
    score = "" if value is None or value in (0.0, 1.0) else points(value)
    return Markup(
        '<section class="u-card v-card" aria-label="{}"><div class="u-pane-head"><div class="v-whose"><div class="who cut">{}</div>'
        '<div class="sub tn cut"><a href="{}">{}</a></div></div><span class="end row"><span class="tn q">{}</span>{}</span></div>'
        '<div class="b-middle v-body">{}</div></section>'
    ).format(
        name,
        Markup('<a href="{}">{}</a>').format(link("model", name=side.model), name),
        own,
        " · ".join(about),
        score,
        verdict(verdict_of(review), lang),
        body,
    )


def _keys(lang: Lang, shown: PairShown, say: Words) -> Markup:
    return Markup(
        '<p class="sm qq b-keys">{} {} &nbsp; <kbd>J</kbd> <kbd>K</kbd> {} &nbsp; <kbd>F</kbd> {}</p>'
    ).format(
        go(shown.jump, Markup("<kbd>D</kbd>"), class_="b-jump", data_key="d", title=say("keys.disagree")),
        say("keys.disagree"),
        words(lang)("keys.turn"),
        words(lang)("keys.fold"),
    )
