"""A causal language model of transformers behind the house's one verb."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from typing import Any

from llmuses.models.base import Delta
from llmuses.models.transformers.batching import Batcher, TokenBudget, free_memory
from llmuses.models.transformers.chat_template import ChatTemplate
from llmuses.models.transformers.copied_scoring import CopiedScorer
from llmuses.models.transformers.merged_scoring import MergedScorer
from llmuses.models.transformers.plain_scoring import PlainScorer
from llmuses.models.transformers.prompting import Prompter
from llmuses.models.transformers.reading import Reader
from llmuses.models.transformers.scoring_scheduler import ScoringScheduler
from llmuses.models.transformers.sharing import choose, trials
from llmuses.models.transformers.streaming import Streams
from llmuses.models.transformers.tokenization import Codec
from llmuses.models.transformers.writer import Limits, Writer
from llmuses.models.transformers.writing_scheduler import WritingScheduler
from llmuses.records import Loglikelihood, Mode, Request, Response


class CausalLM:
    """Answers requests with a network and a tokenizer that are in memory. See llmuses.models.base.Model.

    ``max_length`` is the longest sequence that the network may read; a request beyond it is rejected, never cut.
    ``template`` is None for a model that reads plain text.
    """

    prefers = Mode.LOGPROB

    def __init__(
        self,
        network: Any,
        tokenizer: Any,
        *,
        name: str,
        identity: str,
        details: Mapping[str, Any],
        template: ChatTemplate | None,
        max_length: int | None,
        scoring: Batcher,
        budget: TokenBudget,
        writing: Limits,
    ):
        self.name = name
        self.identity = identity
        self._codec = Codec(tokenizer)
        device = network.get_input_embeddings().weight.device
        ends = _end_tokens(network, tokenizer)
        pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(ends, default=0)
        self._reader = Reader(network, device, pad)
        ways = (
            MergedScorer(self._reader, budget),
            CopiedScorer(self._reader, scoring),
            PlainScorer(self._reader, scoring),
        )
        way = choose(ways, trials(self._codec, max_length), network.dtype, name)
        self._scoring = ScoringScheduler(self._codec, way, max_length)
        self._writer = Writer(network, self._codec, device, pad, ends, writing)
        self.details: Mapping[str, Any] = {**details, "scoring": way.name, "writing": self._writer.way}
        prompter = Prompter(self._codec, template, max_length)
        self._writing = WritingScheduler(self._codec, self._writer, prompter)
        self._streams = Streams(self._codec, self._writer, prompter)

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Yield one response for each request, as they are answered. See llmuses.models.base.Model."""
        for kind, some in itertools.groupby(requests, lambda request: type(request.ask)):
            if kind is Loglikelihood:
                yield from self._scoring.run(some)
            else:
                yield from self._writing.run(some)

    def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Yield an answer as it is written. See llmuses.models.base.Streamer."""
        return self._streams.stream(request)

    def close(self) -> None:
        """Free the network's memory. May be called more than once."""
        self._streams.close()
        self._reader.network = self._writer.network = None
        free_memory()


def _end_tokens(network: Any, tokenizer: Any) -> frozenset[int]:
    """Return the tokens that end an answer: those of the checkpoint's generation settings and the tokenizer's own."""
    configured = network.generation_config.eos_token_id
    found = configured if isinstance(configured, list) else [configured]
    return frozenset(int(token) for token in [*found, tokenizer.eos_token_id] if token is not None)
