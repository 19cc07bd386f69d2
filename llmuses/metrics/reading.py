"""What an extractor gives back: the part of an answer that is taken as its meaning, and where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple


class Reading(NamedTuple):
    """An answer read out of a text: its normalised ``value``, its place in the text, the ``rule`` that found it."""

    value: str
    span: tuple[int, int]
    rule: str


_BRACE = re.compile(r"[{}]")
_PLAIN = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}  # full-width forms of ASCII
_PLAIN |= {ord(sign): plain for sign, plain in zip("−“”„‘’【】「」『』￥", '-"""\'\'[][][]¥', strict=True)}


_QUESTION = re.compile(
    r"\n[ \t>*_#]{0,6}(?:Question|Problem|Q|Human|User|Instruction|问题|题目|问)[*_]{0,2}[ \t]?:", re.IGNORECASE
)
_EXAMPLE = re.compile(
    r"\n(?:Question|Problem|Q|问题|题目|问):(?:[^\n]*\n){1,12}?(?:Answer|Solution|A|答案|答|解)[ \t]?:"
)
"""A question with its answer in the form of a prompt's examples."""


def before_next_question(text: str, answered: Callable[[str], bool]) -> str:
    """Return a folded text without the questions that a base model puts to itself after it has answered its own.

    ``answered`` says whether a text gives an answer outright, by a box or an announcement; where it does not, a number
    is enough if what follows has the form of an example of the prompt.
    """
    for match in islice(_QUESTION.finditer(text), 8):
        head = text[: match.start()]
        if not head.strip():
            continue
        example = head.endswith("\n") and re.search(r"[0-9]", head) and _EXAMPLE.match(text, match.start())
        if example or answered(head):
            return head
    return text


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
