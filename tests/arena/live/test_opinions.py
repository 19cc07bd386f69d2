"""The judge's opinion after a vote: asked in both orders, kept beside the vote, counted in the audit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from arena.audit import audit
from arena.formats import convert_files
from arena.live.arena import LiveArena
from arena.live.refusal import Refusal
from arena.live.visitor import Visitor
from arena.live.wire import Opinion
from arena.pipeline.run import run_arena
from llmuses.errors import ModelError
from llmuses.records import Battle, ErrorKind, Generate, Mode, Request, Response, ResponseError, Winner
from llmuses.store import JsonlStore
from tests.arena.live.test_battles import in_a_loop, lines, refused
from tests.arena.pipeline.arenas import Longer, ref
from tests.support.live_arenas import TWO, ScriptedPlayers, all_of, ask, battle, live_arena, visitor

JUDGE = {"model": "openai:judge", "seconds": 5}


class ScriptedJudge:
    """A judge that says what a function makes of its prompt; None is a failure."""

    name, identity, prefers, details = "the-judge", "judge:1", Mode.GENERATE, {}

    def __init__(self, says: Callable[[str], str | None]):
        self.says = says
        self.prompts: list[str] = []
        self.closed = False

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        for request in reversed(list(requests)):
            assert isinstance(request.ask, Generate)
            prompt = "\n".join(message.content for message in request.ask.messages)
            self.prompts.append(prompt)
            said = self.says(prompt)
            error = ResponseError(kind=ErrorKind.FAILED, code="http_500") if said is None else None
            yield Response(key=request.key, text=said, error=error)

    def close(self) -> None:
        self.closed = True


Judged = Callable[..., tuple[LiveArena, ScriptedJudge]]
"""Makes an arena and its judge, by what the judge says."""


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judged:
    def make(says: Callable[[str], str | None], **rules: Any) -> tuple[LiveArena, ScriptedJudge]:
        judge = ScriptedJudge(says)
        monkeypatch.setattr("arena.live.opinion.load_model", lambda spec, **args: judge)
        words = {"one-7b": "first words", "two-8b": "second words"}
        players = ScriptedPlayers(TWO, lambda name, messages: words[name])
        return live_arena(tmp_path, players, **{"judge": JUDGE, **rules}), judge

    return make


def first_named(prompt: str) -> str:
    """Say that the answer of one-7b is better, wherever it stands."""
    return "[[A]]" if prompt.index("first words") < prompt.index("second words") else "[[B]]"


async def voted(arena: LiveArena, winner: Winner) -> tuple[Visitor, str]:
    """Return a visitor who has voted, and the battle."""
    who = visitor(arena)
    token = await battle(arena, who)
    await arena.vote(who, token, winner)
    return who, token


@in_a_loop
async def test_both_orders_are_asked_and_kept_as_a_battle_of_the_judges(tmp_path: Path, judged: Judged) -> None:
    arena, judge = judged(first_named)
    who = visitor(arena)
    token = await battle(arena, who)
    assert await refused(arena.opinion(who, token)) == "not_voted"
    revealed = await arena.vote(who, token, Winner.MODEL_A)
    opinion = await arena.opinion(who, token)
    expected = Winner.MODEL_A if revealed.a.name == "one-7b" else Winner.MODEL_B
    assert [said.winner for said in opinion.orders] == [expected, expected]
    assert (opinion.verdict, opinion.agrees, opinion.judge) == (expected, expected is Winner.MODEL_A, "the-judge")
    assert len(judge.prompts) == 2 and not any(name in prompt for prompt in judge.prompts for name in ("7b", "8b"))
    human, line = (msgspec.convert(line, Battle) for line in lines(tmp_path))
    assert (line.judge, line.winner, line.verdicts) == ("the-judge", expected, [expected, expected])
    assert (line.voter, line.battle_id, line.question) == (None, human.battle_id, human.question)
    assert await arena.opinion(who, token) is opinion and len(judge.prompts) == 2, "asked once"
    arena.close()
    assert judge.closed


@in_a_loop
async def test_a_judge_who_likes_a_place_decides_nothing(tmp_path: Path, judged: Judged) -> None:
    arena, _ = judged(lambda prompt: "[[A]]")
    who, token = await voted(arena, Winner.BOTH_BAD)
    opinion = await arena.opinion(who, token)
    assert [said.winner for said in opinion.orders] == [Winner.MODEL_A, Winner.MODEL_B]
    assert (opinion.verdict, opinion.agrees) == (Winner.TIE, True)


@in_a_loop
async def test_a_verdict_that_cannot_be_read_is_shown_and_not_kept(tmp_path: Path, judged: Judged) -> None:
    arena, _ = judged(lambda prompt: "Both have their charm.")
    who, token = await voted(arena, Winner.TIE)
    opinion = await arena.opinion(who, token)
    assert opinion.orders[0].text == "Both have their charm."
    assert (opinion.verdict, opinion.agrees) == (None, None)
    assert len(lines(tmp_path)) == 1


@in_a_loop
async def test_many_who_ask_at_once_ask_once(tmp_path: Path, judged: Judged) -> None:
    arena, judge = judged(first_named)
    who, token = await voted(arena, Winner.TIE)
    found: list[Opinion] = await asyncio.gather(*(arena.opinion(who, token) for _ in range(5)))
    assert len({id(one) for one in found}) == 1 and len(judge.prompts) == 2 and len(lines(tmp_path)) == 2


@in_a_loop
async def test_a_judge_that_fails_can_be_asked_again(tmp_path: Path, judged: Judged) -> None:
    answers: list[str | None] = [None]
    arena, _ = judged(lambda prompt: answers[0])
    who, token = await voted(arena, Winner.TIE)
    assert await refused(arena.opinion(who, token)) == "no_judge"
    answers[0] = "[[C]]"
    assert (await arena.opinion(who, token)).verdict is Winner.TIE


@in_a_loop
async def test_a_judge_that_cannot_be_loaded_or_never_answers(
    tmp_path: Path, judged: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(spec: str, **args: Any) -> ScriptedJudge:
        raise ModelError("no such judge.")

    arena, _ = judged(first_named)
    monkeypatch.setattr("arena.live.opinion.load_model", broken)
    who, token = await voted(arena, Winner.TIE)
    assert await refused(arena.opinion(who, token)) == "no_judge"
    assert await refused(live_arena(tmp_path / "none").opinion(who, token)) in ("foreign", "ended")
    without = live_arena(tmp_path / "without")
    other, token = await voted(without, Winner.TIE)
    assert await refused(without.opinion(other, token)) == "no_judge"


@in_a_loop
async def test_what_was_said_after_the_vote_is_not_judged(tmp_path: Path, judged: Judged) -> None:
    arena, judge = judged(first_named)
    who, token = await voted(arena, Winner.TIE)
    await all_of(arena.send(who, ask("a later question", battle=token)))
    await arena.opinion(who, token)
    assert not any("a later question" in prompt for prompt in judge.prompts)


def test_people_and_the_judge_meet_in_the_audit(tmp_path: Path, judged: Judged) -> None:
    async def play() -> None:
        arena, _ = judged(first_named)
        for number in range(12):
            who = visitor(arena)
            token = await battle(arena, who, f"Question number {number}?")
            revealed = await arena.vote(who, token, Winner.MODEL_A if number % 3 else Winner.MODEL_B)
            assert revealed.counted
            await arena.opinion(who, token)

    asyncio.run(play())
    found = {judge.judge: judge for judge in audit(tmp_path / "battles.jsonl").judges}
    assert found["the-judge"].battles == 12 and found["the-judge"].agreement is not None
    assert found["the-judge"].agreement.all.n == 12


def test_a_judge_that_is_asked_later_meets_the_votes_and_the_judge_of_the_page(tmp_path: Path, judged: Judged) -> None:
    async def play() -> None:
        arena, _ = judged(first_named)
        for number in range(4):
            who = visitor(arena)
            token = await battle(arena, who, "The same question each time?")
            if number == 3:
                await all_of(arena.send(who, ask("And one more?", battle=token)))
            await arena.vote(who, token, Winner.MODEL_A)
            await arena.opinion(who, token)

    asyncio.run(play())
    votes = tmp_path / "battles.jsonl"
    config = tmp_path / "later.yaml"
    config.write_text(f"battles_file: {votes}\nreviews_gen: {{reviewer: {{ref: '{ref(Longer)}'}}}}\n")
    result = run_arena(config, outputs=tmp_path / "outputs")
    found = audit([votes, result.folder / "battles.jsonl"]).same_battles
    assert found is not None and {line.judge for line in found.judges} == {"the-judge", "Longer"}
    compared = {line.comparison_id for line in JsonlStore(votes, Battle)}
    assert None not in compared and found.battles == len(compared)


@in_a_loop
async def test_a_withdrawn_battle_takes_the_judges_line_with_it(tmp_path: Path, judged: Judged) -> None:
    arena, _ = judged(first_named)
    who = visitor(arena)
    kept, gone = await battle(arena, who, "kept"), await battle(arena, who, "gone")
    for token in (kept, gone):
        await arena.vote(who, token, Winner.MODEL_A)
        await arena.opinion(who, token)
    await arena.withdraw(who, gone)
    found = {judge.judge: judge.battles for judge in audit(tmp_path / "battles.jsonl").judges}
    assert found == {"human": 1, "the-judge": 1}
    with pytest.raises(Refusal, match="ended"):
        await arena.opinion(who, gone)
    assert [battle.question for battle in convert_files([tmp_path / "battles.jsonl"])] == ["kept", "kept"]
