"""Attention of rows of different lengths over what they share and what is their own.

The softmax over several stretches of keys is put together from the softmax over each and the logarithms of their
sums (FlashAttention, arXiv 2205.14135; for shared prefixes Hydragen, arXiv 2402.05099). So a prefix is read once for all
rows that begin with it, and is never copied.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, AttentionMaskInterface
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS, AttentionInterface

from llmuses.models.transformers.attention import attention
from llmuses.models.transformers.slots import Layer, Prefix, Slots

Attention = Callable[..., tuple[torch.Tensor, Any]]


class Reading(Protocol):
    """What is being read: it attends in place of the network's own attention."""

    def attend(
        self, plain: Attention, module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **how: Any
    ) -> torch.Tensor:
        """Return (batch, tokens, heads, size) for queries, keys and values of (batch, heads, tokens, size)."""
        ...


_now = threading.local()


@contextlib.contextmanager
def reading(what: Reading) -> Iterator[None]:
    """Let the networks that this thread runs attend as ``what`` says."""
    _now.reading = what
    try:
        yield
    finally:
        _now.reading = None


def take_over(network: Any) -> None:
    """Let a network attend as what is being read says, and as it does by itself where nothing is said."""
    own = network.config._attn_implementation
    name = f"llmuses_slots_over_{own}"
    if own.startswith("llmuses_slots_over_"):
        return
    AttentionInterface.register(name, _attention_over(own))
    mask = ALL_MASK_ATTENTION_FUNCTIONS.get(own)
    if mask is not None:
        AttentionMaskInterface.register(name, lambda *args, **how: None if _active() else mask(*args, **how))
    network.set_attn_implementation(name)


def _active() -> Reading | None:
    found: Reading | None = getattr(_now, "reading", None)
    return found


def _attention_over(own: str) -> Attention:
    def attend(
        module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: Any, **how: Any
    ) -> tuple[torch.Tensor, Any]:
        plain = _function(own, module)
        active = _active()
        if active is None:
            return plain(module, query, key, value, attention_mask, **how)
        return active.attend(plain, module, query, key, value, **how), None

    return attend


def _function(name: str, module: Any) -> Attention:
    """Return an attention function by its name. The eager one is in the file of the architecture itself."""
    found = ALL_ATTENTION_FUNCTIONS.get(name) or inspect.getmodule(type(module)).eager_attention_forward  # type: ignore[union-attr]
    return found  # type: ignore[no-any-return]


class Piece(NamedTuple):
    """The next ``length`` tokens of a prefix. What comes before them has been read."""

    prefix: Prefix
    length: int

    @property
    def start(self) -> int:
        """Return the position of the first token."""
        return self.prefix.start + self.prefix.known

    @property
    def tokens(self) -> list[int]:
        """Return the tokens to be read."""
        return self.prefix.tokens[self.prefix.known : self.prefix.known + self.length]


class ReadPieces:
    """Reads several pieces that stand one after the other in one row of tokens, and keeps their keys and values."""

    def __init__(self, pieces: Sequence[Piece], windows: Sequence[int | None]):
        self._pieces = pieces
        self._windows = windows
        self._masks: dict[tuple[int, int | None], torch.Tensor] = {}
        self._chains = [[part for part in piece.prefix.chain() if part.layers] for piece in pieces]
        self.kept: list[dict[int, Layer]] = [{} for _ in pieces]

    def attend(
        self, plain: Attention, module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **how: Any
    ) -> torch.Tensor:
        """See Reading. Each piece attends by the network's own function, to its chain and to itself."""
        layer, first, results = module.layer_idx, 0, []
        for number, piece in enumerate(self._pieces):
            part = slice(first, first + piece.length)
            first = part.stop
            own = key[0, :, part].contiguous(), value[0, :, part].contiguous()
            self.kept[number][layer] = own
            before = [prefix.layers[layer] for prefix in self._chains[number]]
            keys, values = (torch.cat(stretches, dim=1)[None] for stretches in zip(*before, own, strict=True))
            mask = self._mask(number, self._windows[layer]).to(query.device)
            results.append(plain(module, query[:, :, part], keys, values, mask.to(query.dtype), **how)[0])
        return torch.cat(results, dim=1)

    def _mask(self, number: int, window: int | None) -> torch.Tensor:
        """Return what is added to the scores of one piece, (1, 1, tokens, start + tokens)."""
        if (number, window) not in self._masks:
            piece = self._pieces[number]
            end = piece.start + piece.length
            here, there = torch.arange(piece.start, end)[:, None], torch.arange(end)[None]
            seen = there <= here if window is None else (there <= here) & (there > here - window)
            self._masks[number, window] = _added(seen)[None, None]
        return self._masks[number, window]


class NextTokens:
    """Reads one token of each row in slots."""

    def __init__(self, slots: Slots, windows: Sequence[int | None]):
        self._slots = slots
        self._windows = windows
        self._lengths = torch.tensor([row.length for row in slots.rows])
        self._positions = torch.tensor([row.position for row in slots.rows])
        self._longest = int(self._lengths.max()) + 1
        users: dict[int, list[int]] = {}
        shared: dict[int, Prefix] = {}
        for number, row in enumerate(slots.rows):
            for prefix in row.chain:
                shared[id(prefix)] = prefix
                users.setdefault(id(prefix), []).append(number)
        self._shared = [(prefix, torch.tensor(users[number])) for number, prefix in shared.items()]
        self._own_masks: dict[int | None, torch.Tensor] = {}
        self._shared_masks: dict[tuple[int, int], torch.Tensor | None] = {}

    def attend(
        self,
        plain: Attention,
        module: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        scaling: float | None = None,
        softcap: float | None = None,
        s_aux: torch.Tensor | None = None,
        **_: Any,
    ) -> torch.Tensor:
        """See Reading. ``s_aux`` are learned sinks: a score for each head that is attended to and adds nothing."""
        layer, window, device = module.layer_idx, self._windows[module.layer_idx], query.device
        rows, heads, _one, size = query.shape
        groups = key.shape[1]
        # The query heads of a group share its keys: they are queries of one head.
        queries = query.reshape(rows, groups, heads // groups, size)
        scale = scaling if scaling is not None else 1 / math.sqrt(size)
        keys, values = self._slots.append(layer, key[:, :, 0], value[:, :, 0], self._lengths, self._longest)
        out, lse = stretch(queries, keys, values, self._own_mask(window, device), scale, softcap)
        for number, (prefix, users) in enumerate(self._shared):
            mask = self._shared_mask(number, window)
            if mask is _NOTHING:
                continue
            users = users.to(device)
            # All rows that begin with the prefix are queries of one row.
            asked = queries[users].transpose(0, 1).reshape(1, groups, -1, size)
            if mask is not None:
                mask = mask.repeat_interleave(heads // groups, dim=0)[None, None]
            keys, values = (kept[None] for kept in prefix.layers[layer])
            found, found_lse = stretch(asked, keys, values, mask, scale, softcap)
            found = found.reshape(groups, len(users), -1, found.shape[-1]).transpose(0, 1)
            found_lse = found_lse.reshape(groups, len(users), -1).transpose(0, 1)
            out[users], lse[users] = merged(out[users], lse[users], found, found_lse)
        if s_aux is not None:
            sinks = s_aux.float().reshape(1, groups, -1)
            out = out * (lse - torch.logaddexp(lse, sinks)).exp()[..., None]
        return out.to(query.dtype).reshape(rows, 1, heads, -1)

    def _own_mask(self, window: int | None, device: torch.device) -> torch.Tensor:
        if window not in self._own_masks:
            here, there = self._lengths[:, None], torch.arange(self._longest)[None]
            seen = there <= here if window is None else (there <= here) & (there > here - window)
            self._own_masks[window] = _added(seen)[:, None, None].to(device)
        return self._own_masks[window]

    def _shared_mask(self, number: int, window: int | None) -> torch.Tensor | None:
        """Return what is added to the scores of a prefix, (rows, tokens): None where rows see all, or _NOTHING."""
        if window is None:
            return None
        if (number, window) not in self._shared_masks:
            prefix, users = self._shared[number]
            seen = torch.arange(prefix.start, prefix.end)[None] > self._positions[users][:, None] - window
            self._shared_masks[number, window] = None if seen.all() else _added(seen) if seen.any() else _NOTHING
        return self._shared_masks[number, window]


_NOTHING = torch.empty(0)


def _added(seen: torch.Tensor) -> torch.Tensor:
    return torch.zeros(seen.shape).masked_fill(~seen, -math.inf)


def stretch(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    scale: float,
    softcap: float | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the attention to one stretch of keys, and the logarithm of the sum of its weights, both in float32.

    All are (rows, heads, tokens, size), ``mask`` is broadcast to the scores, the logarithm is (rows, heads, tokens).
    What sees nothing of the stretch gets zeros and minus infinity.
    """
    if mask is None:
        out, lse = attention(query, key, value, None, False, scale, softcap)
        return out.float(), lse.float()
    added = mask.to(query.device, query.dtype).expand(*query.shape[:3], key.shape[2])
    out, lse = attention(query, key, value, added, False, scale, softcap)
    blind = ~lse.isfinite()
    return out.float().masked_fill(blind[..., None], 0.0), lse.float().masked_fill(blind, -math.inf)


def merged(
    out: torch.Tensor, lse: torch.Tensor, more: torch.Tensor, more_lse: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the attention to two stretches together. One of them must see something."""
    both = torch.logaddexp(lse, more_lse)
    return out * (lse - both).exp()[..., None] + more * (more_lse - both).exp()[..., None], both
