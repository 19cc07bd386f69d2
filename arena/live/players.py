"""The models that play: those of models.yaml with ``arena``, loaded in the background, each network once.

A model that fails again and again, or has used up its money for the day, sits out by itself and comes back by itself; both
stand in the arena's book (``players.jsonl``), which all processes of an arena share.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from arena.live.playing import Player
from arena.live.upkeep import Book, Upkeep
from arena.live.wire import Awaited
from llmuses.errors import LlmusesError
from llmuses.models import load_model
from llmuses.models.base import Delta, Model, Streamer, StreamError
from llmuses.models.load import parse_spec, typed_args
from llmuses.models.obstacles import obstacle
from llmuses.models.tokens import estimated_tokens
from llmuses.records import ErrorKind, Generate, GenerationConfig, Message, Request, ResponseError, Usage
from llmuses.settings import ArenaEntry, ModelEntry, arena_entries

_log = logging.getLogger(__name__)


class PlayerState(msgspec.Struct, kw_only=True):
    """How a model stands, for an admin's eyes. ``state``: ``loading``, ``playing``, ``sits_out``, ``unavailable``, or
    ``paused`` and ``retired`` by an admin.

    ``reason`` says why it does not play, ``until`` (a time stamp) when it comes back by itself. ``spent`` is money of today.
    """

    name: str
    state: str
    reason: str | None = None
    until: float | None = None
    spent: float = 0.0
    budget: float | None = None
    currency: str | None = None
    answers: int = 0
    failures: int = 0


class _Seat:
    """A model of the arena: what is known of it, and its network once it is loaded."""

    def __init__(self, name: str, entry: ModelEntry, arena: ArenaEntry):
        self.entry = entry
        self.arena = arena
        self.player = Player(
            name=name,
            weight=arena.weight,
            tags=arena.tags,
            organisation=entry.organisation,
            licence=entry.licence,
            homepage=entry.homepage,
        )
        self.model: Streamer | None = None
        self.problem: str | None = obstacle(entry.model, entry.args) or None
        """Why it cannot play: what is known before it is loaded (no key, a package missing), or what loading it came to."""

    def config(self, chosen: GenerationConfig) -> GenerationConfig:
        """Return generation settings: the model's own over those that a visitor chose."""
        own = {
            name: value for name, value in msgspec.structs.asdict(self.arena.generation).items() if value is not None
        }
        return msgspec.structs.replace(chosen, **own)

    def cost(self, usage: Usage | None, messages: tuple[Message, ...], text: str) -> float | None:
        """Return the money that an answer cost, estimated where the server did not count; None without a price."""
        if self.entry.price is None:
            return None
        asked = usage.prompt_tokens if usage else None
        said = usage.completion_tokens if usage else None
        if asked is None:
            asked = sum(estimated_tokens(message.content) for message in messages)
        if said is None:
            said = estimated_tokens(text)
        return (asked * self.entry.price[0] + said * self.entry.price[1]) / 1e6


class ArenaPlayers:
    """All models of the arena. See arena.live.playing.Players.

    ``entries`` are those of models.yaml that play unless given. Raises UsageError for a models.yaml that cannot be meant.
    """

    def __init__(
        self,
        folder: Path,
        entries: Mapping[str, ModelEntry] | None = None,
        load: Callable[..., Model] = load_model,
        clock: Callable[[], float] = time.time,
    ):
        found = arena_entries() if entries is None else entries
        self._seats = {
            name: _Seat(name, entry, entry.arena)
            for name, entry in found.items()
            if entry.arena and _is_installed(entry)
        }
        self._load = load
        self._upkeep = Upkeep(
            Book(folder / "players.jsonl", clock),
            {name: seat.arena.budget for name, seat in self._seats.items()},
            clock,
        )
        self._models: list[Model] = []
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    # -- loading

    def start(self) -> None:
        """Load the models in the background: those behind a server first, which takes no time."""
        self._thread = threading.Thread(target=self._load_all, name="llmuses-arena-players", daemon=True)
        self._thread.start()

    @property
    def waits_for(self) -> Awaited | None:
        """Return what must be there before all play, None where nothing is awaited."""
        missing = [seat for seat in self._seats.values() if seat.model is None and seat.problem is None]
        if any(_is_local(seat.entry.model) for seat in missing):
            return Awaited.MODELS
        return Awaited.SERVERS if missing else None

    @property
    def promising(self) -> int:
        """Return how many models may play, once they are loaded; those that sit out by themselves are among them."""
        return sum(seat.problem is None and not self._is_held(name) for name, seat in self._seats.items())

    def _is_held(self, name: str) -> bool:
        away = self._upkeep.sits_out(name)
        return away is not None and away.until is None

    def wait(self, seconds: float | None = None) -> None:
        """Wait until all are loaded."""
        if self._thread is not None:
            self._thread.join(seconds)

    def close(self) -> None:
        """Free the models. What is being loaded is freed when it is there."""
        self._closed.set()
        self.wait(5.0)
        self._free()
        self._upkeep.close()

    def _free(self) -> None:
        for model in self._models:
            model.close()

    def _load_all(self) -> None:
        loaded: dict[object, Streamer | str] = {}
        for name, seat in sorted(self._seats.items(), key=lambda item: _is_local(item[1].entry.model)):
            if self._closed.is_set():
                break
            found = seat.problem or self._found(seat.entry, loaded)
            if isinstance(found, str):
                seat.problem = found
                _log.warning("%s does not play: %s", name, found)
            else:
                seat.model = found
        if self._closed.is_set():
            self._free()

    def _found(self, entry: ModelEntry, loaded: dict[object, Streamer | str]) -> Streamer | str:
        """Return the model of an entry, or in words why there is none; what was loaded or tried before is not again."""
        try:
            which = _which(entry)
        except LlmusesError as problem:
            return str(problem)
        if which not in loaded:
            try:
                loaded[which] = self._loaded(entry)
            except LlmusesError as problem:
                loaded[which] = str(problem)
            except Exception as problem:
                loaded[which] = f"it cannot be loaded ({type(problem).__name__}: {problem})"
                _log.exception("%s cannot be loaded", entry.model)
        return loaded[which]

    def _loaded(self, entry: ModelEntry) -> Streamer:
        """Return a model, or one that is in memory already and is the same."""
        model = self._load(entry.model, **entry.args)
        for other in self._models:
            if other.identity == model.identity and isinstance(other, Streamer):
                model.close()
                return other
        if not isinstance(model, Streamer):
            model.close()
            raise LlmusesError("this backend cannot write to somebody who reads along; use openai or transformers.")
        if _is_local(entry.model):
            asyncio.run(_warm_up(model, int(model.details.get("replicas", 1))))
        self._models.append(model)
        return model

    # -- playing

    def playing(self) -> list[Player]:
        """Return who may play now: loaded, within its budget, and not sitting out."""
        return [
            seat.player
            for name, seat in self._seats.items()
            if seat.model is not None and self._upkeep.sits_out(name) is None
        ]

    def known(self, name: str) -> Player | None:
        """Return what is known of a model of this arena, playing or not."""
        seat = self._seats.get(name)
        return seat.player if seat else None

    def states(self) -> list[PlayerState]:
        """Return how each model stands, for an admin."""
        return [self._state(name, seat) for name, seat in self._seats.items()]

    def _state(self, name: str, seat: _Seat) -> PlayerState:
        away = self._upkeep.sits_out(name)
        reason: str | None
        if away is not None and away.until is None:
            state, reason, until = away.state, away.reason, None
        elif seat.problem is not None:
            state, reason, until = "unavailable", seat.problem, None
        elif seat.model is None:
            state, reason, until = "loading", None, None
        elif away is not None:
            state, reason, until = away.state, away.reason, away.until
        else:
            state, reason, until = "playing", None, None
        return PlayerState(
            name=name,
            state=state,
            reason=reason,
            until=until,
            spent=self._upkeep.spent(name),
            budget=seat.arena.budget,
            currency=seat.entry.currency if seat.entry.price else None,
            answers=self._upkeep.answers[name],
            failures=self._upkeep.failures[name],
        )

    async def stream(
        self, name: str, messages: tuple[Message, ...], config: GenerationConfig
    ) -> AsyncGenerator[Delta, None]:
        """Yield a model's answer as it is written, by its own generation settings over ``config``.

        Raises StreamError where it fails. What it cost is counted however it ends.
        """
        seat = self._seats.get(name)
        if seat is None or seat.model is None:
            raise _unavailable(f"{name} is not loaded")
        request = Request(secrets.token_hex(12), Generate(messages=messages, config=seat.config(config)))
        usage: Usage | None = None
        written: list[str] = []
        try:
            async with aclosing(seat.model.stream(request)) as deltas:
                async for delta in deltas:
                    usage = delta.usage or usage
                    written += (delta.reasoning, delta.text)
                    yield delta
        except StreamError as problem:
            self._upkeep.failed(name, problem.error)
            raise
        except Exception as problem:
            _log.exception("%s raised what a stream should not", name)
            error = ResponseError(kind=ErrorKind.FAILED, code="error", message=str(problem))
            self._upkeep.failed(name, error)
            raise StreamError(error) from problem
        else:
            self._upkeep.answered(name)
        finally:
            if cost := seat.cost(usage, messages, "".join(written)) if written or usage else None:
                self._upkeep.paid(name, cost)


def _is_installed(entry: ModelEntry) -> bool:
    """Return whether the package that holds a model is there; a model of any other hub is looked for when it is loaded."""
    return entry.args.get("hub") != "package" or find_spec(parse_spec(entry.model).name) is not None


def _is_local(spec: str) -> bool:
    """Return whether a model runs in this process; loading it takes seconds to minutes."""
    return not spec.startswith("openai:")


def _which(entry: ModelEntry) -> tuple[str, str, bytes]:
    """Return what is the same for entries that share a network."""
    parsed = parse_spec(entry.model)
    args: Any = typed_args(entry.model, entry.args)
    return parsed.backend, parsed.name, msgspec.json.encode(args, order="deterministic")


async def _warm_up(model: Streamer, copies: int) -> None:
    """Have a word written by each copy: what a library prepares at its first use must not keep the first visitor waiting.

    Those who read along at once are shared out among the copies.
    """
    ask = Generate(messages=(Message("user", "Hello"),), config=GenerationConfig(max_tokens=2))

    async def write() -> None:
        try:
            async with aclosing(model.stream(Request("warm-up", ask))) as deltas:
                async for _ in deltas:
                    pass
        except StreamError as problem:
            _log.warning("a model was warmed up in vain: %s", problem)

    await asyncio.gather(*(write() for _ in range(copies)))


def _unavailable(message: str) -> StreamError:
    return StreamError(ResponseError(kind=ErrorKind.FAILED, code="unavailable", message=message))
