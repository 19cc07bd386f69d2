"""Attention over a tree of token sequences that are packed into one row.

Every token of a pack attends to its own piece up to itself, and to all that stands before its piece on the path from
the root: pieces of the same pack, and keys and values that were kept from packs before. The parts are computed apart
and merged by their log-sum-exps (Juravsky et al., Hydragen, arXiv:2402.05099). The network learns of it through
transformers' AttentionInterface; what a layer may see (sliding windows, chunks) through its AttentionMaskInterface.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import causal_mask_function

NAME = "llmuses_tree"
"""What the attention is called among transformers' implementations."""

_BLOCK = 256
"""Queries that the portable attention looks at together: it bounds its memory."""


class Unsupported(Exception):
    """This network's attention needs something that attention over a tree does not know."""


KeysValues = tuple[torch.Tensor, torch.Tensor]
"""Keys and values of one layer, each (1, heads, tokens, size)."""


class Span(NamedTuple):
    """Queries ``first`` to ``last`` of a pack attend to all keys ``begin`` to ``end`` of the same pack."""

    first: int
    last: int
    begin: int
    end: int


class Tile(NamedTuple):
    """Runs of a pack, padded to one length, whose tokens attend within their run.

    ``places`` (rows, length) are those in the pack, ``real`` marks those that are no padding; ``mask`` (rows, 1, length,
    length) says who sees whom, None where everyone sees what stands before. ``run`` is from where to where a tile of one
    row stands in the pack.
    """

    places: torch.Tensor
    real: torch.Tensor
    mask: torch.Tensor | None
    run: tuple[int, int] | None


class Kept:
    """Keys and values of a run of tokens that later packs attend to, by layer. ``positions`` are the tokens'."""

    def __init__(self, positions: torch.Tensor):
        self.positions = positions
        self.layers: dict[int, KeysValues] = {}


@dataclass
class Pack:
    """Pieces of a tree in one row, and who of them attends to whom.

    ``tokens`` and ``positions`` are (1, tokens). ``above`` are kept runs with the number of the pack's first tokens
    that stand below them; ``keep`` are runs of this pack to be kept: from, to, and where.
    """

    tokens: torch.Tensor
    positions: torch.Tensor
    tiles: list[Tile]
    spans: list[Span]
    above: list[tuple[Kept, int]]
    keep: list[tuple[int, int, Kept]]
    seen: dict[Any, Any] = field(default_factory=dict)
    """What layers under the same rule share: masks, by rule and place."""


_PACK: ContextVar[Pack | None] = ContextVar("pack", default=None)


class _Rule(NamedTuple):
    """What a layer may see besides all that stands before, as transformers says it: by positions of query and key."""

    allowed: Callable[..., Any]

    def between(self, queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """Return (queries, keys): whether a query may see a key."""
        zero = torch.zeros((), dtype=torch.long, device=queries.device)
        seen: torch.Tensor = self.allowed(zero, zero, queries[:, None], keys[None, :])
        return seen.expand(len(queries), len(keys))


@contextlib.contextmanager
def tree_attention(network: Any) -> Iterator[None]:
    """Let a network attend by ``packed`` while the context lasts. Raises Unsupported where it cannot be told."""
    configs = {
        id(module.config): module.config
        for module in network.modules()
        if isinstance(module, PreTrainedModel) and hasattr(module.config, "_attn_implementation_internal")
    }
    before = {key: config._attn_implementation_internal for key, config in configs.items()}
    for config in configs.values():
        config._attn_implementation_internal = NAME
    try:
        yield
    finally:
        for key, config in configs.items():
            config._attn_implementation_internal = before[key]


@contextlib.contextmanager
def packed(pack: Pack) -> Iterator[None]:
    """Say which pack the network is about to read."""
    token = _PACK.set(pack)
    try:
        yield
    finally:
        _PACK.reset(token)


def _mask(mask_function: Callable[..., Any] = causal_mask_function, use_vmap: bool = False, **_: Any) -> _Rule | None:
    """Take what a layer may see from transformers, in place of a mask over the packed row."""
    if use_vmap:
        raise Unsupported("a mask that is more than a function of positions")
    return None if mask_function is causal_mask_function else _Rule(mask_function)


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Any,
    scaling: float | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    position_bias: torch.Tensor | None = None,
    is_causal: bool | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    pack = _PACK.get()
    if pack is None or position_bias is not None or is_causal is False or query.shape[0] != 1:
        raise Unsupported("attention that is not plainly causal")
    if not (attention_mask is None or isinstance(attention_mask, _Rule)):
        raise Unsupported("a mask of its own")
    layer = _Layer(pack, attention_mask, query.shape[-1] ** -0.5 if scaling is None else scaling, softcap)
    for first, last, kept in pack.keep:
        kept.layers[id(module)] = (key[:, :, first:last].clone(), value[:, :, first:last].clone())
    merged = layer.own(query, key, value)
    for span in pack.spans:
        keys, values = key[:, :, span.begin : span.end], value[:, :, span.begin : span.end]
        positions = pack.positions[0, span.begin : span.end]
        layer.add(merged, query, span.first, span.last, keys, values, positions, span)
    for number, (kept, last) in enumerate(pack.above):
        keys, values = kept.layers[id(module)]
        layer.add(merged, query, 0, last, keys, values, kept.positions, number)
    out, total = merged
    if s_aux is not None:
        # A sink is one more thing to attend to, whose value is zero.
        out *= torch.exp(total - torch.logaddexp(total, s_aux.float().view(1, -1)))[..., None]
    return out.to(query.dtype)[None], None


class _Layer:
    """The attention of one layer over one pack. Outputs are (tokens, heads, size), their log-sum-exps (tokens, heads)."""

    def __init__(self, pack: Pack, rule: _Rule | None, scaling: float, softcap: float | None):
        self._pack = pack
        self._rule = rule
        self._scaling = scaling
        self._softcap = softcap

    def own(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> KeysValues:
        """Return what each token sees in its own run, and the log-sum-exp of it, in float32."""
        length, heads = query.shape[2], query.shape[1]
        out = query.new_empty((length, heads, value.shape[-1]), dtype=torch.float32)
        total = query.new_empty((length, heads), dtype=torch.float32)
        by_token = [tensor[0].transpose(0, 1) for tensor in (query, key, value)]
        for number, tile in enumerate(self._pack.tiles):
            mask = self._tile_mask(number, tile, query.dtype)
            how = (mask, mask is None, self._scaling, self._softcap)
            if tile.run is not None:
                first, last = tile.run
                run = slice(first, last)
                found, weight = attention(query[:, :, run], key[:, :, run], value[:, :, run], *how)
                out[run], total[run] = found[0].transpose(0, 1), weight[0].transpose(0, 1)
                continue
            queries, keys, values = (tensor[tile.places].transpose(1, 2) for tensor in by_token)
            found, weight = attention(queries, keys, values, *how)
            real = tile.places[tile.real]
            out[real] = found.transpose(1, 2)[tile.real].float()
            total[real] = weight.transpose(1, 2)[tile.real]
        return out, total

    def _tile_mask(self, number: int, tile: Tile, dtype: torch.dtype) -> torch.Tensor | None:
        if self._rule is None and tile.mask is None:
            return None
        key = ("tile", number, self._rule)
        if key not in self._pack.seen:
            self._pack.seen[key] = self._made_tile_mask(tile, dtype)
        made: torch.Tensor | None = self._pack.seen[key]
        return made

    def _made_tile_mask(self, tile: Tile, dtype: torch.dtype) -> torch.Tensor | None:
        length = tile.places.shape[1]
        seen = tile.mask
        if self._rule is not None:
            positions = self._pack.positions[0][tile.places]
            ruled = torch.stack([self._rule.between(row, row) for row in positions])[:, None]
            before = torch.ones(length, length, dtype=torch.bool, device=ruled.device).tril()
            if seen is None and bool((ruled | ~before).all()):
                return None
            seen = ruled & (before if seen is None else seen)
            # Padding may see nothing at all: let it see itself.
            seen = seen | torch.eye(length, dtype=torch.bool, device=seen.device)
        assert seen is not None
        return torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill_(~seen, -torch.inf)

    def add(
        self,
        merged: KeysValues,
        query: torch.Tensor,
        first: int,
        last: int,
        keys: torch.Tensor,
        values: torch.Tensor,
        positions: torch.Tensor,
        place: Any,
    ) -> None:
        """Merge what the queries from ``first`` to ``last`` see of keys that stand before all of them."""
        mask = blind = None
        if self._rule is not None:
            key = ("span", place, self._rule)
            if key not in self._pack.seen:
                self._pack.seen[key] = self._sight(self._pack.positions[0, first:last], positions, query.dtype)
            begin, end, mask, blind = self._pack.seen[key]
            if begin == end:
                return
            keys, values = keys[:, :, begin:end], values[:, :, begin:end]
        found, weight = attention(query[:, :, first:last], keys, values, mask, False, self._scaling, self._softcap)
        found, weight = found[0].transpose(0, 1), weight[0].transpose(0, 1)
        if blind is not None:
            weight = weight.masked_fill(blind[:, None], -torch.inf)
        out, total = merged[0][first:last], merged[1][first:last]
        both = torch.logaddexp(total, weight)
        out.mul_(torch.exp(total - both)[..., None]).addcmul_(found.float(), torch.exp(weight - both)[..., None])
        total.copy_(both)

    def _sight(self, queries: torch.Tensor, keys: torch.Tensor, dtype: torch.dtype) -> tuple[Any, ...]:
        """Return which keys any query sees (from, to), the mask among those, and which queries see none of them."""
        assert self._rule is not None
        seen = self._rule.between(queries, keys)
        if bool(seen.all()):
            return 0, len(keys), None, None
        used = seen.any(0).nonzero()
        if not len(used):
            return 0, 0, None, None
        begin, end = int(used[0]), int(used[-1]) + 1
        seen = seen[:, begin:end]
        if bool(seen.all()):
            return begin, end, None, None
        blind = ~seen.any(1)
        mask = torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill_(
            ~(seen | blind[:, None]), -torch.inf
        )
        return begin, end, mask[None, None], (blind if bool(blind.any()) else None)


def attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    causal: bool,
    scaling: float,
    softcap: float | None = None,
) -> KeysValues:
    """Return attention and the log-sum-exp of its scores, (rows, heads, queries, size) and (rows, heads, queries).

    ``mask`` is added to the scores; ``causal`` lets each query see the keys up to its own place. There may be fewer
    heads of keys than of queries, each shared by as many.
    """
    if softcap is None and query.shape[-1] == value.shape[-1] and query.device.type == "cpu":
        out, total = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            query, key, value, 0.0, causal, attn_mask=mask, scale=scaling
        )
        return out, total
    return _portable(query, key, value, mask, causal, scaling, softcap)


def _portable(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    causal: bool,
    scaling: float,
    softcap: float | None,
) -> KeysValues:
    """Attention by its definition, a block of queries at a time, for what no kernel does."""
    rows, heads, length, size = query.shape
    groups = key.shape[1]
    shared = query.reshape(rows, groups, heads // groups, length, size)
    outs, totals = [], []
    for first in range(0, length, _BLOCK):
        block = shared[:, :, :, first : first + _BLOCK]
        scores = (block @ key[:, :, None].transpose(-1, -2)).float() * scaling
        if softcap is not None:
            scores = torch.tanh(scores / softcap) * softcap
        if mask is not None:
            scores += mask[:, :, None, first : first + _BLOCK].float()
        if causal:
            places = torch.arange(key.shape[2], device=query.device)
            later = places[None, :] > torch.arange(first, first + block.shape[3], device=query.device)[:, None]
            scores.masked_fill_(later, -torch.inf)
        totals.append(torch.logsumexp(scores, -1))
        outs.append(torch.exp(scores - totals[-1][..., None]).to(value.dtype) @ value[:, :, None])
    return torch.cat(outs, 3).flatten(1, 2), torch.cat(totals, 3).flatten(1, 2)


AttentionInterface.register(NAME, _attend)
AttentionMaskInterface.register(NAME, _mask)
