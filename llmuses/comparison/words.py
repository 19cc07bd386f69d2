"""What a comparison says, in words and figures of one language: written once, drawn as Markdown and in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from llmuses.comparison.result import Comparison, DatasetComparison, Pair, Part, Refusal, Side
from llmuses.i18n import Lang, points, text

COLUMNS = ("pair", "scores", "difference", "interval", "p", "corrected", "n", "outcomes", "detectable")

_COUNTS = ("unparsed", "rejected", "truncated", "failed")

_HASHES = ("rows", "prompts", "samples")
"""Parts whose values say nothing to people."""

_Labels = Mapping[str, str]


class Section(NamedTuple):
    """One dataset: a row for each pair under ``COLUMNS``, and what is to be said about them."""

    heading: str
    rows: list[list[str]]
    notes: list[str]


class Content(NamedTuple):
    """A whole comparison in one language. ``runs`` holds label and id of each; nothing is escaped."""

    title: str
    runs: list[tuple[str, str]]
    columns: list[str]
    sections: list[Section]
    foot: str


def content(found: Comparison, lang: Lang) -> Content:
    """Return what a comparison says in one language."""
    labels = {run.run_id: run.label for run in found.runs}
    return Content(
        title=text(lang, "compare.title", n=len(found.runs)),
        runs=[(run.label, run.run_id) for run in found.runs],
        columns=[text(lang, f"compare.{name}") for name in COLUMNS],
        sections=[_section(each, labels, lang) for each in found.datasets],
        foot=_foot(found, lang),
    )


def refusal_words(refusal: Refusal, labels: _Labels, lang: Lang) -> str:
    """Return in a sentence why two runs are not compared."""
    between = text(lang, "compare.separator")
    parts = between.join(_part(part, lang) for part in refusal.parts)
    names = {"first": labels[refusal.first], "second": labels[refusal.second]}
    return text(lang, f"compare.refused.{refusal.reason}", **names, parts=parts)


def _section(found: DatasetComparison, labels: _Labels, lang: Lang) -> Section:
    notes = [note for pair in found.pairs for note in _notes(pair, labels, lang)]
    notes += _count_notes(found.pairs, labels, lang)
    notes += [refusal_words(refusal, labels, lang) for refusal in found.refusals]
    if len(found.ranks) > 2:
        said = [
            text(
                lang,
                "compare.rank.one" if rank.best == rank.worst else "compare.rank.range",
                run=labels[rank.run],
                best=rank.best,
                worst=rank.worst,
            )
            for rank in found.ranks
        ]
        notes.append(text(lang, "compare.ranks", said=text(lang, "compare.separator").join(said)))
    return Section(
        heading=text(lang, "compare.heading", title=found.title, metric=found.metric, setting=found.setting),
        rows=[_row(pair, labels, lang) for pair in found.pairs],
        notes=notes,
    )


def _row(pair: Pair, labels: _Labels, lang: Lang) -> list[str]:
    first, second = pair.sides
    low, high = pair.ci95
    return [
        _pair(pair, labels, lang),
        text(lang, "compare.scores.words", first=points(first.score), second=points(second.score)),
        _signed(pair.difference),
        text(lang, "compare.interval.words", low=_signed(low), high=_signed(high)),
        _probability(pair.p_value),
        _probability(pair.p_corrected),
        f"{pair.n:,}",
        f"{pair.won:,} / {pair.lost:,} / {pair.tied:,}",
        points(pair.detectable),
    ]


def _pair(pair: Pair, labels: _Labels, lang: Lang) -> str:
    return text(lang, "compare.pair.words", first=labels[pair.first], second=labels[pair.second])


def _signed(value: float) -> str:
    said = points(value)
    return f"+{said}" if value > 0 and said != points(0.0) else said.replace("−0.0", "0.0")


def _probability(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _notes(pair: Pair, labels: _Labels, lang: Lang) -> Iterator[str]:
    name = _pair(pair, labels, lang)
    if pair.only_first or pair.only_second:
        only = {"n": f"{pair.n + pair.left_out:,}", "a": f"{pair.only_first:,}", "b": f"{pair.only_second:,}"}
        names = {"first": labels[pair.first], "second": labels[pair.second]}
        yield text(lang, "compare.note.only", pair=name, **names, **only)
    if pair.left_out:
        yield text(lang, "compare.note.left_out", pair=name, n=f"{pair.left_out:,}")


def _count_notes(pairs: Sequence[Pair], labels: _Labels, lang: Lang) -> Iterator[str]:
    """Yield what happened to the answers of each run; pair by pair where that depends on the samples in common."""
    by_run: dict[str, dict[str, list[str]]] = {}
    for pair in pairs:
        for run, side in zip((pair.first, pair.second), pair.sides, strict=True):
            by_run.setdefault(run, {}).setdefault(_counts(side, lang), []).append(_pair(pair, labels, lang))
    for run, said in by_run.items():
        for counts, names in said.items():
            if counts:
                name = (
                    labels[run] if len(said) == 1 else f"{labels[run]} ({text(lang, 'compare.separator').join(names)})"
                )
                yield text(lang, "compare.note.counts", run=name, counts=counts)


def _counts(side: Side, lang: Lang) -> str:
    numbers = ((name, getattr(side, name)) for name in _COUNTS)
    return text(lang, "compare.separator").join(
        text(lang, f"compare.count.{name}", n=f"{n:,}") for name, n in numbers if n
    )


def _part(part: Part, lang: Lang) -> str:
    name = text(lang, f"compare.part.{part.name}")
    if part.name in _HASHES:
        return name
    first, second = part.first.split(", "), part.second.split(", ")
    nothing = text(lang, "compare.part.none")
    return text(
        lang,
        "compare.part",
        name=name,
        first=", ".join(word for word in first if word not in second) or nothing,
        second=", ".join(word for word in second if word not in first) or nothing,
    )


def _foot(found: Comparison, lang: Lang) -> str:
    methods = {pair.method for dataset in found.datasets for pair in dataset.pairs}
    if not methods:
        return ""
    said = ["difference", methods.pop() if len(methods) == 1 else "both"]
    said += ["corrected"] if found.comparisons > 1 else []
    said += ["detectable"]
    sentences = (text(lang, f"compare.foot.{name}", n=found.comparisons) for name in said)
    return text(lang, "compare.between").join(sentences)
