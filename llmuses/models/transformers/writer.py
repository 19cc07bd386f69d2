"""Written answers by a causal language model: what writes them, and how each begins."""

from __future__ import annotations

import functools
import threading
import weakref
from typing import Any, NamedTuple

import torch
import transformers

from llmuses.models.transformers.answers import Prompt, Writing
from llmuses.models.transformers.decoder import Decoder
from llmuses.models.transformers.divided_loop import DividedLoop
from llmuses.models.transformers.generation import BatchLoop, padding_changes_nothing
from llmuses.models.transformers.kept import Kept
from llmuses.models.transformers.loops import Loop
from llmuses.models.transformers.memory import free_bytes
from llmuses.models.transformers.positions import shift_length
from llmuses.models.transformers.responses import closed
from llmuses.models.transformers.sampling import Choice
from llmuses.models.transformers.slot_check import slots_fit
from llmuses.models.transformers.slot_loop import SlotLoop
from llmuses.models.transformers.tokenization import Codec
from llmuses.models.transformers.turns import Turns

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


class Writer:
    """Writes with one network, in any thread. Loops have slots of their own, and together no more than there is memory."""

    def __init__(
        self,
        network: Any,
        codec: Codec,
        device: torch.device,
        pad: int,
        ends: frozenset[int],
        limits: Limits,
        turns: Turns,
    ):
        self.network = network
        self._codec = codec
        self._device = device
        self._pad = pad
        self._ends = ends
        self._limits = limits
        self._turns = turns
        self._loops: weakref.WeakSet[SlotLoop] = weakref.WeakSet()
        self._sharing = threading.Lock()
        self._defaults = network.generation_config
        # generate() fills whatever is unset from the network's own settings: leave none there.
        network.generation_config = _NetworkConfig()
        self._shift = shift_length(network, limits.longest)
        self._fit = slots_fit(network, device, self._text)
        upto = "" if self._shift is None else f" up to {self._shift} tokens, then generate"
        self.way = "generate" if self._fit is None else f"slots{upto}"
        """How answers are written: ``slots`` that refill, or batches of transformers' own ``generate``."""

    def start(self, prompt: Prompt) -> Writing:
        """Return an answer that has not begun."""
        return Writing(prompt, Choice(prompt.config, self._defaults, prompt.tokens), self._codec, self._ends)

    def loop(self, kept: Kept | None = None) -> Loop:
        """Return a new loop: in slots where the network can, else by plain generation, where nothing can be ``kept``.

        Where long texts are encoded otherwise than short ones, slots are for the latter.

        Raises ModelError where the model was closed.
        """
        limits, network = self._limits, self.network
        if network is None:
            raise closed()
        if self._fit is None:
            return self._batches(network)
        decoder = Decoder(network, self._fit.windows, self._device, self._turns)
        with self._sharing:
            loop = SlotLoop(decoder, limits.rows, self._room(self._fit.token_bytes), limits.reads, kept)
            self._loops.add(loop)
        return loop if self._shift is None else DividedLoop(self._shift, loop, self._batches(network))

    def _batches(self, network: Any) -> BatchLoop:
        limits = self._limits
        how = limits.rows, limits.tokens, limits.longest, self._padded, self._turns
        return BatchLoop(network, self._device, self._pad, *how)

    def _room(self, token_bytes: int) -> int:
        """Return how many tokens one more loop may hold: a share of the memory that no other loop may come to fill."""
        free = free_bytes(self._device)
        if free is None:
            return self._limits.tokens
        left = free // token_bytes - sum(loop.tokens for loop in self._loops)
        return min(self._limits.tokens, max(0, int(left * _SHARE)))

    @functools.cached_property
    def _padded(self) -> bool:
        if self._shift is not None:
            return False
        with self._turns:
            return padding_changes_nothing(self.network, self._device, self._pad, self._text)

    @property
    def _text(self) -> list[int]:
        """Return some tokens to try the network on."""
        tokens = self._codec.rendered(_TRIED * 3)
        return tokens[: min(_TRIED_TOKENS, self._limits.longest or _TRIED_TOKENS, self._shift or _TRIED_TOKENS)]
