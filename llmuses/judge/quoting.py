"""Putting what a model wrote before a judge as data, never as instructions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable


def fence(texts: Iterable[str]) -> str:
    """Return a mark of eight hex digits that none of the texts holds: a hash over all of them.

    An answer that wants to close its own quotation would have to hold a hash of itself; one that was searched out to do so
    gets another mark.
    """
    texts = list(texts)
    digest = hashlib.blake2b(digest_size=4)
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    while any(digest.hexdigest() in text.lower() for text in texts):
        digest.update(b"taken")
    return digest.hexdigest()


_TURNS = re.compile(
    r"<\|[\w ]{1,40}\|>|<｜[^｜\n]{1,40}｜>|</?s>|<(?:start|end)_of_turn>|<(?:bos|eos)>|\[/?INST\]|<</?SYS>>",
    re.IGNORECASE,
)
"""What chat templates set between turns: a judge's tokenizer may read it inside a text too."""


def disarmed(text: str) -> str:
    """Return a text in which the tokens of chat templates are only letters: a mark of no width stands in each."""
    return _TURNS.sub(lambda match: f"{match.group()[:1]}\u200b{match.group()[1:]}", text)


def quoted(name: str, mark: str, text: str) -> str:
    """Return a text between an opening and a closing tag that carry the mark, ``disarmed``."""
    return f"<{name}-{mark}>\n{disarmed(text).strip()}\n</{name}-{mark}>"


def listed(name: str, mark: str, texts: Iterable[str]) -> str:
    """Return several texts as the items of one quotation."""
    return quoted(name, mark, "\n".join(f"- {' '.join(text.split())}" for text in texts))
