"""Checkpoints small enough to be made on the spot: random weights, a tokenizer trained on a few sentences.

``tiny_model()`` is a base model, ``tiny_model(chat=True)`` the same weights with a ChatML template. Both load in a
fraction of a second through ``load_model(str(tiny_model()))``; what they write is noise, always the same.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any, Literal

SENTENCES = (
    "The capital of France is Paris, and the capital of Germany is Berlin.",
    "Question: What is 12 plus 30? Answer: 42.",
    "A. north\nB. south\nC. east\nD. west\n" + "Answer: A Answer: B Answer: C Answer: D " * 5,
    "A river flows from the hills to the sea; in spring it carries much water.",
    "She bought 3 apples and 5 pears, so she has 8 pieces of fruit.\n\n",
    "你好，世界。今天天气很好。",
    "Der schnelle Fuchs springt über den müden Hund.",
)

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

Architecture = Literal["llama", "gpt2", "gemma2"]


@functools.cache
def tiny_model(
    chat: bool = False, architecture: Architecture = "llama", bos: bool = False, window: int = 512, seed: int = 0
) -> Path:
    """Return the folder of a checkpoint, made once in this process.

    ``bos`` gives it a tokenizer that begins every text with its own token. gpt2 has learned positions, gemma2 a
    sliding window of 16 tokens and capped logits.
    """
    folder = _scratch() / f"tiny-{architecture}-{'chat' if chat else 'base'}-{bos}-{window}-{seed}"
    make_tokenizer(CHATML if chat else None, bos).save_pretrained(folder)
    _network(architecture, window, seed).save_pretrained(folder)
    return folder


@functools.cache
def _scratch() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="llmuses-tiny-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def make_tokenizer(template: str | None, bos: bool = False) -> Any:
    """Return a byte-level BPE tokenizer of 384 tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=384,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|endoftext|>",
        eos_token="<|im_end|>" if template else "<|endoftext|>",
        pad_token="<|endoftext|>",
        chat_template=template,
    )


def _network(architecture: Architecture, window: int, seed: int) -> Any:
    import torch
    import transformers

    torch.set_num_threads(1)  # matrices this small only lose by being shared out
    # Wide weights: the likeliest token is then ahead by far more than rounding could change.
    ids = {
        "vocab_size": 384,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "initializer_range": 0.4,
        "tie_word_embeddings": False,
    }
    shape = {"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4}
    if architecture == "gpt2":
        config = transformers.GPT2Config(n_positions=window, n_embd=64, n_layer=2, n_head=4, **ids)
        kind = transformers.GPT2LMHeadModel
    elif architecture == "gemma2":
        config = transformers.Gemma2Config(
            max_position_embeddings=window, intermediate_size=128, num_key_value_heads=2, head_dim=16,
            sliding_window=16, **shape, **ids,
        )  # fmt: skip
        kind = transformers.Gemma2ForCausalLM
    else:
        config = transformers.LlamaConfig(
            max_position_embeddings=window, intermediate_size=128, num_key_value_heads=2, **shape, **ids
        )
        kind = transformers.LlamaForCausalLM
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return kind(config)
