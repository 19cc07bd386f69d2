"""Several copies of a model in processes of their own: the same answers, whatever happens to a copy."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.errors import ModelError, UsageError
from llmuses.models import baseline, load_model
from llmuses.models.load import check_model
from llmuses.models.transformers import replica_run, replicas
from llmuses.models.transformers.dealing import deal
from llmuses.models.transformers.replica import Batch
from llmuses.models.transformers.replica_process import ReplicaProcess
from llmuses.models.transformers.replicas import Replicas
from llmuses.records import ErrorKind, Request, Response
from tests.support.asking import answers, generate, loglikelihood
from tests.support.tiny_models import SENTENCES, tiny_model

SUBJECTS = [f"{sentence} {sentence}\n\n" * 2 for sentence in SENTENCES[:4]]
SCORING = [
    loglikelihood(f"{SUBJECTS[n % 4]}Question {n}. Answer:", " A", " B", " the third", key=f"s{n}") for n in range(120)
]
WRITING = [generate(f"{SUBJECTS[n % 4]}Question {n}.", max_tokens=3 + n % 5, key=f"w{n}") for n in range(40)]


@pytest.fixture(scope="module")
def pair() -> Iterator[Replicas]:
    model = opened()
    yield model
    model.close()


def opened(**args: Any) -> Replicas:
    model = load_model(str(tiny_model(chat=True)), replicas="2", device_map="cpu", **args)
    assert isinstance(model, Replicas)
    return model


def words(found: dict[str, Response]) -> dict[str, Any]:
    return {
        key: (response.text, response.finish_reason, response.error, [score.greedy for score in response.scores or ()])
        for key, response in found.items()
    }


# --- The same as one copy -----------------------------------------------------------------------------------------


def test_answers_identity_and_name_are_those_of_one_copy(pair: Replicas) -> None:
    one = load_model(str(tiny_model(chat=True)), device_map="cpu")
    asked = [*SCORING, *WRITING, loglikelihood("One", "", " two", key="empty")]
    found, expected = answers(pair, *asked), answers(one, *asked)
    assert words(found) == words(expected)
    for key, response in expected.items():
        for score, other in zip(found[key].scores or (), response.scores or (), strict=True):
            assert score.logprob == pytest.approx(other.logprob, abs=1e-4)
    assert (pair.name, pair.identity, pair.prefers) == (one.name, one.identity, one.prefers)
    assert (pair.details["replicas"], pair.details["device"]) == (2, "cpu")


def test_streams_are_written_beside_a_run_as_one_copy_writes_them(pair: Replicas) -> None:
    one = load_model(str(tiny_model(chat=True)), device_map="cpu")
    asked = [generate(f"The river rises in {number} hills", max_tokens=12, key=f"{number}") for number in range(4)]
    expected = answers(one, *asked)

    async def read(request: Request) -> str:
        async with aclosing(pair.stream(request)) as deltas:
            return "".join([delta.text async for delta in deltas])

    async def together() -> list[str]:
        return list(await asyncio.wait_for(asyncio.gather(*map(read, asked)), 60))

    responses = pair.run(SCORING)
    next(responses)
    assert asyncio.run(together()) == [expected[request.key].text for request in asked]
    assert len(list(responses)) == len(SCORING) - 1


def test_both_copies_work(pair: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[tuple[int, int]] = []
    tell = ReplicaProcess.tell

    def noted(self: ReplicaProcess, message: Any) -> None:
        if isinstance(message, Batch):
            pieces.append((self.pid, len(message.requests)))
        tell(self, message)

    monkeypatch.setattr(ReplicaProcess, "tell", noted)
    answers(pair, *SCORING)
    assert len({pid for pid, _ in pieces}) == 2
    assert sum(count for _, count in pieces) == len(SCORING)


def test_requests_are_read_only_so_far_ahead(pair: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica_run, "AHEAD", 8)
    read = 0

    def requests() -> Iterator[Request]:
        nonlocal read
        for request in SCORING:
            read += 1
            yield request

    responses = pair.run(requests())
    next(responses)
    assert read <= 4 * 8 * 2
    assert len([*responses]) == len(SCORING) - 1


def test_equal_keys_get_a_response_each(pair: Replicas) -> None:
    responses = list(pair.run([generate("Hi", key="same", max_tokens=2) for _ in range(5)]))
    assert [response.key for response in responses] == ["same"] * 5


def test_nothing_asked_is_nothing_answered(pair: Replicas) -> None:
    assert list(pair.run([])) == []


# --- Deaths: the processes hold a player of the house, which is there at once ---------------------------------------


@pytest.fixture
def players() -> Iterator[Replicas]:
    model = Replicas("llmuses.models.baseline", "echo", [baseline.Args(delay=0.002)] * 2, ["one", "two"])
    yield model
    model.close()


def die_over(monkeypatch: pytest.MonkeyPatch, deadly: Callable[[Request], bool]) -> None:
    """Let no process survive some requests."""
    tell = ReplicaProcess.tell

    def told(self: ReplicaProcess, message: Any) -> None:
        if isinstance(message, Batch) and any(map(deadly, message.requests)):
            os.kill(self.pid, signal.SIGKILL)
        tell(self, message)

    monkeypatch.setattr(ReplicaProcess, "tell", told)


def pid_of(players: Replicas, number: int) -> int:
    process = players._replicas[number].process
    assert process is not None
    return process.pid


def test_a_copy_that_is_killed_is_started_again_and_nothing_is_lost_or_answered_twice(players: Replicas) -> None:
    responses: list[Response] = []
    for response in players.run(WRITING * 5):
        if len(responses) in (3, 60):
            os.kill(pid_of(players, len(responses) // 60), signal.SIGKILL)
        responses.append(response)
    assert sorted(response.key for response in responses) == sorted(request.key for request in WRITING * 5)
    assert all(response.text for response in responses)
    assert {response.attempts for response in responses} == {1, 2}
    assert all(response.text for response in answers(players, *WRITING).values())


def test_a_request_that_kills_fails_with_the_reason_and_its_neighbours_only(
    players: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_over(monkeypatch, lambda request: request.ask == WRITING[7].ask)
    found = answers(players, *WRITING)
    failed = {key: response for key, response in found.items() if response.error}
    assert "w7" in failed
    assert len(failed) <= 8
    for response in failed.values():
        assert response.error is not None
        assert (response.error.kind, response.error.code) == (ErrorKind.FAILED, "replica_died")
        assert "ended twice over it (signal SIGKILL)" in response.error.message
        assert response.attempts == 2
    assert all(response.text for key, response in found.items() if key not in failed)


def test_without_any_copy_left_the_run_ends_in_one_line(players: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    die_over(monkeypatch, lambda request: True)
    monkeypatch.setattr(replicas, "_DEATHS", 1)
    left = r"no copy of the model is left \(one: signal SIGKILL; two: signal SIGKILL\)"
    with pytest.raises(ModelError, match=left):
        list(players.run(WRITING * 4))


def test_who_leaves_off_in_the_middle_is_not_answered_later(players: Replicas) -> None:
    left = players.run(WRITING * 100)
    next(left)
    left.close()  # type: ignore[attr-defined]
    began = time.monotonic()
    assert answers(players, *SCORING[:5]).keys() == {request.key for request in SCORING[:5]}
    assert time.monotonic() - began < 100 * len(WRITING) * 0.002 / 2


def test_processes_end_with_their_model(players: Replicas) -> None:
    processes = [replica._newest._process for replica in players._replicas]
    players.close()
    players.close()
    assert [process.poll() for process in processes] == [0, 0]


def test_processes_end_at_once_when_whoever_started_them_is_gone(players: Replicas) -> None:
    responses = players.run(WRITING * 1_000)
    next(responses)
    for process in [replica._newest for replica in players._replicas]:
        process._line.shutdown(socket.SHUT_RDWR)
        assert process._process.wait(timeout=30) == 0


def test_what_a_copy_raises_while_it_loads_is_an_error_in_one_line() -> None:
    with pytest.raises(ModelError, match=r"No module named 'llmuses\.nowhere' \(the copy on one\)"):
        Replicas("llmuses.nowhere", "echo", [None, None], ["one", "two"])


# --- Arguments ----------------------------------------------------------------------------------------------------


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(UsageError, match="replicas=2 puts a whole copy on a device, device_map=auto spreads one"):
        check_model(str(tiny_model()), replicas=2, device_map="auto")
    with pytest.raises(UsageError, match="replicas is 0"):
        check_model(str(tiny_model()), replicas="0")


# --- Dealing ------------------------------------------------------------------------------------------------------


@given(
    texts=st.lists(st.text("ab ", max_size=12), max_size=80),
    pieces=st.integers(1, 9),
    smallest=st.integers(1, 20),
)
def test_every_request_is_dealt_once(texts: list[str], pieces: int, smallest: int) -> None:
    requests = [loglikelihood(text, " A", key=f"{n}") for n, text in enumerate(texts)]
    dealt = deal(requests, pieces, smallest)
    assert sorted(request.key for piece in dealt for request in piece) == sorted(request.key for request in requests)
    assert all(dealt)
    assert len(dealt) <= 2 * pieces + 1


def test_what_begins_alike_stays_together() -> None:
    subjects = {f"About {name}: " + "x" * 200: size for name, size in (("art", 90), ("law", 110), ("sea", 100))}
    requests = [generate(f"{text} {n}") for n in range(110) for text, size in subjects.items() if n < size]
    dealt = deal(requests, 3, 10)
    assert [{request.key[:9] for request in piece} for piece in dealt] == [{"About art"}, {"About law"}, {"About sea"}]
