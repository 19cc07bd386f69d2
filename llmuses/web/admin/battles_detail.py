"""The battles of a job: the ranking as it stands, and the battles that came in last."""

from __future__ import annotations

from arena.pipeline.report_records import ArenaReport
from arena.rating_records import ModelRating
from leaderboard.arenas import Source, rule_of
from leaderboard.board_words import Words
from llmuses.errors import LlmusesError
from llmuses.i18n import points
from llmuses.markup import Markup, attrs, count, join
from llmuses.records import Battle
from llmuses.web.admin.battle_job import BattleJob, newest
from llmuses.web.admin.room import Room

_NEWEST = 8
_REASONS = 3


def battles_table(room: Room, job: BattleJob, ended: bool, say: Words) -> Markup:
    """Return the ranking and the newest battles; before there are any, what is awaited, or why none will come."""
    if job.report is not None and job.undecided:
        return _nothing(job.report, say)
    if job.source is None or not job.battles:
        return Markup('<p class="md q">{}</p>').format(say("battles.ended" if ended else "battles.none"))
    return _ranking(room, job.source, say) + _newest(job.source, say)


def _nothing(report: ArenaReport, say: Words) -> Markup:
    """Return why no battle was decided, with what the judges and the models said instead."""
    why = Words(say.lang, "arena_report")
    kinds = ", ".join(f"{why(f'missing_{kind}')} {count(number)}" for kind, number in report.missing.items())
    said = [(judge.judge, judge.reasons) for judge in report.judges]
    said += [(player.model, player.reasons) for player in report.players]
    lines = join(
        Markup("<li>{}: {} × {}</li>").format(who, count(number), reason)
        for who, reasons in said
        for reason, number in list(reasons.items())[:_REASONS]
    )
    return Markup('<p class="u-note err">{}</p><ul class="sm q">{}</ul>').format(
        say("battles.undecided", n=count(report.planned), why=kinds), lines
    )


def _ranking(room: Room, source: Source, say: Words) -> Markup:
    facts = room.arenas.facts(source)
    try:
        ratings = room.arenas.ratings(source, rule_of(facts, "judge"))
    except LlmusesError as problem:
        return Markup('<p class="u-note">{}</p>').format(problem)
    heads = join(
        Markup('<th scope="col"{}>{}</th>').format(
            attrs(class_=None if name == "model" else "n"), say(f"battles.{name}")
        )
        for name in ("rank", "model", "rating", "interval", "won", "fought")
    )
    return Markup('<table class="u-tbl u-ranking"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>').format(
        heads, join(map(_ranked, ratings.models))
    )


def _ranked(line: ModelRating) -> Markup:
    low, high = line.rank or (None, None)
    rank = "–" if low is None else str(low) if low == high else f"{low}–{high}"
    half = "–" if line.ci95 is None else f"±{(line.ci95[1] - line.ci95[0]) / 2:.0f}"
    return Markup(
        '<tr><td class="n">{}</td><th scope="row" class="name">{}</th><td class="n m">{}</td><td class="n q">{}</td>'
        '<td class="n">{}</td><td class="n q">{}</td></tr>'
    ).format(
        rank,
        line.model,
        "–" if line.rating is None else f"{line.rating:.0f}",
        half,
        points(line.won),
        count(line.battles),
    )


def _newest(source: Source, say: Words) -> Markup:
    rows = join(_battle(battle, say) for battle in newest(source, _NEWEST))
    heads = join(
        Markup('<th scope="col">{}</th>').format(say(f"battles.{name}"))
        for name in ("question", "one", "two", "winner")
    )
    return Markup('<table class="u-tbl u-newest"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>').format(
        heads, rows
    )


def _battle(battle: Battle, say: Words) -> Markup:
    won = {"model_a": battle.model_a, "model_b": battle.model_b}.get(battle.winner)
    return Markup('<tr><td class="q" title="{}">{}</td><td>{}</td><td>{}</td><td class="m">{}</td></tr>').format(
        battle.question or "",
        battle.question or battle.question_id,
        battle.model_a,
        battle.model_b,
        won or say("battles.tie"),
    )
