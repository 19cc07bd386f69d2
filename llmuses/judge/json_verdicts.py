"""Verdicts as JSON: ``{"winner": "A"}``, ``{"score_a": 8, "score_b": 6}``, ``{"rating": 7}``, and their variants."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmuses.judge.judge_text import JudgeText
from llmuses.judge.marks import BOTH_BAD, TIE, A, B, compared
from llmuses.judge.saying import Said
from llmuses.records import Winner

_WINNER = ("winner", "verdict", "better", "better_answer", "choice", "preferred", "preference", "result", "decision")
_WINNER_ZH = ("胜者", "获胜者", "结论", "判定", "更好的回答", "结果")
_RATING = ("rating", "score", "overall", "overall_score", "overall_rating", "grade", "评分", "分数", "得分", "总分")
_SIDE = re.compile(
    r"(?:(?:score|rating|assistant|answer|response|output|model|评分|得分|回答|助手|答案|模型)[\s_-]?)?(?P<side>[ab12])"
    r"(?:[\s_-]?(?:score|rating|评分|得分|分数))?",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"[\[\s]*(?:(?:assistant|answer|response|output|model|option|回答|助手|答案|模型|回复)[\s_-]{0,2})?\(?(?P<side>[ab12])\)?"
    r"(?:\s+(?:is\s+better|wins)|更好|胜出|获胜)?[\]\s]*",
    re.IGNORECASE,
)
_COMPARED = re.compile(r"[\[\s]*(?P<left>[ab])\s?(?P<sign>[><=≫≻≈]{1,3})\s?(?P<right>[ab])[\]\s]*", re.IGNORECASE)
_TIES = re.compile(r"[\[\s]*(?:tie|draw|equal|none|same|c|both|平局|平手|和局|平|不分上下)[\]\s]*", re.IGNORECASE)
_BAD = re.compile(r"[\[\s]*(?:both[\s_-]bad|neither|都不好|都差)[\]\s]*", re.IGNORECASE)
_BROKEN = re.compile(
    r"[{,]\s*['\"]?(?P<key>\w{1,24})['\"]?\s*:\s*(?P<value>'[^'\n]{1,40}'|\"[^\"\n]{1,40}\"|-?\d{1,3}(?:\.\d{1,3})?)"
)
_TRIES = 200


def json_winners(text: JudgeText) -> list[Said[tuple[Winner, float]]]:
    """Return the winner that each object names, with its strength (``PairVerdict``)."""
    found = [(_winner(content), start, end) for content, start, end in _objects(text.text)]
    return [Said(winner, start, end) for winner, start, end in found if winner is not None]


def json_scores(text: JudgeText) -> list[Said[tuple[float, float]]]:
    """Return the two scores that each object holds which names no winner, or a winner that goes with them."""
    found = [
        (None if _names(content) and _winner(content) is None else _scores(content), start, end)
        for content, start, end in _objects(text.text)
    ]
    return [Said(scores, start, end) for scores, start, end in found if scores is not None]


def json_ratings(text: JudgeText) -> list[Said[float]]:
    """Return the rating that each object holds."""
    found = [(_rating(content), start, end) for content, start, end in _objects(text.text)]
    return [Said(rating, start, end) for rating, start, end in found if rating is not None]


def _objects(text: str) -> Iterator[tuple[Mapping[str, Any], int, int]]:
    """Yield every outermost JSON object, and what can be read of one that is broken or written as Python does."""
    decoder, at = json.JSONDecoder(strict=False), text.find("{")
    for _ in range(_TRIES):
        if at < 0:
            return
        try:
            content, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            closing = text.find("}", at, at + 4000)
            end = closing + 1 if closing >= 0 else min(len(text), at + 4000)
            content = {match["key"]: _plain(match["value"]) for match in _BROKEN.finditer(text, at, end)}
        yield {str(key).strip().lower(): value for key, value in content.items()}, at, end
        at = text.find("{", end)


def _plain(value: str) -> str | float:
    return value[1:-1] if value[0] in "'\"" else float(value)


def _winner(content: Mapping[str, Any]) -> tuple[Winner, float] | None:
    """Return whom an object names; None where it names nobody, or its scores say the opposite."""
    named = {said for key in (*_WINNER, *_WINNER_ZH) if key in content and (said := _named(content[key])) is not None}
    if len(named) != 1:
        return None
    (verdict,) = named
    scores = _scores(content)
    if scores is not None and verdict[0] in (A, B) and (scores[0] - scores[1]) * (1 if verdict[0] is A else -1) < 0:
        return None
    return verdict


def _names(content: Mapping[str, Any]) -> bool:
    return any(key in content for key in (*_WINNER, *_WINNER_ZH))


def _named(value: Any) -> tuple[Winner, float] | None:
    if value is None or isinstance(value, bool):
        return None
    said = str(value)
    if match := _COMPARED.fullmatch(said):
        return compared(match["left"], match["sign"], match["right"])
    if match := _NAMED.fullmatch(said):
        return (A if match["side"].lower() in "a1" else B), 1.0
    if _BAD.fullmatch(said):
        return BOTH_BAD, 0.0
    return (TIE, 0.0) if _TIES.fullmatch(said) else None


def _scores(content: Mapping[str, Any]) -> tuple[float, float] | None:
    for key in ("scores", "ratings", "score", "rating", "评分", "得分"):
        inner = content.get(key)
        if isinstance(inner, list) and len(inner) == 2 and all(_is_number(value) for value in inner):
            return float(inner[0]), float(inner[1])
        if isinstance(inner, dict):
            return _scores({str(name).strip().lower(): value for name, value in inner.items()})
    sides: dict[str, float] = {}
    for name, value in content.items():
        if (match := _SIDE.fullmatch(name)) and (number := _number(value)) is not None:
            sides["a" if match["side"].lower() in "a1" else "b"] = number
    return (sides["a"], sides["b"]) if len(sides) == 2 else None


def _rating(content: Mapping[str, Any]) -> float | None:
    found = {number for key in _RATING if (number := _number(content.get(key))) is not None}
    return found.pop() if len(found) == 1 else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> float | None:
    if _is_number(value):
        return float(value)
    match = re.fullmatch(r"\s*(\d{1,2}(?:\.\d{1,3})?)(?:\s?/\s?10)?\s*", value) if isinstance(value, str) else None
    return float(match[1]) if match else None
