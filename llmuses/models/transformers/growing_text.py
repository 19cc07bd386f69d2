"""The text of an answer as its tokens come: what is given out once is never taken back."""

from __future__ import annotations

from collections.abc import Sequence

from llmuses.models.transformers.answers import Writing
from llmuses.models.transformers.tokenization import Codec

_CONTEXT = 8
"""Tokens before the new ones that are decoded with them: some decoders write a token after another one differently."""


class GrowingText:
    """Follows one answer. It holds back half characters, and what may be the beginning of a stop string."""

    def __init__(self, writing: Writing, codec: Codec):
        self._writing = writing
        self._codec = codec
        self._stops = [stop for stop in writing.prompt.config.stop if stop]
        self._decoded = ""
        """The text of the tokens before ``_read``, which ends between two characters."""
        self._read = 0
        self._given = 0

    def more(self) -> str:
        """Return what is known of the text now and was not returned before."""
        answer = self._writing.answer
        if answer is not None:
            return self._give(answer.text, len(answer.text))
        tokens = self._writing.tokens
        context = tokens[max(0, self._read - _CONTEXT) : self._read]
        before = self._codec.decode(context)
        text = self._decoded + self._codec.decode([*context, *tokens[self._read :]])[len(before) :]
        if text.endswith("\ufffd"):
            return ""
        self._decoded, self._read = text, len(tokens)
        return self._give(text, len(text) - _held(text, self._stops))

    def _give(self, text: str, end: int) -> str:
        new = text[self._given : end]
        self._given = max(self._given, end)
        return new


def _held(text: str, stops: Sequence[str]) -> int:
    """Return how many characters at the end of a text may be the beginning of a stop string."""
    longest = max((len(stop) for stop in stops), default=0) - 1
    for length in range(min(longest, len(text)), 0, -1):
        if any(stop.startswith(text[-length:]) for stop in stops):
            return length
    return 0
