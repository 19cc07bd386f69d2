"""One network asked from several threads at once: everybody gets what they would get alone, and nobody is kept waiting."""

from __future__ import annotations

import asyncio
import functools
import gc
import itertools
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import pytest

from llmuses.errors import ModelError
from llmuses.models import load_model
from llmuses.models.transformers import writer
from llmuses.models.transformers.causal_lm import CausalLM
from llmuses.models.transformers.slot_loop import SlotLoop
from llmuses.records import Request, Response
from tests.support.asking import answers, generate, loglikelihood
from tests.support.tiny_families import tiny_family
from tests.support.tiny_models import SENTENCES

SCORING = [
    loglikelihood(f"{sentence * 2} Question {number}. Answer:", " A", " B", " the sea", key=f"{sentence[:4]}{number}")
    for sentence in SENTENCES[:3]
    for number in range(4)
]
WRITING = [generate(f"{SENTENCES[number % 4]} {number}", max_tokens=8, key=f"w{number}") for number in range(4)]
STREAMED = [generate(f"{SENTENCES[number % 4]} What about {number}?", max_tokens=12) for number in range(3)]


@functools.cache
def opened(family: str) -> CausalLM:
    model = load_model(str(tiny_family(family)), device_map="cpu", batch_tokens="48")
    assert isinstance(model, CausalLM)
    return model


@pytest.fixture
def model() -> CausalLM:
    return opened("llama")


def streamed(model: CausalLM, request: Request) -> str:
    async def read() -> str:
        async with aclosing(model.stream(request)) as deltas:
            return "".join([delta.text async for delta in deltas])

    return asyncio.run(asyncio.wait_for(read(), 60))


def outcome(response: Response) -> Any:
    scores = [(round(score.logprob or 0.0, 3), score.greedy) for score in response.scores or ()]
    return response.text, response.finish_reason, response.error, scores


class Watched:
    """Stands before a network's forward: notes whose passes they are, in order, and how many run at once.

    ``wait`` is called in each pass: what meets others only now and then meets them always.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, model: CausalLM, wait: Callable[[], object]):
        self.threads: list[str] = []
        self.most = 0
        self._now = 0
        network = model._writer.network
        forward = network.forward

        @functools.wraps(forward)
        def watched(*args: Any, **how: Any) -> Any:
            self._now += 1
            self.most = max(self.most, self._now)
            self.threads.append(threading.current_thread().name)
            try:
                wait()
                return forward(*args, **how)
            finally:
                self._now -= 1

        monkeypatch.setattr(network, "forward", watched)


@pytest.mark.parametrize("family", ["llama", "gemma3", "jamba"])
def test_scoring_writing_and_streams_at_once_come_to_what_each_is_alone(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs score, two write, three people read along; each pass is long enough to meet all the others."""
    model = opened(family)
    alone = {request.key: outcome(response) for request in (*SCORING, *WRITING) for response in model.run([request])}
    read_alone = [streamed(model, request) for request in STREAMED]
    watched = Watched(monkeypatch, model, lambda: time.sleep(0.0005))
    with ThreadPoolExecutor(7) as pool:
        runs = [pool.submit(answers, model, *some) for some in (SCORING, SCORING[::-1], WRITING, WRITING[::-1])]
        streams = [pool.submit(streamed, model, request) for request in STREAMED]
        for run in runs:
            for key, response in run.result(60).items():
                assert outcome(response) == alone[key]
        assert [stream.result(60) for stream in streams] == read_alone
    assert watched.most == 1


@pytest.mark.parametrize("family", ["llama", "mamba"])
def test_who_reads_along_gets_a_word_between_two_passes_of_a_long_evaluation(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened(family)
    streamed(model, STREAMED[0])
    done = threading.Event()

    def until_somebody_waits() -> None:
        """Make every pass of the evaluation long enough for the stream to ask for its turn."""
        if threading.current_thread().name == "scoring":
            assert eventually(lambda: bool(model._reader.turns._queue) or done.is_set())

    watched = Watched(monkeypatch, model, until_somebody_waits)
    scoring = threading.Thread(target=lambda: answers(model, *SCORING), name="scoring")
    scoring.start()
    assert eventually(lambda: "scoring" in watched.threads)
    streamed(model, STREAMED[0])
    done.set()
    passes = list(watched.threads)
    scoring.join(60)
    words = [place for place, thread in enumerate(passes) if thread == "llmuses-streams"]
    assert len(words) >= 12
    assert "scoring" in passes[words[0] : words[-1]]
    assert all(after - before <= 2 for before, after in itertools.pairwise(words))


@pytest.mark.parametrize("family", ["llama", "mamba"])
def test_an_evaluation_goes_on_between_the_words_of_long_answers(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One step of plain generation is a whole batch: its end is not waited for."""
    model = opened(family)
    streamed(model, STREAMED[0])
    watched = Watched(monkeypatch, model, lambda: time.sleep(0.001))
    left = threading.Event()

    async def read() -> None:
        async with aclosing(model.stream(generate("A", key="long", max_tokens=100_000))) as deltas:
            async for _ in deltas:
                if left.is_set():
                    return

    reader = threading.Thread(target=lambda: asyncio.run(read()))
    reader.start()
    assert eventually(lambda: "llmuses-streams" in watched.threads)
    assert answers(model, *SCORING[:2])
    left.set()
    reader.join(60)
    assert not reader.is_alive()


@pytest.mark.parametrize("family", ["llama", "jamba"])
def test_closing_a_model_lets_the_pass_under_way_end_and_tells_those_who_still_ask(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the way: scored merged or copied, written in slots or by plain generation."""
    model = load_model(str(tiny_family(family)), device_map="cpu", batch_tokens="48", batch_size="2")
    assert isinstance(model, CausalLM)
    turns = model._reader.turns
    closing = threading.Event()
    watched = Watched(monkeypatch, model, lambda: closing.wait(20))
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(answers, model, *asked) for asked in (SCORING, WRITING)]
        assert eventually(lambda: bool(watched.threads and turns._queue))  # one runs it, the other one waits
        closer = threading.Thread(target=model.close)
        closer.start()
        assert eventually(lambda: len(turns._queue) == 2)
        closing.set()
        closer.join(20)
        passes = len(watched.threads)
        for run in runs:
            with pytest.raises(ModelError, match=r"^the model was closed while it was asked: load it again\.$"):
                run.result(20)
    assert len(watched.threads) == passes
    for request in (SCORING[0], WRITING[0]):
        with pytest.raises(ModelError, match="the model was closed"):
            answers(model, request)
    model.close()


def left_open(responses: Iterator[Response]) -> None:
    """Keep a reference."""


def closed_elsewhere(responses: Iterator[Response]) -> None:
    thread = threading.Thread(target=responses.close)  # type: ignore[attr-defined]
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


def collected_elsewhere(responses: Iterator[Response]) -> None:
    """Only the collector finds what refers to itself; it runs in whatever thread allocates."""
    ring: list[Any] = [responses]
    ring.append(ring)
    watch = weakref.ref(responses)
    del ring, responses
    thread = threading.Thread(target=gc.collect)
    thread.start()
    thread.join(20)
    assert watch() is None


@pytest.mark.parametrize("asked", [SCORING, WRITING], ids=["scoring", "writing"])
@pytest.mark.parametrize("left", [left_open, closed_elsewhere, collected_elsewhere])
@pytest.mark.parametrize("family", ["llama", "mamba"])
def test_a_run_that_is_left_in_the_middle_holds_nobody_up(
    family: str, left: Callable[[Iterator[Response]], None], asked: list[Request]
) -> None:
    model = opened(family)
    responses = [iter(model.run(asked * 3))]
    next(responses[0])
    kept = responses[0] if left is left_open else None
    left(responses.pop())
    with ThreadPoolExecutor(2) as pool:
        assert pool.submit(answers, model, *SCORING[:3], *WRITING[:2]).result(30)
        assert pool.submit(streamed, model, STREAMED[0]).result(30)
    del kept


def test_loops_are_promised_no_more_memory_than_there_is(model: CausalLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """None has begun when the next one asks: what is free says nothing of what the others will hold."""
    fit = model._writer._fit
    assert fit is not None
    monkeypatch.setattr(writer, "free_bytes", lambda device: 1_000 * fit.token_bytes)
    loops = [model._writer.loop() for _ in range(4)]
    tokens = [loop.tokens for loop in loops if isinstance(loop, SlotLoop)]
    assert tokens == sorted(tokens, reverse=True)
    assert tokens[-1] > 50
    assert sum(tokens) <= 1_000
    loops.clear()
    [again] = [model._writer.loop()]
    assert isinstance(again, SlotLoop)
    assert again.tokens == tokens[0]


def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True
