"""The keys and values of answers that are being written: what several of them begin with once, the rest in slots.

A slot is one row of buffers that all answers of a batch share. Rows are dense: where one ends, the last one takes its
place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch

Layer = tuple[torch.Tensor, torch.Tensor]
"""The keys and the values of some tokens in one layer, (heads, tokens, size) each."""

Layers = Mapping[int, Layer]
"""All layers by their index."""


def joined(stretches: Sequence[Layer]) -> Layer:
    """Return the keys and values of stretches that follow on one another, a copy."""
    keys, values = (torch.cat(parts, dim=1) for parts in zip(*stretches, strict=True))
    return keys, values


_STEP = 64
"""Buffers grow by at least so many tokens."""


class Prefix:
    """Tokens after those of ``parent``, which one or several answers begin with, and what the network keeps of them.

    A ``merged`` one is attended to by all its rows where it lies; else each row's slot gets a copy. What is before a
    merged one is merged too. ``users`` counts the answers, and the prefixes below, that need it.
    """

    def __init__(self, tokens: Sequence[int], parent: Prefix | None = None, merged: bool = False):
        self.tokens = list(tokens)
        self.parent = parent
        self.merged: bool = merged and (parent is None or parent.merged)
        self.start: int = parent.end if parent else 0
        self.layers: Layers = {}
        self.known = 0
        self.users = 0

    @property
    def end(self) -> int:
        """Return the position after the last token."""
        return self.start + len(self.tokens)

    @property
    def complete(self) -> bool:
        """Whether all tokens have been read."""
        return self.known == len(self.tokens)

    def chain(self) -> list[Prefix]:
        """Return this prefix and those before it, the first one first."""
        return [*(self.parent.chain() if self.parent else []), self]

    def extend(self, layers: Layers) -> None:
        """Take what was read of its next tokens."""
        if self.layers:
            layers = {
                index: (torch.cat((keys, layers[index][0]), dim=1), torch.cat((values, layers[index][1]), dim=1))
                for index, (keys, values) in self.layers.items()
            }
        self.layers = layers
        self.known = next(iter(layers.values()))[0].shape[1]

    def forget(self) -> None:
        """Free what was read: it will have to be read again."""
        self.layers, self.known = {}, 0


def part_of(path: Sequence[Prefix], first: int, layer: int) -> list[Layer]:
    """Return, by views, what is kept in a layer of the tokens of prefixes that follow on one another, from a position on."""
    return [
        (keys[:, max(0, first - prefix.start) :], values[:, max(0, first - prefix.start) :])
        for prefix in path
        if prefix.start + prefix.known > first
        for keys, values in [prefix.layers[layer]]
    ]


def copied(path: Sequence[Prefix], first: int) -> Layers:
    """Return a copy of what is kept of the tokens of prefixes that follow on one another, from a position on."""
    return {layer: joined(part_of(path, first, layer)) for layer in path[0].layers}


class Row:
    """One slot: the merged prefixes that its tokens follow on, and how many tokens of its own it holds."""

    def __init__(self, chain: Sequence[Prefix]):
        self.chain = chain
        self.start = chain[-1].end if chain else 0
        self.length = 0

    @property
    def position(self) -> int:
        """Return the position of the next token."""
        return self.start + self.length


class Slots:
    """Rows, and for each layer what is kept of their tokens."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._buffers: dict[int, _Buffer] = {}

    def add(self, row: Row, stretches: Iterable[Layers]) -> None:
        """Open a slot for a row whose own tokens begin with these stretches."""
        row.length = 0
        for layers in stretches:
            tokens = 0
            for index, layer in layers.items():
                tokens = layer[0].shape[1]
                self._buffer(index).put(len(self.rows), row.length, layer)
            row.length += tokens
        self.rows.append(row)

    def remove(self, index: int) -> None:
        """Close a slot; the last row moves there."""
        last = self.rows.pop()
        if index < len(self.rows):
            for buffer in self._buffers.values():
                buffer.move(len(self.rows), index, last.length)
            self.rows[index] = last
        if not self.rows:
            self._buffers.clear()

    def kept(self, index: int, first: int) -> Layers:
        """Return a copy of what is kept of a row's tokens from position ``first`` on, those of its chain too."""
        row = self.rows[index]
        own = max(0, first - row.start)
        layers: dict[int, Layer] = {}
        for number in row.chain[0].layers if row.chain else self._buffers:
            stretches = part_of(row.chain, first, number)
            if row.length > own:
                stretches.append(self._buffers[number].part(index, own, row.length))
            layers[number] = joined(stretches)
        return layers

    def append(self, index: int, key: torch.Tensor, value: torch.Tensor, where: torch.Tensor, longest: int) -> Layer:
        """Write one token's keys and values, (rows, heads, size) each, at ``where`` in each row of a layer.

        Returns views of what all rows hold, (rows, heads, longest, size).
        """
        return self._buffer(index).append(key, value, where, longest)

    def _buffer(self, index: int) -> _Buffer:
        return self._buffers.setdefault(index, _Buffer())


class _Buffer:
    """The keys and values of all rows in one layer, (slots, heads, tokens, size) each."""

    def __init__(self) -> None:
        self._kept: tuple[torch.Tensor, ...] = ()

    def put(self, row: int, first: int, layer: Layer) -> None:
        end = first + layer[0].shape[1]
        self._fit(row + 1, end, layer)
        for kept, new in zip(self._kept, layer, strict=True):
            kept[row, :, first:end] = new

    def part(self, row: int, first: int, last: int) -> Layer:
        keys, values = (kept[row, :, first:last] for kept in self._kept)
        return keys, values

    def move(self, source: int, target: int, tokens: int) -> None:
        for kept in self._kept:
            kept[target, :, :tokens] = kept[source, :, :tokens]

    def append(self, key: torch.Tensor, value: torch.Tensor, where: torch.Tensor, longest: int) -> Layer:
        rows = len(key)
        self._fit(rows, longest, (key.transpose(0, 1), value.transpose(0, 1)))
        order = torch.arange(rows, device=key.device)
        for kept, new in zip(self._kept, (key, value), strict=True):
            kept[order, :, where.to(key.device)] = new
        keys, values = (kept[:rows, :, :longest] for kept in self._kept)
        return keys, values

    def _fit(self, rows: int, tokens: int, like: Layer) -> None:
        """Grow to so many rows and tokens. What is not written yet is zero: NaN would spread in spite of a mask."""
        have_rows, have_tokens = (self._kept[0].shape[0], self._kept[0].shape[2]) if self._kept else (0, 0)
        if rows <= have_rows and tokens <= have_tokens:
            return
        if rows > have_rows:
            rows = max(rows, have_rows + have_rows // 2)
        if tokens > have_tokens:
            tokens = -(-max(tokens, have_tokens + have_tokens // 4) // _STEP) * _STEP
        rows, tokens = max(rows, have_rows), max(tokens, have_tokens)
        grown = tuple(new.new_zeros(rows, new.shape[0], tokens, new.shape[2]) for new in like)
        for old, new in zip(self._kept, grown, strict=False):
            new[:have_rows, :, :have_tokens] = old
        self._kept = grown
