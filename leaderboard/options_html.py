"""The options of a question that was asked by log-probability."""

from __future__ import annotations

import math
from collections.abc import Sequence

from leaderboard.browse_parts import Words, words
from llmuses.i18n import Lang
from llmuses.markup import Markup, attrs, icon, join
from llmuses.records import Loglikelihood, Review, Score

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def options(lang: Lang, review: Review, ask: Loglikelihood, scores: Sequence[Score]) -> Markup:
    """Return the options as a table: their log-probabilities, their shares, which was chosen and which is right."""
    say = words(lang)
    texts = [continuation.strip() for continuation in ask.continuations]
    per_byte = review.rule == "likeliest_text_per_byte"
    shares = normalised([score.logprob for score in scores])
    chosen, target = option_index(review.extracted, texts), option_index(review.target, texts)
    heads = ["option", "logprob", *(["per_byte"] if per_byte else []), "share"]
    rows = (
        _option(say, text, score, share, index == chosen, index == target, per_byte)
        for index, (text, score, share) in enumerate(zip(texts, scores, shares, strict=False))
    )
    return Markup(
        '<div class="u-card b-card b-gap"><div class="u-wide"><table class="u-tbl b-options"><thead><tr>{}<th class="b-bar"><span class="sr">{}</span></th></tr></thead>'
        "<tbody>{}</tbody></table></div></div>"
    ).format(
        join(
            Markup('<th scope="col" class="{}">{}</th>').format(
                "b-option" if name == "option" else "n", say(f"col.{name}")
            )
            for name in heads
        ),
        say("col.share"),
        join(rows),
    )


def _option(
    say: Words, text: str, score: Score, share: float | None, chosen: bool, target: bool, per_byte: bool
) -> Markup:
    marks = [Markup('<span class="u-tag acc">{}</span>').format(say("chosen"))] if chosen else []
    if target:
        marks.append(
            Markup('<span class="u-tag b-target">{}{}</span>').format(icon("correct", small=True), say("col.target"))
        )
    known = score.logprob is not None
    figures = [f"{score.logprob:.3f}".replace("-", "−") if known else "–"]
    if per_byte:
        figures.append(
            f"{score.logprob / max(1, len(text.encode())):.4f}".replace("-", "−") if score.logprob is not None else "–"
        )
    figures.append("–" if share is None else f"{100 * share:.1f}")
    return Markup(
        '<tr{}><td class="b-option"><span class="row"><span class="b-text">{}</span>{}</span></td>{}{}</tr>'
    ).format(
        attrs(class_="on" if chosen else None, title=None if known else say("not_named")),
        text,
        join(marks),
        join(Markup('<td class="n">{}</td>').format(figure) for figure in figures),
        Markup('<td class="b-bar"><i style="--p:{:.1f}"></i></td>').format(100 * (share or 0)),
    )


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
