"""An answer as it is written: what comes in pieces, what a stop does upstream, and how a stream fails."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import Any

import pytest

from llmuses.models import Streamer, StreamError, load_model
from llmuses.models.base import Delta
from llmuses.models.openai import gate, stream
from llmuses.records import ErrorKind, Generate, GenerationConfig, Image, Loglikelihood, Message, Request, ResponseError
from tests.support.streaming_server import Manner, StreamingServer, serving


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "FIRST_DELAY", 0.01)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def request(text: str = "Hello", **config: Any) -> Request:
    return Request("key", Generate(messages=(Message("user", text),), config=GenerationConfig(**config)))


def model_at(server: StreamingServer, **args: object) -> Any:
    return load_model("openai:some-model", base_url=server.base_url, **args)


async def read(model: Any, asked: Request | None = None) -> list[Delta]:
    async with aclosing(model.stream(asked or request())) as deltas:
        return [delta async for delta in deltas]


def streamed(manner: Manner, **args: object) -> tuple[list[Delta], StreamingServer]:
    async def run() -> tuple[list[Delta], StreamingServer]:
        async with serving(manner) as server:
            return await read(model_at(server, **args)), server

    return asyncio.run(run())


def failed(manner: Manner, **args: object) -> tuple[list[Delta], ResponseError, StreamingServer]:
    async def run() -> tuple[list[Delta], ResponseError, StreamingServer]:
        came: list[Delta] = []
        async with serving(manner) as server:
            deltas = model_at(server, **args).stream(request())
            with pytest.raises(StreamError) as raised:
                await _take(deltas, came)
            return came, raised.value.error, server

    return asyncio.run(run())


async def _take(deltas: Any, came: list[Delta]) -> None:
    async for delta in deltas:
        came.append(delta)


def text(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


# --- Answers ------------------------------------------------------------------------------------------------------


def test_the_model_is_a_streamer() -> None:
    assert isinstance(load_model("openai:m", base_url="http://localhost:1/v1"), Streamer)


def test_an_answer_comes_in_pieces_and_the_last_one_says_why_it_ended_and_what_it_cost() -> None:
    deltas, server = streamed(Manner(answer="Good morning to you.", rate=200))
    assert text(deltas) == "Good morning to you."
    assert len(deltas) > 2
    assert [delta.finish_reason for delta in deltas[:-1]] == [None] * (len(deltas) - 1)
    assert deltas[-1].finish_reason == "stop"
    assert deltas[-1].usage is not None
    assert (deltas[-1].usage.prompt_tokens, deltas[-1].usage.completion_tokens) == (10, 5)
    assert server.bodies[0]["stream"] is True
    assert server.bodies[0]["stream_options"] == {"include_usage": True}


def test_the_first_piece_is_there_before_the_last_was_written() -> None:
    async def run() -> float:
        async with (
            serving(Manner(tokens=20, rate=40)) as server,
            aclosing(model_at(server).stream(request())) as deltas,
        ):
            seconds = [time.perf_counter() async for _ in deltas]
            return seconds[-1] - seconds[0]

    assert asyncio.run(run()) > 0.3


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thoughts_in_a_field_of_their_own_are_no_text_whatever_it_is_called(field: str) -> None:
    deltas, _ = streamed(Manner(thinking="Let me think.", field=field, answer="<think> is a tag."))
    assert "".join(delta.reasoning for delta in deltas) == "Let me think."
    assert text(deltas) == "<think> is a tag."


def test_thoughts_in_tags_are_no_text_though_the_tags_come_in_pieces() -> None:
    deltas, _ = streamed(Manner(answer="<think>\nLet me think.\n</think>\n\nIt is 4.", rate=500))
    assert "".join(delta.reasoning for delta in deltas).strip() == "Let me think."
    assert text(deltas) == "It is 4."


def test_thoughts_without_an_opening_tag_are_recast() -> None:
    deltas, _ = streamed(Manner(answer="Let me think.</think>\n\nIt is 4.", rate=200))
    at = next(number for number, delta in enumerate(deltas) if delta.recast)
    assert text(deltas[at:]) == "It is 4."
    assert text(deltas[:at]) + deltas[at].reasoning == "Let me think."


def test_a_server_that_does_not_stream_gives_its_answer_in_one_piece() -> None:
    deltas, _ = streamed(Manner(answer="<think>Hm.</think>Yes.", streams=False))
    assert deltas == [Delta(text="Yes.", reasoning="Hm.", finish_reason="stop")]


def test_an_answer_at_its_length_says_so() -> None:
    deltas, _ = streamed(Manner(answer="One two three", finish_reason="length", usage=False))
    assert (deltas[-1].finish_reason, deltas[-1].usage) == ("length", None)


@pytest.mark.parametrize(
    "manner", [Manner(answer="Whole.", done=False), Manner(answer="Whole.", done=False, usage=False)]
)
def test_an_answer_without_the_mark_of_its_end_is_whole_where_a_reason_came(manner: Manner) -> None:
    deltas, _ = streamed(manner)
    assert text(deltas) == "Whole."


def test_a_parameter_that_the_server_does_not_know_is_left_out_and_the_answer_comes() -> None:
    deltas, server = streamed(Manner(answer="Fine.", strict="stream_options"))
    assert text(deltas) == "Fine."
    assert ["stream_options" in body for body in server.bodies] == [True, False]


def test_an_image_goes_along_as_a_data_url() -> None:
    async def run() -> Any:
        async with serving(Manner(answer="A cat.")) as server:
            asked = Generate(messages=(Message("user", "What is it?", (Image("image/png", b"png"),)),))
            await read(model_at(server), Request("key", asked))
            return server.bodies[0]["messages"][0]["content"]

    image, words = asyncio.run(run())
    assert image == {"type": "image_url", "image_url": {"url": "data:image/png;base64,cG5n"}}
    assert words == {"type": "text", "text": "What is it?"}


def test_many_streams_run_at_once_and_no_connection_is_left() -> None:
    async def run() -> tuple[int, Any]:
        async with serving(Manner(answer="Hello there.", latency=1.0)) as server:
            model = model_at(server, max_concurrency=50)
            answers = await asyncio.gather(*(read(model) for _ in range(50)))
            assert {text(deltas) for deltas in answers} == {"Hello there."}
            return server.connections, model._streams._lines

    began = time.perf_counter()
    connections, lines = asyncio.run(run())
    assert connections == 50
    assert lines == {}
    assert time.perf_counter() - began < 25, "one after the other they would take fifty seconds"


def test_no_more_streams_run_at_once_than_the_model_s_slots() -> None:
    async def run() -> int:
        async with serving(Manner(answer="Hello.", latency=0.05)) as server:
            model = model_at(server, max_concurrency=2)
            most = 0

            async def watch() -> None:
                nonlocal most
                while True:
                    most = max(most, server.running)
                    await asyncio.sleep(0.005)

            watching = asyncio.create_task(watch())
            await asyncio.gather(*(read(model) for _ in range(6)))
            watching.cancel()
            return most

    assert asyncio.run(run()) <= 2


# --- Stopping -----------------------------------------------------------------------------------------------------


def test_closing_the_stream_ends_the_work_upstream() -> None:
    async def run() -> StreamingServer:
        async with serving(Manner(tokens=1000, rate=50)) as server:
            async with aclosing(model_at(server).stream(request())) as deltas:
                async for _ in deltas:
                    break
            await until(lambda: server.left == 1)
            return server

    assert asyncio.run(run()).running == 0


def test_a_cancelled_task_ends_the_work_upstream_though_no_word_came_yet() -> None:
    async def run() -> None:
        async with serving(Manner(latency=60)) as server:
            model = model_at(server)
            task = asyncio.create_task(read(model))
            await until(lambda: server.running == 1)
            task.cancel()
            await until(lambda: server.left == 1)
            assert model._streams._lines == {}

    asyncio.run(run())


async def until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


# --- Failing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("breaks", "code"),
    [("cut", "cut_off"), ("error", "http_500"), ("nonsense", "bad_body"), ("silent_end", "cut_off")],
)
def test_an_answer_that_breaks_off_fails_after_what_came_and_is_not_asked_for_again(breaks: str, code: str) -> None:
    came, error, server = failed(Manner(answer="One two three four five", breaks=breaks, rate=100))
    assert text(came).startswith("One two thre"[:8])
    assert (error.kind, error.code) == (ErrorKind.FAILED, code)
    assert len(server.bodies) == 1


def test_an_answer_that_stops_coming_fails_when_its_time_is_over() -> None:
    came, error, server = failed(Manner(answer="One two three", breaks="hang", rate=100), timeout=2)
    assert text(came)
    assert error.code == "timeout"
    assert len(server.bodies) == 1


def test_a_server_that_never_says_a_word_is_not_asked_again() -> None:
    came, error, server = failed(Manner(latency=60), timeout=0.3)
    assert came == []
    assert error.message == "no answer within 0.3 s"
    assert len(server.bodies) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_refusal_that_passes_is_waited_out_where_no_word_came_yet(status: int) -> None:
    deltas, server = streamed(Manner(answer="At last.", status=status, failures=2))
    assert text(deltas) == "At last."
    assert len(server.bodies) == 3


def test_a_refusal_that_does_not_pass_is_not_waited_for_long() -> None:
    _, error, server = failed(Manner(status=503))
    assert (error.code, error.message) == ("http_503", "status 503")
    assert len(server.bodies) == 1 + stream.RETRIES


@pytest.mark.parametrize(
    ("status", "kind", "code"), [(401, ErrorKind.FAILED, "http_401"), (422, ErrorKind.REJECTED, "http_422")]
)
def test_a_lasting_refusal_fails_at_once_and_is_worded_as_in_a_run(status: int, kind: ErrorKind, code: str) -> None:
    _, error, server = failed(Manner(status=status))
    assert (error.kind, error.code, error.message) == (kind, code, f"status {status}")
    assert len(server.bodies) == 1


def test_an_answer_that_the_server_broke_off_has_failed() -> None:
    _, error, _ = failed(Manner(answer="The answer", finish_reason="insufficient_system_resource"))
    assert (error.kind, error.code) == (ErrorKind.FAILED, "broken_off")


def test_an_answer_that_the_server_kept_back_is_rejected() -> None:
    _, error, _ = failed(Manner(answer=" ", finish_reason="content_filter"))
    assert (error.kind, error.code) == (ErrorKind.REJECTED, "content_filter")


def test_a_server_that_is_not_there_is_said_to_be_unreachable() -> None:
    with pytest.raises(StreamError) as raised:
        asyncio.run(read(load_model("openai:m", base_url="http://127.0.0.1:9/v1")))
    assert raised.value.error.code == "unreachable"
    assert "is the server running" in str(raised.value)


def test_the_key_is_in_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-0123456789")

    async def run() -> ResponseError:
        async with serving(Manner(answer="x", breaks="error", breaks_after=0)) as server:
            model = model_at(server)
            model._server.secret = "engine"
            with pytest.raises(StreamError) as raised:
                await read(model)
            return raised.value.error

    assert asyncio.run(run()).message == "The *** died."


def test_a_log_likelihood_is_no_stream() -> None:
    model: Any = load_model("openai:m", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(TypeError):
        asyncio.run(read(model, Request("key", Loglikelihood(context="a", continuations=("b",)))))
