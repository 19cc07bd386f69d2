"""The options of a question that was asked by log-probability."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from leaderboard.browse_parts import Words, words
from llmuses.i18n import Lang
from llmuses.markup import Markup, attrs, icon, join
from llmuses.records import Loglikelihood, Review, Score

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Option(NamedTuple):
    """One option: its text, its letter where the text is not one itself, and what the model made of it.

    ``logprob`` is None where the server did not name it; ``share`` is of the options' whole probability.
    """

    letter: str
    text: str
    logprob: float | None
    share: float | None
    chosen: bool
    target: bool


def options(lang: Lang, review: Review, ask: Loglikelihood, scores: Sequence[Score]) -> Markup:
    """Return the options as a table: their log-probabilities, their shares, which was chosen and which is right."""
    say = words(lang)
    per_byte = review.rule == "likeliest_text_per_byte"
    found = _options(review, ask, scores)
    heads = ["option", "logprob", *(["per_byte"] if per_byte else []), "share"]
    return Markup(
        '<div class="u-card b-card b-gap"><table class="u-tbl b-options{}"><thead><tr>{}'
        '<th class="b-bar"><span class="sr">{}</span></th></tr></thead><tbody>{}</tbody></table></div>'
    ).format(
        " b-texts" if any(option.letter for option in found) else "",
        join(
            Markup('<th scope="col" class="{}">{}</th>').format(
                "b-option" if name == "option" else "n", say(f"col.{name}")
            )
            for name in heads
        ),
        say("col.share"),
        join(_row(say, option, per_byte) for option in found),
    )


def _options(review: Review, ask: Loglikelihood, scores: Sequence[Score]) -> list[Option]:
    texts = [continuation.strip() for continuation in ask.continuations]
    lettered = len(texts) <= len(_LETTERS) and any(len(text) > 1 for text in texts)
    logprobs = [score.logprob for score in scores]
    shares = normalised(logprobs)
    chosen, target = option_index(review.extracted, texts), option_index(review.target, texts)
    return [
        Option(
            _LETTERS[place] if lettered else "", text, logprobs[place], shares[place], place == chosen, place == target
        )
        for place, text in enumerate(texts[: len(logprobs)])
    ]


def _row(say: Words, option: Option, per_byte: bool) -> Markup:
    marks = [Markup('<span class="u-tag acc">{}</span>').format(say("chosen"))] if option.chosen else []
    if option.target:
        target = Markup('<span class="u-tag b-target">{}{}</span>').format(
            icon("correct", small=True), say("col.target")
        )
        marks.append(target)
    figures = [("logprob", _signed(option.logprob, 3))]
    if per_byte:
        length = max(1, len(option.text.encode()))
        figures.append(("per_byte", _signed(None if option.logprob is None else option.logprob / length, 4)))
    figures.append(("share", "–" if option.share is None else f"{100 * option.share:.1f}"))
    return Markup(
        '<tr{}><td class="b-option"><span class="b-lettered">{}<span class="b-text">{}</span></span></td>{}'
        '<td class="b-bar"><i style="--p:{:.1f}"></i></td></tr>'
    ).format(
        attrs(class_="on" if option.chosen else None, title=say("not_named") if option.logprob is None else None),
        Markup('<span class="qq">{}</span>').format(option.letter) if option.letter else "",
        join([option.text, *marks], Markup(" ")),
        join(
            Markup('<td class="n" data-label="{}">{}</td>').format(say(f"col.{name}"), figure)
            for name, figure in figures
        ),
        100 * (option.share or 0.0),
    )


def _signed(value: float | None, digits: int) -> str:
    """Return a number in a column's width: from 100 on, one decimal tells enough."""
    if value is None:
        return "–"
    return f"{value:.{1 if abs(value) >= 100 else digits}f}".replace("-", "−")


def normalised(logprobs: Sequence[float | None]) -> list[float | None]:
    """Return each option's share of the probability that all known options have together (a softmax)."""
    known = [value for value in logprobs if value is not None and math.isfinite(value)]
    if not known:
        return [None] * len(logprobs)
    top = max(known)
    whole = sum(math.exp(value - top) for value in known)
    return [None if value is None or not math.isfinite(value) else math.exp(value - top) / whole for value in logprobs]


def option_index(label: str | None, texts: Sequence[str]) -> int | None:
    """Return which option a label means: its own text, or a letter that counts the options."""
    if label is None:
        return None
    if label in texts:
        return texts.index(label)
    index = _LETTERS.find(label) if len(label) == 1 else -1
    return index if 0 <= index < len(texts) else None
