"""People's votes: FastChat's log as its server writes it, its cleaned log, and what LMArena publishes."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from arena.formats.base import Format, NoBattle, Row, has, identifier, models, text_id, winner, with_conversations, word
from llmuses.records import HUMAN, Battle, Winner

_VOTES = {
    "leftvote": Winner.MODEL_A,
    "rightvote": Winner.MODEL_B,
    "tievote": Winner.TIE,
    "bothbad_vote": Winner.BOTH_BAD,
}


def _served(row: Row, _: str | None) -> Battle:
    """Read a line of FastChat's server: ``type``, ``models`` (empty while the vote was blind), ``states``, ``ip``."""
    if row["type"] not in _VOTES:
        raise NoBattle("no vote of two models")
    states: Any = row["states"]
    shown = [str(name) for name in row["models"]]
    hidden = [str(state.get("model_name") or "") for state in states]
    named = {"a": hidden[0] or shown[0], "b": hidden[1] or shown[1]}
    one, two = models(named, "a", "b")
    battle = Battle(
        battle_id=identifier(row, "tstamp", "type", "ip", "models"),
        question_id="",
        model_a=one,
        model_b=two,
        winner=_VOTES[row["type"]],
        voter=_pseudonym(row.get("ip")),
        anony=not any(shown),
        tstamp=float(row.get("tstamp") or 0.0),
    )
    one_side, two_side = (state.get("messages", [])[state.get("offset", 0) :] for state in states)
    return _with_question(with_conversations(battle, one_side, two_side), row)


def _own(row: Row, _: str | None) -> Battle:
    """Read a battle line of ours whole; one that only looks like it as any other log."""
    models(row, "model_a", "model_b")
    try:
        return msgspec.convert(row, Battle)
    except msgspec.ValidationError:
        return _logged(row, None)


def _pseudonym(address: object) -> str | None:
    """Return a pseudonym for an address: the address itself is not kept."""
    return None if not address else hashlib.blake2b(str(address).encode(), digest_size=6).hexdigest()


def _logged(row: Row, _: str | None) -> Battle:
    """Read a line with model_a, model_b, winner: FastChat's cleaned log, MT-bench's human votes, LMArena's sets."""
    one, two = models(row, "model_a", "model_b")
    said = word(row, "judge", "judge_hash", "user_id")
    judge = said if said is not None and _is_model(said) else HUMAN
    battle = Battle(
        battle_id=word(row, "battle_id", "id") or identifier(row),
        question_id="",
        model_a=one,
        model_b=two,
        winner=winner(row["winner"]),
        judge=judge,
        voter=said if judge == HUMAN and said != HUMAN else None,
        category=word(row, "category"),
        language=word(row, "language"),
        anony=bool(row.get("anony", True)),
        tstamp=_seconds(row.get("tstamp", row.get("timestamp"))),
    )
    return _with_question(with_conversations(battle, row.get("conversation_a"), row.get("conversation_b")), row)


def _is_model(judge: str) -> bool:
    """Return whether a judge's name is a model's and no person's pseudonym: MT-bench's votes have both."""
    return judge.lower().startswith(("gpt", "claude", "gemini", "qwen", "llama", "deepseek"))


def _compared(row: Row, _: str | None) -> Battle:
    """Read a row of lmsys-arena-human-preference-55k: three columns say who won, prompts and answers are JSON lists."""
    one, two = models(row, "model_a", "model_b")
    won = [name for name in ("model_a", "model_b", "tie") if str(row[f"winner_{name}"]) in ("1", "1.0", "True", "true")]
    if len(won) != 1:
        raise NoBattle("no winner, or several")
    asked, one_said, two_said = (_listed(row.get(key)) for key in ("prompt", "response_a", "response_b"))
    battle = Battle(
        battle_id=word(row, "id") or identifier(row),
        question_id="",
        model_a=one,
        model_b=two,
        winner=winner(won[0]),
    )
    sides = ([turn for pair in zip(asked, said, strict=False) for turn in pair] for said in (one_said, two_said))
    pairs = ([{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(side)] for side in sides)
    return _with_question(with_conversations(battle, *pairs), row)


def _listed(value: object) -> list[str]:
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value.encode("utf-8", "replace"))
        except msgspec.DecodeError:
            value = [value]
    return [str(text) if text is not None else "" for text in value] if isinstance(value, list) else []


def _with_question(battle: Battle, row: Row) -> Battle:
    battle.question = battle.question or word(row, "question", "prompt")
    battle.question_id = word(row, "question_id", "question_hash") or (
        text_id(battle.question) if battle.question else ""
    )
    battle.output_a = battle.output_a or word(row, "output_a", "response_a")
    battle.output_b = battle.output_b or word(row, "output_b", "response_b")
    return battle


def _seconds(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError:
        return 0.0


FASTCHAT = Format(
    "fastchat", "FastChat's log of votes, as its server writes it", has("type", "models", "states"), _served
)
COMPARED = Format(
    "lmsys_55k",
    "rows with winner_model_a, winner_model_b, winner_tie",
    has("winner_model_a", "winner_model_b", "winner_tie"),
    _compared,
)
OWN = Format(
    "llmuses",
    "battle lines of llmuses",
    has("battle_id", "question_id", "model_a", "model_b", "winner"),
    _own,
)
VOTES = Format(
    "votes",
    "rows with model_a, model_b, winner: FastChat's cleaned log, LMArena's sets, MT-bench's human votes",
    has("model_a", "model_b", "winner"),
    _logged,
)
