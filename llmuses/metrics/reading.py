"""What an extractor gives back: the part of an answer that is taken as its meaning, and where it stands."""

from __future__ import annotations

import re
from typing import NamedTuple


class Reading(NamedTuple):
    """An answer read out of a text: its normalised ``value``, its place in the text, the ``rule`` that found it."""

    value: str
    span: tuple[int, int]
    rule: str


_BRACE = re.compile(r"[{}]")
_PLAIN = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}  # full-width forms of ASCII
_PLAIN |= {ord(sign): plain for sign, plain in zip("−“”„‘’【】「」『』￥", '-"""\'\'[][][]¥', strict=True)}


def fold(text: str) -> str:
    """Return a text of the same length with full-width forms, typographic quotes and the minus sign in their plain form.

    Places in it are places in the text itself, while patterns need to know one form of each sign only.
    """
    return text.translate(_PLAIN)


def boxed(text: str) -> tuple[int, int] | None:
    """Return where the content of the last ``\\boxed{}`` stands, None where there is none that closes.

    Looked for among the last few boxes only, of up to 2,000 characters each: a longer one is no answer.
    """
    end = len(text)
    for _ in range(8):
        start = text.rfind("\\boxed{", 0, end)
        if start < 0:
            return None
        depth, begin, end = 1, start + len("\\boxed{"), start
        for brace in _BRACE.finditer(text, begin, begin + 2000):
            depth += 1 if brace.group() == "{" else -1
            if depth == 0:
                return begin, brace.start()
    return None
