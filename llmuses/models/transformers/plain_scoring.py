"""Scoring without sharing: every sequence is read from its beginning.

Rows are padded on the right: what a causal model computes for a token does not depend on what stands behind it, so
a row's numbers are those of the row alone, and no attention mask is needed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from llmuses.models.transformers.batching import Batcher
from llmuses.models.transformers.prefixes import Asked, Node, grow
from llmuses.models.transformers.reading import Outcome, Reader, Reading, read


class PlainScorer:
    """Scores sequences in padded batches. Of equal ones, and of those that begin another, one is read."""

    name = "plain"

    def __init__(self, reader: Reader, batcher: Batcher):
        self._reader = reader
        self._batcher = batcher

    @torch.inference_mode()
    def run(self, asked: Sequence[Asked]) -> Iterator[Outcome]:
        """Yield what is found about some sequences, until all of them are answered; the longest come first."""
        rows = grow(asked, sys.maxsize)
        for row, readings, seconds in self._batcher.run(rows, longest, self._score):
            lost = [] if readings is not None else sorted({probe.sequence for probe in row.probes})
            yield Outcome(readings or [], lost, seconds)

    def _score(self, rows: Sequence[Node]) -> list[list[Reading]]:
        return score_rows(self._reader, rows)


def longest(rows: Sequence[Node]) -> int:
    """Return the length to which a batch of rows is padded."""
    return max(len(row.tokens) for row in rows)


def score_rows(reader: Reader, rows: Sequence[Node], **inputs: Any) -> list[list[Reading]]:
    """Return what one pass says about the probes of each row."""
    length = longest(rows)
    padded = [row.tokens + [reader.pad] * (length - len(row.tokens)) for row in rows]
    wanted = sorted({probe.offset for row in rows for probe in row.probes}) or [0]
    with reader.turns:
        logits = reader.logits(torch.tensor(padded, device=reader.device), wanted, **inputs)
    place = {offset: index for index, offset in enumerate(wanted)}
    readings = []
    for number, row in enumerate(rows):
        own = sorted({place[probe.offset] for probe in row.probes})
        at = {index: line for line, index in enumerate(own)}
        readings.append(
            read(
                logits[number, own],
                [at[place[probe.offset]] for probe in row.probes],
                [probe.target for probe in row.probes],
                [probe.sequence for probe in row.probes],
            )
            if own
            else []
        )
    return readings
