"""Keeping a model's thoughts apart from its answer."""

from __future__ import annotations

import re

_OPEN = re.compile(r"\s*<(think|thinking)>", re.IGNORECASE)
_ANY_CLOSE = re.compile(r"</(think|thinking)>\s*", re.IGNORECASE)


def split_reasoning(text: str) -> tuple[str | None, str]:
    """Return (reasoning, answer) of a text that may begin with ``<think>…</think>``.

    The reasoning is None where there is none or it is empty. A block that was never closed (the text was cut off) is
    all reasoning; a closing tag with no opening one before it ends a reasoning whose opening the chat template had
    already written. Tags further inside the answer are left alone.
    """
    opening = _OPEN.match(text)
    start = opening.end() if opening else 0
    closing = (
        re.compile(rf"</{opening[1]}>\s*", re.IGNORECASE).search(text, start) if opening else _ANY_CLOSE.search(text)
    )
    if closing is None:
        return (text[start:].strip() or None, "") if opening else (None, text)
    if opening is None and f"<{closing[1].lower()}>" in text[: closing.start()].lower():
        return None, text
    return text[start : closing.start()].strip() or None, text[closing.end() :]
