"""Scoring by packs: each node of the tree of common prefixes is computed once, and attended to where it is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import torch

from llmuses.models.transformers.attention import packed, tree_attention
from llmuses.models.transformers.batching import TokenBudget
from llmuses.models.transformers.memory import free_memory, is_out_of_memory
from llmuses.models.transformers.packing import Packer, Piece
from llmuses.models.transformers.prefixes import Asked, grow
from llmuses.models.transformers.reading import Outcome, Reader, Reading, read

WORTH = 8
"""Tokens that a prefix of its own must save: one more part costs about as much as so many tokens."""

_GIVING_WAY = 4
"""By how much passes are shorter while others want the network too: somebody reads along, word by word."""


class MergedScorer:
    """Scores whole trees, a budget of tokens at a time, without any padding."""

    name = "merged"
    worth = WORTH

    def __init__(self, reader: Reader, budget: TokenBudget):
        self._reader = reader
        self._budget = budget

    @torch.inference_mode()
    def run(self, asked: Sequence[Asked]) -> Iterator[Outcome]:
        """Yield what each pass says about some sequences, until all of them are answered."""
        packer = Packer(grow(asked, WORTH), self._reader.device)
        while not packer.done:
            with self._reader.turns as shared:
                outcome = self._next(packer, shared)
            if outcome is not None:
                yield outcome

    def _next(self, packer: Packer, shared: bool) -> Outcome | None:
        """Return what the next pass says; None where it did not fit and will be tried again, shorter."""
        started = time.perf_counter()
        tokens = max(self._budget.tokens // _GIVING_WAY, 1) if shared else self._budget.tokens
        pieces = packer.next(tokens, self._budget.logits // self._reader.vocabulary)
        try:
            readings = self._pass(packer, pieces)
        except RuntimeError as problem:
            if not is_out_of_memory(problem):
                raise
            problem.__traceback__ = None  # its frames hold the tensors that did not fit
            if free_memory() or self._budget.halve(pieces[-1].end):
                return None
            lost = {probe.sequence for node in packer.skip() for probe in node.probes}
            return Outcome([], sorted(lost), time.perf_counter() - started)
        seconds = time.perf_counter() - started
        self._budget.took(pieces[-1].end, seconds)
        return Outcome(readings, [], seconds)

    def _pass(self, packer: Packer, pieces: Sequence[Piece]) -> list[Reading]:
        pack, kept = packer.pack(pieces)
        wanted: dict[int, int] = {}
        rows, targets, sequences = [], [], []
        for piece in pieces:
            for probe in piece.node.probes:
                if piece.first <= probe.offset < piece.last:
                    place = piece.place + probe.offset - piece.first
                    rows.append(wanted.setdefault(place, len(wanted)))
                    targets.append(probe.target)
                    sequences.append(probe.sequence)
        with tree_attention(self._reader.network), packed(pack):
            logits = self._reader.logits(
                pack.tokens,
                # One place is asked for in any case: to some networks none means all.
                list(wanted) or [0],
                position_ids=pack.positions,
                attention_mask=torch.ones_like(pack.tokens),
            )
        readings = read(logits[0], rows, targets, sequences) if wanted else []
        packer.advance(pieces, kept)
        return readings
