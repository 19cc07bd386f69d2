"""A user's own way to find the answer in a text: a regular expression, or a function of his own."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from llmuses.errors import UsageError
from llmuses.metrics.reading import Reading
from llmuses.own_code import own_object, text_sha256


class Found(NamedTuple):
    """What an extractor found: the answer, and where it begins in the text; None where it does not stand there."""

    text: str
    start: int | None


Find = Callable[[str], Found | None]

_FUNCTION = re.compile(r"(?:[\w./~-]+\.py|[A-Za-z_][\w.]*):[A-Za-z_]\w*")


def read_narrowed(extract: str | None, text: str, read: Callable[[str], Reading | None]) -> Reading | None:
    """Return what a benchmark's reader reads, in the part of the text that the user's extractor finds if there is one.

    None where the extractor finds nothing, or the reader nothing in what it found.
    """
    if extract is None:
        return read(text)
    found = own_extractor(extract)(text)
    reading = None if found is None else read(found.text)
    if found is None or reading is None:
        return None
    start, end = reading.span
    span = (0, 0) if found.start is None else (found.start + start, found.start + end)
    return Reading(reading.value, span, f"own:{reading.rule}")


@cache
def own_extractor(spec: str) -> Find:
    """Return what finds the answer in a text, None where there is none.

    ``spec`` is ``module:function`` or ``FILE.py:function``, a function from a text to the answer, as it stands there or
    put in other words, or None; the module may lie in the current folder. Else it is a regular expression, of which the
    last match counts: its first group if it has one, else all of it. Raises UsageError for one that cannot be used.
    """
    if _FUNCTION.fullmatch(spec):
        return _by_function(spec)
    try:
        pattern = re.compile(spec, re.MULTILINE)
    except re.error as problem:
        raise UsageError(
            f"extract: '{spec}' is neither a regular expression ({problem}) nor module:function."
        ) from None
    group = 1 if pattern.groups else 0

    def find(text: str) -> Found | None:
        found = None
        for match in pattern.finditer(text):
            if match.group(group) is not None:
                found = Found(match.group(group), match.start(group))
        return found

    return find


@cache
def extractor_sha256(spec: str) -> str:
    """Return a hash over the text of the file that an extractor's function is from; "" for an expression, and for one in no file.

    Raises as ``own_extractor``.
    """
    own_extractor(spec)
    if not _FUNCTION.fullmatch(spec):
        return ""
    try:
        return text_sha256([inspect.getsourcefile(own_object(spec, "function")) or ""])
    except (TypeError, UsageError):
        return ""


def _by_function(spec: str) -> Find:
    try:
        function = own_object(spec, "function")
    except UsageError as problem:
        raise UsageError(f"extract: {problem}") from problem
    if not callable(function):
        raise UsageError(f"extract: {spec} is not a function.")

    def find(text: str) -> Found | None:
        answer = function(text)
        if answer is None:
            return None
        if not isinstance(answer, str):
            raise TypeError(f"{spec} gave {type(answer).__name__}, not a text or None")
        start = text.rfind(answer)
        return Found(answer, start if start >= 0 else None)

    return find
