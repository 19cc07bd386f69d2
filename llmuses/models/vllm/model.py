"""A model in an engine of vLLM behind the house's one verb."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from llmuses.models.base import Delta
from llmuses.models.transformers.chat_template import ChatTemplate
from llmuses.models.transformers.prompting import Prompter
from llmuses.models.transformers.scoring_scheduler import ScoringScheduler
from llmuses.models.transformers.streaming import Streams
from llmuses.models.transformers.tokenization import Codec
from llmuses.models.transformers.writing_scheduler import WritingScheduler
from llmuses.models.vllm.engine import Engine
from llmuses.models.vllm.scoring import EngineScorer
from llmuses.models.vllm.writing import EngineWriter
from llmuses.records import Loglikelihood, Mode, Request, Response

if TYPE_CHECKING:
    from llmuses.models.transformers.writer import Writer


class VllmModel:
    """Answers requests with an engine. See llmuses.models.base.Model and Streamer.

    Requests are read, tokenised and answered by the schedulers of the transformers backend; only what computes is
    another. ``max_length`` is the longest sequence that is read; a request beyond it is rejected, never cut.
    """

    prefers = Mode.LOGPROB

    def __init__(
        self,
        engine: Engine,
        tokenizer: Any,
        defaults: Any,
        *,
        name: str,
        identity: str,
        details: Mapping[str, Any],
        template: ChatTemplate | None,
        max_length: int,
    ):
        self.name = name
        self.identity = identity
        self.details = details
        self._engine = engine
        codec = Codec(tokenizer)
        # An EngineWriter begins answers and makes loops as a Writer does: what the schedulers use of it.
        writer = cast("Writer", EngineWriter(engine, codec, defaults, _ends(defaults, tokenizer)))
        prompter = Prompter(codec, template, max_length)
        self._scoring = ScoringScheduler(codec, EngineScorer(engine), max_length)
        self._writing = WritingScheduler(codec, writer, prompter)
        self._streams = Streams(codec, writer, prompter)

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Yield one response for each request, as they are answered. Raises ModelError where the engine died."""
        for kind, some in itertools.groupby(requests, lambda request: type(request.ask)):
            if kind is Loglikelihood:
                yield from self._scoring.run(some)
            else:
                yield from self._writing.run(some)

    def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Yield an answer as it is written. See llmuses.models.base.Streamer."""
        return self._streams.stream(request)

    def close(self) -> None:
        """End the engine. May be called more than once."""
        self._streams.close()
        self._engine.close()


def _ends(defaults: Any, tokenizer: Any) -> frozenset[int]:
    """Return the tokens that end an answer: those of the checkpoint's generation settings and the tokenizer's own."""
    configured = defaults.eos_token_id
    found = configured if isinstance(configured, list) else [configured]
    return frozenset(int(token) for token in [*found, tokenizer.eos_token_id] if token is not None)
