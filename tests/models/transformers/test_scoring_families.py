"""Every family of networks is scored exactly, by the fastest way that is exact for it, chosen by trying it."""

from __future__ import annotations

import functools
import logging
import math
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from llmuses.models import load_model
from llmuses.models.transformers.attention import Unsupported
from llmuses.models.transformers.batching import Batcher, TokenBudget
from llmuses.models.transformers.causal_lm import CausalLM
from llmuses.models.transformers.copied_scoring import CopiedScorer
from llmuses.models.transformers.merged_scoring import MergedScorer
from llmuses.models.transformers.plain_scoring import PlainScorer
from llmuses.models.transformers.prefixes import Asked
from llmuses.models.transformers.reading import Outcome, Reader
from llmuses.models.transformers.sharing import Scoring, choose
from llmuses.models.transformers.turns import Turns
from tests.support.asking import answers, loglikelihood
from tests.support.tiny_families import FAMILIES, RECURRENT, WINDOW, tiny_family, tiny_phi_long

WAYS = {name: "copied" if name == "qwen3_next" else "plain" if name in RECURRENT else "merged" for name in FAMILIES}


@functools.cache
def family(name: str) -> Any:
    """Return the network of an architecture."""
    # Wider weights would blow rounding up beyond what is asked for here.
    return transformers.AutoModelForCausalLM.from_pretrained(tiny_family(name, spread=0.1))


def sequences(seed: int, shared: int, own: int) -> list[Asked]:
    """Return endings of questions behind common shots, and of one question that has nothing in common with them."""
    chance = random.Random(seed)

    def tokens(most: int) -> list[int]:
        return [chance.randrange(5, 120) for _ in range(chance.randint(1, most))]

    shots = [chance.randrange(5, 120) for _ in range(shared)]
    contexts = [shots + tokens(own) for _ in range(5)] + [tokens(own)]
    return [Asked(context, tokens(6)) for context in contexts for _ in range(4)]


def alone(network: Any, asked: Asked) -> float:
    """Return a sequence's log-probability by one plain pass over it alone."""
    with torch.inference_mode():
        logits = network(torch.tensor([asked.context + asked.continuation[:-1]]), use_cache=False).logits[0].double()
    logprobs = torch.log_softmax(logits, -1)[len(asked.context) - 1 :]
    return float(logprobs.gather(1, torch.tensor(asked.continuation)[:, None]).sum())


def scored(way: Scoring, asked: list[Asked]) -> list[float]:
    """Return the log-probabilities of sequences; each token is answered once."""
    logprobs: list[list[float]] = [[] for _ in asked]
    for outcome in way.run(asked):
        assert not outcome.lost
        for reading in outcome.readings:
            logprobs[reading.sequence].append(reading.logprob)
    assert [len(found) for found in logprobs] == [len(one.continuation) for one in asked]
    return [math.fsum(found) for found in logprobs]


def ways(network: Any, tokens: int = 100) -> dict[str, Any]:
    """Return the ways of scoring, whose passes have few tokens."""
    reader = Reader(network, torch.device("cpu"), 0, Turns())
    batcher = Batcher(64, 4 * tokens, None)
    all_ways = (
        MergedScorer(reader, TokenBudget(tokens, 1 << 20)),
        CopiedScorer(reader, batcher),
        PlainScorer(reader, batcher),
    )
    return {way.name: way for way in all_ways}


@functools.cache
def chosen(name: str) -> Scoring:
    network = family(name)
    merged, copied, plain = ways(network).values()
    return choose([merged, copied], plain, lambda worth: sequences(1, 40, 12), torch.float32, name)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_scored_by_the_fastest_way_that_is_exact_for_it(name: str) -> None:
    assert chosen(name).name == WAYS[name]


@pytest.mark.parametrize("name", RECURRENT)
def test_a_model_that_is_loaded_is_tried_on_enough_in_common_for_each_way(name: str) -> None:
    assert load_model(str(tiny_family(name)), device_map="cpu").details["scoring"] == WAYS[name]


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("shared", [0, 3, 2 * WINDOW, 150], ids=lambda shared: f"{shared} tokens in common")
def test_scores_equal_those_of_a_plain_pass_over_each_sequence_alone(name: str, shared: int) -> None:
    asked = sequences(2, shared, 30)
    expected = [alone(family(name), one) for one in asked]
    assert scored(chosen(name), asked) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", [name for name in FAMILIES if WAYS[name] == "merged"])
@pytest.mark.parametrize("tokens", [16, 70, 100_000], ids=lambda tokens: f"{tokens} tokens a pass")
def test_scores_do_not_depend_on_the_budget(name: str, tokens: int) -> None:
    asked = sequences(3, 60, 25)
    expected = [alone(family(name), one) for one in asked]
    assert scored(ways(family(name), tokens)["merged"], asked) == pytest.approx(expected, abs=1e-4)


def test_long_texts_whose_positions_are_encoded_otherwise_change_nothing_of_short_ones() -> None:
    """Phi-3's long variants: one text beyond the limit used to change all that was read with it, or after it."""
    model = load_model(str(tiny_phi_long(short=64)), device_map="cpu")
    assert isinstance(model, CausalLM)
    chance = random.Random(5)
    shots = [chance.randrange(5, 120) for _ in range(50)]
    lengths = (1, 8, 9, 10, 11, 60, 200)  # some end at the limit, some just before and behind it
    contexts = [shots + [chance.randrange(5, 120) for _ in range(length)] for length in lengths]
    asked = [Asked(context, [7, 8, 9 + last, 10, 11, 12]) for context in contexts for last in range(2)]
    assert {len(context) + 5 for context, _ in asked} >= {63, 64, 65, 66}
    expected = [alone(model._reader.network, one) for one in asked]
    assert scored(model._scoring._scoring, asked) == pytest.approx(expected, abs=1e-4)
    assert model.details["scoring"] == "merged"


def test_a_padding_token_that_the_network_does_not_know_is_not_read(tmp_path: Path) -> None:
    """Those who fine-tune add one to the tokenizer, and some forget the network."""
    folder = tmp_path / "padded"
    shutil.copytree(tiny_family("mamba"), folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"pad_token": "<pad>"})
    tokenizer.save_pretrained(folder)
    model = load_model(str(folder), device_map="cpu")
    assert isinstance(model, CausalLM)
    assert tokenizer.pad_token_id >= model._reader.vocabulary > model._reader.pad
    asked = [loglikelihood("One", " A"), loglikelihood("One two three four", " A")]
    assert [found.error for found in answers(model, *asked).values()] == [None, None]


@pytest.mark.parametrize("name", ["llama", "gemma3", "mistral"])
def test_a_shared_prefix_is_read_once(name: str) -> None:
    asked = sequences(4, 150, 10)
    read: list[int] = []
    network = family(name)
    hook = network.register_forward_pre_hook(
        lambda module, args, kwargs: read.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    try:
        scored(ways(network)["merged"], asked)
    finally:
        hook.remove()
    assert sum(read) < 150 + 6 * 10 + 24 * 6
    assert sum(len(one.context) for one in asked) > 20 * 150


@pytest.mark.parametrize("name", ["mamba", "jamba", "qwen3_next"])
def test_what_is_not_exact_is_passed_over_with_one_line_in_the_log(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "llmuses"):
        merged, copied, plain = ways(family(name)).values()
        way = choose([merged, copied], plain, lambda worth: sequences(1, 40, 12), torch.float32, "this model")
    # transformers warns once a process of a kernel that is not installed, in whichever test comes first.
    [line] = [record.getMessage() for record in caplog.records if record.name.startswith("llmuses")]
    assert line.startswith(f"this model is scored the {way.name} way (merged: ")


class Broken:
    """A way of scoring that a network may not bear."""

    name = "broken"
    worth = 1

    def __init__(self, run: Callable[[list[Asked]], Any]):
        self.run = run


@pytest.mark.parametrize(
    "problem", [Unsupported("no"), KeyError("rope"), RuntimeError("shapes"), TypeError(), NotImplementedError("")]
)
def test_a_way_that_raises_is_passed_over(problem: Exception) -> None:
    def fail(asked: list[Asked]) -> Any:
        raise problem

    plain = ways(family("llama"))["plain"]
    assert choose([Broken(fail)], plain, lambda worth: sequences(1, 4, 4), torch.float32, "this model") is plain


def test_a_way_that_memory_does_not_suffice_for_or_that_finds_no_numbers_is_passed_over() -> None:
    plain = ways(family("llama"))["plain"]
    asked = sequences(1, 4, 4)
    lost = Broken(lambda asked: iter([Outcome([], list(range(len(asked))), 0.0)]))
    assert choose([lost], plain, lambda worth: asked, torch.float32, "this model") is plain


def test_a_network_that_cannot_be_tried_is_scored_the_plain_way() -> None:
    def fail(asked: list[Asked]) -> Any:
        raise RuntimeError("no such device")

    merged, broken = ways(family("llama"))["merged"], Broken(fail)
    assert choose([merged], broken, lambda worth: sequences(1, 4, 4), torch.float32, "this model") is broken


def test_without_memory_for_a_copy_of_the_state_what_stands_below_is_lost_and_the_rest_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(6)
    shots, inner = ([chance.randrange(5, 120) for _ in range(70)] for _ in range(2))
    below = [Asked([*shots, *inner, last], [7]) for last in (1, 2)]
    beside = [Asked([*shots, last], [7]) for last in (3, 4)]
    way = ways(family("llama"))["copied"]
    copied = CopiedScorer._remembering

    def full(self: CopiedScorer, cache: Any, rows: int) -> Any:
        if rows == 1:  # on the way down; copies for the leaves fit
            raise torch.OutOfMemoryError("CUDA out of memory")
        return copied(self, cache, rows)

    monkeypatch.setattr(CopiedScorer, "_remembering", full)
    outcomes = list(way.run([*below, *beside]))
    assert sorted(sequence for outcome in outcomes for sequence in outcome.lost) == [0, 1]
    assert sorted(reading.sequence for outcome in outcomes for reading in outcome.readings) == [2, 3]


def test_the_network_attends_as_it_did_once_it_was_scored() -> None:
    network = family("llama")
    before = network.config._attn_implementation
    scored(ways(network)["merged"], sequences(5, 9, 9))
    assert network.config._attn_implementation == before
