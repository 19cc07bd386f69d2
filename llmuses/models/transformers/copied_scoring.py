"""Scoring with copies of the cache: a shared prefix is read once, and its state copied for each row behind it.

For networks whose attention cannot be told about trees: those with layers that carry a state along.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import DynamicCache

from llmuses.models.transformers.batching import Batcher
from llmuses.models.transformers.memory import free_memory, is_out_of_memory
from llmuses.models.transformers.plain_scoring import longest, score_rows
from llmuses.models.transformers.prefixes import Asked, Node, grow, in_order
from llmuses.models.transformers.reading import Outcome, Reader, Reading

WORTH = 64
"""Tokens that a prefix of its own must save: a pass of its own and copies of its state cost about as much."""


class CopiedScorer:
    """Scores a tree from its roots down, the leaves below a node in padded batches."""

    name = "copied"
    worth = WORTH

    def __init__(self, reader: Reader, batcher: Batcher):
        self._reader = reader
        self._batcher = batcher

    @torch.inference_mode()
    def run(self, asked: Sequence[Asked]) -> Iterator[Outcome]:
        """Yield what is found about some sequences, until all of them are answered."""
        yield from self._below(grow(asked, WORTH), None)

    def _below(self, nodes: Sequence[Node], cache: Any) -> Iterator[Outcome]:
        leaves = [node for node in nodes if not node.children]

        def score(rows: Sequence[Node]) -> list[list[Reading]]:
            if cache is None:
                return score_rows(self._reader, rows)
            return score_rows(self._reader, rows, **self._remembering(cache, len(rows)))

        leaves.sort(key=lambda leaf: -len(leaf.tokens))
        for leaf, readings, seconds in self._batcher.run(leaves, longest, score):
            lost = [] if readings is not None else sorted({probe.sequence for probe in leaf.probes})
            yield Outcome(readings or [], lost, seconds)
        for node in nodes:
            if node.children:
                yield from self._inner(node, cache)

    def _inner(self, node: Node, cache: Any) -> Iterator[Outcome]:
        started = time.perf_counter()
        try:
            inputs = self._remembering(cache, 1) if cache is not None else self._empty()
            [readings] = score_rows(self._reader, [node], **inputs)
        except RuntimeError as problem:
            if not is_out_of_memory(problem):
                raise
            problem.__traceback__ = None
            if free_memory():
                yield from self._inner(node, cache)
                return
            lost = {probe.sequence for below in in_order([node]) for probe in below.probes}
            yield Outcome([], sorted(lost), time.perf_counter() - started)
            return
        yield Outcome(readings, [], time.perf_counter() - started)
        yield from self._below(node.children, inputs[self._reader.cache_name])

    def _empty(self) -> dict[str, Any]:
        cache: Any = DynamicCache(config=self._reader.config)
        return {"use_cache": True, self._reader.cache_name: cache}

    def _remembering(self, cache: Any, rows: int) -> dict[str, Any]:
        """Return the network's inputs for rows that go on where a cache of one row ends; it stays as it is."""
        copied = copy.deepcopy(cache)
        if rows > 1:
            copied.reorder_cache(torch.zeros(rows, dtype=torch.long, device=self._reader.device))
        return {"use_cache": True, self._reader.cache_name: copied}
