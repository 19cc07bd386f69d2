"""Verdicts in brackets: ``[[A]]``, ``[[A>>B]]``, ``[[7]]``, ``[[8, 9]]``, and what judges make of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmuses.judge.judge_text import JudgeText
from llmuses.judge.saying import Said
from llmuses.records import Winner

A, B, TIE, BOTH_BAD = Winner.MODEL_A, Winner.MODEL_B, Winner.TIE, Winner.BOTH_BAD

_NAME = r"(?:(?:assistant|answer|response|output|model|option|助手|回答|答案|模型|回复)\s{0,3}'?)?"
_BETTER = r"(?:\s{0,3}(?:is\s+(?:much\s+|slightly\s+)?better|wins|更好|更优|胜出?|获胜))?"
_OPEN, _CLOSE = r"\[\s{0,3}\[[\s*\"'\[]{0,4}", r"[\s*\"']{0,4}(?:\]\s{0,3}\]|\](?!\w))"
_MARK = re.compile(
    rf"{_OPEN}(?:{_NAME}(?P<one>[abc]){_BETTER}|(?P<left>[ab])\s{{0,2}}(?P<sign>>{{1,3}}|<{{1,3}}|={{1,3}}|≫|≻|≈)\s{{0,2}}(?P<right>[ab])"
    rf"|(?P<tie>tie|draw|equal|平局|平手|和局|平)|(?P<bad>both[\s_-]bad|neither|都不好|都差|皆差)){_CLOSE}",
    re.IGNORECASE,
)
_NUMBER = r"(?P<{name}>\d{{1,2}}(?:\.\d{{1,3}})?)"
_RATING = re.compile(
    rf"{_OPEN}(?:rating|score|评分|得分|分数)?[\s:=]{{0,3}}{_NUMBER.format(name='value')}(?:\s?/\s?10|\s?分)?{_CLOSE}",
    re.IGNORECASE,
)
_RATINGS = re.compile(
    rf"{_OPEN}(?:a\s?[:=]\s?)?{_NUMBER.format(name='a')}\s{{0,3}}[,;|/\s]\s{{0,3}}(?:b\s?[:=]\s?)?{_NUMBER.format(name='b')}{_CLOSE}",
    re.IGNORECASE,
)


def marks(text: JudgeText) -> list[Said[tuple[Winner, float]]]:
    """Return every verdict over two answers in brackets, with its strength (``PairVerdict``)."""
    return list(_marks(text))


def _marks(text: JudgeText) -> Iterator[Said[tuple[Winner, float]]]:
    for match in _MARK.finditer(text.text):
        if match["one"]:
            winner = {"a": A, "b": B, "c": TIE}[match["one"].lower()]
            yield Said((winner, float(winner is not TIE)), *match.span())
        elif match["sign"]:
            verdict = compared(match["left"], match["sign"], match["right"])
            if verdict is not None:
                yield Said(verdict, *match.span())
        else:
            yield Said((TIE if match["tie"] else BOTH_BAD, 0.0), *match.span())


def compared(left: str, sign: str, right: str) -> tuple[Winner, float] | None:
    """Return the verdict of ``A>>B``, ``B>A``, ``A=B``: 1 for a clear win, 0.5 for a slight one; None for ``A>A``."""
    if left.lower() == right.lower():
        return None
    if sign[0] in "=≈":
        return TIE, 0.0
    better = (left if sign[0] in ">≫≻" else right).lower()
    return (A if better == "a" else B), 1.0 if len(sign) > 1 or sign == "≫" else 0.5


def bracketed_ratings(text: JudgeText) -> list[Said[float]]:
    """Return every number in brackets."""
    return [Said(float(match["value"]), *match.span()) for match in _RATING.finditer(text.text)]


def bracketed_pairs(text: JudgeText) -> list[Said[tuple[float, float]]]:
    """Return every two numbers in one pair of brackets."""
    return [Said((float(match["a"]), float(match["b"])), *match.span()) for match in _RATINGS.finditer(text.text)]
