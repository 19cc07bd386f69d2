"""Conversations go on where they were: the same answers as if every turn were read from its beginning, for less."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple

import pytest
import torch

from llmuses.models import load_model
from llmuses.models.transformers.answers import Prompt, Writing
from llmuses.models.transformers.causal_lm import CausalLM
from llmuses.models.transformers.decoder import Decoder
from llmuses.models.transformers.kept import Kept
from llmuses.models.transformers.slot_loop import SlotLoop
from llmuses.records import Generate, GenerationConfig, Message, Request
from tests.support.asking import answers, loglikelihood
from tests.support.tiny_families import tiny_family
from tests.support.tiny_models import SENTENCES, tiny_model

FAMILIES = ("llama", "gemma2", "gemma3", "mistral", "gpt2", "gpt_oss", "deepseek_v3")
"""Those that are written in slots; the windows of some end long before a prompt does."""


@functools.cache
def family(name: str) -> CausalLM:
    model = load_model(str(tiny_family(name)), device_map="cpu")
    assert isinstance(model, CausalLM)
    return model


class Written(NamedTuple):
    """An answer, the log-probabilities of all tokens at each of its places, and how many tokens were read before it."""

    tokens: list[int]
    logprobs: torch.Tensor
    read: int


class Bench:
    """Writes prompts of tokens with a network, and looks on."""

    def __init__(self, model: CausalLM, kept: Kept | None, monkeypatch: pytest.MonkeyPatch):
        self._model = model
        self._loop = model._writer.loop(kept)
        self._logits: list[torch.Tensor] = []
        self._read = 0
        take, read = SlotLoop._take, Decoder.read

        def taken(loop: SlotLoop, logits: torch.Tensor, told: Any) -> None:
            if loop is self._loop:
                self._logits.append(logits.clone())
            take(loop, logits, told)

        def counted(decoder: Decoder, pieces: Any) -> None:
            self._read += sum(piece.length for piece in pieces)
            read(decoder, pieces)

        monkeypatch.setattr(SlotLoop, "_take", taken)
        monkeypatch.setattr(Decoder, "read", counted)

    def write(self, tokens: Sequence[int], room: int = 8, leave_after: int | None = None) -> Written:
        """Write an answer, or the beginning of one that is left."""
        writing: Writing = self._model._writer.start(Prompt("", list(tokens), GenerationConfig(), room))
        self._logits, self._read = [], 0
        self._loop.join([writing])
        while self._loop.busy:
            self._loop.step(lambda _: None)
            if leave_after is not None and len(writing.tokens) >= leave_after:
                self._loop.leave(writing)
        return Written(writing.tokens, torch.cat(self._logits).log_softmax(-1), self._read)


@pytest.fixture(params=FAMILIES)
def pair(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[CausalLM, Bench, Bench]:
    """Return a model, one who remembers and one who does not."""
    model = family(request.param)
    return model, Bench(model, Kept(), monkeypatch), Bench(model, None, monkeypatch)


def encoded(model: CausalLM, *sentences: int) -> list[int]:
    return model._codec.text(" ".join(SENTENCES[number] for number in sentences))


def assert_equal(found: Written, expected: Written) -> None:
    assert found.tokens == expected.tokens
    assert float((found.logprobs - expected.logprobs).abs().max()) < 1e-4


def test_three_turns_are_what_they_are_without_memory_and_each_reads_what_is_new(
    pair: tuple[CausalLM, Bench, Bench],
) -> None:
    model, with_memory, without = pair
    prompt = new = encoded(model, 0, 1, 2, 0)
    for turn in range(3):
        found, expected = with_memory.write(prompt), without.write(prompt)
        assert_equal(found, expected)
        assert expected.read == len(prompt) - 1
        # The last token of an answer was written and not read, that of a prompt is read as the answer begins.
        assert found.read == (len(new) if turn else len(new) - 1)
        new = encoded(model, 3 + turn % 2)
        prompt = [*prompt, *found.tokens, *new]


def test_another_conversation_with_the_same_opening_reads_its_own_part(pair: tuple[CausalLM, Bench, Bench]) -> None:
    model, with_memory, without = pair
    system = encoded(model, 0, 1, 2, 3, 4)
    with_memory.write([*system, *encoded(model, 5)])
    other = [*system, *encoded(model, 6, 6)]
    found = with_memory.write(other)
    assert_equal(found, without.write(other))
    assert found.read < len(other) - len(system) + 2


def test_an_answer_that_was_left_in_the_middle_is_as_good(pair: tuple[CausalLM, Bench, Bench]) -> None:
    model, with_memory, without = pair
    prompt = encoded(model, 0, 1, 2, 0)
    left = with_memory.write(prompt, room=20, leave_after=5)
    later = [*prompt, *left.tokens[:4], *encoded(model, 1)]
    found = with_memory.write(later)
    assert_equal(found, without.write(later))
    assert found.read <= len(encoded(model, 1)) + 1


def test_where_a_template_takes_thoughts_out_the_common_beginning_counts(pair: tuple[CausalLM, Bench, Bench]) -> None:
    model, with_memory, without = pair
    prompt = encoded(model, 0, 1, 2, 0)
    first = with_memory.write(prompt, room=12)
    later = [*prompt, *first.tokens[6:], *encoded(model, 1)]
    found = with_memory.write(later)
    assert_equal(found, without.write(later))
    assert found.read < len(later) - len(prompt) + 2


def test_the_same_prompt_again_is_not_read_at_all(pair: tuple[CausalLM, Bench, Bench]) -> None:
    model, with_memory, without = pair
    prompt = encoded(model, 0, 1, 2)
    with_memory.write(prompt)
    found = with_memory.write(prompt)
    assert_equal(found, without.write(prompt))
    assert found.read == 0


# --- In streams -------------------------------------------------------------------------------------------------------


def said(model: CausalLM, *turns: str) -> str:
    messages = tuple(Message("assistant" if number % 2 else "user", text) for number, text in enumerate(turns))
    request = Request("", Generate(messages=messages, config=GenerationConfig(max_tokens=12)))

    async def read() -> str:
        async with aclosing(model.stream(request)) as deltas:
            return "".join([delta.text async for delta in deltas])

    found = asyncio.run(asyncio.wait_for(read(), 60))
    [expected] = answers(model, request).values()
    assert found == expected.text
    return found


def conversation(model: CausalLM, turns: int = 3, before: Callable[[int], None] = lambda turn: None) -> None:
    """Talk, and see that every answer of a stream is that of a run, which remembers nothing."""
    talk = [" ".join(SENTENCES)]
    for turn in range(turns):
        before(turn)
        talk += [said(model, *talk), SENTENCES[turn]]


@pytest.fixture
def chat() -> Iterator[CausalLM]:
    model = load_model(str(tiny_model(chat=True)), device_map="cpu")
    assert isinstance(model, CausalLM)
    yield model
    model.close()


@pytest.mark.parametrize("name", ["mamba", "jamba"])
def test_models_whose_state_cannot_be_cut_read_from_the_beginning(name: str) -> None:
    conversation(family(name), turns=2)
    assert family(name)._kept.size == 0


def test_a_chat_goes_on_through_its_template(chat: CausalLM, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    inside = Decoder.read

    def counted(decoder: Decoder, pieces: Any) -> None:
        read.append(sum(piece.length for piece in pieces))
        inside(decoder, pieces)

    monkeypatch.setattr(Decoder, "read", counted)
    conversation(chat, before=lambda turn: read.append(0))
    first, after = read[1], read[read.index(0, 1) :]
    # What follows a stream's turn is what the run beside it reads, all of it: the stream's own part comes first.
    assert after[1] < first / 2
    assert chat._kept.size > 0


def test_without_memory_for_it_what_is_kept_is_given_up_and_answers_stay_the_same(
    chat: CausalLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Decoder.step
    failing = [False]

    def fails(decoder: Decoder, tokens: Sequence[int]) -> torch.Tensor:
        if failing[0]:
            failing[0] = False
            assert chat._kept.size > 0
            raise torch.OutOfMemoryError("CUDA out of memory")
        return step(decoder, tokens)

    monkeypatch.setattr(Decoder, "step", fails)
    conversation(chat, before=lambda turn: failing.__setitem__(0, turn == 1))
    assert not failing[0]


def test_an_evaluation_that_needs_the_memory_gets_it(chat: CausalLM, monkeypatch: pytest.MonkeyPatch) -> None:
    said(chat, " ".join(SENTENCES))
    assert chat._kept.size > 0
    forward = chat._writer.network.forward
    kept = []

    def fails(*args: Any, **how: Any) -> Any:
        if not kept:
            kept.append(chat._kept.size)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(*args, **how)

    monkeypatch.setattr(chat._writer.network, "forward", functools.wraps(forward)(fails))
    assert answers(chat, loglikelihood("The river", " rises"))
    assert kept[0] > 0
    assert chat._kept.size == 0


def test_what_is_no_number_is_not_kept(chat: CausalLM) -> None:
    with torch.no_grad():
        weight = chat._writer.network.lm_head.weight
        before = weight.clone()
        weight.fill_(float("nan"))
    with pytest.raises(Exception, match="not a number"):
        said(chat, " ".join(SENTENCES))
    assert chat._kept.size == 0
    with torch.no_grad():
        weight.copy_(before)
    conversation(chat, turns=2)


def test_closing_lets_go_of_everything(chat: CausalLM) -> None:
    said(chat, " ".join(SENTENCES))
    chat.close()
    assert chat._kept.size == 0
