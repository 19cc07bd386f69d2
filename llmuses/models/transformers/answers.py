"""An answer as it is being written: its tokens, and where it ends."""

from __future__ import annotations

import time
from typing import NamedTuple

from llmuses.models.transformers.sampling import Choice
from llmuses.models.transformers.tokenization import Codec
from llmuses.records import GenerationConfig


class Prompt(NamedTuple):
    """What one answer starts from.

    ``room`` is how many tokens the answer may have; ``opening`` is a tag of reasoning that the chat template opened.
    """

    key: str
    tokens: list[int]
    config: GenerationConfig
    room: int
    opening: str = ""


class Answer(NamedTuple):
    """One answer: its text up to a stop string, how many tokens were written, why it ended (stop or length).

    ``seconds`` is from when its prompt began to be read to the answer's last token, ``first`` to its first. ``sound``
    is false where the network computed something that is not a number, so that the text means nothing.
    """

    text: str
    tokens: int
    finish_reason: str
    seconds: float
    first: float
    sound: bool = True


class Writing:
    """One answer in progress.

    It has ended once ``ended`` is true; ``answer`` is then None where memory did not suffice.
    """

    def __init__(self, prompt: Prompt, choice: Choice, codec: Codec, ends: frozenset[int]):
        self.prompt = prompt
        self.choice = choice
        self.tokens: list[int] = []
        self.ended = False
        self.answer: Answer | None = None
        self._codec = codec
        self._ends = ends
        self._stops = [stop for stop in prompt.config.stop if stop]
        # A stop string of n bytes spans at most n tokens; the first of them may be cut, hence a few more.
        self._tail = max((len(stop.encode()) for stop in self._stops), default=0) + 4
        self._started: float | None = None
        self._first = 0.0

    def begin(self) -> None:
        """Start the clock, unless it runs already."""
        if self._started is None:
            self._started = time.perf_counter()

    def add(self, token: int, sound: bool = True) -> None:
        """Take the next token; the answer may end with it: an end token, a stop string, or no room left."""
        self.begin()
        self.tokens.append(token)
        if len(self.tokens) == 1:
            self._first = self._seconds()
        reason = self._reason(token) if sound else "stop"
        if reason:
            self.ended = True
            self.answer = self._finished(reason, sound)

    def fail(self) -> None:
        """End without an answer: memory does not suffice for it."""
        self.ended = True

    def _reason(self, token: int) -> str | None:
        if token in self._ends:
            return "stop"
        if self._stops:
            tail = self._codec.decode(self.tokens[-self._tail :], special=True)
            if any(stop in tail for stop in self._stops):
                return "stop"
        return "length" if len(self.tokens) >= self.prompt.room else None

    def _finished(self, reason: str, sound: bool) -> Answer:
        text = self._codec.decode(self.tokens[:-1] if self.tokens[-1] in self._ends else self.tokens)
        found = self._found(text)
        return Answer(
            text=text[: min(found)] if found else text,
            tokens=len(self.tokens),
            finish_reason="stop" if found else reason,
            seconds=self._seconds(),
            first=self._first,
            sound=sound,
        )

    def _found(self, text: str) -> list[int]:
        return [place for stop in self._stops if (place := text.find(stop)) >= 0]

    def _seconds(self) -> float:
        return time.perf_counter() - (self._started or 0.0)
