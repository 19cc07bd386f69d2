"""From rules and models on disk to an arena that is open; several processes on one folder."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections import Counter
from pathlib import Path

import pytest

from arena import rate
from arena.formats import convert_files
from arena.live.opening import open_arena
from arena.live.refusal import Refusal
from arena.live.register import enrol
from llmuses.cli import main
from llmuses.errors import UnknownNameError
from llmuses.records import Battle, RegisterLine, Winner
from llmuses.settings import ArenaEntry, ModelEntry
from llmuses.store import JsonlStore
from tests.arena.live.test_battles import in_a_loop, refused
from tests.support.live_arenas import battle, live_arena, visitor


def entry(name: str) -> ModelEntry:
    return ModelEntry(model=f"openai:{name}", arena=ArenaEntry())


def test_the_register_only_grows(tmp_path: Path) -> None:
    a, b, c = entry("a"), entry("b"), entry("c")
    enrol(tmp_path, {"a": a, "b": b}, 1.0)
    enrol(tmp_path, {"a": a, "b": b}, 2.0)
    enrol(tmp_path, {"a": a, "c": c}, 3.0)
    enrol(tmp_path, {"a": a, "b": b}, 4.0)
    found = [
        (line.tstamp, line.model, line.event.value) for line in JsonlStore(tmp_path / "register.jsonl", RegisterLine)
    ]
    assert found == [
        (1.0, "a", "added"), (1.0, "b", "added"), (3.0, "c", "added"), (3.0, "b", "paused"), (4.0, "b", "resumed"),
        (4.0, "c", "paused"),
    ]  # fmt: skip


def rules_file(folder: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    (folder / "rules.yaml").write_text(content)
    monkeypatch.setenv("LLMUSES_ARENA_CONFIG", str(folder / "rules.yaml"))


def test_only_those_play_whom_the_rules_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models.yaml").write_text(
        "x: {model: 'openai:x', arena: {}}\ny: {model: 'openai:y', arena: {}}\nz: {model: 'openai:z'}\n"
    )
    monkeypatch.setenv("LLMUSES_MODELS", str(tmp_path / "models.yaml"))
    rules_file(tmp_path, monkeypatch, "models: [x, y]")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with open_arena(tmp_path) as arena:
        assert not arena.playable, "without their key none may"
    monkeypatch.setenv("OPENAI_API_KEY", "a key that nobody is asked with")
    with open_arena(tmp_path) as arena:
        assert arena.playable, "two may play when they are loaded"
        assert (tmp_path / "arena-live" / "register.jsonl").exists()
    rules_file(tmp_path, monkeypatch, "models: []")
    with open_arena(tmp_path) as arena:
        assert not arena.playable
    for wrong in ("models: [x, nobody]", "models: [x, z]"):
        rules_file(tmp_path, monkeypatch, wrong)
        with pytest.raises(UnknownNameError), open_arena(tmp_path):
            pass


def test_a_copy_that_is_only_read_takes_no_votes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules_file(tmp_path, monkeypatch, "models: []")
    monkeypatch.setenv("LLMUSES_READ_ONLY", "1")
    with open_arena(tmp_path) as arena:
        assert arena.rules.voting == "closed"


@in_a_loop
async def test_two_processes_know_the_same_visitors_and_each_its_own_battles(tmp_path: Path) -> None:
    one, other = live_arena(tmp_path), live_arena(tmp_path)
    who = visitor(one)
    token = await battle(one, who)
    again = other.keys.visitor(other.keys.session(one.keys.cookie(one.keys.new_session(0.0)), 1.0, 1) or pytest.fail("unknown"), "203.0.113.9")  # fmt: skip
    assert again.block == who.block
    assert await refused(other.vote(who, token, Winner.TIE)) == "ended", "a battle is known where it began"
    await one.vote(who, token, Winner.TIE)
    await other.withdraw(who, token)
    with pytest.raises(Refusal, match="ended"):
        other.stop(who, token)


def _vote_often(folder: str) -> int:
    async def play() -> int:
        arena = live_arena(Path(folder))
        for _ in range(25):
            who = visitor(arena)
            tokens = [await battle(arena, who) for _ in range(4)]
            await asyncio.gather(*(arena.vote(who, token, Winner.MODEL_A) for token in tokens))
        arena.close()
        return 100

    return asyncio.run(play())


def test_four_processes_vote_into_one_file(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert sum(pool.map(_vote_often, [str(tmp_path)] * 4)) == 400
    reader = JsonlStore(tmp_path / "battles.jsonl", Battle).read()
    ids = Counter(line.battle_id for line in reader)
    assert len(ids) == 400 and max(ids.values()) == 1 and reader.broken == []


def test_an_admin_withdraws_battles_by_their_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def play() -> None:
        arena = live_arena(tmp_path / "arena-live")
        for question in ("first", "second", "third"):
            who = visitor(arena)
            await arena.vote(who, await battle(arena, who, question), Winner.TIE)
        arena.close()

    asyncio.run(play())
    monkeypatch.setenv("LLMUSES_OUTPUTS", str(tmp_path))
    file = tmp_path / "arena-live" / "battles.jsonl"
    ids = [line.battle_id for line in JsonlStore(file, Battle)]
    assert main(["withdraw", ids[0], "unheard-of"]) == 2
    assert "no battle unheard-of" in capsys.readouterr().err and rate(file).battles == 3
    assert main(["withdraw", ids[0], ids[2]]) == 0
    assert "2 battles withdrawn" in capsys.readouterr().out
    assert [found.question for found in convert_files([file])] == ["second"] and rate(file).battles == 1
