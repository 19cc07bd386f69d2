"""What every model that runs here has in common: requests sorted by kind, and streams for people who read along."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from typing import Any

from llmuses.models.base import Delta
from llmuses.models.transformers.chat_template import ChatTemplate
from llmuses.models.transformers.loops import Loop
from llmuses.models.transformers.prompting import Prompter
from llmuses.models.transformers.scoring_scheduler import ScoringScheduler
from llmuses.models.transformers.sharing import Scoring
from llmuses.models.transformers.streaming import Streams
from llmuses.models.transformers.tokenization import Codec
from llmuses.models.transformers.writer import Writer
from llmuses.models.transformers.writing_scheduler import WritingScheduler
from llmuses.records import Loglikelihood, Mode, Request, Response


class LocalModel:
    """Answers requests by one way of scoring and one of writing. See llmuses.models.base.Model and Streamer.

    ``max_length`` is the longest sequence that is read; a request beyond it is rejected, never cut. ``template`` is None for
    a model that reads plain text. ``reading`` makes the loops for those who read along, where they are not the writer's.
    """

    prefers = Mode.LOGPROB

    def __init__(
        self,
        codec: Codec,
        scoring: Scoring,
        writer: Writer,
        template: ChatTemplate | None,
        max_length: int | None,
        reading: Callable[[], Loop] | None = None,
    ):
        self._codec = codec
        prompter = Prompter(codec, template, max_length)
        self._scoring = ScoringScheduler(codec, scoring, max_length)
        self._writing = WritingScheduler(codec, writer, prompter)
        self._streams = Streams(codec, prompter, writer.start, reading or writer.loop)

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Yield one response for each request, as they are answered. Raises ModelError where what computes them died."""
        for kind, some in itertools.groupby(requests, lambda request: type(request.ask)):
            if kind is Loglikelihood:
                yield from self._scoring.run(some)
            else:
                yield from self._writing.run(some)

    def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Yield an answer as it is written. See llmuses.models.base.Streamer."""
        return self._streams.stream(request)

    def close(self) -> None:
        """End what writes. May be called more than once."""
        self._streams.close()


def end_tokens(defaults: Any, tokenizer: Any) -> frozenset[int]:
    """Return the tokens that end an answer: those of the checkpoint's generation settings and the tokenizer's own."""
    configured = defaults.eos_token_id
    found = configured if isinstance(configured, list) else [configured]
    return frozenset(int(token) for token in [*found, tokenizer.eos_token_id] if token is not None)
