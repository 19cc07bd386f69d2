"""The column beside a sample: facts of the answer, repeats, other models on the same question, raw records."""

from __future__ import annotations

import msgspec

from leaderboard.answer_html import fold
from leaderboard.browse_parts import Words, duration, facts, go, public, setting_words, short, when, words
from leaderboard.browse_query import Place
from leaderboard.results import RunEntry
from leaderboard.shown import Other, Shown
from llmuses.i18n import Lang
from llmuses.markup import Markup, count, glyph, join, link, verdict_of
from llmuses.records import Generate, GenerationConfig, Prediction, Review


def details(lang: Lang, place: Place, entry: RunEntry, shown: Shown) -> Markup:
    """Return the column at the right: facts, repeats, other models, raw records, keys."""
    say = words(lang)
    return Markup(
        '<aside class="b-details" aria-label="{}"><h3>{}</h3>{}{}{}{}<p class="sm qq b-keys">'
        "<kbd>J</kbd> <kbd>K</kbd> {} &nbsp; <kbd>F</kbd> {}{}</p></aside>"
    ).format(
        say("details"),
        say("this_answer"),
        _facts(lang, entry, shown),
        _repeats(lang, place, shown),
        _others(lang, place, entry, shown),
        _raw(lang, place, entry, shown),
        say("keys.turn"),
        say("keys.fold"),
        Markup('</p><p class="sm qq b-keys">{} {}').format(
            go(
                place.to(jump=True, page=0),
                Markup("<kbd>D</kbd>"),
                class_="b-jump",
                data_key="d",
                title=say("keys.disagree"),
            ),
            say("keys.disagree"),
        )
        if shown.others
        else "",
    )


def _facts(lang: Lang, entry: RunEntry, shown: Shown) -> Markup:
    say = words(lang)
    review, prediction = shown.review, shown.prediction
    response = prediction.response if prediction else None
    pairs: list[tuple[str, object]] = [
        (say("fact.finished"), _finished(say, review)),
        (say("fact.tokens"), _tokens(say, review, prediction)),
        (say("fact.latency"), _latency(say, review, prediction)),
        (say("fact.repeat"), say("repeat_of", n=review.repeat + 1, total=entry.run.repeats, seed=entry.run.seed)),
    ]
    if prediction and response:
        attempts = say("attempts", n=response.attempts) if response.attempts != 1 else say("one_attempt")
        moment = Markup("{}{}{}").format(when(prediction.tstamp, lang, seconds=True), say("comma"), attempts)
        pairs.append((say("fact.sent"), moment if prediction.tstamp else attempts))
        plan = entry.plan(prediction.dataset)
        if plan and plan.answers:
            pairs.append((say("fact.setting"), say("given", format=plan.answers)))
        elif isinstance(prediction.ask, Generate):
            pairs.append((say("fact.setting"), _setting(say, prediction.ask.config)))
        if response.served_model and response.served_model != entry.run.model:
            pairs.append((say("fact.served"), response.served_model))
    if len(review.scores) > 1 or any(value not in (0.0, 1.0) for value in review.scores.values()):
        pairs += [(metric, f"{value:g}") for metric, value in review.scores.items()]
    return facts(pairs)


def _finished(say: Words, review: Review) -> str:
    reason = review.finish_reason
    if reason is None:
        return ""
    return say(f"finish.{reason}") if reason in ("stop", "length", "content_filter") else reason


def _tokens(say: Words, review: Review, prediction: Prediction | None) -> str:
    usage = prediction.response.usage if prediction else None
    parts = [
        say(name, n=count(number))
        for name, number in (
            ("tokens_in", review.prompt_tokens),
            ("tokens_out", review.tokens),
            ("tokens_thinking", usage.reasoning_tokens if usage else None),
        )
        if number is not None
    ]
    return say("comma").join(parts)


def _latency(say: Words, review: Review, prediction: Prediction | None) -> str:
    if review.latency is None:
        return ""
    first = prediction.response.first_token if prediction else None
    return duration(review.latency) + (
        say("comma") + say("first_token", t=duration(first)) if first is not None else ""
    )


def _setting(say: Words, config: GenerationConfig) -> str:
    parts = [say("temperature", t=f"{config.temperature:g}"), say("up_to", n=count(config.max_tokens))]
    parts += [
        f"{name} {value:g}"
        for name, value in (
            ("top-p", config.top_p),
            ("top-k", config.top_k),
            ("repetition penalty", config.repetition_penalty),
        )
        if value is not None
    ]
    if config.seed is not None:
        parts.append(say("seed", seed=config.seed))
    if config.stop:
        parts.append(say("stops_at", stop=" ".join(repr(stop) for stop in config.stop)))
    return say("comma").join(parts)


def _repeats(lang: Lang, place: Place, shown: Shown) -> Markup:
    if len(shown.repeats) < 2:
        return Markup("")
    links = (
        go(
            place.to(repeat=review.repeat, page=0),
            Markup("{}{}").format(glyph(verdict_of(review), lang), review.repeat + 1),
            class_="g-chip on" if review.repeat == shown.review.repeat else "g-chip",
            aria_current="true" if review.repeat == shown.review.repeat else None,
        )
        for review in shown.repeats
    )
    return Markup('<div class="row wrap b-repeats" role="group" aria-label="{}">{}</div>').format(
        words(lang)("fact.repeat"), join(links)
    )


_FEW = 8


def _others(lang: Lang, place: Place, entry: RunEntry, shown: Shown) -> Markup:
    say = words(lang)
    if not shown.others:
        return Markup("")
    right = sum(verdict_of(other.review) == "correct" for other in shown.others)
    items = [_other(lang, place, other, _setting_of(entry, place)) for other in shown.others]
    rest = Markup("")
    if len(items) > _FEW:
        rest = Markup(
            '<details class="b-more"><summary class="sm">{}</summary><ul class="u-list">{}</ul></details>'
        ).format(say("all_others", n=len(items) - _FEW), join(items[_FEW:]))
    return Markup(
        '<div class="row b-h"><h3>{}</h3><span class="sm qq end tn">{}</span></div><ul class="u-list b-others">{}</ul>'
        "{}"
    ).format(say("others"), say("of_right", right=right, total=len(items)), join(items[:_FEW]), rest)


def _setting_of(entry: RunEntry, place: Place) -> str:
    report = entry.reports.get(place.dataset or "")
    return report.setting if report else ""


def _other(lang: Lang, place: Place, other: Other, usual: str) -> Markup:
    entry, review = other.entry, other.review
    setting = _setting_of(entry, place)
    shown = public(entry, place.dataset or "")
    read_out = review.extracted if shown and review.extracted is not None else Markup("")
    if shown and review.extracted is None:
        read_out = Markup('<span class="qq">{}</span>').format(words(lang)("none"))
    href = Place(run=entry.run_id, dataset=place.dataset, sample=review.sample_id, repeat=review.repeat).to()
    name = Markup('{} <span class="qq sm">{}</span>').format(
        entry.run.model, setting_words(setting, lang) if setting != usual else ""
    )
    beside = link("browse", run=place.run, dataset=place.dataset, sample=review.sample_id, **{"with": entry.run_id})
    return Markup('<li>{}{}<span class="tn cut">{}</span>{}</li>').format(
        glyph(verdict_of(review), lang),
        go(href, name, class_="cut", title=f"{entry.run.model}, {short(entry)}, {setting}"),
        read_out,
        go(
            beside,
            "⇄",
            title=words(lang)("beside", model=entry.run.model),
            aria_label=words(lang)("beside", model=entry.run.model),
        ),
    )


def _raw(lang: Lang, place: Place, entry: RunEntry, shown: Shown) -> Markup:
    say = words(lang)
    if not public(entry, place.dataset or ""):
        return Markup("")
    review = shown.review
    links = (
        Markup('<a href="{}" target="_blank">{}</a>').format(
            link(
                f"export/{kind}.json",
                run=place.run,
                dataset=place.dataset,
                sample=review.sample_id,
                repeat=review.repeat,
            ),
            say(f"raw.{kind}"),
        )
        for kind in ("prediction", "review")
        if kind == "review" or shown.prediction is not None
    )
    verdict_of_code = Markup("")
    if review.verdict:
        told = msgspec.json.format(msgspec.json.encode(review.verdict), indent=2).decode()
        verdict_of_code = fold(
            say("code_verdict"), "", Markup('<pre class="u-code">{}</pre>').format(told), None, "code"
        )
    return Markup('{}<h3>{}</h3><p class="sm row b-raw">{}</p>').format(verdict_of_code, say("raw_record"), join(links))
