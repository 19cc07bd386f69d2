"""Reading the number that a written answer ends on, and comparing numbers by value."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from llmuses.metrics.reading import Reading

_NUMBER = r"[-−]?\s?[$€£¥￥]?\s?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s?/\s?\d+(?![\d/]))?|[-−]?[$€£¥￥]?\.\d+"
_ANNOUNCE = (
    r"(?:####|\bfinal answer\b[\s*_]*(?:is)?[:：]?|\banswer\b[\s*_]*(?:is|would be|[:：=])[\s*_]*[:：]?"
    r"|答案(?:应该)?[\s*]*(?:是|为|[:：])|答[:：])"
)
_BOXED = r"\\boxed\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}"
_FRAC = re.compile(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}")


def read_number(text: str) -> Reading | None:
    """Return the number that an answer gives, None where it holds none.

    In this order: the last ``\\boxed{}``, the last announcement ("The answer is", "####", "答案是") with the first
    number of its line (the one after the last "=" where it ends a calculation), the last number of the text.
    The value has no separators, currency or trailing zeros.
    """
    boxes = list(re.finditer(_BOXED, text))
    if boxes and (found := _first(text, *boxes[-1].span(1), rule="boxed")):
        return found
    for match in reversed(list(re.finditer(_ANNOUNCE, text, re.IGNORECASE))):
        if found := _after(text, match.end()):
            return found
    last = None
    for last in re.finditer(_NUMBER, text):
        pass
    return _reading(text, *last.span(), rule="last_number") if last else None


def _after(text: str, start: int) -> Reading | None:
    """Return the number of the line after an announcement, or of the next line where that one is empty."""
    line = re.match(r"[\s*_]*[^\n]*", text[start:])
    end = start + (line.end() if line else 0)
    equals = text.rfind("=", start, end)
    if equals >= 0 and (found := _first(text, equals, end, rule="announced")):
        return found
    return _first(text, start, end, rule="announced")


def _first(text: str, start: int, end: int, rule: str) -> Reading | None:
    fraction = _FRAC.search(text, start, end)
    match = re.compile(_NUMBER).search(text, start, end)
    if fraction and (match is None or fraction.start() <= match.start()):
        return Reading(f"{fraction[1]}/{fraction[2]}", fraction.span(), rule)
    return _reading(text, *match.span(), rule=rule) if match else None


def _reading(text: str, start: int, end: int, rule: str) -> Reading | None:
    raw = text[start:end]
    if raw[0] in "-−" and start > 0 and (text[start - 1].isalnum() or text[start - 1] in ")]"):
        start, raw = start + 1, raw[1:]  # "3-5", "10 - 2" written together: a minus between, not before
    start += len(raw) - len(raw.lstrip())
    return Reading(plain_number(raw), (start, end), rule)


def plain_number(text: str) -> str:
    """Return a number without separators, currency signs, spaces, trailing zeros: ``-$1,200.50`` is ``-1200.5``."""
    plain = unicodedata.normalize("NFKC", text).replace("−", "-")
    plain = re.sub(r"[\s,$€£¥%]", "", plain).rstrip(".")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return plain


def equal_numbers(one: str, other: str) -> bool:
    """Whether two numbers have one value; fractions and decimals compare exactly. False where one is no number."""
    try:
        return Fraction(plain_number(one)) == Fraction(plain_number(other))
    except (ValueError, ZeroDivisionError):
        return False
