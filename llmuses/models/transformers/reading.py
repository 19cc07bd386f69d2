"""One pass through a network, and what its logits say about given tokens."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from llmuses.models.transformers.turns import Turns

_CHUNK = 1 << 22
"""Logits that are worked on at a time: they stay in a processor's cache."""


class Reading(NamedTuple):
    """One answered probe of a sequence: the target's log-probability, and whether it was the likeliest token."""

    sequence: int
    logprob: float
    greedy: bool


class Outcome(NamedTuple):
    """What a pass, or one row of it, gave: readings, the sequences that memory does not suffice for, and the seconds it took."""

    readings: list[Reading]
    lost: list[int]
    seconds: float


class Reader:
    """A network, as scoring uses it: logits are computed where they are wanted only.

    Whoever asks for them waits for a turn before: see Turns.
    """

    def __init__(self, network: Any, device: torch.device, pad: int, turns: Turns):
        self.network = network
        self.config = network.config
        self.device = device
        self.pad = pad
        self.turns = turns
        accepted = inspect.signature(network.forward).parameters
        self._picks_positions = "logits_to_keep" in accepted
        self.cache_name = "cache" if "cache" in accepted else "past_key_values"
        """What transformers calls the keys and values of what was read before."""
        self.vocabulary = int(network.get_input_embeddings().weight.shape[0])

    def logits(self, tokens: torch.Tensor, wanted: Sequence[int], **inputs: Any) -> torch.Tensor:
        """Return (rows, wanted places, vocabulary) for tokens (rows, length). ``inputs`` are the network's own."""
        inputs = {"use_cache": False, **inputs}
        places = torch.tensor(wanted, dtype=torch.long, device=self.device)
        if self._picks_positions:
            logits: torch.Tensor = self.network(input_ids=tokens, logits_to_keep=places, **inputs).logits
            return logits
        every: torch.Tensor = self.network(input_ids=tokens, **inputs).logits
        return every[:, places]


def read(logits: torch.Tensor, rows: Sequence[int], targets: Sequence[int], sequences: Sequence[int]) -> list[Reading]:
    """Return what logits (places, vocabulary) say about targets, each after one of the places."""
    step = max(1, _CHUNK // logits.shape[1])
    totals, likeliest = [], []
    for first in range(0, len(logits), step):
        chunk = logits[first : first + step].float()
        top, index = chunk.max(-1)
        totals.append(top + (chunk - top[:, None]).exp_().sum(-1).log_())
        likeliest.append(index)
    where = torch.tensor(rows, device=logits.device)
    asked = torch.tensor(targets, device=logits.device)
    logprobs = logits[where, asked].float() - torch.cat(totals)[where]
    greedy = torch.cat(likeliest)[where] == asked
    return [Reading(*found) for found in zip(sequences, logprobs.tolist(), greedy.tolist(), strict=True)]
