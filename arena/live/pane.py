"""One side's answer, from the model's deltas to what a page must change."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from arena.live.rendering import LiveMarkdown, plain
from arena.live.wire import Pane, PaneState
from llmuses.models.base import Delta, StreamError
from llmuses.records import ErrorKind, ResponseError, Usage

_log = logging.getLogger(__name__)

THOUGHTS_SECONDS = 2.0
"""Thoughts are folded away and sent whole: more often would be for nobody."""
SHARE = 0.02
"""Of one processor, for rendering one side: what takes longer to render is rendered less often."""
LONGEST_PAUSE = 1.0

_ENDED = (PaneState.FINISHED, PaneState.STOPPED, PaneState.FAILED)


class PaneWriter:
    """One side's answer while it is written. See arena.live.playing.Writer.

    ``reasoning`` is what the model thought; its length and time go nowhere, so that they do not decide a vote.
    """

    def __init__(self, news: Callable[[], None], clock: Callable[[], float] = time.monotonic):
        self.state = PaneState.WAITING
        self.text = ""
        self.reasoning = ""
        self.finish: str | None = None
        self.usage: Usage | None = None
        self._reason: str | None = None
        self._news = news
        self._clock = clock
        self._markdown = LiveMarkdown()
        self._sent: tuple[PaneState, int, int] | None = None
        self._thoughts_at = float("-inf")
        self._thoughts_sent = 0
        self._not_before = float("-inf")
        self._of = 0

    async def follow(self, stream: AsyncGenerator[Delta, None]) -> None:
        """Take the stream until it ends, fails or the task is cancelled. Raises nothing of the stream's."""
        try:
            async with aclosing(stream):
                async for delta in stream:
                    if self.state in _ENDED:
                        return
                    self._take(delta)
            self.stop(PaneState.FINISHED)
        except StreamError as problem:
            self.stop(PaneState.FAILED, reason_of(problem.error))
        except Exception:
            _log.exception("a model's stream raised what it should not")
            self.stop(PaneState.FAILED, "failed")

    def stop(self, state: PaneState, reason: str | None = None) -> None:
        """End it, where it has not ended; what comes later is dropped."""
        if self.state not in _ENDED:
            self.state, self._reason = state, reason
            self._news()

    def _take(self, delta: Delta) -> None:
        if delta.recast:
            self.reasoning, self.text = self.reasoning + self.text, ""
            shown = self._markdown.shown
            self._markdown = LiveMarkdown()
            self._markdown.shown = shown
        self.reasoning += delta.reasoning
        self.text += delta.text
        self.finish = delta.finish_reason or self.finish
        self.usage = delta.usage or self.usage
        if self.text.strip():
            self.state = PaneState.WRITING
        elif self.reasoning:
            self.state = PaneState.THINKING
        if delta.text or delta.reasoning:
            self._news()

    def changes(self) -> Pane | None:
        """Return what changed since the last call, None where nothing did or too much time went into it lately."""
        now = self._clock()
        ended = self.state in _ENDED
        version = (self.state, len(self.text), len(self.reasoning))
        same_state = self._sent is not None and self._sent[0] is self.state
        if version == self._sent or (same_state and now < self._not_before):
            return None
        pane = Pane(state=self.state, reason=self._reason, thinking=self._thoughts(now))
        began = time.perf_counter()
        change = self._markdown.update(self.text, finished=ended)
        pane.first, pane.blocks, pane.of = change.first, tuple(change.blocks), change.of
        self._not_before = now + min(LONGEST_PAUSE, (time.perf_counter() - began) / SHARE)
        self._sent = version
        nothing = same_state and not pane.blocks and change.first == change.of == self._of and pane.thinking is None
        self._of = change.of
        return None if nothing else pane

    def _thoughts(self, now: float) -> str | None:
        """Return the thoughts so far, where they have grown and were not sent just now."""
        length = len(self.reasoning)
        due = self.state is not PaneState.THINKING or now >= self._thoughts_at + THOUGHTS_SECONDS
        if length == self._thoughts_sent or not due:
            return None
        self._thoughts_sent, self._thoughts_at = length, now
        return plain(self.reasoning.strip())


def reason_of(error: ResponseError) -> str:
    """Return why a side failed, in one of a few words that give no model away: ``filtered``, ``too_long``, ``timeout``, ``failed``."""
    if error.kind is ErrorKind.REJECTED:
        return {"content_filter": "filtered", "context_length": "too_long"}.get(error.code, "failed")
    return "timeout" if error.code == "timeout" else "failed"
