"""A network that reads prompts and writes one token of each answer at a time."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch

from llmuses.models.transformers.slot_attention import NextTokens, Piece, ReadPieces, reading
from llmuses.models.transformers.slots import Layers, Prefix, Row, Slots
from llmuses.models.transformers.turns import Turns


class Decoder:
    """Runs a network over rows in slots. Which rows, and what they write, is decided elsewhere.

    ``windows`` has for each layer how many tokens it sees, None for all. The network must attend as is said here: see
    ``slot_attention.take_over``.
    """

    def __init__(self, network: Any, windows: Sequence[int | None], device: torch.device, turns: Turns):
        self._network = network
        self._windows = windows
        self._device = device
        self._turns = turns
        self._slots = Slots()
        # Nothing is wanted of the logits of prompts: of most of them none are computed where the network can do so.
        kept = "logits_to_keep" in inspect.signature(network.forward).parameters
        self._without_logits = {"logits_to_keep": 1} if kept else {}

    @property
    def rows(self) -> Sequence[Row]:
        """Return the rows in slots, in the order in which ``step`` takes their tokens."""
        return self._slots.rows

    @torch.inference_mode()
    def read(self, pieces: Sequence[Piece]) -> None:
        """Read pieces of different prefixes, in one pass over all of their tokens."""
        tokens = [token for piece in pieces for token in piece.tokens]
        positions = [piece.start + number for piece in pieces for number in range(piece.length)]
        what = ReadPieces(pieces, self._windows)
        with self._turns, reading(what):
            self._network(**self._inputs([tokens], [positions]), use_cache=False, **self._without_logits)
        for piece, kept in zip(pieces, what.kept, strict=True):
            piece.prefix.extend(kept)

    @torch.inference_mode()
    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Read one token of each row; return what follows, (rows, vocabulary) in float32."""
        what = NextTokens(self._slots, self._windows)
        positions = [[row.position] for row in self._slots.rows]
        with self._turns, reading(what):
            logits = self._network(**self._inputs([[token] for token in tokens], positions), use_cache=False).logits
        for row in self._slots.rows:
            row.length += 1
        return logits[:, -1].float()  # type: ignore[no-any-return]

    @torch.inference_mode()
    def add(self, path: Sequence[Prefix]) -> None:
        """Put a row into the next slot, which goes on after prefixes that have been read."""
        merged = [prefix for prefix in path if prefix.merged]
        self._slots.add(Row(merged), [prefix.layers for prefix in path[len(merged) :]])

    @torch.inference_mode()
    def remove(self, index: int) -> None:
        """Take a row out; the last one moves into its slot."""
        self._slots.remove(index)

    @torch.inference_mode()
    def kept(self, index: int, first: int) -> Layers:
        """Return a copy of what is kept of a row's tokens from a position on."""
        return self._slots.kept(index, first)

    def _inputs(self, tokens: list[list[int]], positions: list[list[int]]) -> dict[str, torch.Tensor]:
        return {
            "input_ids": torch.tensor(tokens, device=self._device),
            "position_ids": torch.tensor(positions, device=self._device),
        }
