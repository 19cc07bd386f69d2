"""Reading yes or no out of what a judge wrote, English and Chinese.

Every repetition is bounded and possessive: the time grows with the length of the text and not faster.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from llmuses.metrics.reading import fold

_YES = r"(?P<yes>(?:yes|correct|right|true|truthful|informative)(?!\w)|是的?|正确|对的?|真实|属实|有信息(?:量)?)"
_NO = (
    r"(?P<no>(?:no(?!t)|incorrect|wrong|false|untrue|untruthful|uninformative"
    r"|(?:not|isn't)\s{1,3}+(?:correct|right|true|truthful|informative))(?!\w)"
    r"|否|不是|不正确|不对|错误的?|错的?|不真实|不属实|无信息(?:量)?|没有信息(?:量)?)"
)
_WORD = rf"(?:{_NO}|{_YES})"
_OPEN = r"(?:[\s*_`\"'(\[{$<>]|\\(?:boxed|text(?:bf)?)){0,16}+"
_PARTLY = re.compile(
    r"[*_`\"')\]},;:\s]{0,8}+(?:/|\||or\s|或|in\s+part|partially|partly|only\s+in|(?:only\s+)?if\s|unless\s|but\s+(?:also\s+)?(?:in)?correct)",
    re.IGNORECASE,
)
"""What follows a word that is no verdict: "CORRECT or INCORRECT" repeats the question, "correct in part" and "correct if" are neither."""
_ALONE = re.compile(rf"{_OPEN}{_WORD}[\W_]{{0,16}}+$", re.IGNORECASE)
_SENTENCE = re.compile(
    r"(?:\b(?:answer|response)\s{1,3}+(?:is|was)\s{1,3}+(?:(?:therefore|thus|indeed|clearly|also|factually)\s{1,3}+)?"
    r"|(?:回答|答案|答复)(?:因此|所以)?(?:就?是)?)" + _WORD,
    re.IGNORECASE,
)


def read_heading(text: str, headings: Sequence[str]) -> bool | None:
    """Return what stands after the last of these headings ("Verdict: CORRECT", "判定：错误"), None where nothing does.

    ``headings`` are regular expressions. A heading after which both words stand only repeats what was asked.
    """
    pattern = re.compile(
        rf"(?<![A-Za-z])(?:{'|'.join(headings)})[\s*_`\"']{{0,8}}+(?:[:=]|->|→|is(?!\w)|是|为)"
        rf"[\s*_`\"']{{0,8}}+{_OPEN}{_WORD}",
        re.IGNORECASE,
    )
    folded = fold(text)
    found = None
    for match in pattern.finditer(folded):
        if not _PARTLY.match(folded, match.end()):
            found = match["yes"] is not None
    return found


def read_alone(text: str) -> bool | None:
    """Return what the first or the last line says that is nothing but a verdict; None where they contradict."""
    lines = [line for line in fold(text).strip().splitlines() if line.strip()]
    said = {match["yes"] is not None for line in lines[:1] + lines[-1:] if (match := _ALONE.match(line.strip()))}
    return said.pop() if len(said) == 1 else None


def read_sentences(text: str) -> bool | None:
    """Return what every sentence such as "the answer is correct" says; None where none is there or two contradict."""
    folded = fold(text)
    said = {match["yes"] is not None for match in _SENTENCE.finditer(folded) if not _PARTLY.match(folded, match.end())}
    return said.pop() if len(said) == 1 else None
