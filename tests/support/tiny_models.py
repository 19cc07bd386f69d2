"""Checkpoints small enough to be made on the spot: random weights, a tokenizer trained on a few sentences.

``tiny_model()`` is a base model, ``tiny_model(chat=True)`` the same weights with a ChatML template. Both load in a
fraction of a second through ``load_model(str(tiny_model()))``; what they write is noise, always the same.
"""

from __future__ import annotations

import atexit
import functools
import json
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
    folder = scratch() / f"tiny-{architecture}-{'chat' if chat else 'base'}-{bos}-{window}-{seed}"
    make_tokenizer(CHATML if chat else None, bos).save_pretrained(folder)
    _network(architecture, window, seed).save_pretrained(folder)
    return folder


@functools.cache
def scratch() -> Path:
    """Return a folder that is gone when this process ends."""
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


@functools.cache
def tiny_gguf(pre_tokenizer: str = "smollm") -> Path:
    """Return a GGUF file with the weights, the tokenizer and the template of ``tiny_model(chat=True)``."""
    import gguf
    import numpy
    import transformers

    source = tiny_model(chat=True)
    config = transformers.AutoConfig.from_pretrained(source)
    path = scratch() / f"Tiny-Chat.{pre_tokenizer}.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    _add_tokenizer(writer, source, pre_tokenizer)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    network = transformers.AutoModelForCausalLM.from_pretrained(source)
    for name, tensor in network.state_dict().items():
        values = tensor.numpy()
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            # llama.cpp keeps the two halves of each head's rotary pairs interleaved.
            heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
            values = values.reshape(heads, 2, -1, values.shape[1]).swapaxes(1, 2).reshape(values.shape)
        writer.add_tensor(names.get_name(name, (".weight",)), numpy.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tokenizer(writer: Any, source: Path, pre_tokenizer: str) -> None:

    content = json.loads((source / "tokenizer.json").read_text())
    vocabulary = sorted(content["model"]["vocab"], key=content["model"]["vocab"].get)
    special = {token["content"] for token in content["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer)
    writer.add_token_list(vocabulary)
    writer.add_token_types([3 if token in special else 1 for token in vocabulary])
    writer.add_token_merges([" ".join(merge) for merge in content["model"]["merges"]])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHATML)
