"""From what was answered and judged to ``report.json`` and ``report.md``."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from arena.pipeline.answers import Played
from arena.pipeline.battles import Decided, Scored, Undecided
from arena.pipeline.config import Orders
from arena.pipeline.judging import Bench, Call, Fate, Slot, Spent, Verdict
from arena.pipeline.markdown import markdown
from arena.pipeline.report_records import ArenaReport, JudgeReport, PlayerReport, PositionBias
from arena.pipeline.tally import agreement, counted, mean_scores, pairs_of, position_bias, win_rates
from arena.rating_records import Ratings
from llmuses import __version__
from llmuses.errors import StoreError
from llmuses.i18n import Lang, terminal_language
from llmuses.judge.templates import JudgeMode
from llmuses.judge.verdicts import PairVerdict
from llmuses.records import Battle
from llmuses.store import write_json

if TYPE_CHECKING:
    from arena.pipeline.run import Plan, Reviewed


def make_report(
    plan: Plan,
    played: Mapping[str, Played],
    review: Reviewed | None,
    ratings: dict[str, Ratings],
    notes: Sequence[str],
    battles: Sequence[Battle] = (),
) -> ArenaReport:
    """Return the report of what was judged now, or (``review`` None) of battles that were judged before."""
    found = [one for own in review.outcomes for one in own] if review else []
    battles = [one.battle for one in found if isinstance(one, Decided)] if review else battles
    scores = [(one.slot.one, one.slot.question.question_id, one.rating) for one in found if isinstance(one, Scored)]
    undecided = [one for one in found if isinstance(one, Undecided)]
    judges = len(plan.panel) or 1
    unanswered = list(review.matches.unanswered) * judges if review else []
    missing = [one.slot for one in undecided] + unanswered
    baseline = plan.cast.baseline.name if plan.cast.baseline else None
    names = sorted({player.name for player in plan.cast.judged} | ({baseline} if baseline else set()))
    if plan.mode is JudgeMode.SINGLE:
        rows = mean_scores(scores, names, missing)
    else:
        names = sorted({*names, *(name for battle in battles for name in (battle.model_a, battle.model_b))})
        rows = win_rates(battles, names, missing, baseline)
    return ArenaReport(
        arena=plan.name,
        mode=plan.mode.value,
        dry_run=plan.dry_run,
        questions=len(plan.questions),
        categories=counted((question.category for question in plan.questions), most=1000),
        languages=counted((question.language for question in plan.questions), most=1000),
        players=[_player(name, one) for name, one in played.items()],
        baseline=baseline,
        budget=plan.config.budget,
        planned=len(found) + len(unanswered) if review else len(battles),
        decided=len(battles) + len(scores),
        missing=_missing(undecided, unanswered),
        judges=[_judge(*own) for own in _benches(review)] if review else [],
        rows=rows,
        pairs=pairs_of(battles),
        agreement=agreement(battles) if judges > 1 else None,
        ratings=ratings,
        notes=list(notes),
        version=__version__,
        tstamp=time.time(),
    )


def _missing(undecided: Sequence[Undecided], unanswered: Sequence[Slot]) -> dict[str, int]:
    found = counted(one.fate.value for one in undecided)
    return found | ({"answer": len(unanswered)} if unanswered else {})


def _player(name: str, played: Played) -> PlayerReport:
    kinds = counted(missing.kind for missing in played.missing.values())
    return PlayerReport(
        model=name,
        answered=len(played.answers),
        failed=kinds.get("failed", 0),
        rejected=kinds.get("rejected", 0),
        absent=kinds.get("absent", 0),
        truncated=sum(1 for answer in played.answers.values() if answer.finish == "length"),
        reasons=counted(missing.reason for missing in played.missing.values()),
    )


def _benches(review: Reviewed) -> list[tuple[Bench, str, Mapping[Call, Verdict], Spent]]:
    return list(zip(review.benches, review.models, review.verdicts, review.spent, strict=True))


def _judge(bench: Bench, model: str, verdicts: Mapping[Call, Verdict], spent: Spent) -> JudgeReport:
    fates = counted(verdict.fate.value for verdict in verdicts.values())
    unread = (verdict for verdict in verdicts.values() if verdict.fate is not Fate.READ)
    price = bench.judge.price
    cost = None
    if price is not None:
        cost = (spent.prompt_tokens * price.prompt + spent.completion_tokens * price.completion) / 1e6
    return JudgeReport(
        judge=bench.judge.name,
        model=model,
        calls=len(verdicts),
        read=fates.get(Fate.READ, 0),
        unparsed=fates.get(Fate.UNPARSED, 0),
        rejected=fates.get(Fate.REJECTED, 0),
        failed=fates.get(Fate.FAILED, 0),
        asked_again=spent.again,
        reasons=counted(f"{verdict.fate}: {verdict.reason}" for verdict in unread),
        position=_position(bench, verdicts),
        prompt_tokens=spent.prompt_tokens,
        completion_tokens=spent.completion_tokens,
        cost=cost,
        currency=price.currency if price else None,
    )


def _position(bench: Bench, verdicts: Mapping[Call, Verdict]) -> PositionBias | None:
    """Return how much a judge's verdicts hang on the order, None where it scored single answers or saw one fixed order."""
    if bench.judge.orders is None or all(slot.two is None for slot in bench.slots):
        return None
    said = {call: v.reading if isinstance(v.reading, PairVerdict) else None for call, v in verdicts.items()}
    both = bench.judge.orders is Orders.SWAP
    pairs = [
        (said.get(Call(n, False)), said.get(Call(n, True)))
        if both
        else (said.get(Call(n, False)) or said.get(Call(n, True)), None)
        for n in range(len(bench.slots))
    ]
    return position_bias(pairs)


def write_report(folder: Path, report: ArenaReport, lang: Lang | None = None) -> None:
    """Write ``report.json``, and ``report.md`` in the language of the terminal. Raises StoreError."""
    write_json(folder / "report.json", report)
    path = folder / "report.md"
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(markdown(report, lang or terminal_language()), "utf-8")
        os.replace(fresh, path)
    except OSError as problem:
        raise StoreError(f"cannot write {path}: {problem.strerror or problem}") from problem
