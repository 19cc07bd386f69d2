"""Server-sent events of an answer, read as raw lines while they arrive."""

from __future__ import annotations

import msgspec

from llmuses.models.base import Delta, StreamError
from llmuses.models.openai.gate import Fault
from llmuses.models.openai.replies import (
    Choice,
    decode_event,
    ending,
    error_in_place,
    read_reply,
    text_of,
    thoughts_of,
    usage_of,
    withheld,
    written_answer,
)
from llmuses.models.openai.secrecy import KeyStriker, without_key
from llmuses.models.reasoning import ReasoningSplitter
from llmuses.records import Usage

LONGEST_BODY = 16 << 20
"""Bytes of one event, or of an answer that was not streamed; more is no answer."""

_BEGINNINGS = (b"data:", b"event:", b"id:", b"retry:", b":")


class EventReader:
    """Turns the bytes of a reply into deltas. A server that does not stream gives its whole answer in the last one.

    ``answered`` says that the answer is whole and only the count of its tokens may follow; ``ended`` that nothing will.
    ``secret`` is struck out of whatever the server says, also where it is spread over events.
    """

    def __init__(self, secret: str = ""):
        self.ended = False
        self._secret = secret
        self._text, self._thoughts = KeyStriker(secret), KeyStriker(secret)
        self._rest = b""
        self._streamed: bool | None = None
        self._splitter: ReasoningSplitter | None = ReasoningSplitter()
        self._finish_reason: str | None = None
        self._usage: Usage | None = None
        self._has_text = False

    @property
    def answered(self) -> bool:
        return self._finish_reason is not None

    def feed(self, content: bytes) -> Delta | None:
        """Return what came new, None where it was nothing to read.

        Raises Fault for what is no answer, Fault or Refused for an error in its place.
        """
        self._rest += content
        if len(self._rest) > LONGEST_BODY:
            raise Fault("bad_body", "the server sent something else than an answer (it is too long)")
        if self._streamed is None:
            start = self._rest.lstrip()
            if len(start) < max(map(len, _BEGINNINGS)):
                return None
            self._streamed = start.startswith(_BEGINNINGS)
        if not self._streamed:
            return None
        *lines, self._rest = self._rest.split(b"\n")
        return self._read(lines)

    def finish(self) -> Delta:
        """Return the last delta, when the server has sent everything.

        Raises Fault for an answer that is not whole, StreamError for one that the server kept back.
        """
        if not self._streamed:
            return self._whole()
        last = self._read([self._rest]) or Delta()
        if self._finish_reason is None:
            raise Fault("cut_off", "the connection ended in the middle of the answer")
        last = _joined(last, self._rest_of_words()) or Delta()
        self._has_text = self._has_text or bool(last.text.strip())
        if self._finish_reason == "content_filter" and not self._has_text:
            raise StreamError(withheld())
        return Delta(
            text=last.text,
            reasoning=last.reasoning,
            recast=last.recast,
            finish_reason=self._finish_reason,
            usage=self._usage,
        )

    def _rest_of_words(self) -> Delta:
        """Return what was held back as the beginning of the key, or of a tag."""
        thoughts, text = self._thoughts.finish(), self._text.finish()
        if self._splitter is None:
            return Delta(text=text, reasoning=thoughts)
        piece, end = self._splitter.feed(text), self._splitter.finish()
        return (
            _joined(
                Delta(text=piece.text, reasoning=piece.reasoning, recast=piece.recast),
                Delta(text=end.text, reasoning=end.reasoning, recast=end.recast),
            )
            or Delta()
        )

    def _whole(self) -> Delta:
        response = written_answer("", read_reply(self._rest, self._secret))
        if response.error:
            raise StreamError(response.error)
        return Delta(
            text=response.text or "",
            reasoning=response.reasoning or "",
            finish_reason=response.finish_reason or "stop",
            usage=response.usage,
        )

    def _read(self, lines: list[bytes]) -> Delta | None:
        delta: Delta | None = None
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            data = line[5:].strip()
            if data == b"[DONE]":
                self.ended = True
                break
            if data:
                delta = _joined(delta, self._event(data))
        return delta

    def _event(self, data: bytes) -> Delta | None:
        try:
            event = decode_event(data)
        except (msgspec.DecodeError, RecursionError) as problem:
            raise Fault("bad_body", f"the server sent something else than an answer ({problem})") from problem
        if event.error:
            raise error_in_place(event.error, self._secret)
        if event.usage:
            self._usage = usage_of(event)
        return self._choice(event.choices[0]) if event.choices else None

    def _choice(self, choice: Choice) -> Delta | None:
        if reason := ending(choice, self._secret):
            self._finish_reason = without_key(reason, self._secret)
        message = choice.delta or choice.message
        if message is None:
            return None
        thoughts, text = thoughts_of(message), self._text.feed(text_of(message))
        if thoughts:
            self._splitter = None  # a server that tells them apart has taken the tags away
            thoughts = self._thoughts.feed(thoughts)
        if self._splitter is None:
            delta = Delta(text=text, reasoning=thoughts)
        else:
            piece = self._splitter.feed(text)
            delta = Delta(text=piece.text, reasoning=piece.reasoning, recast=piece.recast)
        self._has_text = (self._has_text and not delta.recast) or bool(delta.text.strip())
        return delta if delta.text or delta.reasoning or delta.recast else None


def _joined(first: Delta | None, second: Delta | None) -> Delta | None:
    """Return two deltas as one."""
    if first is None or second is None:
        return first or second
    if second.recast:
        return Delta(text=second.text, reasoning=first.reasoning + first.text + second.reasoning, recast=True)
    return Delta(text=first.text + second.text, reasoning=first.reasoning + second.reasoning, recast=first.recast)
