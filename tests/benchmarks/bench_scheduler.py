"""How close the openai backend comes to what its slots allow: ``python -m tests.benchmarks.bench_scheduler``.

A local mock server answers after a fixed or an exponential latency. Ours is measured from the first request to the last
prediction in its store, through ``infer``; beside it, in the same run, bare aiohttp behind a semaphore, which stores
nothing. The ideal is what the latencies alone need: each one goes to the slot that falls free first. The exit code says
whether a target was missed; a busy machine misses them.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from llmuses.inference import Item, Predictions, infer
from llmuses.models import load_model
from llmuses.records import Generate, GenerationConfig, Message, Sample
from tests.support.servers import mock_openai

ROUNDS = 3


class Case(NamedTuple):
    """So many requests at so many slots; ``latency`` as the mock server takes it; the most that the ratio may be."""

    name: str
    requests: int
    slots: int
    latency: str
    target: float

    def ideal(self) -> float:
        """Return the seconds that list scheduling of the latencies takes, in the order in which they are drawn."""
        kind, _, mean = self.latency.rpartition(":")
        chance = random.Random(0)
        free_at = [0.0] * self.slots
        for _ in range(self.requests):
            seconds = chance.expovariate(1 / float(mean)) if kind == "exp" else float(mean)
            heapq.heapreplace(free_at, free_at[0] + seconds)
        return max(free_at)


CASES = (
    Case("2,000 x 50 ms, 64 in flight", 2000, 64, "0.05", 1.5),
    Case("1,500 x exponential 0.2 s, 32 in flight", 1500, 32, "exp:0.2", 1.2),
)


class Questions:
    """So many questions of a benchmark's usual size, each made when it is looked at."""

    def __init__(self, n: int):
        self._n = n

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, index: int, /) -> Item:
        shot = "Which of these numbers is the largest?\nA. one\nB. two\nC. three\nD. four\nAnswer: D\n\n"
        question = f"{shot * 5}Which of these is number {index}?\nA. one\nB. two\nC. three\nD. four\nAnswer:"
        ask = Generate(messages=(Message("user", question),), config=GenerationConfig(max_tokens=64))
        return Item("bench", Sample(sample_id=str(index), subset="bench", question=question, target="A"), 0, ask)


def ours(case: Case, base_url: str) -> float:
    """Return the seconds from the first request to the last stored prediction."""
    model = load_model("openai:mock", base_url=base_url, max_concurrency=case.slots)
    with tempfile.TemporaryDirectory() as folder:
        store = Predictions(Path(folder))
        begin = time.perf_counter()
        for _, prediction in infer(model, Questions(case.requests), store):
            assert prediction.response.error is None
        store.close()
        seconds = time.perf_counter() - begin
        assert sum(1 for _ in store.of("bench")) == case.requests
    return seconds


def bare_aiohttp(case: Case, base_url: str) -> float:
    """Return the seconds that bare aiohttp takes behind a semaphore."""
    import aiohttp
    import msgspec

    async def run() -> float:
        slots = asyncio.Semaphore(case.slots)
        connector = aiohttp.TCPConnector(limit=case.slots)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def post(item: Item) -> None:
                assert isinstance(item.ask, Generate)
                body = {"model": "mock", "messages": msgspec.to_builtins(item.ask.messages), "max_tokens": 64}
                async with slots, session.post(f"{base_url}/chat/completions", json=body) as answer:
                    assert (await answer.json())["choices"]

            begin = time.perf_counter()
            questions = Questions(case.requests)
            await asyncio.gather(*[post(questions[index]) for index in range(case.requests)])
            return time.perf_counter() - begin

    return asyncio.run(run())


def measure(case: Case, run: Callable[[Case, str], float]) -> float:
    """Return the median of a few rounds, each against a fresh server."""
    seconds = []
    for _ in range(ROUNDS):
        with mock_openai(latency=case.latency) as server:
            seconds.append(run(case, server.base_url))
    return statistics.median(seconds)


def main() -> int:
    import llmuses.models.openai.session  # noqa: F401  (the import is not part of a run's pace)

    print(f"{'':42}{'seconds':>9}{'ideal':>8}{'ratio':>8}{'target':>8}")
    missed = False
    for case in CASES:
        ideal = case.ideal()
        print(case.name)
        peers = (("llmuses, stored", ours, case.target), ("bare aiohttp, nothing stored", bare_aiohttp, None))
        for name, run, target in peers:
            seconds = measure(case, run)
            missed |= target is not None and seconds > target * ideal
            bound = "" if target is None else f"{target:8.2f}"
            print(f"  {name:40}{seconds:9.2f}{ideal:8.2f}{seconds / ideal:8.2f}{bound}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
