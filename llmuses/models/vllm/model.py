"""A model in an engine of vLLM behind the house's one verb."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from llmuses.models.transformers.chat_template import ChatTemplate
from llmuses.models.transformers.local_model import LocalModel, end_tokens
from llmuses.models.transformers.tokenization import Codec
from llmuses.models.vllm.engine import Engine
from llmuses.models.vllm.scoring import EngineScorer
from llmuses.models.vllm.writing import EngineWriter

if TYPE_CHECKING:
    from llmuses.models.transformers.writer import Writer


class VllmModel(LocalModel):
    """Answers requests with an engine.

    Requests are read, tokenised and answered by the schedulers of the transformers backend; only what computes is
    another.
    """

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
        writer = cast("Writer", EngineWriter(engine, codec, defaults, end_tokens(defaults, tokenizer)))
        super().__init__(codec, EngineScorer(engine), writer, template, max_length)

    def close(self) -> None:
        """End the engine. May be called more than once."""
        super().close()
        self._engine.close()
