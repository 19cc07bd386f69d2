"""What a battle compares, whoever decides it: one id for people's votes and every judge's verdicts on the same answers."""

from __future__ import annotations

import hashlib

import msgspec

from llmuses.records import Battle

BETWEEN_TURNS = "\n\n"
"""What stands between the texts of several turns where they are one text."""

WITH_IMAGE = "image"
"""The category of live battles with an image in a prompt: their texts alone do not say what was asked."""


def comparison_id(battle: Battle) -> str | None:
    """Return the id of what a battle compares: a hash over all prompts and each model's answers, whatever their sides.

    None where a line does not hold these texts.
    """
    asked = prompts(battle)
    if not asked or battle.output_a is None or battle.output_b is None:
        return None
    sides = sorted(((battle.model_a, battle.output_a), (battle.model_b, battle.output_b)))
    compared = msgspec.json.encode((BETWEEN_TURNS.join(asked), sides))
    return hashlib.blake2b(compared, digest_size=16).hexdigest()


def prompts(battle: Battle) -> list[str]:
    """Return what was asked in a battle, a text a turn; none where its line does not say."""
    asked = [message.content for message in battle.conversation or () if message.role == "user"]
    return asked or ([battle.question] if battle.question is not None else [])
