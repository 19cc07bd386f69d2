"""Networks of many makes, each so small that it is made from its configuration on the spot."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

WINDOW = 24
"""Tokens of the sliding window, where a family has one."""


class Family(NamedTuple):
    """A kind of configuration, what is special about it, and the way in which it is scored."""

    config: str
    settings: dict[str, Any]
    way: str


_SHAPE: dict[str, Any] = {
    "vocab_size": 128,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "pad_token_id": 0,
    "initializer_range": 0.1,
}
_EXPERTS: dict[str, Any] = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 48}

FAMILIES: dict[str, Family] = {
    "llama": Family("LlamaConfig", {}, "merged"),
    "qwen3": Family("Qwen3Config", {"head_dim": 16}, "merged"),
    "gemma3": Family(
        "Gemma3TextConfig",
        {
            "head_dim": 16,
            "sliding_window": WINDOW,
            "layer_types": ["sliding_attention", "full_attention"],
            "query_pre_attn_scalar": 16,
        },
        "merged",
    ),
    "phi3": Family("Phi3Config", {}, "merged"),
    "mistral": Family("MistralConfig", {"sliding_window": WINDOW}, "merged"),
    "gpt2": Family("GPT2Config", {"n_positions": 512, "n_embd": 64, "n_layer": 2, "n_head": 4}, "merged"),
    "gemma2": Family("Gemma2Config", {"head_dim": 16, "sliding_window": WINDOW}, "merged"),
    "gpt_oss": Family(
        "GptOssConfig",
        {"head_dim": 16, "sliding_window": WINDOW, "num_local_experts": 4, "num_experts_per_tok": 2},
        "merged",
    ),
    "qwen3_moe": Family("Qwen3MoeConfig", {"head_dim": 16, **_EXPERTS}, "merged"),
    "deepseek_v3": Family(
        "DeepseekV3Config",
        {
            "num_key_value_heads": 4,
            "n_routed_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 48,
            "n_group": 1,
            "topk_group": 1,
            "first_k_dense_replace": 1,
            "q_lora_rank": 32,
            "kv_lora_rank": 32,
            "qk_rope_head_dim": 8,
            "qk_nope_head_dim": 16,
            "v_head_dim": 16,
        },
        "merged",
    ),
    "mamba": Family("MambaConfig", {"state_size": 8}, "plain"),
    "jamba": Family(
        "JambaConfig",
        {"attn_layer_period": 2, "attn_layer_offset": 1, "num_experts": 2, "use_mamba_kernels": False},
        "plain",
    ),
    "qwen3_next": Family(
        "Qwen3NextConfig",
        {
            "head_dim": 16,
            "layer_types": ["linear_attention", "full_attention"],
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4,
            "linear_key_head_dim": 16,
            "linear_value_head_dim": 16,
            **_EXPERTS,
        },
        "copied",
    ),
}


@functools.cache
def family(name: str) -> Any:
    """Return the network of a family, always with the same weights."""
    import torch
    import transformers

    kind = getattr(transformers, FAMILIES[name].config)
    config = kind(**{**_SHAPE, **FAMILIES[name].settings})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return transformers.AutoModelForCausalLM.from_config(config).eval()
