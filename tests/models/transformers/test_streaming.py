"""Answers for people who read along: word by word, together, cut off when nobody reads on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any, NamedTuple

import pytest
import torch

from llmuses.models import load_model
from llmuses.models.base import Delta, Streamer, StreamError
from llmuses.models.transformers.causal_lm import CausalLM
from llmuses.models.transformers.slot_loop import SlotLoop
from llmuses.records import ErrorKind, Request
from tests.support.asking import answers, generate, loglikelihood
from tests.support.tiny_families import tiny_family
from tests.support.tiny_models import tiny_model


class Read(NamedTuple):
    """What a reader got: how many deltas, and what they come to."""

    deltas: int
    text: str
    reasoning: str
    last: Delta


async def read(model: CausalLM, request: Request) -> Read:
    text = reasoning = ""
    count = 0
    async with aclosing(model.stream(request)) as deltas:
        async for delta in deltas:
            count += 1
            if delta.recast:
                text, reasoning = "", reasoning + text
            text, reasoning = text + delta.text, reasoning + delta.reasoning
            last = delta
    return Read(count, text, reasoning, last)


def together(*reading: Awaitable[Any]) -> list[Any]:
    async def gathered() -> list[Any]:
        return list(await asyncio.wait_for(asyncio.gather(*reading, return_exceptions=True), 60))

    return asyncio.run(gathered())


def opened(**args: Any) -> CausalLM:
    model = load_model(str(args.pop("place", None) or tiny_model()), device_map="cpu", **args)
    assert isinstance(model, CausalLM)
    return model


@pytest.fixture(scope="module")
def shared() -> Iterator[CausalLM]:
    """Give a model to those who only read."""
    model = opened()
    yield model
    model.close()


@pytest.fixture
def model() -> Iterator[CausalLM]:
    """Give a model to one who breaks it."""
    model = opened()
    yield model
    model.close()


ASKS = [
    generate("The capital of France is", key="plain", max_tokens=30),
    generate("你好，世界。", key="half characters", max_tokens=40),
    generate("A. north", key="sampled", max_tokens=20, temperature=1.0, seed=4),
    generate("A. north", key="one token", max_tokens=1),
    generate("She bought 3 apples", key="penalised", max_tokens=20, repetition_penalty=1.4),
]


def test_a_local_model_is_a_streamer(shared: CausalLM) -> None:
    assert isinstance(shared, Streamer)


@pytest.mark.parametrize("ask", ASKS, ids=[ask.key for ask in ASKS])
@pytest.mark.parametrize("family", ["llama", "mamba"])
def test_a_stream_comes_to_what_run_answers(family: str, ask: Request) -> None:
    model = opened(place=tiny_family(family))
    expected = answers(model, ask)[ask.key]
    [found] = together(read(model, ask))
    assert found.text == expected.text
    assert found.last.finish_reason == expected.finish_reason
    assert found.last.usage == expected.usage
    model.close()


def test_words_come_as_they_are_written(shared: CausalLM) -> None:
    [found] = together(read(shared, ASKS[0]))
    assert found.deltas > 10


@pytest.mark.parametrize("length", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("start", [0, 1, 4, 9])
def test_nothing_of_a_stop_string_is_ever_shown(shared: CausalLM, start: int, length: int) -> None:
    whole = answers(shared, ASKS[0])["plain"].text or ""
    stop = whole[start : start + length]
    [found] = together(read(shared, generate("The capital of France is", max_tokens=30, stop=(stop, "never written"))))
    assert found.text == whole[: whole.index(stop)]
    assert found.last.finish_reason == "stop"


def test_streams_are_written_together_and_each_as_if_it_were_alone(
    shared: CausalLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = [answers(shared, ask)[ask.key].text for ask in ASKS]
    rows: list[int] = []
    step = SlotLoop._take

    def counted(self: SlotLoop, logits: torch.Tensor, told: Any) -> None:
        rows.append(len(logits))
        step(self, logits, told)

    monkeypatch.setattr(SlotLoop, "_take", counted)
    found = together(*(read(shared, ask) for ask in ASKS))
    assert [one.text for one in found] == alone
    assert max(rows) >= 3


def test_thoughts_are_told_apart_while_they_are_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = opened()
    written = "<think>2 and 2\n</think>\n\nThe answer is 4."
    monkeypatch.setattr(
        model._codec, "decode", lambda tokens, special=False: written[: 3 * len(tokens)] if tokens else ""
    )
    monkeypatch.setattr("llmuses.models.transformers.growing_text._CONTEXT", 1_000)
    [found] = together(read(model, generate("Hi", max_tokens=len(written) // 3 + 1)))
    assert (found.reasoning.strip(), found.text) == ("2 and 2", "The answer is 4.")
    model.close()


class TestLeaving:
    def test_who_reads_no_further_is_not_written_for(self, shared: CausalLM) -> None:
        async def leave() -> None:
            async with aclosing(shared.stream(generate("A", key="long", max_tokens=400))) as deltas:
                async for _ in deltas:
                    break

        together(leave())
        assert eventually(lambda: not shared._streams._in_progress)

    def test_a_cancelled_task_leaves_too_and_others_read_on(self, shared: CausalLM) -> None:
        expected = answers(shared, ASKS[0])["plain"].text

        async def cancelled() -> str:
            task = asyncio.create_task(read(shared, generate("A", key="long", max_tokens=400)))
            reading = asyncio.create_task(read(shared, ASKS[0]))
            await asyncio.sleep(0.01)
            task.cancel()
            return (await reading).text

        assert together(cancelled()) == [expected]
        assert eventually(lambda: not shared._streams._in_progress)

    @pytest.mark.parametrize("family", ["mamba"])
    def test_a_batch_of_plain_generation_stops_for_who_has_left(self, family: str) -> None:
        model = opened(place=tiny_family(family))

        async def leave() -> None:
            async with aclosing(model.stream(generate("A", key="long", max_tokens=100_000))) as deltas:
                async for _ in deltas:
                    break

        together(leave())
        assert eventually(lambda: not model._streams._in_progress)
        assert together(read(model, ASKS[3]))[0].last.finish_reason == "length"
        model.close()


class TestFaults:
    def test_a_prompt_beyond_the_window_is_a_stream_error(self) -> None:
        model = opened(max_length="8")
        [problem] = together(read(model, generate("A river flows from the hills to the sea")))
        assert isinstance(problem, StreamError)
        assert (problem.error.kind, problem.error.code) == (ErrorKind.REJECTED, "context_length")

    def test_what_is_no_written_answer_cannot_be_streamed(self, shared: CausalLM) -> None:
        [problem] = together(read(shared, loglikelihood("The capital", " of")))
        assert isinstance(problem, TypeError)

    def test_numbers_that_are_none_are_a_stream_error(self, model: CausalLM) -> None:
        together(read(model, ASKS[3]))
        with torch.no_grad():
            model._writer.network.lm_head.weight.fill_(float("nan"))
        [problem] = together(read(model, ASKS[0]))
        assert isinstance(problem, StreamError)
        assert problem.error.code == "not_a_number"

    def test_a_network_that_breaks_ends_its_streams_and_the_next_one_is_tried(
        self, model: CausalLM, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        together(read(model, ASKS[3]))
        forward = model._writer.network.forward
        monkeypatch.setattr(model._writer.network, "forward", broken)
        [problem] = together(read(model, ASKS[0]))
        assert isinstance(problem, StreamError)
        assert problem.error.code == "network"
        assert "a cable was pulled" in problem.error.message
        monkeypatch.setattr(model._writer.network, "forward", forward)
        assert together(read(model, ASKS[0]))[0].text == answers(model, ASKS[0])["plain"].text

    def test_closing_the_model_ends_its_streams(self, model: CausalLM) -> None:
        async def closed() -> Read:
            reading = asyncio.create_task(read(model, generate("A", key="long", max_tokens=500)))
            while not model._streams._in_progress:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(model.close)
            return await reading

        [problem] = together(closed())
        assert isinstance(problem, StreamError)
        [later] = together(read(model, ASKS[0]))
        assert isinstance(later, StreamError)
        assert later.error.code == "closed"

    def test_no_thread_is_left_after_closing(self) -> None:
        model = opened()
        together(read(model, ASKS[3]))
        assert any(thread.name == "llmuses-streams" for thread in threading.enumerate())
        thread = model._streams._thread
        model.close()
        model.close()
        assert thread is not None
        assert not thread.is_alive()


def broken(*_: Any, **__: Any) -> Any:
    raise ValueError("a cable was pulled")


def test_the_event_loop_is_never_held_up(model: CausalLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that takes 0.2 s for a token: somebody else on the loop goes on all the while."""
    together(read(model, ASKS[3]))
    forward = model._writer.network.forward

    def slow(*args: Any, **how: Any) -> Any:
        time.sleep(0.2)
        return forward(*args, **how)

    monkeypatch.setattr(model._writer.network, "forward", slow)
    ticks = 0

    async def ticking() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    async def both() -> Read:
        task = asyncio.create_task(ticking())
        found = await read(model, generate("A", key="slow", max_tokens=5))
        task.cancel()
        return found

    together(both())
    assert ticks >= 15


def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
