"""A user's own way to find the answer in a text: a regular expression, or a function of his own."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from functools import cache

from llmuses.errors import UsageError
from llmuses.metrics.reading import Reading

Find = Callable[[str], tuple[int, int] | None]

_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def read_narrowed(extract: str | None, text: str, read: Callable[[str], Reading | None]) -> Reading | None:
    """Return what a benchmark's reader reads, in the part of the text that the user's extractor finds if there is one.

    None where the extractor finds nothing, or the reader nothing in what it found.
    """
    if extract is None:
        return read(text)
    span = own_extractor(extract)(text)
    if span is None:
        return None
    reading = read(text[span[0] : span[1]])
    if reading is None:
        return None
    start, end = reading.span
    return Reading(reading.value, (span[0] + start, span[0] + end), f"own:{reading.rule}")


@cache
def own_extractor(spec: str) -> Find:
    """Return what finds the answer's place (start, end) in a text, None where there is none.

    ``spec`` is ``module:function``, a function from a text to the answer or None; else it is a regular expression, of
    which the last match counts: its first group if it has one, else all of it. Raises UsageError for one that cannot be
    used.
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

    def find(text: str) -> tuple[int, int] | None:
        found = None
        for match in pattern.finditer(text):
            if match.group(group) is not None:
                found = match.span(group)
        return found

    return find


def _by_function(spec: str) -> Find:
    module, _, name = spec.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as problem:
        raise UsageError(
            f"extract: there is no function {spec} ({problem}); it must be importable from here."
        ) from None
    if not callable(function):
        raise UsageError(f"extract: {spec} is not a function.")

    def find(text: str) -> tuple[int, int] | None:
        answer = function(text)
        if answer is None:
            return None
        if not isinstance(answer, str):
            raise TypeError(f"{spec} gave {type(answer).__name__}, not a text or None")
        start = text.rfind(answer)
        if start < 0:
            raise ValueError(f"{spec} gave a text that does not stand in the answer")
        return start, start + len(answer)

    return find
