"""The prompt as it was sent, the answer as it came, and what was read out of it."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.browse_parts import Words, facts, go, words
from leaderboard.browse_query import Place
from leaderboard.model_text import as_written, rendered
from leaderboard.options_html import options
from leaderboard.shown import Shown
from llmuses.i18n import Lang
from llmuses.inference import Item
from llmuses.markup import Markup, count, cut_short, icon, join, note, verdict, verdict_of
from llmuses.records import Generate, Loglikelihood, Prediction, Review, Status

_COPIED = 60_000
"""A longer prompt is not written into the page a second time for its copy button; the raw record has it."""


def verdict_alone(lang: Lang, review: Review) -> Markup:
    """Return what may be shown of a sample whose benchmark is not published."""
    say = words(lang)
    pairs = (
        (say("col.key"), Markup('<span class="mono">{}</span>').format(review.key)),
        (say("subset"), review.subset),
    )
    return Markup('<div class="row b-h"><h3>{}</h3>{}</div><div class="u-card b-pad">{}</div>').format(
        say("answer"), verdict(verdict_of(review), lang), facts(pairs)
    )


def middle(lang: Lang, place: Place, shown: Shown) -> Markup:
    """Return the prompt, the answer and what was read out of it."""
    say = words(lang)
    if shown.prediction is None:
        return note(say("no_prediction"), "warn", "failed") + reading(lang, shown.review)
    return _prompt(lang, shown.review, shown.prediction) + answer(
        lang, shown.review, shown.prediction, place.rendered, _views(place, words(lang))
    )


def _prompt(lang: Lang, review: Review, prediction: Prediction) -> Markup:
    say = words(lang)
    before, asked = split_prompt(prediction)
    labelled = isinstance(prediction.ask, Generate) and len(prediction.ask.messages) > 1
    kind = say("as_text" if isinstance(prediction.ask, Loglikelihood) else "as_chat")
    tokens = say("n_tokens", n=count(review.prompt_tokens)) if review.prompt_tokens is not None else ""
    whole = "\n\n".join(content for _, content in before + asked) if labelled else "".join(c for _, c in before + asked)
    copy = Markup("")
    if len(whole) <= _COPIED:
        copy = Markup(
            '<button type="button" class="g-btn sm ghost end" data-copy="{}">{}<span data-words>{}</span></button>'
        ).format(whole, icon("copy", small=True), say("copy"))
    shots = Markup("")
    if before:
        caption = say("examples", n=prediction.shots) if prediction.shots else say("introduction")
        size = say("n_characters", n=count(sum(len(content) for _, content in before)))
        shots = fold(caption, size, turns(lang, before, labelled), "F", "examples")
    return Markup('<div class="row b-h"><h3>{}</h3><span class="sm qq tn">{}</span>{}</div>{}{}').format(
        say("prompt"),
        say("comma").join(part for part in (kind, tokens) if part),
        copy,
        shots,
        Markup('<div class="u-card b-pad b-gap">{}</div>').format(turns(lang, asked, labelled)),
    )


def split_prompt(prediction: Prediction | Item) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return what was sent as (role, text) pairs: what stands before the sample's own question, and the question.

    The texts, one after the other, are exactly what was sent.
    """
    ask = prediction.ask
    sent = [(m.role, m.content) for m in ask.messages] if isinstance(ask, Generate) else [("user", ask.context)]
    index, offset = prediction.question_at
    if not 0 <= index < len(sent):
        return [], [(str(role), content) for role, content in sent]
    role, content = sent[index]
    before = [*sent[:index], *([(role, content[:offset])] if offset else [])]
    return [(str(r), c) for r, c in before], [(str(r), c) for r, c in [(role, content[offset:]), *sent[index + 1 :]]]


def turns(lang: Lang, said: Sequence[tuple[str, str]], labelled: bool) -> Markup:
    """Return (role, text) pairs one under the other, under their roles where ``labelled``."""
    say = words(lang)
    return join(
        Markup('<div class="b-turns">{}<div class="u-text">{}</div></div>').format(
            Markup('<div class="sm qq">{}</div>').format(say(f"role.{role}")) if labelled else "",
            as_written(content.rstrip("\n"), lang),
        )
        for role, content in said
    )


def fold(caption: str, size: str, body: Markup, key: str | None, name: str) -> Markup:
    """Return something long under a line that opens it; ``key`` is the letter that does so too."""
    hint = Markup(" <kbd>{}</kbd>").format(key) if key else ""
    return Markup(
        '<details class="b-fold" data-fold="{}"><summary class="u-fold">{}{}<span class="qq end tn">{}{}</span>'
        "</summary>"
        '<div class="u-card b-pad">{}</div></details>'
    ).format(name, icon("right", small=True), caption, size, hint, body)


def answer(
    lang: Lang, review: Review, prediction: Prediction, rendered: bool = False, choice: Markup | None = None
) -> Markup:
    """Return the answer with the part marked that was read out, its verdict, and how it was read.

    ``choice`` chooses between as written and ``rendered``, where the answer is a text.
    """
    say = words(lang)
    response = prediction.response
    badge = verdict(verdict_of(review), lang)
    cut = cut_short(lang, say("cut_short")) if review.truncated else ""
    views = Markup("")
    body: Markup
    if response.error is not None:
        body = _unanswered(lang, review, response.error.code in _NOT_IN_FILE)
    elif response.scores is not None and isinstance(prediction.ask, Loglikelihood):
        body = options(lang, review, prediction.ask, response.scores)
    else:
        views = choice or views
        body = _written(lang, rendered, review, response.text or "")
    thought = Markup("")
    if response.reasoning:
        size = say("n_characters", n=count(len(response.reasoning)))
        text = Markup('<div class="u-text q">{}</div>').format(as_written(response.reasoning, lang))
        thought = fold(say("thinking"), size, text, None, "thinking")
    return Markup('<div class="row b-h"><h3>{}</h3>{}{}{}</div>{}{}{}').format(
        say("answer"), badge, cut, views, thought, body, reading(lang, review)
    )


def _views(place: Place, say: Words) -> Markup:
    chips = (
        go(
            place.to(rendered=as_rendered),
            say(name),
            class_="g-chip on" if place.rendered is as_rendered else "g-chip",
            aria_current="true" if place.rendered is as_rendered else None,
        )
        for name, as_rendered in (("as_written", False), ("rendered", True))
    )
    return Markup('<span class="g-join end">{}</span>').format(join(chips))


def _written(lang: Lang, as_rendered: bool, review: Review, written: str) -> Markup:
    if not written.strip():
        return Markup('<div class="u-card b-pad b-gap q">{}</div>').format(words(lang)("empty_answer"))
    if as_rendered:
        return Markup('<div class="u-card b-pad b-gap">{}</div>').format(rendered(written, lang))
    return Markup('<div class="u-card u-text b-pad b-gap b-answer">{}</div>').format(
        as_written(written, lang, review.span)
    )


_NOT_IN_FILE = ("no_prediction", "no_output")
"""Why a file of given answers holds none for a sample: nothing that may pass."""


def _unanswered(lang: Lang, review: Review, absent: bool) -> Markup:
    say = words(lang)
    rejected = review.status is Status.REJECTED
    what = say("rejected_means" if rejected else "missing_means" if absent else "failed_means")
    body = Markup('<b class="m">{}</b><span class="b-reason" lang="en">{}</span><span>{}</span>').format(
        say("rejected_why" if rejected else "failed_why"), review.reason or "–", what
    )
    return Markup('<div class="u-note {} b-gap" role="status">{}<div class="b-why">{}</div></div>').format(
        "warn" if rejected else "err", icon("rejected" if rejected else "failed"), body
    )


def reading(lang: Lang, review: Review) -> Markup:
    """Return what was read out, what it should have been, and how it was read."""
    say = words(lang)
    if review.extracted is None:
        read_out = Markup('<span class="qq">{}</span>').format(say("none"))
    else:
        read_out = Markup('<span class="{}">{}</span>').format("u-mark" if review.span else "", review.extracted)
    how = rule_words(lang, review.rule) if review.rule else review.reason or "–"
    if review.status in (Status.REJECTED, Status.FAILED):
        how = say("nothing_to_read")
    cells = (
        (say("col.read_out"), read_out, "b-big"),
        (say("col.target"), review.target, "b-big"),
        (say("how"), how, "md"),
    )
    return Markup('<div class="u-card b-reading">{}</div>{}').format(
        join(
            Markup('<div><div class="sm qq">{}</div><div class="{}">{}</div></div>').format(label, look, value)
            for label, value, look in cells
        ),
        Markup('<p class="sm qq b-said">{}</p>').format(say("marked")) if review.span else "",
    )


def rule_words(lang: Lang, rule: str) -> str:
    """Return how an answer was read; a benchmark of someone's own names rules that the catalogue does not have."""
    return words(lang)(f"rule.{rule}") if rule in RULES else rule.replace("_", " ")


RULES = frozenset(
    [
        "boxed",
        "announced",
        "opening",
        "last_line",
        "hinted",
        "option_text",
        "last_number",
        "likeliest_letter",
        "likeliest_text_per_byte",
        "likeliest_answer",
        "judge",
        "alone",
        "final_answer",
        "last_formula",
        "whole_answer",
        "fenced",
        "fenced_body",
        "marked",
        "marked_body",
        "bare",
        "bare_body",
    ]
)
