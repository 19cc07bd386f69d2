"""An arena's report as Markdown, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from arena.pipeline.report_records import ArenaReport, JudgeReport, Row
from arena.rating_records import Ratings
from llmuses.i18n import Lang, points, text
from llmuses.reports import escape_markdown as escape


def markdown(report: ArenaReport, lang: Lang = "en") -> str:
    """Return the report in one language. Names that models and judges bring along are escaped."""

    def say(name: str, **values: Any) -> str:
        return text(lang, f"arena_report.{name}", **values)

    blocks = [f"# {say('title', arena=escape(report.arena))}"]
    if report.dry_run:
        blocks.append(f"> **{say('dry_run')}**")
    blocks.append(_summary(report, lang))
    blocks += [f"> {escape(note)}" for note in report.notes]
    if report.planned > report.decided:
        reasons = ", ".join(f"{say(f'missing_{kind}')} {number:,}" for kind, number in report.missing.items())
        blocks.append(
            f"> **{say('incomplete', missing=report.planned - report.decided, planned=report.planned)}** {reasons}"
        )
    blocks += [f"## {say('result')}", _rows(report, lang)]
    for metric, ratings in report.ratings.items():
        blocks += [f"## {say(f'rating_{metric}')}", _rating(ratings, lang)]
        blocks += [f"- {escape(note)}" for note in ratings.notes]
    if report.pairs:
        header = [say("model_a"), say("model_b"), say("wins_a"), say("ties"), say("wins_b")]
        cells = (
            [escape(p.model_a), escape(p.model_b), str(p.wins_a), str(p.ties), str(p.wins_b)] for p in report.pairs
        )
        blocks += [f"## {say('pairs')}", _table(header, cells, left=2)]
    if report.judges:
        blocks += [f"## {say('judges')}", _judges(report.judges, lang)]
    for judge in report.judges:
        blocks += _judge(judge, lang)
    if report.agreement is not None:
        blocks.append(say("agreement", share=points(report.agreement)))
    blocks += [f"## {say('answers')}", _answers(report, lang)]
    return "\n\n".join(blocks) + "\n"


def _summary(report: ArenaReport, lang: Lang) -> str:
    languages = ", ".join(f"{name} {number:,}" for name, number in report.languages.items())
    return text(
        lang,
        f"arena_report.summary_{report.mode}",
        questions=f"{report.questions:,}",
        categories=len(report.categories),
        languages=languages,
        decided=f"{report.decided:,}",
        planned=f"{report.planned:,}",
        baseline=escape(report.baseline or ""),
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Return a table whose first ``left`` columns are words, the others figures."""
    marks = [":--" if column < left else "--:" for column in range(len(header))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, marks, *rows])


def _figure(report: ArenaReport, value: float | None) -> str:
    if report.mode == "single":
        return "–" if value is None else f"{value:.2f}"
    return points(value)


def _rows(report: ArenaReport, lang: Lang) -> str:
    single = report.mode == "single"
    names = ["model", "score" if single else "win_rate", "interval", "n"]
    names += [] if single else ["wins", "ties", "losses"]
    names += ["missing", "bounds"] if any(row.missing for row in report.rows) else []

    def cells(row: Row) -> list[str]:
        figures = [escape(row.model), _figure(report, row.value), _range(report, row.ci95), f"{row.n:,}"]
        figures += [] if single else [f"{row.wins:,}", f"{row.ties:,}", f"{row.losses:,}"]
        return figures + ([f"{row.missing:,}", _range(report, row.bounds)] if "missing" in names else [])

    return _table([text(lang, f"arena_report.{name}") for name in names], map(cells, report.rows))


def _range(report: ArenaReport, ends: tuple[float, float] | None) -> str:
    return "–" if ends is None else f"{_figure(report, ends[0])} – {_figure(report, ends[1])}"


def _rating(ratings: Ratings, lang: Lang) -> str:
    header = [text(lang, f"arena_report.{name}") for name in ("rank", "model", "rating", "interval", "n")]
    cells = []
    for model in ratings.models:
        best, worst = model.rank or (None, None)
        rank = "–" if best is None else f"{best}" if best == worst else f"{best}–{worst}"
        interval = "–" if model.ci95 is None else f"{model.ci95[0]:.1f} – {model.ci95[1]:.1f}"
        rating = "–" if model.rating is None else f"{model.rating:.1f}"
        cells.append([rank, escape(model.model), rating, interval, f"{model.battles:,}"])
    return _table(header, cells, left=2)


def _judges(judges: Sequence[JudgeReport], lang: Lang) -> str:
    names = [
        "judge",
        "calls",
        "read",
        "unparsed",
        "rejected",
        "failed",
        "asked_again",
        "prompt_tokens",
        "completion_tokens",
    ]
    priced = any(judge.cost is not None for judge in judges)
    names += ["cost"] if priced else []
    cells = []
    for judge in judges:
        figures = [judge.calls, judge.read, judge.unparsed, judge.rejected, judge.failed, judge.asked_again]
        figures += [judge.prompt_tokens, judge.completion_tokens]
        row = [escape(judge.judge), *(f"{figure:,}" for figure in figures)]
        cost = "–" if judge.cost is None else f"{judge.cost:,.2f} {judge.currency}"
        cells.append(row + ([cost] if priced else []))
    return _table([text(lang, f"arena_report.{name}") for name in names], cells)


def _judge(judge: JudgeReport, lang: Lang) -> list[str]:
    blocks = []
    bias = judge.position
    if bias is not None and bias.decisive:
        low, high = bias.ci95 or (0.0, 0.0)
        blocks.append(f"### {text(lang, 'arena_report.position', judge=escape(judge.judge))}")
        shares = {
            "share": points(bias.first_share),
            "low": points(low),
            "high": points(high),
            "decisive": f"{bias.decisive:,}",
        }
        words = text(lang, "arena_report.first_share", **shares)
        if bias.both:
            counts = ("both", "consistent", "lenient", "contradictory", "first", "second")
            numbers = {name: f"{getattr(bias, name):,}" for name in counts}
            words = f"{text(lang, 'arena_report.both_orders', **numbers)} {words}"
        blocks.append(words)
    if judge.reasons:
        blocks.append(f"### {text(lang, 'arena_report.reasons', judge=escape(judge.judge))}")
        blocks.append("\n".join(f"- {number:,} × {escape(reason)}" for reason, number in judge.reasons.items()))
    return blocks


def _answers(report: ArenaReport, lang: Lang) -> str:
    names = ["model", "answered", "truncated", "failed", "rejected", "absent", "why"]
    cells = []
    for player in report.players:
        figures = [player.answered, player.truncated, player.failed, player.rejected, player.absent]
        why = "; ".join(escape(reason) for reason in list(player.reasons)[:3])
        cells.append([escape(player.model), *(f"{figure:,}" for figure in figures), why])
    return _table([text(lang, f"arena_report.{name}") for name in names], cells)
