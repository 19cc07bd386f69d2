"""Who has read a model's name does not vote blind any more, whatever becomes of the answer that held it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import msgspec
import pytest

from arena.live.arena import LiveArena
from arena.live.pane import PaneWriter
from arena.live.visitor import Visitor
from llmuses.models.base import Delta
from llmuses.records import GenerationConfig, Message, Winner
from tests.support.live_arenas import (
    TWO,
    Clock,
    ScriptedPlayers,
    all_of,
    ask,
    battle,
    live_arena,
    read_picture,
    rules,
    visitor,
)

PLAYERS = [TWO[0]._replace(name="gpt-9"), TWO[1]]


def _answer(name: str, messages: Sequence[Message]) -> str:
    """Say who one is once, where that is asked or the day is Monday."""
    asked = messages[-1].content
    return "As an AI made by OpenAI, I like it." if "Monday" in asked else "A colour of the sky."


async def _edited(arena: LiveArena, who: Visitor, first: str) -> str:
    token = await battle(arena, who, first)
    await all_of(arena.send(who, ask("What is blue?", battle=token, edit=True)))
    return token


@pytest.mark.parametrize(
    ("first", "reason"), [("Who are you?", "asked"), ("How is Monday?", "named"), ("What is bleu?", None)]
)
def test_an_edit_does_not_make_a_battle_blind_again(tmp_path: Path, first: str, reason: str | None) -> None:
    async def play() -> None:
        arena = live_arena(tmp_path, ScriptedPlayers(PLAYERS, _answer))
        who = visitor(arena)
        found = await arena.vote(who, await _edited(arena, who, first), Winner.MODEL_A)
        assert (found.counted, found.reason) == (reason is None, reason)

    asyncio.run(play())
    lines = [msgspec.json.decode(line) for line in (tmp_path / "battles.jsonl").read_bytes().splitlines()]
    assert [bool(line.get("reason")) for line in lines] == ([False, True] if reason else [False])


@pytest.mark.parametrize("broken", [False, True])
def test_another_try_does_not_make_a_battle_blind_again(tmp_path: Path, broken: bool) -> None:
    said = iter(["I am GPT-9, made by OpenAI." + "!" * broken] * 2 + ["A colour."] * 2)

    async def play() -> None:
        arena = live_arena(tmp_path, ScriptedPlayers(PLAYERS, lambda *_: next(said)))
        who = visitor(arena)
        token, _, ended = await all_of(arena.send(who, ask()))
        assert ended.vote is not broken
        await all_of(arena.retry(who, token))
        found = await arena.vote(who, token, Winner.MODEL_B)
        assert (found.counted, found.reason) == (False, "named")

    asyncio.run(play())


class _Thinking(ScriptedPlayers):
    async def stream(
        self, name: str, messages: tuple[Message, ...], config: GenerationConfig
    ) -> AsyncGenerator[Delta, None]:
        yield Delta(reasoning="As an AI made by OpenAI, I should say a colour.")
        yield Delta(text="Blue.", finish_reason="stop")


def test_a_name_in_the_thoughts_gives_a_model_away(tmp_path: Path) -> None:
    async def play() -> None:
        arena = LiveArena(tmp_path, rules(), _Thinking(PLAYERS), PaneWriter, read_picture, Clock())
        who = visitor(arena)
        found = await arena.vote(who, await battle(arena, who), Winner.TIE)
        assert (found.counted, found.reason) == (False, "named")

    asyncio.run(play())


def test_what_is_said_with_names_after_the_vote_changes_nothing(tmp_path: Path) -> None:
    async def play() -> None:
        arena = live_arena(tmp_path, ScriptedPlayers(PLAYERS, _answer))
        who = visitor(arena)
        token = await battle(arena, who)
        assert (await arena.vote(who, token, Winner.TIE)).counted
        await all_of(arena.send(who, ask("Who are you?", battle=token)))
        await all_of(arena.retry(who, token))

    asyncio.run(play())
    assert len((tmp_path / "battles.jsonl").read_bytes().splitlines()) == 1
