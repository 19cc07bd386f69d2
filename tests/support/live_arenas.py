"""A live arena whose models say what a test wants, with a clock that a test turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from arena.live.arena import LiveArena
from arena.live.pictures import Picture
from arena.live.players import PlayerState
from arena.live.playing import Player
from arena.live.refusal import Refusal
from arena.live.rules import Rules
from arena.live.visitor import Visitor
from arena.live.wire import Awaited, Began, Ended, Event, Frame, Pane, PaneState, SendAsk
from llmuses.models.base import Delta, StreamError
from llmuses.records import ErrorKind, GenerationConfig, Image, Message, ResponseError, Usage


class ScriptedPlayers:
    """Players whose answers are a function of the model and of what it is asked; ``!`` at the end of one makes it fail
    there, ``…`` makes it wait until it is stopped."""

    def __init__(self, players: Sequence[Player], answer: Callable[[str, Sequence[Message]], str] | None = None):
        self.players = list(players)
        self.answer = answer or (lambda name, messages: f"An answer by number {sum(map(ord, name))}.")
        self.asked: list[tuple[str, tuple[Message, ...], GenerationConfig]] = []
        self.closed = 0
        self.waits_for: Awaited | None = None

    def start(self) -> None:
        pass

    @property
    def promising(self) -> int:
        return len(self.players)

    def playing(self) -> Sequence[Player]:
        return self.players

    def states(self) -> Sequence[PlayerState]:
        return [PlayerState(name=player.name, state="playing") for player in self.players]

    def known(self, name: str) -> Player | None:
        return next((player for player in self.players if player.name == name), None)

    async def stream(
        self, name: str, messages: tuple[Message, ...], config: GenerationConfig
    ) -> AsyncGenerator[Delta, None]:
        self.asked.append((name, messages, config))
        text = self.answer(name, messages)
        try:
            for word in text.rstrip("!…").split(" "):
                await asyncio.sleep(0)
                yield Delta(text=word + " ")
            if text.endswith("…"):
                await asyncio.sleep(3600)
            if text.endswith("!"):
                raise StreamError(ResponseError(kind=ErrorKind.FAILED, code="http_500"))
            yield Delta(finish_reason="stop", usage=Usage(completion_tokens=len(text.split())))
        finally:
            self.closed += 1


class PlainWriter:
    """A writer whose blocks are the text itself."""

    def __init__(self, news: Callable[[], None]):
        self._news = news
        self._shown: tuple[PaneState, str] = (PaneState.WAITING, "")
        self.state = PaneState.WAITING
        self.text = ""
        self.reasoning = ""
        self.finish: str | None = None
        self.usage: Usage | None = None
        self.reason: str | None = None

    async def follow(self, stream: AsyncGenerator[Delta, None]) -> None:
        try:
            async for delta in stream:
                self.text += delta.text
                self.reasoning += delta.reasoning
                self.state = PaneState.WRITING
                if delta.finish_reason:
                    self.finish, self.usage = delta.finish_reason, delta.usage
                self._news()
            self.stop(PaneState.FINISHED)
        except StreamError as problem:
            self.stop(PaneState.FAILED, problem.error.code)
        except asyncio.CancelledError:
            self.stop(PaneState.STOPPED)
            raise
        finally:
            await stream.aclose()

    def stop(self, state: PaneState, reason: str | None = None) -> None:
        if self.state in (PaneState.WAITING, PaneState.THINKING, PaneState.WRITING):
            self.state, self.reason = state, reason
            self._news()

    def changes(self) -> Pane | None:
        now = (self.state, self.text)
        if now == self._shown:
            return None
        self._shown = now
        return Pane(state=self.state, blocks=(self.text,), of=1, reason=self.reason)


def read_picture(data: bytes) -> Picture:
    """Take anything that says that it is an image."""
    if not data.startswith(b"image"):
        raise Refusal("image")
    return Picture(Image("image/png", data), 3, 2)


class Clock:
    """A clock that only a test turns."""

    def __init__(self, now: float = 1_800_000_000.0):
        self.now = now

    def __call__(self) -> float:
        return self.now


TWO = (Player("one-7b", organisation="Ones", licence="MIT"), Player("two-8b", tags=("vision",)))


def rules(**changes: Any) -> Rules:
    """Return rules without limits that a test would run into, changed as it wants."""
    wide = {
        "rates": {
            deed: {"voter": [], "block": []} for deed in ("send", "vote", "image", "opinion", "withdraw", "login")
        },
        "slots": {"writing_per_voter": 1000, "writing_per_block": 1000, "writing": 1000},
        "policy": "uniform",
    }
    merged = {**wide, **changes}
    for name in ("rates", "slots"):
        merged[name] = {**wide[name], **changes.get(name, {})}  # type: ignore[dict-item]
    return msgspec.convert(merged, Rules)


def live_arena(
    folder: Path,
    players: ScriptedPlayers | None = None,
    clock: Callable[[], float] | None = None,
    **changes: Any,
) -> LiveArena:
    """Return an arena on a folder."""
    return LiveArena(
        folder, rules(**changes), players or ScriptedPlayers(TWO), PlainWriter, read_picture, clock or Clock()
    )


def visitor(arena: LiveArena, address: str = "203.0.113.7", account: str | None = None) -> Visitor:
    """Return somebody new."""
    return arena.keys.visitor(arena.keys.new_session(1_800_000_000.0, account), address)


def ask(prompt: str = "What is blue?", **more: Any) -> SendAsk:
    """Return a prompt of somebody who accepted the terms."""
    return SendAsk(prompt=prompt, terms=True, **more)


async def all_of(events: AsyncGenerator[Event, None]) -> tuple[str, list[Frame], Ended]:
    """Return the token of a turn, its frames and its end."""
    found = [event async for event in events]
    began, ended = found[0], found[-1]
    assert isinstance(began, Began) and isinstance(ended, Ended)
    frames = [event for event in found[1:-1] if isinstance(event, Frame)]
    assert len(frames) == len(found) - 2
    return began.battle, frames, ended


async def battle(arena: LiveArena, who: Visitor, prompt: str = "What is blue?", **more: Any) -> str:
    """Play a battle's first turn and return its token."""
    token, _, ended = await all_of(arena.send(who, ask(prompt, **more)))
    assert ended.vote, ended.reason
    return token
