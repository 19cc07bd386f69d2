"""A causal language model of transformers behind the house's one verb."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from llmuses.models.transformers.batching import Batcher, TokenBudget
from llmuses.models.transformers.chat_template import ChatTemplate
from llmuses.models.transformers.copied_scoring import CopiedScorer
from llmuses.models.transformers.kept import Kept
from llmuses.models.transformers.local_model import LocalModel, end_tokens
from llmuses.models.transformers.memory import give_back
from llmuses.models.transformers.merged_scoring import MergedScorer
from llmuses.models.transformers.plain_scoring import PlainScorer
from llmuses.models.transformers.reading import Reader
from llmuses.models.transformers.sharing import choose, trials
from llmuses.models.transformers.tokenization import Codec
from llmuses.models.transformers.turns import Turns
from llmuses.models.transformers.writer import Limits, Writer


class CausalLM(LocalModel):
    """Answers requests with a network and a tokenizer that are in memory."""

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
        codec = Codec(tokenizer)
        device = network.get_input_embeddings().weight.device
        ends = end_tokens(network.generation_config, tokenizer)
        pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(ends, default=0)
        turns = Turns()
        self._reader = Reader(network, device, pad, turns)
        ways = MergedScorer(self._reader, budget), CopiedScorer(self._reader, scoring)
        plain = PlainScorer(self._reader, scoring)
        way = choose(ways, plain, functools.partial(trials, codec, max_length), network.dtype, name)
        self._writer = Writer(network, codec, device, pad, ends, writing, turns)
        self.details: Mapping[str, Any] = {**details, "scoring": way.name, "writing": self._writer.way}
        self._kept = Kept()
        reading = functools.partial(self._writer.loop, self._kept)
        super().__init__(codec, way, self._writer, template, max_length, reading)

    def close(self) -> None:
        """Free the network's memory. May be called more than once."""
        super().close()
        self._kept.give_up()
        self._reader.network = self._writer.network = None
        give_back()
