"""Strikes the key out of what a server sends back: some quote it in errors, some echo whole requests."""

from __future__ import annotations

import base64
import html
import json
import re
from functools import lru_cache
from urllib.parse import quote, quote_plus

STRUCK = "***"
SHORTEST = 4
"""A key that is shorter stands in ordinary words, too."""

_PIECE = 8
"""So many characters of a key in a row are taken for a piece of it."""

_LOOKED_AT = 4000
"""Characters of a server's words that are looked through for pieces: no more of them is ever shown."""


def without_key(text: str, key: str) -> str:
    """Return a text without the key, whole and in any usual encoding of it. Of a short key only itself is looked for."""
    pattern = _pattern(key)
    return pattern.sub(STRUCK, text) if pattern else text


class KeyStriker:
    """Does what ``without_key`` does to a text that arrives in pieces, and holds back only what may be the key's beginning.

    What ``feed`` and ``finish`` return, put together, is ``without_key`` of the whole.
    """

    def __init__(self, key: str):
        self._pattern = _pattern(key)
        self._beginnings = _beginnings(key)
        self._longest = max(map(len, self._beginnings), default=0)
        self._held = ""

    def feed(self, text: str) -> str:
        """Return what is known to be no key now."""
        if self._pattern is None:
            return text
        done: list[str] = []
        held, at = self._held + text, 0
        waiting = self._unfinished(held, 0)
        for found in self._pattern.finditer(held):
            if found.start() >= waiting:
                break  # a longer form may begin there
            done += (held[at : found.start()], STRUCK)
            at = found.end()
            if at > waiting:
                waiting = self._unfinished(held, at)
        done.append(held[at:waiting])
        self._held = held[waiting:]
        return "".join(done)

    def finish(self) -> str:
        """Return what was held back, when the text has ended."""
        held, self._held = self._held, ""
        return self._pattern.sub(STRUCK, held) if self._pattern else held

    def _unfinished(self, text: str, start: int) -> int:
        """Return from where on a text may be the beginning of the key; its end where it is not."""
        for at in range(max(start, len(text) - self._longest), len(text)):
            if text[at:] in self._beginnings:
                return at
        return len(text)


def without_pieces(text: str, key: str) -> str:
    """Return the beginning of a text without the key and without pieces of it: for a server's words about a request."""
    text = without_key(text[:_LOOKED_AT], key)
    if len(key) < _PIECE:
        return text
    pieces, kept, at = _pieces(key), [], 0
    while at < len(text):
        if text[at : at + _PIECE] not in pieces:
            kept.append(text[at])
            at += 1
            continue
        end = at + 1
        while text[end : end + _PIECE] in pieces:
            end += 1
        kept.append(STRUCK)
        at = end + _PIECE - 1
    return "".join(kept)


@lru_cache(maxsize=64)
def _forms(key: str) -> tuple[str, ...]:
    """Return what a key looks like, longest first: itself, backwards, in an address, in HTML, in JSON, in hexadecimal, in Base64.

    Of a short key only itself, of one that is too short nothing.
    """
    if len(key) < _PIECE:
        return (key,) if len(key) >= SHORTEST else ()
    data = key.encode("utf-8", "surrogateescape")
    forms = {key, key[::-1], html.escape(key), quote_plus(key, errors="replace")}
    forms |= {quote(key, safe=safe, errors="replace") for safe in ("", "/")}
    forms |= {json.dumps(key)[1:-1], json.dumps(key)[1:-1].replace("/", "\\/"), data.hex(), data.hex().upper()}
    for shift in range(3):  # by how many bytes stand before it, as in "Bearer …" or "name:…"
        coded = base64.b64encode(b"\0" * shift + data).decode()
        inner = coded[(0, 2, 3)[shift] :].rstrip("=")
        whole = (
            inner[: len(inner) - 1] if (shift + len(data)) % 3 else inner
        )  # the last character depends on what follows
        forms |= {whole, whole.replace("+", "-").replace("/", "_")}
    return tuple(sorted(forms, key=len, reverse=True))


@lru_cache(maxsize=64)
def _pattern(key: str) -> re.Pattern[str] | None:
    """Return what finds a key in any of its forms, the longest of those that begin at a place; None where nothing is looked for."""
    forms = _forms(key)
    return re.compile("|".join(map(re.escape, forms))) if forms else None


@lru_cache(maxsize=64)
def _beginnings(key: str) -> frozenset[str]:
    """Return what a key's forms begin with, short of the whole."""
    return frozenset(form[:length] for form in _forms(key) for length in range(1, len(form)))


@lru_cache(maxsize=64)
def _pieces(key: str) -> frozenset[str]:
    return frozenset(form[at : at + _PIECE] for form in _forms(key) for at in range(len(form) - _PIECE + 1))
