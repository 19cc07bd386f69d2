"""Answers for people who read along: all streams of a network are written in one loop, in one thread."""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from llmuses.models.base import Delta, StreamError
from llmuses.models.reasoning import ReasoningSplitter
from llmuses.models.transformers.answers import Prompt, Writing
from llmuses.models.transformers.growing_text import GrowingText
from llmuses.models.transformers.loops import Loop
from llmuses.models.transformers.news import News, Tell, failed
from llmuses.models.transformers.prompting import Prompter
from llmuses.models.transformers.responses import CLOSED
from llmuses.models.transformers.tokenization import Codec
from llmuses.models.transformers.writing_scheduler import response
from llmuses.records import Generate, Request, Response, ResponseError

_log = logging.getLogger(__name__)


class Streams:
    """The streams of one network. The thread starts with the first one and ends with ``close``.

    ``start`` begins an answer, ``loop`` makes what answers are written in.
    """

    def __init__(self, codec: Codec, prompter: Prompter, start: Callable[[Prompt], Writing], loop: Callable[[], Loop]):
        self._codec = codec
        self._prompter = prompter
        self._start = start
        self._loop = loop
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._joining: list[_Stream] = []
        self._leaving: list[_Stream] = []
        self._closed = False
        self._in_progress: dict[Writing, _Stream] = {}

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Yield an answer as it is written. See llmuses.models.base.Streamer."""
        prompt = await asyncio.to_thread(self._prompt, request)
        if isinstance(prompt, Response):
            assert prompt.error is not None
            raise StreamError(prompt.error)
        news = News()
        stream = _Stream(prompt, self._start(prompt), self._codec, news.tell)
        self._join(stream)
        try:
            async with aclosing(news.deltas()) as deltas:
                async for delta in deltas:
                    yield delta
        finally:
            self._leave(stream)

    def close(self) -> None:
        """End the thread; streams in progress fail. May be called more than once."""
        with self._news:
            self._closed = True
            self._news.notify()
        if self._thread is not None:
            self._thread.join()

    def _prompt(self, request: Request) -> Prompt | Response:
        if not isinstance(request.ask, Generate):
            raise TypeError("only a written answer can be streamed")
        return self._prompter.prompt(request.key, request.ask)

    def _join(self, stream: _Stream) -> None:
        with self._news:
            if self._closed:
                raise StreamError(failed("closed", CLOSED))
            self._joining.append(stream)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="llmuses-streams", daemon=True)
                self._thread.start()
            self._news.notify()

    def _leave(self, stream: _Stream) -> None:
        with self._news:
            self._leaving.append(stream)
            self._news.notify()

    # --- In the thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        streams = self._in_progress
        loop: Loop | None = None
        while self._wait(streams):
            try:
                if loop is None:
                    loop = self._loop()
                self._let_in(loop, streams)
                self._let_out(loop, streams)
                if loop.busy:
                    loop.step(functools.partial(self._told, loop, streams))
            except Exception as problem:  # whatever the network raises ends these streams, not those to come
                _log.exception("streams failed")
                self._fail(streams, failed("network", f"{type(problem).__name__}: {problem}"))
                loop = None
            for writing in [writing for writing in streams if writing.ended]:
                del streams[writing]
            if not streams:
                loop = None  # the next one is as large as memory allows then
        self._fail(streams, failed("closed", CLOSED))

    def _wait(self, streams: dict[Writing, _Stream]) -> bool:
        """Wait until there is something to do. Returns False where it is to end."""
        with self._news:
            self._news.wait_for(lambda: bool(streams or self._joining or self._closed))
            return not self._closed

    def _told(self, loop: Loop, streams: dict[Writing, _Stream], writing: Writing) -> None:
        if writing in streams:
            streams[writing].told()
        if self._leaving or self._closed:  # one step may be a whole batch: who has left is not written for
            self._let_out(loop, streams)

    def _let_in(self, loop: Loop, streams: dict[Writing, _Stream]) -> None:
        with self._news:
            joining, self._joining = self._joining, []
        streams.update({stream.writing: stream for stream in joining})
        loop.join([stream.writing for stream in joining])

    def _let_out(self, loop: Loop, streams: dict[Writing, _Stream]) -> None:
        with self._news:
            leaving, self._leaving = self._leaving, []
            if self._closed:
                leaving = list(streams.values())
        for stream in leaving:
            loop.leave(stream.writing)
            if not self._closed:
                streams.pop(stream.writing, None)

    def _fail(self, streams: dict[Writing, _Stream], problem: ResponseError) -> None:
        with self._news:
            joining, self._joining = self._joining, []
        for stream in [*streams.values(), *joining]:
            stream.tell(problem)
        streams.clear()


class _Stream:
    """One answer, and who is told of it."""

    def __init__(self, prompt: Prompt, writing: Writing, codec: Codec, tell: Tell):
        self.writing = writing
        self.tell = tell
        self._prompt = prompt
        self._codec = codec
        self._text = GrowingText(writing, codec)
        self._splitter = ReasoningSplitter(prompt.opening)

    def told(self) -> None:
        """Tell what came new of the answer."""
        ended: Response | None = None
        if self.writing.ended:
            ended = response(self.writing, self._prompt, self._codec)
            if ended.error is not None:
                self.tell(ended.error)
                return
        piece = self._splitter.feed(self._text.more())
        if ended is None:
            if piece.text or piece.reasoning or piece.recast:
                self.tell(Delta(text=piece.text, reasoning=piece.reasoning, recast=piece.recast))
            return
        last = self._splitter.finish()
        first_text, first_reasoning = (
            ("", piece.reasoning + piece.text) if last.recast else (piece.text, piece.reasoning)
        )
        self.tell(
            Delta(
                text=first_text + last.text,
                reasoning=first_reasoning + last.reasoning,
                recast=piece.recast or last.recast,
                finish_reason=ended.finish_reason,
                usage=ended.usage,
            )
        )
