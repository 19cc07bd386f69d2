"""Judges' verdicts: MT-bench, AlpacaEval, Arena-Hard, and the reviews of older llmuses."""

from __future__ import annotations

import math
from typing import Any

from arena.formats.base import Format, NoBattle, Row, has, identifier, models, text_id, winner, word
from llmuses.judge.orders import combine
from llmuses.judge.verdicts import PairVerdict
from llmuses.records import Battle, Winner

_UNNAMED = "auto-reviewer"
"""The judge of reviews that do not say who judged."""


def _in_both_orders(battle: Battle, first: PairVerdict, swapped: PairVerdict) -> Battle:
    """Decide a battle as our own judge's verdicts decide one: both orders say the same, or it is a tie."""
    found = combine(first, swapped)
    assert found.winner is not None
    battle.winner = found.winner
    battle.verdicts = [first.winner, swapped.turned().winner]
    return battle


# --- MT-bench ----------------------------------------------------------------------------------------------

_MT_BENCH = {"model_1": Winner.MODEL_A, "model_2": Winner.MODEL_B, "tie": Winner.TIE}


def _mt_bench(row: Row, _: str | None) -> Battle:
    """Read a pair of MT-bench: ``g1_winner`` and ``g2_winner``, the second order's already in terms of the models."""
    one, two = models(row, "model_1", "model_2")
    said = [_MT_BENCH.get(str(row.get(key))) for key in ("g1_winner", "g2_winner")]
    if said[0] is None or said[1] is None:
        raise NoBattle("a verdict could not be read there")
    judge = row.get("judge")
    turn = int(row.get("turn") or 1)
    battle = Battle(
        battle_id=identifier(row, "question_id", "model_1", "model_2", "judge", "turn"),
        question_id=str(row["question_id"]) if turn == 1 else f"{row['question_id']}/turn{turn}",
        model_a=one,
        model_b=two,
        winner=Winner.TIE,
        judge=str(judge[0] if isinstance(judge, list) and judge else judge or _UNNAMED),
        tstamp=float(row.get("tstamp") or 0.0),
    )
    return _in_both_orders(battle, PairVerdict(said[0], 1.0), PairVerdict(said[1], 1.0).turned())


# --- AlpacaEval --------------------------------------------------------------------------------------------


def _alpaca_eval(row: Row, _: str | None) -> Battle:
    """Read an annotation of AlpacaEval: ``preference`` is 1 for the first output, 2 for the second, or between them."""
    one, two = models(row, "generator_1", "generator_2")
    said: Any = row["preference"]
    if not isinstance(said, int | float) or not math.isfinite(said):
        raise NoBattle("no preference")
    if said and not 1 <= said <= 2:
        raise NoBattle(f"preference {said:g} is neither from 1 to 2 nor 0")
    preference = said or 1.5  # 0 was a tie in early annotations
    question = word(row, "instruction")
    battle = Battle(
        battle_id=identifier(row),
        question_id=text_id(question) if question else (word(row, "question_id", "i") or ""),
        model_a=one,
        model_b=two,
        winner=Winner.TIE if preference == 1.5 else Winner.MODEL_A if preference < 1.5 else Winner.MODEL_B,
        judge=word(row, "annotator") or _UNNAMED,
        category=word(row, "dataset"),
        question=question,
        output_a=word(row, "output_1"),
        output_b=word(row, "output_2"),
        scores={"model_a": 2 - preference, "model_b": preference - 1},
    )
    return battle


# --- Arena-Hard --------------------------------------------------------------------------------------------

_ARENA_HARD = {
    "A>>B": (Winner.MODEL_A, 1.0), "A>B": (Winner.MODEL_A, 0.5), "A=B": (Winner.TIE, 0.0), "B=A": (Winner.TIE, 0.0),
    "B>A": (Winner.MODEL_B, 0.5), "B>>A": (Winner.MODEL_B, 1.0),
}  # fmt: skip


def _arena_hard(row: Row, baseline: str | None) -> Battle:
    """Read a judgment of Arena-Hard: two games, the baseline first and then second; version 0.1 does not name it."""
    games: Any = row["games"]
    one = word(row, "baseline") or baseline
    if one is None:
        raise NoBattle("the baseline is not named: --baseline NAME (gpt-4-0314 in Arena-Hard 0.1)")
    one, two = models({"a": one, "b": row.get("model")}, "a", "b")
    said = [_ARENA_HARD.get(str((game or {}).get("score"))) for game in games[:2]]
    if len(said) != 2 or said[0] is None or said[1] is None:
        raise NoBattle("a verdict could not be read there")
    battle = Battle(
        battle_id=identifier(row, "question_id", "uid", "model", "baseline", "judge"),
        question_id=word(row, "question_id", "uid") or "",
        model_a=one,
        model_b=two,
        winner=Winner.TIE,
        judge=word(row, "judge") or _UNNAMED,
        category=word(row, "category"),
        tstamp=float(row.get("tstamp") or 0.0),
    )
    return _in_both_orders(battle, PairVerdict(*said[0]), PairVerdict(*said[1]))


# --- Older llmuses -----------------------------------------------------------------------------------------


def _reviewed(row: Row, _: str | None) -> Battle:
    """Read a review of older llmuses, such as those of qa_browser: ``win``, or ``win_1`` and ``win_2`` in both orders."""
    one, two = models(row, "model_a", "model_b")
    battle = Battle(
        battle_id=identifier(row),
        question_id=word(row, "question_id") or "",
        model_a=one,
        model_b=two,
        winner=Winner.TIE if "win_1" in row else winner(row["win"]),
        judge=word(row, "judge", "reviewer") or _UNNAMED,
        category=word(row, "category"),
        language=word(row, "language"),
        question=word(row, "question"),
        output_a=word(row, "output_a"),
        output_b=word(row, "output_b"),
        anony=bool(row.get("anony", True)),
        tstamp=float(row.get("tstamp") or 0.0),
    )
    scores: Any = row.get("scores")
    if isinstance(scores, list) and len(scores) == 2 and all(isinstance(score, int | float) for score in scores):
        battle.scores = {"model_a": float(scores[0]), "model_b": float(scores[1])}
    if "win_1" in row:
        first, second = winner(row["win_1"]), winner(row["win_2"])
        return _in_both_orders(battle, PairVerdict(first, 1.0), PairVerdict(second, 1.0).turned())
    return battle


def _alone(row: Row, _: str | None) -> Battle:
    raise NoBattle("a score of one answer is no battle")


MT_BENCH = Format("mt_bench", "MT-bench's judgments of pairs", has("model_1", "model_2", "g1_winner"), _mt_bench)
ALPACA_EVAL = Format(
    "alpaca_eval", "AlpacaEval's annotations", has("generator_1", "generator_2", "preference"), _alpaca_eval
)
ARENA_HARD = Format("arena_hard", "Arena-Hard's judgments", has("model", "games"), _arena_hard)
REVIEWS = Format(
    "qa_browser",
    "the reviews of older llmuses, as registry/data/qa_browser has them",
    lambda row: has("model_a", "model_b")(row) and ("win" in row or "win_1" in row),
    _reviewed,
)
SCORES = Format("scores", "scores of single answers, which are no battles", has("model", "score"), _alone)
