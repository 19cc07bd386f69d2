"""Requests cut into pieces for several workers, so that what has a common beginning stays together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from llmuses.records import Generate, Request

_COMPARED = 8_192
"""Characters of two texts that are looked at for what they have in common."""


def deal(requests: Sequence[Request], pieces: int, smallest: int) -> list[list[Request]]:
    """Return requests in about so many pieces of equal size, each of at least about ``smallest``.

    They are sorted by their texts and cut where neighbours have least in common, up to a quarter of a piece away from
    where the pieces would be equal.
    """
    ordered = sorted(requests, key=_text)
    size = max(smallest, -(-len(ordered) // pieces))
    dealt = []
    first = 0
    while first < len(ordered):
        last = first + size
        last = _seam(ordered, last, size // 4) if len(ordered) - last >= max(1, smallest // 2) else len(ordered)
        dealt.append(ordered[first:last])
        first = last
    return dealt


def _seam(ordered: Sequence[Request], wished: int, reach: int) -> int:
    places = range(wished - reach, min(wished + reach, len(ordered) - 1) + 1)
    return min(places, key=lambda place: (_in_common(ordered[place - 1], ordered[place]), abs(place - wished)))


def _in_common(one: Request, other: Request) -> int:
    pairs = zip(_text(one)[:_COMPARED], _text(other)[:_COMPARED], strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _text(request: Request) -> str:
    """Return what a model reads of a request first; written answers come before log-probabilities."""
    ask = request.ask
    if isinstance(ask, Generate):
        return "\0" + "\n\n".join(message.content for message in ask.messages)
    return ask.context
