"""Strikes the key out of what a server sends back: some quote it in errors, some echo whole requests."""

from __future__ import annotations

import base64
import html
import json
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
    if len(key) < _PIECE:
        return text.replace(key, STRUCK) if len(key) >= SHORTEST else text
    for form in _forms(key):
        if form in text:
            text = text.replace(form, STRUCK)
    return text


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
    """Return what a key looks like, longest first: itself, backwards, in an address, in HTML, in JSON, in hexadecimal, in Base64."""
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
def _pieces(key: str) -> frozenset[str]:
    return frozenset(form[at : at + _PIECE] for form in _forms(key) for at in range(len(form) - _PIECE + 1))
