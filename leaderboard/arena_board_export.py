"""The arena board as something to take away: one line a model, with all that it takes to check it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from leaderboard.arena_board import Board, Row
from leaderboard.arena_board_table import margin_words, rank_words, rating_words
from leaderboard.sheets import Sheet
from llmuses.markup import count

if TYPE_CHECKING:
    from arena.rating_records import Rule

FIELDS = (
    "arena", "votes_by", "judge", "category", "language", "style_control", "model", "rating", "ci_low", "ci_high", "rank_best",
    "rank_worst", "battles", "won", "reason", "organisation", "licence", "size", "state",
)  # fmt: skip


def sheet(board: Board, arena: str, rule: Rule) -> Sheet:
    """Return the board as a sheet; ``rule`` is the one that its ratings were computed by."""
    choice = board.choice
    same: Mapping[str, Any] = {
        "arena": arena,
        "votes_by": choice.votes,
        "judge": rule.judge if choice.votes != "people" else None,
        "category": choice.category or None,
        "language": choice.language or None,
        "style_control": choice.style,
    }
    return Sheet(
        caption=caption(board, arena),
        fields=FIELDS,
        records=[{**same, **_record(row)} for row in board.rows],
        head={**same, "battles": board.votes, "rule": msgspec.to_builtins(rule)},
        headers=("Rank range", "Model", "Rating", "±", "Votes", "Organisation", "Licence"),
        cells=[_cells(row) for row in board.rows],
        names=frozenset({1, 5, 6}),
    )


def caption(board: Board, arena: str) -> str:
    """Return what the board is of, in a sentence."""
    choice = board.choice
    kinds = {"people": "people's votes", "judge": f"verdicts of {choice.judge}", "both": f"people and {choice.judge}"}
    parts = [f"Arena {arena}", f"{count(board.votes)} battles", kinds[choice.votes]]
    parts += [choice.category] if choice.category else []
    parts += [f"language {choice.language}"] if choice.language else []
    parts += ["style control"] if choice.style else []
    return ", ".join(parts) + "; ± is the 95% interval, ranks hold all at once with 95% confidence."


def _record(row: Row) -> dict[str, Any]:
    low, high = row.ci95 or (None, None)
    best, worst = row.rank or (None, None)
    return {
        "model": row.model,
        "rating": row.rating,
        "ci_low": low,
        "ci_high": high,
        "rank_best": best,
        "rank_worst": worst,
        "battles": row.votes,
        "won": row.won,
        "reason": row.why or None,
        "organisation": row.known.organisation,
        "licence": row.known.licence,
        "size": row.known.size,
        "state": row.state or None,
    }


def _cells(row: Row) -> list[str]:
    known = row.known
    return [
        rank_words(row),
        row.model,
        rating_words(row.rating),
        margin_words(row),
        count(row.votes),
        known.organisation or "–",
        known.licence or "–",
    ]
