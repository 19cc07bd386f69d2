"""Texts inside lines of battles, as expressions in SQL."""

from __future__ import annotations


def said(text: str, role: str) -> str:
    """Return the SQL of a text, or, where it is a conversation in JSON, of what one role (user, assistant) said in it."""
    turns = f"""list_filter(from_json({text}, '[{{"role":"VARCHAR","content":"VARCHAR"}}]'), lambda turn: turn.role = '{role}')"""
    joined = f"array_to_string(list_transform({turns}, lambda turn: turn.content), chr(10))"
    return (
        f"(CASE WHEN {text} LIKE '[{{%' AND json_valid({text}) THEN replace({joined}, '\\n', chr(10)) ELSE {text} END)"
    )
