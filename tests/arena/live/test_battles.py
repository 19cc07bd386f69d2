"""A battle from the first prompt to the vote, without a browser and without a server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from arena.live.refusal import Refusal
from llmuses.records import Battle, Winner
from tests.support.live_arenas import ScriptedPlayers, TWO, all_of, ask, battle, live_arena, visitor


def lines(folder: Path) -> list[dict[str, object]]:
    file = folder / "battles.jsonl"
    return [msgspec.json.decode(line) for line in file.read_bytes().splitlines()] if file.exists() else []


def test_a_vote_is_on_disk_and_uncovers_the_names(tmp_path: Path) -> None:
    async def play() -> None:
        arena = live_arena(tmp_path)
        who = visitor(arena)
        token = await battle(arena, who)
        found = await arena.vote(who, token, Winner.MODEL_A)
        (line,) = lines(tmp_path)
        stored = msgspec.convert(line, Battle)
        assert {found.a.name, found.b.name} == {"one-7b", "two-8b"} == {stored.model_a, stored.model_b}
        assert (stored.winner, stored.judge, stored.voter, stored.anony) == ("model_a", "human", who.voter, True)
        assert stored.policy == "uniform" and stored.pair_probability == 1.0
        assert found.counted and found.a.tokens is not None
        arena.close()

    asyncio.run(play())
