"""What an extractor gives back: the part of an answer that is taken as its meaning, and where it stands."""

from __future__ import annotations

from typing import NamedTuple


class Reading(NamedTuple):
    """An answer read out of a text: its normalised ``value``, its place in the text, the ``rule`` that found it."""

    value: str
    span: tuple[int, int]
    rule: str
