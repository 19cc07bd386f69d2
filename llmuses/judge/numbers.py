"""Verdicts in numbers without brackets: one answer's rating, or the scores of two."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmuses.judge.judge_text import JudgeText
from llmuses.judge.saying import Said

_VALUE = r"(?<![\d./-])(?P<{name}>\d{{1,2}}(?:\.\d{{1,3}})?)(?![\d%]|\.\d)"
_OF_TEN = r"(?:\s{0,2}(?:/|out\s+of)\s{0,2}10(?!\d|\.\d)|\s{0,2}(?:分|points?\b))?"
_SIGNS = r"[\s*_#`\"'()\[\]|~-]"
_RATING = re.compile(
    rf"(?:(?:(?:overall|final|total|my)\s+)?(?:rating|score|grade|mark)|(?:最终|总体|综合)?(?:评分|打分|得分|分数|总分|评级))"
    rf"(?:\s+(?:of|is|would\s+be|for\s+this\s+\w{{1,12}}|overall)){{0,2}}{_SIGNS}{{0,6}}(?:[:=]|为|是|->|→)?{_SIGNS}{{0,6}}"
    rf"{_VALUE.format(name='value')}{_OF_TEN}",
    re.IGNORECASE,
)
_OUT_OF_TEN = re.compile(
    rf"{_VALUE.format(name='value')}(?:\s{{0,2}}(?:/|out\s+of)\s{{0,2}}10(?!\d|\.\d)|\s{{0,2}}分(?!钟|之|数))",
    re.IGNORECASE,
)
_ALONE = re.compile(rf"{_SIGNS}*{_VALUE.format(name='value')}{_OF_TEN}{_SIGNS}*\.?", re.IGNORECASE)
_LABEL = r"(?:(?:the\s+)?(?:scores?|ratings?|评分|得分|分数)?\s{{0,2}}(?:of|for)?\s{{0,2}}(?:assistant|answer|response|output|model|助手|回答|答案|模型|回复)?\s{{0,2}}\(?{which}\)?(?:'s)?(?:\s{{0,2}}的?(?:score|rating|评分|得分|分数))?\s{{0,2}}(?:[:=]|is|为|是)\s{{0,3}})"
_A, _B = _LABEL.format(which="(?:a|1)(?![A-Za-z0-9.])"), _LABEL.format(which="(?:b|2)(?![A-Za-z0-9.])")
_TWO = re.compile(
    rf"{_SIGNS}*(?:scores?|ratings?|verdict|评分|得分|分数)?\s{{0,2}}[:=]?{_SIGNS}*(?P<label_a>{_A})?{_SIGNS}*{_VALUE.format(name='a')}{_OF_TEN}"
    rf"[\s*,;|&、/()\[\]-]{{1,8}}(?:and|vs\.?|和|与)?{_SIGNS}*(?P<label_b>{_B})?{_SIGNS}*{_VALUE.format(name='b')}{_OF_TEN}{_SIGNS}*[.。]?",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    rf"(?:(?<![\w])(?:(?P<a>{_A})|(?P<b>{_B})))[\s*_\"'\[(]{{0,6}}{_VALUE.format(name='value')}", re.IGNORECASE
)


def announced_ratings(text: JudgeText) -> list[Said[float]]:
    """Return every number after "Rating:", "Score:", "评分："."""
    return [_one(match) for match in _RATING.finditer(text.text)]


def bare_ratings(text: JudgeText) -> list[Said[float]]:
    """Return a number that the first or the last line holds alone; else every "7/10"."""
    alone = [_one(match) for line in _outer_lines(text) if (match := _ALONE.fullmatch(text.text, *line))]
    return alone or [_one(match) for match in _OUT_OF_TEN.finditer(text.text)]


def two_scores(text: JudgeText) -> list[Said[tuple[float, float]]]:
    """Return two numbers that the first or the last line holds alone ("8 9", "A: 8, B: 9"); else labelled ones."""
    alone = [
        Said((float(match["a"]), float(match["b"])), *match.span())
        for line in _outer_lines(text)
        if (match := _TWO.fullmatch(text.text, *line)) and bool(match["label_a"]) == bool(match["label_b"])
    ]
    return alone or list(_labelled(text))


def _labelled(text: JudgeText) -> Iterator[Said[tuple[float, float]]]:
    """Yield each pair of "A: 8" and "B: 9", whichever comes first, however far apart within a few lines."""
    waiting: tuple[str, re.Match[str]] | None = None
    for match in _LABELLED.finditer(text.text):
        side = "a" if match["a"] else "b"
        if waiting is not None and waiting[0] != side and match.start() - waiting[1].end() < 2000:
            values = {waiting[0]: float(waiting[1]["value"]), side: float(match["value"])}
            yield Said((values["a"], values["b"]), waiting[1].start(), match.end())
            waiting = None
        else:
            waiting = (side, match)


def _one(match: re.Match[str]) -> Said[float]:
    return Said(float(match["value"]), match.start("value"), match.end())


def _outer_lines(text: JudgeText) -> list[tuple[int, int]]:
    """Return where the first and the last line stand that hold anything."""
    lines = [match.span() for match in re.finditer(r"[^\n]{1,400}", text.text) if re.search(r"\w", match.group())]
    return lines[:1] if len(lines) < 2 else [lines[0], lines[-1]]
