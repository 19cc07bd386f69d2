"""Whether the answers of a network can be written in slots: found by trying, never by its name."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from transformers.cache_utils import get_layer_types_and_kwargs

from llmuses.models.transformers.decoder import Decoder
from llmuses.models.transformers.slot_attention import Piece, take_over
from llmuses.models.transformers.slots import Prefix
from llmuses.models.transformers.turns import Turns

_log = logging.getLogger(__name__)

_TOLERANCE = {torch.float32: 1e-3, torch.float16: 0.05}
"""How far logits may be apart, in standard deviations of the logits; what rounding does in bfloat16 is far more."""

_TOLERANCE_ELSE = 0.25

_STEPS = 4
"""So many tokens are read one by one."""


def layer_windows(network: Any) -> list[int | None] | None:
    """Return for each layer how many tokens it sees, None for all; None where some layer keeps something else."""
    if "position_ids" not in inspect.signature(network.forward).parameters:
        return None
    try:
        kinds, settings = get_layer_types_and_kwargs(network.config.get_text_config(decoder=True))
    except (AttributeError, KeyError, ValueError, TypeError):
        return None
    if not set(kinds) <= {"full_attention", "sliding_attention"}:
        return None
    pairs = zip(kinds, settings, strict=True)
    return [how.get("sliding_window") if kind == "sliding_attention" else None for kind, how in pairs]


class Fit(NamedTuple):
    """How a network is written with in slots: what its layers see, and how many bytes it keeps of a token."""

    windows: list[int | None]
    token_bytes: int


def slots_fit(network: Any, device: torch.device, text: Sequence[int]) -> Fit | None:
    """Return how slots are used with a network where they give what it gives by itself, else None.

    Where they do the network attends from now on as slots want it, while they are read, and as it did before else.

    ``text`` is tokens to try it on, at least 24.
    """
    windows = layer_windows(network)
    reason = "it keeps something else than keys and values"
    if windows is not None:
        own = network.config._attn_implementation
        try:
            distance, token_bytes = _distance(network, windows, device, text)
            if distance <= _TOLERANCE.get(network.dtype, _TOLERANCE_ELSE):
                _log.info("answers are written in slots (off by %.1e of the logits' spread)", distance)
                return Fit(windows, token_bytes)
            reason = f"the logits would be off by {distance:.1e} of their spread"
        except Exception as problem:  # whatever an architecture makes of it, the plain way is there
            reason = f"{type(problem).__name__}: {problem}".splitlines()[0]
        network.set_attn_implementation(own)
    _log.info("answers are written by plain generation: %s", reason)
    return None


@torch.inference_mode()
def _distance(
    network: Any, windows: Sequence[int | None], device: torch.device, text: Sequence[int]
) -> tuple[float, int]:
    """Return how far logits in slots are from the network's own at most, in standard deviations of the latter.

    The second number is the bytes that are kept of a token.
    """
    begin, end = list(text[:8]), len(text) - _STEPS
    texts = [list(text), begin + list(text[:7:-1]), begin + list(text[9:]) + list(text[8:9])]
    expected = [network(input_ids=torch.tensor([tokens], device=device), use_cache=False).logits[0] for tokens in texts]
    take_over(network)
    decoder = Decoder(network, windows, device, Turns())
    shared = Prefix(begin, merged=True)
    ends = [end - number for number in range(len(texts))]
    paths = [[shared, Prefix(tokens[len(begin) : end], shared)] for tokens, end in zip(texts, ends, strict=True)]
    decoder.read([Piece(shared, len(begin))])
    decoder.read([Piece(own, len(own.tokens)) for _, own in paths])
    for path in paths:
        decoder.add(path)
    worst = 0.0
    for step in range(_STEPS):
        places = [end + step for end in ends]
        found = decoder.step([tokens[place] for tokens, place in zip(texts, places, strict=True)])
        for logits, all_expected, place in zip(found, expected, places, strict=True):
            wanted = all_expected[place].float()
            worst = max(worst, float((logits - wanted).abs().max() / wanted.std()))
    kept = sum(tensor.nbytes for layer in shared.layers.values() for tensor in layer)
    return (worst if worst == worst else float("inf")), kept // len(begin)
