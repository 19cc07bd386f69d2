"""What all formats share: how a format is told, and how its rows become battles."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from arena.comparisons import BETWEEN_TURNS
from llmuses.records import Battle, Message, Winner

Row = Mapping[str, Any]

WINNERS = {
    "model_a": Winner.MODEL_A,
    "model_b": Winner.MODEL_B,
    "tie": Winner.TIE,
    "both_bad": Winner.BOTH_BAD,
    "bothbad": Winner.BOTH_BAD,
    "tie (bothbad)": Winner.BOTH_BAD,
}
"""The words for a winner that logs of votes have."""


class NoBattle(Exception):
    """A row that decides nothing; the reason is counted."""


class Format(NamedTuple):
    """One format: ``fits`` tells by a row's keys, ``battle`` makes a battle of it. ``baseline`` is the model that a row
    leaves unnamed, where the user knows it. ``battle`` raises NoBattle for a row that decides nothing."""

    name: str
    says: str
    fits: Callable[[Row], bool]
    battle: Callable[[Row, str | None], Battle]


def has(*keys: str) -> Callable[[Row], bool]:
    """Return what tells whether a row has all of these keys."""
    return lambda row: all(key in row for key in keys)


def identifier(row: Row, *keys: str) -> str:
    """Return a battle's id: a hash over these parts of its row, or over all of it."""
    said = [row.get(key) for key in keys] if keys else row
    return hashlib.blake2b(msgspec.json.encode(said, order="sorted"), digest_size=8).hexdigest()


def text_id(text: str) -> str:
    """Return an id for a question that has none: equal for equal texts."""
    return hashlib.blake2b(" ".join(text.split()).encode(), digest_size=8).hexdigest()


def word(row: Row, *keys: str) -> str | None:
    """Return the first of these values that is a text with content, or a number as a text."""
    for key in keys:
        value = row.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return f"{value:g}" if isinstance(value, float) else str(value)
        if isinstance(value, str) and value.strip() and value != "NA":
            return value
    return None


def models(row: Row, first: str, second: str) -> tuple[str, str]:
    """Return the two models' names. Raises NoBattle where one is missing or both are the same."""
    one, two = row.get(first), row.get(second)
    if not (isinstance(one, str) and isinstance(two, str) and one and two):
        raise NoBattle("a model is not named")
    if one == two:
        raise NoBattle("a model against itself")
    return one, two


def winner(said: object) -> Winner:
    """Return a winner. Raises NoBattle for a word that is none."""
    found = WINNERS.get(str(said).strip().lower())
    if found is None:
        raise NoBattle(f"winner '{said}' is unknown")
    return found


def messages(conversation: object) -> list[tuple[str, str]]:
    """Return a conversation as (role, text): of objects with role and content, of parts, or of pairs as FastChat keeps them."""
    found = []
    for turn in conversation if isinstance(conversation, Sequence) and not isinstance(conversation, str) else ():
        if isinstance(turn, Mapping):
            found.append((str(turn.get("role", "")), _text(turn.get("content"))))
        elif isinstance(turn, Sequence) and len(turn) == 2:
            found.append(("assistant" if len(found) % 2 else "user", _text(turn[1])))
    return found


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "\n".join(
            str(part.get("text", "")) for part in content if isinstance(part, Mapping) and part.get("text")
        )
    return ""


def with_conversations(battle: Battle, one: object, two: object) -> Battle:
    """Add two conversations to a battle: what was asked, and each model's answers one after the other."""
    sides = [messages(one), messages(two)]
    asked = [text for role, text in sides[0] if role == "user"]
    said = [BETWEEN_TURNS.join(text for role, text in side if role == "assistant") for side in sides]
    battle.question = asked[0] if asked else battle.question
    if len(asked) > 1:
        battle.conversation = [Message("user", text) for text in asked]
    battle.output_a, battle.output_b = (text or None for text in said)
    return battle
