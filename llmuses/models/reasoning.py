"""Keeping a model's thoughts apart from its answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

_TAGS = (
    ("<think>", "</think>"),  # DeepSeek-R1, Qwen3, GLM and many more
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),  # Seed-OSS
    ("[THINK]", "[/THINK]"),  # Magistral
    ("◁think▷", "◁/think▷"),  # Kimi
    ("<|begin_of_thought|>", "<|end_of_thought|>"),  # Sky-T1, OpenThoughts
)
_OPEN = re.compile(rf"\s*({'|'.join(re.escape(opening) for opening, _ in _TAGS)})", re.IGNORECASE)
_CLOSE = re.compile(rf"({'|'.join(re.escape(closing) for _, closing in _TAGS)})\s*", re.IGNORECASE)
_FINAL = re.compile(r"<\|channel\|>final(?:\s[^<]{0,80})?<\|message\|>")
_CHANNEL_MARKS = re.compile(r"<\|(?:start\|>assistant|channel\|>\w+|message\|>|end\|>|return\|>)")
_CLOSING_OF = {opening.lower(): closing for opening, closing in _TAGS}
_OPENING_OF = {closing.lower(): opening.lower() for opening, closing in _TAGS}


def split_reasoning(text: str) -> tuple[str | None, str]:
    """Return (reasoning, answer) of a text that may begin with ``<think>…</think>`` or what other models have for it.

    The reasoning is None where there is none or it is empty. A block that was never closed (the text was cut off) is
    all reasoning; a closing tag with no opening one before it ends a reasoning whose opening the chat template had
    already written. Tags further inside the answer are left alone. Of a text with gpt-oss's channels, left in by a server,
    the last final one is the answer.
    """
    if "<|channel|>" in text and text.lstrip().startswith("<|"):
        return _split_channels(text)
    opening = _OPEN.match(text)
    start = opening.end() if opening else 0
    if opening is not None:
        closing = re.compile(rf"{re.escape(_CLOSING_OF[opening[1].lower()])}\s*", re.IGNORECASE).search(text, start)
    else:
        closing = _CLOSE.search(text)
    if closing is None:
        return (text[start:].strip() or None, "") if opening else (None, text)
    if opening is None and _OPENING_OF[closing[1].lower()] in text[: closing.start()].lower():
        return None, text
    return text[start : closing.start()].strip() or None, text[closing.end() :]


def _split_channels(text: str) -> tuple[str | None, str]:
    finals = list(_FINAL.finditer(text))
    end = finals[-1].start() if finals else len(text)
    answer = _CHANNEL_MARKS.sub("", text[finals[-1].end() :]) if finals else ""
    return _CHANNEL_MARKS.sub("", text[:end]).strip() or None, answer


class Piece(NamedTuple):
    """What came new. ``recast`` says that all text given before was reasoning: its end came without a beginning."""

    reasoning: str = ""
    text: str = ""
    recast: bool = False


_OPENINGS = (*_OPENING_OF.values(), "<|channel|>", "<|start|>", "<|message|>")
_CLOSINGS = tuple(_OPENING_OF)
_LONGEST_TAG = max(map(len, _CLOSINGS))
_UNFINISHED_MARK = re.compile(r"<\|channel\|>[^<]{0,90}(?:<(?:\|[a-z]*\|?)?)?\Z|<(?:\|(?:[a-z]*(?:\|(?:>\w*)?)?)?)?\Z")


class ReasoningSplitter:
    """Does what ``split_reasoning`` does to a text that arrives in pieces, and holds back only what may be a tag.

    ``opening`` is a tag that the chat template had already written. The pieces' reasoning together, stripped, and
    their text together (what a ``recast`` moved counted as reasoning) are what ``split_reasoning`` gives of the whole.
    """

    def __init__(self, opening: str = ""):
        self._held = ""
        self._given = ""
        self._closing: re.Pattern[str] | None = None
        self._read: Callable[[bool], Piece] = self._begin
        if opening:
            self.feed(opening)

    def feed(self, text: str) -> Piece:
        """Return what is known to be reasoning or text now."""
        self._held += text
        return self._read(False)

    def finish(self) -> Piece:
        """Return what was held back, when the text has ended."""
        return self._read(True)

    # -- where the text stands: each takes what it can from what is held

    def _begin(self, last: bool) -> Piece:
        start = self._held.lstrip().lower()
        if opening := _OPEN.match(self._held):
            closing = re.escape(_CLOSING_OF[opening[1].lower()])
            self._closing = re.compile(rf"{closing}\s*", re.IGNORECASE)
            self._held = self._held[opening.end() :].lstrip()
            self._read = self._think
        elif start.startswith(_OPENINGS[-3:]):
            self._held = self._held.lstrip()
            self._read = self._channels
        elif not last and (not start or any(tag.startswith(start) for tag in _OPENINGS)):
            return Piece()
        else:
            self._read = self._answer
        return self._read(last)

    def _think(self, last: bool) -> Piece:
        assert self._closing is not None
        if end := self._closing.search(self._held):
            reasoning, self._held = self._held[: end.start()], self._held[end.end() :]
            self._read = self._after
            return Piece(reasoning, self._after(last).text)
        if not self._given:
            self._held = self._held.lstrip()
        reasoning = self._take(last)
        self._given = self._given or reasoning
        return Piece(reasoning)

    def _after(self, last: bool) -> Piece:
        """Skip the white space between a closing tag and the answer."""
        self._held = self._held.lstrip()
        if self._held:
            self._read = self._plain
        return self._plain(last)

    def _plain(self, last: bool) -> Piece:
        text, self._held = self._held, ""
        return Piece(text=text)

    def _answer(self, last: bool) -> Piece:
        """Give text, until the first closing tag shows whether it was reasoning."""
        end = _CLOSE.search(self._held)
        if end is None:
            text = self._take(last)
            self._given += text
            return Piece(text=text)
        before, after = self._held[: end.start()], self._held[end.end() :]
        if _OPENING_OF[end[1].lower()] in (self._given + before).lower():
            self._read = self._plain
            return self._plain(last)
        self._held = after
        self._read = self._after
        return Piece(before, self._after(last).text, recast=True)

    def _channels(self, last: bool) -> Piece:
        """Give what stands before the final channel as reasoning, without the marks."""
        reasoning = ""
        if final := _FINAL.search(self._held):
            reasoning = _CHANNEL_MARKS.sub("", self._held[: final.start()])
            self._held = self._held[final.end() :]
            self._read = self._final
            return Piece(reasoning, self._final(last).text)
        return Piece(self._take_channel(last))

    def _final(self, last: bool) -> Piece:
        return Piece(text=self._take_channel(last))

    # -- taking what cannot be the beginning of a tag

    def _take(self, last: bool) -> str:
        keep = 0 if last else _unfinished_closing(self._held)
        taken, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return taken

    def _take_channel(self, last: bool) -> str:
        mark = None if last else _UNFINISHED_MARK.search(self._held, max(0, len(self._held) - 120))
        at = mark.start() if mark else len(self._held)
        taken, self._held = self._held[:at], self._held[at:]
        return _CHANNEL_MARKS.sub("", taken)


def _unfinished_closing(text: str) -> int:
    """Return how many characters at the end of a text may be the beginning of a closing tag."""
    tail = text[1 - _LONGEST_TAG :].lower()
    if not any(mark in tail for mark in "<[◁"):
        return 0
    for length in range(len(tail), 0, -1):
        if any(tag.startswith(tail[-length:]) for tag in _CLOSINGS):
            return length
    return 0
