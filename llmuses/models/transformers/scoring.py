"""Log-probabilities of given continuations, by a causal language model.

Rows are padded on the right: what a causal model computes for a token does not depend on what stands behind it, so
a row's numbers are those of the row alone, and no attention mask is needed.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from llmuses.records import Score


class Row(NamedTuple):
    """One sequence that the network reads, and which continuations of which request it scores.

    ``start`` is the index of the context's last token, whose output is about the first continuation token.
    """

    request: int
    tokens: list[int]
    start: int
    continuations: dict[int, list[int]]


def plan_rows(request: int, context: list[int], continuations: Sequence[list[int]]) -> list[Row]:
    """Return the fewest rows that score all continuations of one context.

    A continuation needs its own last token only as a target, so all single-token continuations share one row; and a
    row that is the beginning of another one is read there.
    """
    by_input: dict[tuple[int, ...], dict[int, list[int]]] = {}
    for number, tokens in enumerate(continuations):
        by_input.setdefault(tuple(tokens[:-1]), {})[number] = tokens
    rows: list[Row] = []
    read: tuple[int, ...] | None = None
    # In reversed order a sequence comes right after the sequences that begin with it.
    for ending in sorted(by_input, reverse=True):
        if read is not None and read[: len(ending)] == ending:
            rows[-1].continuations.update(by_input[ending])
        else:
            rows.append(Row(request, [*context, *ending], len(context) - 1, by_input[ending]))
            read = ending
    return rows


class Scorer:
    """Runs rows through a network."""

    def __init__(self, network: Any, device: torch.device, pad: int):
        self.network = network
        self._device = device
        self._pad = pad
        self._picks_positions = "logits_to_keep" in inspect.signature(network.forward).parameters

    @torch.inference_mode()
    def score(self, rows: Sequence[Row]) -> list[dict[int, Score]]:
        """Return, for each row, the scores of its continuations by their number. One forward pass."""
        longest = max(len(row.tokens) for row in rows)
        padded = [row.tokens + [self._pad] * (longest - len(row.tokens)) for row in rows]
        tokens = torch.tensor(padded, device=self._device)
        # Logits are wanted at few positions: from each context's last token to the end of its row.
        kept = sorted({position for row in rows for position in range(row.start, len(row.tokens))})
        if self._picks_positions:
            positions = torch.tensor(kept, device=self._device)
            logits = self.network(input_ids=tokens, use_cache=False, logits_to_keep=positions).logits
            offset = {position: index for index, position in enumerate(kept)}
        else:
            logits = self.network(input_ids=tokens, use_cache=False).logits
            offset = {position: position for position in kept}
        results = []
        for number, row in enumerate(rows):
            first = offset[row.start]
            own = logits[number, first : first + len(row.tokens) - row.start].float()
            results.append(_row_scores(own, row.continuations))
        return results


def _row_scores(logits: torch.Tensor, continuations: dict[int, list[int]]) -> dict[int, Score]:
    """Return scores from one row's logits, (positions, vocabulary) in float32."""
    logprobs = torch.log_softmax(logits, dim=-1)
    likeliest = logits.argmax(dim=-1).tolist()
    scores = {}
    for number, tokens in continuations.items():
        targets = torch.tensor(tokens, dtype=torch.long, device=logits.device)
        picked = logprobs[: len(tokens)].gather(1, targets[:, None])
        scores[number] = Score(
            logprob=float(picked.sum(dtype=torch.float64)),
            tokens=len(tokens),
            greedy=likeliest[: len(tokens)] == tokens,
        )
    return scores
