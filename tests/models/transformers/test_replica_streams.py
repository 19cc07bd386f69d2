"""Copies of a model that write to people who read along, while runs ask them too."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from llmuses.errors import ModelError
from llmuses.models import Streamer
from llmuses.models.base import Delta, StreamError
from llmuses.models.transformers import replicas
from llmuses.models.transformers.replica import Leave, Write
from llmuses.models.transformers.replica_process import ReplicaProcess
from llmuses.models.transformers.replicas import Replicas
from llmuses.records import ErrorKind, Generate, Message, Request
from tests.support.asking import answers, generate, loglikelihood
from tests.support.slow_player import Args


@pytest.fixture
def players(tmp_path: Path) -> Iterator[Replicas]:
    model = Replicas("tests.support.slow_player", "slow", [Args(tmp_path)] * 2, ["one", "two"])
    yield model
    model.close()


async def read(model: Streamer, request: Request) -> str:
    async with aclosing(model.stream(request)) as deltas:
        return "".join([delta.text async for delta in deltas])


def together(*reading: Awaitable[Any]) -> list[Any]:
    async def gathered() -> list[Any]:
        return list(await asyncio.wait_for(asyncio.gather(*reading, return_exceptions=True), 60))

    return asyncio.run(gathered())


def told(monkeypatch: pytest.MonkeyPatch, kind: type) -> list[int]:
    """Return a list that will hold the process of each message of a kind, in order."""
    pids: list[int] = []
    tell = ReplicaProcess.tell

    def noted(self: ReplicaProcess, message: Any) -> None:
        if isinstance(message, kind):
            pids.append(self.pid)
        tell(self, message)

    monkeypatch.setattr(ReplicaProcess, "tell", noted)
    return pids


def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def code_of(problem: Any) -> str:
    assert isinstance(problem, StreamError), problem
    return problem.error.code


# --- What is written ------------------------------------------------------------------------------------------------


def test_words_come_one_by_one_and_the_last_delta_says_how_it_ended(players: Replicas) -> None:
    async def deltas() -> list[Delta]:
        async with aclosing(players.stream(generate("count 4"))) as found:
            return [delta async for delta in found]

    [found] = together(deltas())
    assert [delta.text for delta in found] == ["0 ", "1 ", "2 ", "3 ", ""]
    assert [delta.finish_reason for delta in found] == [None, None, None, None, "stop"]


def test_what_is_no_written_answer_cannot_be_streamed(players: Replicas) -> None:
    [problem] = together(read(players, loglikelihood("One", " two")))
    assert isinstance(problem, TypeError)


# --- Who writes it ----------------------------------------------------------------------------------------------------


def test_streams_are_spread_over_the_copies(players: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = told(monkeypatch, Write)
    together(*(read(players, generate("count 50")) for _ in range(6)))
    assert sorted(Counter(pids).values()) == [3, 3]


def test_a_copy_that_a_run_keeps_busy_is_not_asked_while_another_one_has_nothing_to_do(
    players: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = told(monkeypatch, Write)
    responses = players.run([generate(f"{number}") for number in range(20)])  # one piece: it goes to one copy
    next(responses)
    busy = [process.pid for run in players._runs.values() for process in run._shares if run.load(process)]
    assert len(busy) == 1
    assert together(read(players, generate("count 2"))) == ["0 1 "]
    assert pids
    assert pids != busy
    assert len(list(responses)) == 19


def test_a_conversation_goes_on_where_it_was(players: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = told(monkeypatch, Write)
    first = (Message("system", "Be brief"), Message("user", "count 30"))
    later = (*first, Message("assistant", "0"), Message("user", "count 30"))

    def ask(*messages: Message) -> Request:
        return Request("", Generate(messages=messages))

    async def beside() -> None:
        """The first copy has a reader when the conversation begins, so that it begins on the second one."""
        other = asyncio.create_task(read(players, generate("count 60")))
        await asyncio.sleep(0.02)
        await read(players, ask(*first))
        await other
        await read(players, ask(*later))

    assert together(beside()) == [None]
    assert pids[1] == pids[2] != pids[0]


# --- Leaving --------------------------------------------------------------------------------------------------------


def test_who_reads_no_further_is_not_written_for(players: Replicas, tmp_path: Path) -> None:
    async def leave() -> None:
        async with aclosing(players.stream(generate("count 100000"))) as deltas:
            async for _ in deltas:
                return

    together(leave())
    assert eventually(lambda: len(list(tmp_path.glob("left-*"))) == 1)
    assert not any(replica.readers for replica in players._replicas)


def test_a_stream_that_nobody_closes_is_left_with_its_event_loop(players: Replicas, tmp_path: Path) -> None:
    kept: list[AsyncGenerator[Delta, None]] = []

    async def forget() -> None:
        deltas = players.stream(generate("count 100000"))
        await anext(deltas)
        kept.append(deltas)

    together(forget())
    assert eventually(lambda: len(list(tmp_path.glob("left-*"))) == 1)


def test_nothing_is_taken_back_that_is_whole(players: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    left = told(monkeypatch, Leave)
    together(read(players, generate("count 3")))
    assert left == []


# --- Faults ---------------------------------------------------------------------------------------------------------


def test_the_streams_of_a_copy_that_dies_fail_and_those_of_the_other_one_go_on(players: Replicas) -> None:
    found = together(*(read(players, generate(what)) for what in ("die 3", "count 40", "count 40", "count 40")))
    dead = [one for one in found if isinstance(one, StreamError)]
    assert code_of(found[0]) == "replica_died"
    assert "signal SIGKILL" in dead[0].error.message
    assert {one.error.kind for one in dead} == {ErrorKind.FAILED}
    assert len(dead) == 2
    assert len([one for one in found if isinstance(one, str) and one.startswith("0 1 ")]) == 2


def test_a_copy_that_died_without_anything_to_do_is_there_again(players: Replicas) -> None:
    processes = [replica.process for replica in players._replicas]
    for process in processes:
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
    assert eventually(lambda: all(one.process not in (None, *processes) for one in players._replicas))
    assert together(read(players, generate("count 2"))) == ["0 1 "]


def test_while_no_copy_is_there_a_stream_fails_at_once(players: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "_DEATHS", 1)
    for replica in players._replicas:
        assert replica.process is not None
        os.kill(replica.process.pid, signal.SIGKILL)
    assert eventually(lambda: all(replica.left_out for replica in players._replicas))
    assert code_of(together(read(players, generate("count 2")))[0]) == "unavailable"


def test_what_a_copy_says_of_its_failure_is_handed_on(players: Replicas) -> None:
    refused, broken = together(read(players, generate("refuse")), read(players, generate("break")))
    assert (code_of(refused), refused.error.kind) == ("content_filter", ErrorKind.REJECTED)
    assert (code_of(broken), broken.error.message) == ("network", "ValueError: a cable was pulled")
    assert together(read(players, generate("count 2"))) == ["0 1 "]


def test_closing_the_model_ends_its_streams(players: Replicas) -> None:
    async def closed() -> str:
        reading = asyncio.create_task(read(players, generate("count 100000")))
        while not any(replica.readers for replica in players._replicas):
            await asyncio.sleep(0.005)
        await asyncio.to_thread(players.close)
        return await reading

    assert code_of(together(closed())[0]) == "closed"
    assert code_of(together(read(players, generate("count 2")))[0]) == "closed"
    with pytest.raises(ModelError, match=r"^the model was closed while it was asked: load it again\.$"):
        answers(players, generate("count 2"))


def test_a_model_that_nobody_holds_ends_its_processes(tmp_path: Path) -> None:
    model = Replicas("tests.support.slow_player", "slow", [Args(tmp_path)], ["one"])
    process = model._replicas[0]._newest._process
    del model
    gc.collect()
    assert process.wait(60) == 0


# --- Runs beside each other -------------------------------------------------------------------------------------------


def test_runs_in_several_threads_get_their_own_answers_and_one_that_is_left_takes_nothing_along(
    players: Replicas,
) -> None:
    asked = [[generate(f"{name} {number}") for number in range(80)] for name in ("a", "b", "c")]
    responses = players.run(asked[2])
    next(responses)
    started = threading.Barrier(3)

    def run(requests: list[Request]) -> Any:
        started.wait(20)
        return answers(players, *requests)

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run, some) for some in asked[:2]]
        started.wait(20)
        responses.close()  # type: ignore[attr-defined]
        for some, found in zip(asked, runs, strict=False):
            assert {key: response.text for key, response in found.result(60).items()} == {
                request.key: request.key for request in some
            }
    assert players._runs == {}
