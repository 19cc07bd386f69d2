"""Checkpoints of many architectures, small enough to be made on the spot: ``tiny_family("jamba")``.

Weights are random and, unless asked otherwise, wide, so that the likeliest token is ahead by far more than rounding could
change.
"""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path
from typing import Any

from tests.support.tiny_models import make_tokenizer, scratch

WINDOW = 16
"""Tokens of the sliding window, where an architecture has one."""

_IDS = {
    "vocab_size": 384,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "pad_token_id": 0,
    "tie_word_embeddings": False,
}
_SHAPE = {
    "num_hidden_layers": 2,
    "hidden_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 128,
    "max_position_embeddings": 512,
}
_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}

_CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("LlamaConfig", {}),
    "qwen3": ("Qwen3Config", {"head_dim": 16}),
    "gemma2": ("Gemma2Config", {"head_dim": 16, "sliding_window": WINDOW}),
    "gemma3": (
        "Gemma3TextConfig",
        {"head_dim": 16, "sliding_window": WINDOW, "layer_types": ["sliding_attention", "full_attention"]},
    ),
    "phi3": ("Phi3Config", {}),
    "mistral": ("MistralConfig", {"sliding_window": WINDOW}),
    "gpt2": ("GPT2Config", {}),
    "mixtral": ("MixtralConfig", {"num_local_experts": 4}),
    "qwen3_moe": ("Qwen3MoeConfig", {"head_dim": 16, **_EXPERTS}),
    "gpt_oss": ("GptOssConfig", {"head_dim": 16, "num_local_experts": 4, "sliding_window": WINDOW}),
    "deepseek_v3": (
        "DeepseekV3Config",
        {
            "num_key_value_heads": 4,
            "n_routed_experts": 4,
            "n_group": 1,
            "topk_group": 1,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 32,
            "first_k_dense_replace": 1,
            "q_lora_rank": 16,
            "kv_lora_rank": 16,
            "qk_rope_head_dim": 8,
            "qk_nope_head_dim": 8,
            "v_head_dim": 16,
        },
    ),
    "mamba": ("MambaConfig", {}),
    "jamba": (
        "JambaConfig",
        {
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
            "expert_layer_period": 2,
            "expert_layer_offset": 1,
            "num_experts": 2,
        },
    ),
    "qwen3_next": (
        "Qwen3NextConfig",
        {
            "head_dim": 16,
            "linear_num_value_heads": 4,
            "linear_num_key_heads": 2,
            "linear_key_head_dim": 16,
            "linear_value_head_dim": 16,
            "shared_expert_intermediate_size": 32,
            "layer_types": ["linear_attention", "full_attention"],
            **_EXPERTS,
        },
    ),
}

FAMILIES = tuple(_CONFIGS)
RECURRENT = ("mamba", "jamba", "qwen3_next")
"""Those that keep something else than keys and values."""


@functools.cache
def tiny_family(name: str, spread: float = 0.4) -> Path:
    """Return the folder of a checkpoint of an architecture, made once in this process. ``spread`` is its weights'."""
    import torch
    import transformers

    torch.set_num_threads(1)  # matrices this small only lose by being shared out
    kind, more = _CONFIGS[name]
    shape = _SHAPE if name != "mamba" else {"num_hidden_layers": 2, "hidden_size": 64}
    if name == "gpt2":
        shape = {"n_positions": 512, "n_embd": 64, "n_layer": 2, "n_head": 4}
    auto: Any = transformers.AutoModelForCausalLM
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = auto.from_config(
            getattr(transformers, kind)(**{**shape, **_IDS, "initializer_range": spread, **more})
        )
    folder = scratch() / f"family-{name}-{spread}"
    make_tokenizer(None).save_pretrained(folder)
    network.save_pretrained(folder)
    return folder


@functools.cache
def tiny_phi_long(short: int) -> Path:
    """Return the folder of a Phi-3 that encodes all positions of a text otherwise where it has more tokens than ``short``."""
    folder = scratch() / f"phi-long-{short}"
    shutil.copytree(tiny_family("phi3"), folder)
    config = json.loads((folder / "config.json").read_text())
    size = config["hidden_size"] // config["num_attention_heads"] // 2
    config["original_max_position_embeddings"] = short
    config["rope_parameters"] |= {
        "rope_type": "longrope",
        "short_factor": [1.0] * size,
        "long_factor": [4.0] * size,
        "original_max_position_embeddings": short,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder
