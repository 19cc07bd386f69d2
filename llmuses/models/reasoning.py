"""Keeping a model's thoughts apart from its answer."""

from __future__ import annotations

import re

_TAGS = (
    ("<think>", "</think>"),  # DeepSeek-R1, Qwen3, GLM and many more
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),  # Seed-OSS
    ("[THINK]", "[/THINK]"),  # Magistral
    ("◁think▷", "◁/think▷"),  # Kimi
    ("<|begin_of_thought|>", "<|end_of_thought|>"),  # Sky-T1, OpenThoughts
)
_OPEN = re.compile(rf"\s*({'|'.join(re.escape(opening) for opening, _ in _TAGS)})", re.IGNORECASE)
_CLOSE = re.compile(rf"({'|'.join(re.escape(closing) for _, closing in _TAGS)})\s*", re.IGNORECASE)
_FINAL = re.compile(r"<\|channel\|>final(?:\s[^<]{0,80})?<\|message\|>")
_CHANNEL_MARKS = re.compile(r"<\|(?:start\|>assistant|channel\|>\w+|message\|>|end\|>|return\|>)")
_CLOSING_OF = {opening.lower(): closing for opening, closing in _TAGS}
_OPENING_OF = {closing.lower(): opening.lower() for opening, closing in _TAGS}


def split_reasoning(text: str) -> tuple[str | None, str]:
    """Return (reasoning, answer) of a text that may begin with ``<think>…</think>`` or what other models have for it.

    The reasoning is None where there is none or it is empty. A block that was never closed (the text was cut off) is
    all reasoning; a closing tag with no opening one before it ends a reasoning whose opening the chat template had
    already written. Tags further inside the answer are left alone. Of a text with gpt-oss's channels, left in by a server,
    the last final one is the answer.
    """
    if "<|channel|>" in text and text.lstrip().startswith("<|"):
        return _split_channels(text)
    opening = _OPEN.match(text)
    start = opening.end() if opening else 0
    if opening is not None:
        closing = re.compile(rf"{re.escape(_CLOSING_OF[opening[1].lower()])}\s*", re.IGNORECASE).search(text, start)
    else:
        closing = _CLOSE.search(text)
    if closing is None:
        return (text[start:].strip() or None, "") if opening else (None, text)
    if opening is None and _OPENING_OF[closing[1].lower()] in text[: closing.start()].lower():
        return None, text
    return text[start : closing.start()].strip() or None, text[closing.end() :]


def _split_channels(text: str) -> tuple[str | None, str]:
    finals = list(_FINAL.finditer(text))
    end = finals[-1].start() if finals else len(text)
    answer = _CHANNEL_MARKS.sub("", text[finals[-1].end() :]) if finals else ""
    return _CHANNEL_MARKS.sub("", text[:end]).strip() or None, answer
