"""Architectures: what each writes is what transformers' own ``generate`` writes for the prompt alone, to the token."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
import transformers

from llmuses.models import load_model
from llmuses.models.transformers.causal_lm import CausalLM
from llmuses.models.transformers.generation import BatchLoop
from llmuses.models.transformers.slot_loop import SlotLoop
from tests.support.asking import answers, generate
from tests.support.tiny_families import FAMILIES, RECURRENT, tiny_family

SHOTS = "Question: What is 12 plus 30? Answer: 42.\n\n" * 3
PROMPTS = [
    *(SHOTS + f"Question: What is {number} plus {2 * number}? Answer:" for number in (3, 11, 25)),
    SHOTS + "Question: What is 3 plus 6 and 9",
    SHOTS[:-1],
    "The capital of France is",
    "你好，世界。" * 6,
    "A",
]
TOKENS = 24


@functools.cache
def load(name: str) -> CausalLM:
    model = load_model(str(tiny_family(name)), device_map="cpu")
    assert isinstance(model, CausalLM)
    return model


@functools.cache
def untouched(name: str) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(tiny_family(name))


@functools.cache
def alone(name: str, prompt: str) -> str:
    codec = load(name)._codec
    tokens = codec.text(prompt)
    with torch.no_grad():
        written = untouched(name).generate(
            torch.tensor([tokens]), max_new_tokens=TOKENS, do_sample=False, pad_token_id=0
        )
    return codec.decode(written[0, len(tokens) :].tolist())


@pytest.mark.parametrize("name", FAMILIES)
def test_greedy_answers_are_those_of_generate_for_each_prompt_alone(name: str) -> None:
    found = answers(load(name), *(generate(prompt, max_tokens=TOKENS) for prompt in PROMPTS))
    assert {prompt: found[prompt].text for prompt in PROMPTS} == {prompt: alone(name, prompt) for prompt in PROMPTS}


@pytest.mark.parametrize("name", FAMILIES)
def test_slots_are_used_wherever_all_that_is_kept_are_keys_and_values(name: str) -> None:
    assert isinstance(load(name)._writer.loop(), BatchLoop if name in RECURRENT else SlotLoop)


@pytest.mark.parametrize("name", ["llama", "gemma2", "gemma3", "mistral", "gpt2", "gpt_oss", "deepseek_v3", "mamba"])
def test_a_prefix_that_many_share_changes_nothing(name: str) -> None:
    """So many that it is attended to where it lies, its beginning out of sight of sliding windows."""
    prompts = [SHOTS + f"Question: What is {number} plus {number % 7}?" for number in range(24)]
    found = answers(load(name), *(generate(prompt, max_tokens=TOKENS) for prompt in prompts))
    for prompt in prompts[::8]:
        assert found[prompt].text == alone(name, prompt)


@pytest.mark.parametrize("name", ["llama", "gemma3", "qwen3_moe", "jamba"])
def test_bfloat16_is_written_with_in_the_same_way(name: str) -> None:
    model = load_model(str(tiny_family(name)), precision="bfloat16", device_map="cpu")
    assert isinstance(model, CausalLM)
    if name != "qwen3_moe":  # rounding may lead its router elsewhere: then the check at load chooses the plain way
        assert isinstance(model._writer.loop(), BatchLoop if name in RECURRENT else SlotLoop)
    found = answers(model, *(generate(prompt, max_tokens=4) for prompt in PROMPTS))
    assert all(response.text for response in found.values())
