"""From a tree of token sequences to packs: what the network reads in one pass, up to a budget of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from llmuses.models.transformers.attention import Kept, Pack, Span, Tile
from llmuses.models.transformers.prefixes import Node, in_order, subtree_ends

_SMALL = 192
"""Tokens up to which a subtree is one run with a mask of its own: many of those are one call of the attention."""


class Piece(NamedTuple):
    """Tokens ``first`` to ``last`` of a node, at ``place`` of a pack and onwards. ``number`` is the node's in order."""

    number: int
    node: Node
    first: int
    last: int
    place: int

    @property
    def end(self) -> int:
        """The place after its last token."""
        return self.place + self.last - self.first


class Packer:
    """Walks through a tree, every node before its children, and hands out as much as a budget allows.

    What a later pack needs of an earlier one is kept until the last of those has been read.
    """

    def __init__(self, roots: Sequence[Node], device: torch.device):
        self._order = list(in_order(roots))
        self._ends = subtree_ends(self._order)
        self._device = device
        self._number = 0
        self._offset = 0
        self._above: list[tuple[int, Kept]] = []
        """What is kept, with the number of the node that it belongs to."""

    @property
    def done(self) -> bool:
        """Whether all has been handed out."""
        return self._number == len(self._order)

    def next(self, budget: int, positions: int) -> list[Piece]:
        """Return what comes next, at most ``budget`` tokens, cut where a node is longer than what is left.

        ``positions`` bounds how many of them are probed, but for the first node's. Does not move on: see ``advance``.
        """
        pieces: list[Piece] = []
        number, first, place, probed = self._number, self._offset, 0, 0
        while number < len(self._order) and place < budget:
            node = self._order[number]
            probed += len({probe.offset for probe in node.probes})
            if pieces and probed > positions:
                break
            last = min(len(node.tokens), first + budget - place)
            # A node that would be cut waits for the next pack, unless it is longer than any.
            if pieces and last < len(node.tokens) and len(node.tokens) <= budget:
                break
            pieces.append(Piece(number, node, first, last, place))
            place += last - first
            if last < len(node.tokens):
                break
            number, first = number + 1, 0
        return pieces

    def pack(self, pieces: Sequence[Piece]) -> tuple[Pack, list[tuple[int, Kept]]]:
        """Return the pack of some pieces, and what will be kept of it, for ``advance``."""
        tokens = [token for piece in pieces for token in piece.node.tokens[piece.first : piece.last]]
        places = [
            place for piece in pieces for place in range(piece.node.start + piece.first, piece.node.start + piece.last)
        ]
        positions = torch.tensor([places], device=self._device)
        last = pieces[-1]
        after = last.number + (last.last == len(last.node.tokens))
        open_pieces = [
            piece for piece in pieces if self._ends[piece.number] > after or piece.last < len(piece.node.tokens)
        ]
        kept = [(piece.number, Kept(positions[0, piece.place : piece.end])) for piece in open_pieces]
        above = [
            (one, max(piece.end for piece in pieces if piece.number < self._ends[number]))
            for number, one in self._above
        ]
        tiles, spans = self._arranged(pieces)
        pack = Pack(
            tokens=torch.tensor([tokens], device=self._device),
            positions=positions,
            tiles=tiles,
            spans=spans,
            above=above,
            keep=[(piece.place, piece.end, one) for piece, (_, one) in zip(open_pieces, kept, strict=True)],
        )
        return pack, kept

    def advance(self, pieces: Sequence[Piece], kept: Sequence[tuple[int, Kept]]) -> None:
        """Move on behind some pieces that were read; what nothing needs any more is let go."""
        last = pieces[-1]
        whole = last.last == len(last.node.tokens)
        self._number, self._offset = (last.number + 1, 0) if whole else (last.number, last.last)
        self._above = [(number, one) for number, one in [*self._above, *kept] if self._ends[number] > self._number]

    def skip(self) -> list[Node]:
        """Move on behind the node that comes next and all below it; return those."""
        end = self._ends[self._number]
        skipped = self._order[self._number : end]
        self._number, self._offset = end, 0
        self._above = [(number, one) for number, one in self._above if self._ends[number] > end]
        return skipped

    def _arranged(self, pieces: Sequence[Piece]) -> tuple[list[Tile], list[Span]]:
        """Return the runs within which tokens attend, and which larger pieces are attended to as a whole."""
        runs: dict[int, list[list[Piece]]] = {}
        spans: list[Span] = []
        index = 0
        while index < len(pieces):
            piece = pieces[index]
            below = index + 1
            while below < len(pieces) and pieces[below].number < self._ends[piece.number]:
                below += 1
            end = pieces[below - 1].end
            if below > index + 1 and end - piece.place > _SMALL:
                spans.append(Span(piece.end, end, piece.place, piece.end))
                below = index + 1
            run = list(pieces[index:below])
            length = run[-1].end - run[0].place
            runs.setdefault((length - 1).bit_length(), []).append(run)
            index = below
        return [tile for group in runs.values() for tile in self._tiles(group)], spans

    def _tiles(self, runs: Sequence[list[Piece]]) -> list[Tile]:
        if runs[0][-1].end - runs[0][0].place > _SMALL:
            return [self._tile([run]) for run in runs]
        return [self._tile(runs)]

    def _tile(self, runs: Sequence[list[Piece]]) -> Tile:
        lengths = [run[-1].end - run[0].place for run in runs]
        longest = max(lengths)
        places = torch.arange(longest)
        real = places[None, :] < torch.tensor(lengths)[:, None]
        starts = torch.tensor([run[0].place for run in runs])
        index = torch.where(real, starts[:, None] + places, starts[:, None])
        mask = None
        if any(len(run) > 1 for run in runs):
            mask = torch.stack([self._tree_mask(run, longest) for run in runs])[:, None].to(self._device)
        run = (runs[0][0].place, runs[0][-1].end) if len(runs) == 1 else None
        return Tile(index.to(self._device), real.to(self._device), mask, run)

    def _tree_mask(self, run: Sequence[Piece], length: int) -> torch.Tensor:
        """Return (length, length): who sees whom in a small subtree; padding sees what stands before it."""
        mask = torch.ones(length, length, dtype=torch.bool).tril()
        begin = run[0].place
        for piece in run:
            # Nothing behind the piece's own subtree sees it.
            behind = max(other.end for other in run if other.number < self._ends[piece.number]) - begin
            mask[behind:, piece.place - begin : piece.end - begin] = False
        mask.fill_diagonal_(True)
        return mask
