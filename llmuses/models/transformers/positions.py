"""Networks that encode all positions of a text otherwise once it is long."""

from __future__ import annotations

from typing import Any


def shift_length(network: Any, longest: int | None) -> int | None:
    """Return up to how many tokens positions are encoded in one way, where in longer texts they are in another one.

    A long text would then change its neighbours in a batch, and what was kept of its beginning would be wrong. None
    where all texts of up to ``longest`` tokens are encoded alike. Source: ``dynamic_rope_update`` in transformers.
    """
    config = network.config.get_text_config(decoder=True)
    settings = getattr(config, "rope_parameters", None) or {}
    # Some architectures have one set of them for each kind of layer.
    nested = [value for value in settings.values() if isinstance(value, dict)] if "rope_type" not in settings else []
    lengths = [
        rope.get("original_max_position_embeddings")
        or getattr(config, "original_max_position_embeddings", config.max_position_embeddings)
        for rope in nested or [settings]
        if rope.get("rope_type") in ("dynamic", "longrope")
    ]
    shortest = min(lengths, default=None)
    return shortest if longest is None or (shortest is not None and longest > shortest) else None
