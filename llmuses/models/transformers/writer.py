"""Written answers by a causal language model: what writes them, and how each begins."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import torch
import transformers

from llmuses.models.transformers.answers import Prompt, Writing
from llmuses.models.transformers.batching import free_bytes
from llmuses.models.transformers.decoder import Decoder
from llmuses.models.transformers.generation import BatchLoop, padding_changes_nothing
from llmuses.models.transformers.sampling import Choice
from llmuses.models.transformers.slot_check import positions_shift, slots_fit
from llmuses.models.transformers.slot_loop import SlotLoop, Told
from llmuses.models.transformers.tokenization import Codec

_NetworkConfig: Any = transformers.GenerationConfig

_TRIED = "The river rises in the hills, runs through four towns and a lake, and reaches the sea after 90 miles. "
_TRIED_TOKENS = 32

_SHARE = 0.4
"""How much of the memory that is free may hold keys and values; while buffers grow they are there twice."""


class Limits(NamedTuple):
    """How much is worked on at once: answers, tokens that they keep, tokens of prompts read in one pass.

    ``longest`` is the longest sequence that the network reads, None where nothing says so.
    """

    rows: int
    tokens: int
    reads: int
    longest: int | None


class Loop(Protocol):
    """Answers in progress. Each step brings them on and tells of those that got a token or ended."""

    @property
    def waiting(self) -> int: ...

    @property
    def busy(self) -> bool: ...

    def join(self, writings: Sequence[Writing]) -> None: ...

    def leave(self, writing: Writing) -> None: ...

    def step(self, told: Told) -> None: ...


class Writer:
    """Writes with one network. Loops do not know of each other: each has its own slots."""

    def __init__(
        self, network: Any, codec: Codec, device: torch.device, pad: int, ends: frozenset[int], limits: Limits
    ):
        self.network = network
        self._codec = codec
        self._device = device
        self._pad = pad
        self._ends = ends
        self._limits = limits
        self._defaults = network.generation_config
        # generate() fills whatever is unset from the network's own settings: leave none there.
        network.generation_config = _NetworkConfig()
        self._fit = slots_fit(network, device, self._text, limits.longest)
        self.way = "generate" if self._fit is None else "slots"
        """How answers are written: ``slots`` that refill, or batches of transformers' own ``generate``."""

    def start(self, prompt: Prompt) -> Writing:
        """Return an answer that has not begun."""
        return Writing(prompt, Choice(prompt.config, self._defaults, prompt.tokens), self._codec, self._ends)

    def loop(self) -> Loop:
        """Return a new loop: in slots where the network can, else by plain generation."""
        limits = self._limits
        if self._fit is None:
            return BatchLoop(
                self.network, self._device, self._pad, limits.rows, limits.tokens, limits.longest, self._padded
            )
        free = free_bytes(self._device)
        tokens = limits.tokens if free is None else min(limits.tokens, int(free * _SHARE) // self._fit.token_bytes)
        decoder = Decoder(self.network, self._fit.windows, self._device)
        return SlotLoop(decoder, limits.rows, tokens, limits.reads)

    @functools.cached_property
    def _padded(self) -> bool:
        if positions_shift(self.network, self._limits.longest):
            return False
        return padding_changes_nothing(self.network, self._device, self._pad, self._text)

    @property
    def _text(self) -> list[int]:
        """Return some tokens to try the network on."""
        tokens = self._codec.rendered(_TRIED * 3)
        return tokens[: min(_TRIED_TOKENS, self._limits.longest or _TRIED_TOKENS)]
