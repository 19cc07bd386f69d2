"""A battle from the first prompt to the vote, without a browser and without a server."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import wraps
from pathlib import Path
from typing import Any

import msgspec
import pytest

from arena.live.arena import LiveArena
from arena.live.house import House, HouseFile
from arena.live.refusal import Refusal
from arena.live.visitor import Tier
from arena.live.wire import Began, Ended, Frame, Mode, PaneState, Settings
from arena.live.writing import Writing
from llmuses.errors import StoreError
from llmuses.models.base import Delta
from llmuses.records import Battle, Winner
from tests.support.live_arenas import TWO, Clock, PlainWriter, ScriptedPlayers, all_of, ask, battle, live_arena, visitor

Test = Callable[..., Awaitable[None]]


def in_a_loop(test: Test) -> Callable[..., None]:
    """Run a test that awaits."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), 120))

    return run


def lines(folder: Path) -> list[dict[str, Any]]:
    file = folder / "battles.jsonl"
    return [msgspec.json.decode(line) for line in file.read_bytes().splitlines()] if file.exists() else []


async def refused(call: Awaitable[object]) -> str:
    """Return the code with which something is refused."""
    with pytest.raises(Refusal) as caught:
        await call
    return caught.value.code


async def send_refused(arena: LiveArena, who: Any, **more: Any) -> str:
    return await refused(all_of(arena.send(who, ask(**more))))


# --- The vote ------------------------------------------------------------------------------------------------


@in_a_loop
async def test_a_vote_is_on_disk_and_uncovers_the_names(tmp_path: Path) -> None:
    arena = live_arena(tmp_path)
    who = visitor(arena)
    token = await battle(arena, who)
    found = await arena.vote(who, token, Winner.MODEL_A)
    (line,) = lines(tmp_path)
    stored = msgspec.convert(line, Battle)
    assert {found.a.name, found.b.name} == {"one-7b", "two-8b"} == {stored.model_a, stored.model_b}
    assert (stored.winner, stored.judge, stored.voter, stored.anony) == ("model_a", "human", who.voter, True)
    assert (stored.policy, stored.pair_probability, stored.tier) == ("uniform", 1.0, "anonymous")
    assert stored.question == "What is blue?" and stored.output_a and stored.finish_b == "stop"
    assert stored.generation_config is not None and stored.generation_config.temperature == 0.7
    assert found.counted and found.a.tokens == found.b.tokens == 5


@in_a_loop
async def test_a_battle_takes_one_vote_whatever_it_says(tmp_path: Path) -> None:
    arena = live_arena(tmp_path)
    who = visitor(arena)
    token = await battle(arena, who)
    votes = [arena.vote(who, token, choice) for choice in (Winner.MODEL_A, Winner.MODEL_B, Winner.TIE)]
    found = await asyncio.gather(*votes, return_exceptions=True)
    assert [getattr(one, "code", "taken") for one in found] == ["taken", "voted", "voted"]
    assert len(lines(tmp_path)) == 1


@in_a_loop
async def test_only_the_session_that_saw_a_battle_may_touch_it(tmp_path: Path) -> None:
    arena = live_arena(tmp_path)
    who, other = visitor(arena), visitor(arena)
    token = await battle(arena, who)
    battle_id = token.partition(".")[0]
    for forged in (token, battle_id, f"{battle_id}.", f"{battle_id}.{'A' * 22}", arena.keys.token("ff", other.session)):
        expected = "ended" if forged.startswith("ff") else "foreign"
        assert await refused(arena.vote(other, forged, Winner.TIE)) == expected
        assert await refused(all_of(arena.retry(other, forged))) == expected
        assert await send_refused(arena, other, battle=forged) == expected
        with pytest.raises(Refusal):
            arena.stop(other, forged)
    assert await refused(arena.withdraw(other, token)) == "foreign"
    assert lines(tmp_path) == []


@in_a_loop
async def test_a_vote_waits_for_both_sides(tmp_path: Path) -> None:
    players = ScriptedPlayers(TWO, lambda name, messages: "quick" if name == "one-7b" else "slow…")
    arena = live_arena(tmp_path, players)
    who = visitor(arena)
    async with aclosing(arena.send(who, ask())) as events:
        began = await anext(events)
        assert isinstance(began, Began)
        assert await refused(arena.vote(who, began.battle, Winner.TIE)) == "writing"
        assert await send_refused(arena, who, battle=began.battle) == "writing"
        await anext(events)
        arena.stop(who, began.battle)
        rest = [event async for event in events]
    assert rest[-1] == Ended(vote=True)
    states = {pane.state for frame in rest if isinstance(frame, Frame) for pane in (frame.a, frame.b) if pane}
    assert PaneState.STOPPED in states
    await arena.vote(who, began.battle, Winner.MODEL_B)
    assert players.closed == 2


@in_a_loop
async def test_a_side_that_failed_does_not_spoil_the_other_and_the_battle_takes_no_vote(tmp_path: Path) -> None:
    fails = {"two-8b"}
    players = ScriptedPlayers(TWO, lambda name, messages: f"words of {len(name)}" + ("!" if name in fails else ""))
    arena = live_arena(tmp_path, players)
    who = visitor(arena)
    token, frames, ended = await all_of(arena.send(who, ask()))
    assert ended == Ended(vote=False, reason="failed")
    last = {side: [getattr(f, side) for f in frames if getattr(f, side)][-1] for side in "ab"}
    assert {pane.state for pane in last.values()} == {PaneState.FINISHED, PaneState.FAILED}
    assert {pane.reason for pane in last.values()} == {None, "http_500"}
    assert await refused(arena.vote(who, token, Winner.TIE)) == "not_finished"
    assert await send_refused(arena, who, battle=token) == "not_finished"
    fails.clear()
    asked = len(players.asked)
    _, frames, ended = await all_of(arena.retry(who, token))
    assert ended.vote and len(players.asked) == asked + 1, "only the failed side is asked again"
    await arena.vote(who, token, Winner.TIE)


@in_a_loop
async def test_an_answer_without_a_word_decides_nothing(tmp_path: Path) -> None:
    arena = live_arena(tmp_path, ScriptedPlayers(TWO, lambda name, messages: "" if name == "one-7b" else "a word"))
    who = visitor(arena)
    token, _, ended = await all_of(arena.send(who, ask()))
    assert ended == Ended(vote=False, reason="empty")
    assert await refused(arena.vote(who, token, Winner.MODEL_A)) == "not_finished"


@in_a_loop
async def test_a_model_that_writes_too_long_has_failed(tmp_path: Path) -> None:
    arena = live_arena(tmp_path, ScriptedPlayers(TWO, lambda *_: "on and on…"), slots={"seconds_per_turn": 0.2})
    _, frames, ended = await all_of(arena.send(visitor(arena), ask()))
    assert ended.reason == "failed"
    assert {pane.reason for pane in (frames[-1].a, frames[-1].b) if pane} <= {"timeout"}


@in_a_loop
async def test_a_reader_who_leaves_stops_the_models_and_may_come_back(tmp_path: Path) -> None:
    players = ScriptedPlayers(TWO, lambda *_: "some words…")
    arena = live_arena(tmp_path, players)
    who = visitor(arena)
    async with aclosing(arena.send(who, ask())) as events:
        began = await anext(events)
        assert isinstance(began, Began)
        await anext(events)
        await asyncio.sleep(0.2)
    assert players.closed == 2
    await arena.vote(who, began.battle, Winner.TIE)


@in_a_loop
async def test_nobody_waits_for_a_first_word_however_busy_the_arena_is() -> None:
    async def slow(words: str) -> AsyncGenerator[Delta, None]:
        await asyncio.sleep(0.05)
        yield Delta(text=words)
        await asyncio.sleep(3600)

    writing = Writing(("a", "b"), PlainWriter, 3600, 3600)
    shown: set[str] = set()
    async with aclosing(writing.frames({"a": slow("one"), "b": slow("two")}, lambda: 3600.0)) as frames:
        async for frame in frames:
            shown |= {text for pane in (frame.a, frame.b) if pane for text in pane.blocks}
            if {"one", "two"} <= shown:
                break
    assert {answer.state for answer in writing.answers().values()} == {PaneState.STOPPED}


# --- Turns ---------------------------------------------------------------------------------------------------


@in_a_loop
async def test_each_side_sees_its_own_conversation(tmp_path: Path) -> None:
    players = ScriptedPlayers(TWO, lambda name, messages: f"{name} said {len(messages)}")
    arena = live_arena(tmp_path, players)
    who = visitor(arena)
    token = await battle(arena, who, "first")
    _, _, ended = await all_of(arena.send(who, ask("second", battle=token)))
    assert ended.vote
    for name, messages, _ in players.asked[2:]:
        assert [(m.role, m.content.strip()) for m in messages] == [
            ("user", "first"), ("assistant", f"{name} said 1"), ("user", "second"),
        ]  # fmt: skip
    await arena.vote(who, token, Winner.MODEL_B)
    stored = msgspec.convert(lines(tmp_path)[0], Battle)
    assert stored.question == "first" and [m.content for m in stored.conversation or []] == ["first", "second"]
    assert stored.output_a is not None and stored.output_a.count("\n\n") == 1


@in_a_loop
async def test_after_the_vote_the_chat_goes_on_and_the_vote_stays_what_it_was(tmp_path: Path) -> None:
    arena = live_arena(tmp_path)
    who = visitor(arena)
    token = await battle(arena, who)
    await arena.vote(who, token, Winner.MODEL_A)
    _, _, ended = await all_of(arena.send(who, ask("more", battle=token)))
    assert ended == Ended(vote=False, reason="voted")
    assert await refused(arena.vote(who, token, Winner.MODEL_B)) == "voted"
    assert await send_refused(arena, who, prompt="other", battle=token, edit=True) == "voted"
    await arena.withdraw(who, token)
    assert lines(tmp_path)[0]["question"] == "What is blue?"


@in_a_loop
async def test_an_edit_replaces_the_last_turn(tmp_path: Path) -> None:
    players = ScriptedPlayers(TWO)
    arena = live_arena(tmp_path, players)
    who = visitor(arena)
    token = await battle(arena, who, "wat is blue")
    _, _, ended = await all_of(arena.send(who, ask("What is red?", battle=token, edit=True)))
    assert ended.vote
    assert [m.content for m in players.asked[-1][1]] == ["What is red?"]
    await arena.vote(who, token, Winner.MODEL_A)
    assert lines(tmp_path)[0]["question"] == "What is red?"


@in_a_loop
async def test_a_retry_without_a_failure_asks_both_again(tmp_path: Path) -> None:
    players = ScriptedPlayers(TWO)
    arena = live_arena(tmp_path, players)
    who = visitor(arena)
    token = await battle(arena, who)
    _, _, ended = await all_of(arena.retry(who, token))
    assert ended.vote and len(players.asked) == 4
    await arena.vote(who, token, Winner.MODEL_A)
    assert await refused(all_of(arena.retry(who, token))) == "voted"


# --- Side by side and direct chat ------------------------------------------------------------------------------


@in_a_loop
async def test_votes_with_names_are_kept_apart(tmp_path: Path) -> None:
    arena = live_arena(tmp_path)
    who = visitor(arena)
    token = await battle(arena, who, mode=Mode.SIDE, models=("two-8b", "one-7b"))
    found = await arena.vote(who, token, Winner.MODEL_A)
    (line,) = lines(tmp_path)
    assert (line["model_a"], line["anony"], line.get("pair_probability")) == ("two-8b", False, None)
    assert (found.counted, found.reason, found.moved) == (False, "side", None)


@in_a_loop
async def test_direct_chat_takes_no_vote(tmp_path: Path) -> None:
    players = ScriptedPlayers(TWO)
    arena = live_arena(tmp_path, players)
    who = visitor(arena)
    token, frames, ended = await all_of(arena.send(who, ask(mode=Mode.DIRECT, models=("one-7b",))))
    assert ended == Ended(vote=False, reason="direct")
    assert all(frame.b is None for frame in frames) and len(players.asked) == 1
    assert await refused(arena.vote(who, token, Winner.TIE)) == "mode"
    _, _, ended = await all_of(arena.send(who, ask("and now?", battle=token)))
    assert ended.reason == "direct"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"mode": Mode.SIDE}, "model"),
        ({"mode": Mode.SIDE, "models": ("one-7b",)}, "model"),
        ({"mode": Mode.SIDE, "models": ("one-7b", "one-7b")}, "model"),
        ({"mode": Mode.SIDE, "models": ("one-7b", "nobody")}, "model"),
        ({"mode": Mode.DIRECT, "models": ("one-7b", "two-8b")}, "model"),
        ({"mode": Mode.DIRECT, "models": ("../../etc/passwd",)}, "model"),
        ({"models": ("one-7b", "two-8b")}, "malformed"),
        ({"edit": True}, "malformed"),
        ({"prompt": ""}, "malformed"),
        ({"prompt": " \n\t"}, "malformed"),
        ({"prompt": "x" * 12_001}, "too_long"),
        ({"image": "nobody's"}, "image_gone"),
        ({"settings": Settings(temperature=1.6)}, "settings"),
        ({"settings": Settings(temperature=-0.1)}, "settings"),
        ({"settings": Settings(temperature=float("nan"))}, "settings"),
        ({"settings": Settings(top_p=0.0)}, "settings"),
        ({"settings": Settings(max_tokens=0)}, "settings"),
        ({"settings": Settings(max_tokens=1025)}, "settings"),
        ({"battle": "x" * 5000}, "foreign"),
        ({"battle": "\x00.\x00"}, "foreign"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_any_model_is(tmp_path: Path, more: dict[str, Any], code: str) -> None:
    players = ScriptedPlayers(TWO)

    async def call() -> str:
        arena = live_arena(tmp_path, players)
        return await send_refused(arena, visitor(arena), **more)

    assert asyncio.run(call()) == code
    assert players.asked == []


@in_a_loop
async def test_settings_inside_their_limits_reach_the_models(tmp_path: Path) -> None:
    players = ScriptedPlayers(TWO)
    arena = live_arena(tmp_path, players)
    await battle(arena, visitor(arena), settings=Settings(temperature=0.0, top_p=0.5, max_tokens=7))
    assert {(c.temperature, c.top_p, c.max_tokens) for _, _, c in players.asked} == {(0.0, 0.5, 7)}


# --- Rules ---------------------------------------------------------------------------------------------------


@in_a_loop
async def test_terms_come_before_the_first_prompt(tmp_path: Path) -> None:
    arena = live_arena(tmp_path)
    who = visitor(arena)
    assert await refused(all_of(arena.send(who, msgspec.structs.replace(ask(), terms=False)))) == "terms"


@in_a_loop
async def test_who_accepted_earlier_terms_is_asked_again_and_a_battle_that_was_begun_goes_on(tmp_path: Path) -> None:
    arena = live_arena(tmp_path)
    who = visitor(arena)

    async def plays(terms: str, battle: str | None = None) -> str:
        try:
            token, _, _ = await all_of(arena.send(who, msgspec.structs.replace(ask(battle=battle), terms=terms)))
        except Refusal as refusal:
            return refusal.code
        return token

    shipped = arena.state(who).terms
    begun = await plays(shipped)
    assert begun != "terms"
    HouseFile(tmp_path).write(House(words=("wine",)))
    assert arena.state(who).terms == shipped, "nothing of them changed"
    versions = {shipped}
    for terms in ({"en": ("Be kind.",)}, {"en": ("Be kind.",), "zh": ("请友善。",)}, {"zh": ("Be kind.",)}):
        HouseFile(tmp_path).write(House(terms=terms))
        versions.add(arena.state(who).terms)
        assert await plays(shipped) == "terms" and await plays("") == "terms"
        assert await plays(arena.state(who).terms) != "terms"
    assert len(versions) == 4
    assert await plays(shipped, begun) == begun
    HouseFile(tmp_path).write(House())
    assert await plays(shipped) != "terms"


@in_a_loop
async def test_a_closed_arena_plays_and_takes_no_votes(tmp_path: Path) -> None:
    arena = live_arena(tmp_path, voting="closed")
    who = visitor(arena)
    token, _, ended = await all_of(arena.send(who, ask()))
    assert ended == Ended(vote=False, reason="closed")
    assert await refused(arena.vote(who, token, Winner.TIE)) == "closed"


@in_a_loop
async def test_modes_that_are_not_offered_are_refused(tmp_path: Path) -> None:
    arena = live_arena(tmp_path, modes=["battle"])
    assert await send_refused(arena, visitor(arena), mode=Mode.DIRECT, models=("one-7b",)) == "mode"


@in_a_loop
async def test_turns_and_the_length_of_a_battle_are_limited(tmp_path: Path) -> None:
    arena = live_arena(tmp_path, sizes={"turns": 2, "battle_chars": 200})
    who = visitor(arena)
    token = await battle(arena, who)
    assert await send_refused(arena, who, prompt="y" * 190, battle=token) == "too_long"
    await all_of(arena.send(who, ask(battle=token)))
    assert await send_refused(arena, who, battle=token) == "turns"


@in_a_loop
async def test_one_model_alone_makes_no_battle(tmp_path: Path) -> None:
    players = ScriptedPlayers(TWO[:1])
    arena = live_arena(tmp_path, players)
    assert await send_refused(arena, visitor(arena)) == "no_models"
    assert not arena.playable
    players.players = list(TWO)
    assert arena.playable


@in_a_loop
async def test_who_must_log_in_to_vote_is_told_so_and_the_vote_says_it(tmp_path: Path) -> None:
    arena = live_arena(tmp_path, login_to_vote=True)
    who, known = visitor(arena), visitor(arena, account=arena.keys.pseudonym("account", "somebody"))
    assert await refused(arena.vote(who, await battle(arena, who), Winner.TIE)) == "login"
    await arena.vote(known, await battle(arena, known), Winner.TIE)
    assert (lines(tmp_path)[0]["tier"], lines(tmp_path)[0]["voter"]) == ("login", known.voter)
    assert known.tier is Tier.LOGIN


@in_a_loop
async def test_only_models_that_see_get_an_image(tmp_path: Path) -> None:
    players = ScriptedPlayers([*TWO, TWO[1]._replace(name="three-v")])
    arena = live_arena(tmp_path, players)
    who = visitor(arena)
    image = (await arena.take_image(who, b"image of a cat")).image
    for _ in range(5):
        await battle(arena, who, image=image)
    assert {name for name, _, _ in players.asked} == {"two-8b", "three-v"}
    assert all(messages[0].images[0].data == b"image of a cat" for _, messages, _ in players.asked)
    assert await send_refused(arena, who, image=image, mode=Mode.DIRECT, models=("one-7b",)) == "no_vision"
    assert await send_refused(arena, visitor(arena), image=image) == "image_gone", "another session's image"
    assert await refused(arena.take_image(who, b"GIF89a, or so")) == "image"


@in_a_loop
async def test_a_session_keeps_few_images_and_not_for_long(tmp_path: Path) -> None:
    clock = Clock()
    arena = live_arena(tmp_path, clock=clock, sizes={"images_per_session": 2})
    who, other = visitor(arena), visitor(arena)
    kept = (await arena.take_image(other, b"image 0")).image
    names = [(await arena.take_image(who, b"image %d" % n)).image for n in range(3)]
    assert arena.image(other, kept).data == b"image 0" and arena.image(who, names[2]).data == b"image 2"
    with pytest.raises(Refusal, match="image_gone"):
        arena.image(who, names[0])
    clock.now += 3601
    with pytest.raises(Refusal, match="image_gone"):
        arena.image(who, names[2])


@in_a_loop
async def test_images_in_battles_do_not_fill_the_memory(tmp_path: Path) -> None:
    arena = live_arena(tmp_path, ScriptedPlayers([*TWO, TWO[1]._replace(name="three-v")]), slots={"image_bytes": 2500})
    who = visitor(arena)
    tokens = [await battle(arena, who)]
    for _ in range(4):
        image = await arena.take_image(who, b"image" + b"x" * 995)
        tokens.append(await battle(arena, who, image=image.image))
    kept = []
    for token in tokens:
        try:
            await arena.vote(who, token, Winner.TIE)
            kept.append(token)
        except Refusal as refusal:
            kept.append(refusal.code)
    assert kept == [tokens[0], "ended", "ended", *tokens[3:]], "those without images and the newest stay"


@in_a_loop
async def test_a_battle_that_is_stopped_before_it_began_asks_nobody(tmp_path: Path) -> None:
    players = ScriptedPlayers(TWO)
    arena = live_arena(tmp_path, players)
    who = visitor(arena)
    async with aclosing(arena.send(who, ask())) as events:
        began = await anext(events)
        assert isinstance(began, Began)
        arena.stop(who, began.battle)
        rest = [event async for event in events]
    assert rest[-1] == Ended(vote=False, reason="empty") and players.asked == []


# --- Not blind after all -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "answer", "reason"),
    [
        ("Who are you?", "A language model.", "asked"),
        ("What is blue?", "As an AI made by OpenAI, I see no colours.", "named"),
        ("What is blue?", "A colour of the sky.", None),
    ],
)
def test_a_vote_whose_models_gave_themselves_away_is_kept_and_not_counted(
    tmp_path: Path, prompt: str, answer: str, reason: str | None
) -> None:
    players = [TWO[0]._replace(name="gpt-9"), TWO[1]]

    async def play() -> None:
        arena = live_arena(tmp_path, ScriptedPlayers(players, lambda *_: answer))
        who = visitor(arena)
        token = await battle(arena, who, prompt)
        found = await arena.vote(who, token, Winner.TIE)
        assert (found.counted, found.reason) == (reason is None, reason)

    asyncio.run(play())
    first, *rest = lines(tmp_path)
    assert first["question"] == prompt
    assert [line["battle_id"] for line in rest] == ([first["battle_id"]] if reason else [])
    assert all(line["reason"] for line in rest)


# --- Withdrawing -------------------------------------------------------------------------------------------------


@in_a_loop
async def test_a_battle_can_be_withdrawn_even_after_a_restart(tmp_path: Path) -> None:
    arena = live_arena(tmp_path)
    who = visitor(arena)
    token = await battle(arena, who)
    await arena.vote(who, token, Winner.TIE)
    arena.close()
    again = live_arena(tmp_path)
    assert await refused(again.vote(who, token, Winner.TIE)) == "ended"
    await again.withdraw(who, token)
    first, *rest = lines(tmp_path)
    assert [(line["battle_id"], line["redacted"]) for line in rest] == [(first["battle_id"], True)]


@in_a_loop
async def test_a_battle_that_was_never_voted_on_leaves_nothing_to_withdraw(tmp_path: Path) -> None:
    arena = live_arena(tmp_path)
    who = visitor(arena)
    token = await battle(arena, who)
    await arena.withdraw(who, token)
    assert lines(tmp_path) == []
    assert await refused(arena.vote(who, token, Winner.TIE)) == "ended"


# --- Memory ------------------------------------------------------------------------------------------------------


@in_a_loop
async def test_battles_are_forgotten_when_nobody_touches_them_or_there_are_too_many(tmp_path: Path) -> None:
    clock = Clock()
    arena = live_arena(tmp_path, clock=clock, slots={"battles": 3, "idle_seconds": 100})
    who = visitor(arena)
    tokens = [await battle(arena, who) for _ in range(4)]
    assert await refused(arena.vote(who, tokens[0], Winner.TIE)) == "ended"
    await arena.vote(who, tokens[1], Winner.TIE)
    clock.now += 101
    assert await refused(arena.vote(who, tokens[2], Winner.TIE)) == "ended"


@in_a_loop
async def test_memory_does_not_grow_with_the_battles_that_were_played(tmp_path: Path) -> None:
    players = ScriptedPlayers(TWO, lambda *_: "w" * 200)
    arena = live_arena(tmp_path, players, slots={"battles": 30})

    async def held_after(number: int) -> int:
        for _ in range(number):
            who = visitor(arena)
            token = await battle(arena, who)
            await arena.vote(who, token, Winner.TIE)
            players.asked.clear()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = await held_after(50)
        grown = await held_after(100) - before
    finally:
        tracemalloc.stop()
    assert grown < 100 * 200, f"{grown / 100:.0f} bytes a battle"


# --- A page that is loaded anew ------------------------------------------------------------------------------


@in_a_loop
async def test_a_page_that_is_loaded_anew_goes_on_with_its_battle(tmp_path: Path) -> None:
    arena = live_arena(tmp_path)
    who = visitor(arena)
    token = await battle(arena, who, "First?")
    await all_of(arena.send(who, ask("Second?", battle=token)))
    found = await arena.again(who, token)
    assert [turn.prompt for turn in found.turns] == ["First?", "Second?"]
    assert all(turn.b is not None and turn.a.blocks and turn.a.blocks != turn.b.blocks for turn in found.turns)
    assert {pane.state for turn in found.turns for pane in (turn.a, turn.b) if pane} == {PaneState.FINISHED}
    assert (found.ended, found.models, found.revealed) == (Ended(vote=True), (), None), "names stay hidden"
    assert "7b" not in msgspec.json.encode(found).decode()
    uncovered = await arena.vote(who, token, Winner.TIE)
    assert (await arena.again(who, token)).revealed == uncovered, "and are there again after the vote"


@in_a_loop
async def test_a_page_that_is_loaded_anew_costs_nobody_a_prompt_and_has_a_limit_of_its_own(tmp_path: Path) -> None:
    rates = {"send": {"voter": [{"count": 2, "seconds": 600}]}, "again": {"voter": [{"count": 5, "seconds": 600}]}}
    arena = live_arena(tmp_path, rates=rates)
    who = visitor(arena)
    token = await battle(arena, who)
    for _ in range(5):
        await arena.again(who, token)
    assert await refused(arena.again(who, token)) == "rate"
    await all_of(arena.send(who, ask(battle=token)))


@in_a_loop
async def test_a_page_that_is_loaded_anew_learns_no_names_from_a_vote_that_is_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arena = live_arena(tmp_path)
    who = visitor(arena)
    token = await battle(arena, who)
    full = asyncio.Event()

    async def write(*_: object) -> None:
        await full.wait()
        raise StoreError("no room")

    monkeypatch.setattr(arena._lines, "write", write)
    voting = asyncio.create_task(arena.vote(who, token, Winner.TIE))
    await asyncio.sleep(0)
    assert await refused(arena.again(who, token)) == "writing"
    full.set()
    assert await refused(voting) == "not_saved"
    assert (await arena.again(who, token)).revealed is None


@in_a_loop
async def test_what_was_cut_off_by_the_reload_is_what_is_there(tmp_path: Path) -> None:
    arena = live_arena(tmp_path, ScriptedPlayers(TWO, lambda name, _: "half a thought…"))
    who = visitor(arena)
    events = arena.send(who, ask())
    began = await anext(events)
    assert isinstance(began, Began)
    assert await refused(arena.again(who, began.battle)) == "writing", "somebody reads it"
    while not any(pane and pane.blocks for pane in [getattr(await anext(events), side, None) for side in "ab"]):
        pass
    await asyncio.sleep(0.01)
    await events.aclose()
    found = await arena.again(who, began.battle)
    assert found.turns[0].a.state is PaneState.STOPPED
    assert found.turns[0].a.blocks == ("half a thought ",)
    assert found.ended.vote


@in_a_loop
async def test_chosen_models_an_image_and_strangers_at_a_page_that_is_loaded_anew(tmp_path: Path) -> None:
    clock = Clock()
    arena = live_arena(tmp_path, clock=clock)
    who = visitor(arena)
    sent = await arena.take_image(who, b"image of a cat")
    token, _, _ = await all_of(arena.send(who, ask(mode=Mode.DIRECT, models=("two-8b",), image=sent.image)))
    found = await arena.again(who, token)
    assert (found.models, found.turns[0].b, found.turns[0].image) == (("two-8b",), None, sent)
    assert found.ended == Ended(vote=False, reason="direct")
    for _ in range(2):
        assert (await arena.again(who, token)).turns[0].image == sent
        clock.now += 1801
    assert (await arena.again(who, token)).turns[0].image is None, "images are kept for an hour"
    assert await refused(arena.again(visitor(arena), token)) == "foreign"
    await arena.withdraw(who, token)
    assert await refused(arena.again(who, token)) == "ended"
