"""A causal language model of transformers behind the house's one verb."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from llmuses.models.transformers.batching import Batcher, TokenBudget
from llmuses.models.transformers.chat_template import ChatTemplate
from llmuses.models.transformers.copied_scoring import CopiedScorer
from llmuses.models.transformers.divided_scoring import DividedScorer
from llmuses.models.transformers.kept import Kept
from llmuses.models.transformers.local_model import LocalModel, end_tokens
from llmuses.models.transformers.memory import give_back
from llmuses.models.transformers.merged_scoring import MergedScorer
from llmuses.models.transformers.plain_scoring import PlainScorer
from llmuses.models.transformers.positions import shift_length
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
        pad = _padding(tokenizer, ends, network.get_input_embeddings().weight.shape[0])
        self._turns = turns = Turns()
        self._reader = Reader(network, device, pad, turns)
        ways = MergedScorer(self._reader, budget), CopiedScorer(self._reader, scoring)
        plain = PlainScorer(self._reader, scoring)
        way = choose(ways, plain, functools.partial(trials, codec, max_length), network.dtype, name)
        if (length := shift_length(network, max_length)) is not None:
            way = DividedScorer(length, way, PlainScorer(self._reader, Batcher(1, None, max_length)))
        self._writer = Writer(network, codec, device, pad, ends, writing, turns)
        self.details: Mapping[str, Any] = {**details, "scoring": way.name, "writing": self._writer.way}
        self._kept = Kept()
        reading = functools.partial(self._writer.loop, self._kept)
        super().__init__(codec, way, self._writer, template, max_length, reading)

    def close(self) -> None:
        """Free the network's memory. What asks it meanwhile gets ModelError after the pass under way. May be called more
        than once."""
        super().close()
        self._turns.close()
        self._kept.give_up()
        self._reader.network = self._writer.network = None
        give_back()


def _padding(tokenizer: Any, ends: Iterable[int], vocabulary: int) -> int:
    """Return a token to pad with: the tokenizer's own where the network knows it, which those added later it may not."""
    known = (token for token in (tokenizer.pad_token_id, *sorted(ends)) if token is not None and token < vocabulary)
    return next(known, 0)
