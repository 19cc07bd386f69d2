"""Cutting texts into the units that text metrics count: words, and single characters of scripts without spaces."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x312F),  # radicals, CJK punctuation, kana, bopomofo
    (0x31A0, 0x4DBF),  # bopomofo, strokes, kana, enclosed and squared signs, Han
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),  # Han for compatibility
    (0xFE10, 0xFE1F),  # vertical punctuation
    (0xFE30, 0xFE4F),
    (0xFF00, 0xFFEF),  # full-width and half-width forms
    (0x1B000, 0x1B16F),  # kana
    (0x20000, 0x323AF),  # Han
)
"""Blocks of scripts that are written without spaces between words, and of their punctuation (first, last)."""

_RANGES = "".join(f"{chr(first)}-{chr(last)}" for first, last in _UNSPACED)
_UNSPACED_SIGN = re.compile(f"([{_RANGES}])")
_SPACE_AT_UNSPACED = re.compile(rf"(?<=[{_RANGES}])\s+|\s+(?=[{_RANGES}])")


@lru_cache(maxsize=16384)
def _category(char: str) -> str:
    """Return ``word``, ``mark`` (belongs to the sign before it), ``unspaced`` or ``""`` (between words)."""
    if unicodedata.category(char) in ("Mn", "Mc"):
        return "mark"
    if not char.isalnum():
        return ""
    return "unspaced" if _UNSPACED_SIGN.match(char) else "word"


def words(text: str) -> list[str]:
    """Return the lower-case words of a text, without punctuation; Chinese, Japanese and Thai by single characters.

    A word is a run of letters and digits: "don't" is two. On ASCII these are rouge-score's tokens with stemming off,
    which drops all other letters ("café" is "caf" there).
    """
    found: list[str] = []
    joined = False  # whether the next letter goes on with the word before it
    for char in unicodedata.normalize("NFKC", text).lower():
        kind = _category(char)
        if kind == "mark":
            if found:
                found[-1] += char
        elif kind == "word" and joined:
            found[-1] += char
        elif kind:
            found.append(char)
        joined = kind == "word" or (kind == "mark" and joined)
    return found


_ARTICLE = re.compile(r"\b(a|an|the)\b")
_ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


@lru_cache(maxsize=16384)
def _is_punctuation(char: str) -> bool:
    return char in _ASCII_PUNCTUATION or unicodedata.category(char).startswith("P")


def plain(text: str) -> str:
    """Return a text in the form in which short answers are compared.

    As in SQuAD's evaluation script (Rajpurkar et al. 2016, v1.1): lower case, no punctuation, no articles, single
    spaces. Beyond it: full-width forms become plain ones, punctuation of every script goes, and spaces next to Chinese
    or Japanese characters, which mean nothing.
    """
    folded = unicodedata.normalize("NFKC", text).lower()
    bare = _ARTICLE.sub(" ", _composed("".join(char for char in folded if not _is_punctuation(char))))
    return _composed(_SPACE_AT_UNSPACED.sub("", " ".join(bare.split())))


def _composed(text: str) -> str:
    """Join accents with the letters that they stand after, now that what stood between them is gone."""
    return unicodedata.normalize("NFC", text)


def plain_units(text: str) -> list[str]:
    """Return the words of ``plain(text)``, Chinese and Japanese by single characters."""
    return _UNSPACED_SIGN.sub(r" \1 ", plain(text)).split()


_ESCAPED = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
_APART = re.compile(r"([{-~\[-` -&(-+:-@/])")
_STOP_AFTER_OTHER = re.compile(r"([^0-9])([.,])")
_STOP_BEFORE_OTHER = re.compile(r"([.,])([^0-9])")
_DASH_AFTER_DIGIT = re.compile(r"([0-9])(-)")


def bleu_units(text: str) -> list[str]:
    """Return the tokens that BLEU counts: case and punctuation stay, punctuation stands apart from words.

    The rules are those of ``mteval-v13a.pl``, sacrebleu's default; Chinese characters stand alone as under its
    ``zh``, and so do kana, Thai, Lao, Khmer and Burmese.
    """
    line = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for escaped, sign in _ESCAPED:
        line = line.replace(escaped, sign)
    line = " " + _UNSPACED_SIGN.sub(r" \1 ", line) + " "
    line = _APART.sub(r" \1 ", line)
    line = _STOP_AFTER_OTHER.sub(r"\1 \2 ", line)
    line = _STOP_BEFORE_OTHER.sub(r" \1 \2", line)
    return _DASH_AFTER_DIGIT.sub(r"\1 \2 ", line).split()
