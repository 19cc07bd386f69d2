"""What a decided battle leaves on disk, and what it uncovers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from arena.comparisons import BETWEEN_TURNS, WITH_IMAGE, comparison_id
from arena.formats.base import text_id
from arena.identity import reveals
from arena.live.battles import LiveBattle, Turn
from arena.live.playing import Players
from arena.live.published import Published, expectation
from arena.live.visitor import Tier
from arena.live.wire import Card, Mode, Opinion, Revealed, Side
from llmuses.records import Battle, Exclusion, Message, Record, Winner

WHY = {"asked": "the prompt asks the models who they are", "named": "a model names itself or its maker"}
"""Why a vote is not in the blind rating, as exclusion lines say it."""


def vote_lines(
    battle: LiveBattle, choice: Winner, voter: str, tier: Tier, reason: str | None, now: float
) -> list[Record]:
    """Return the lines of a vote: the battle, and an exclusion where it was not blind after all (``reason``)."""
    line = _battle(battle, choice, now)
    line.voter, line.tier = voter, tier.value
    why = WHY.get(reason or "")
    return [line, Exclusion(battle_id=line.battle_id, reason=why, tstamp=now)] if why else [line]


def opinion_lines(battle: LiveBattle, opinion: Opinion, now: float) -> list[Record]:
    """Return the lines of a judge's opinion; none where it decided nothing.

    They have the battle's own id: it is the same battle, and what takes the vote out or withdraws it does so with them.
    """
    if opinion.verdict is None:
        return []
    line = _battle(battle, opinion.verdict, now)
    line.judge = opinion.judge
    line.verdicts = [said.winner for said in opinion.orders if said.winner is not None]
    return [line]


def not_blind(battle: LiveBattle) -> str | None:
    """Return why the blind rating does not take this battle: ``side``, ``asked``, ``named``; None where it does."""
    if battle.mode is not Mode.BATTLE:
        return "side"
    return battle.given_away or given_away(battle, _judged(battle))


def given_away(battle: LiveBattle, turns: Sequence[Turn]) -> str | None:
    """Return how these turns show who plays, by what is said or thought: ``asked``, ``named``; None where they do not."""
    names = battle.contest.names
    said = {
        side: "\n\n".join(
            text
            for turn in turns
            if (answer := turn.answers.get(side)) is not None
            for text in (answer.thoughts, answer.text)
        )
        for side in battle.sides
    }
    prompts = "\n\n".join(turn.prompt for turn in turns)
    found = reveals(prompts, said["a"], said["b"], names["a"], names["b"])
    return "asked" if found.asked else "named" if found.named else None


def revealed(
    battle: LiveBattle, choice: Winner, reason: str | None, players: Players, published: Published | None
) -> Revealed:
    """Return what the vote uncovers; ``reason`` is why it does not count in the blind rating."""
    names = battle.contest.names
    expected, moved = expectation(published, names["a"], names["b"], choice)
    return Revealed(
        a=_card(battle, "a", players, published),
        b=_card(battle, "b", players, published),
        choice=choice,
        counted=reason is None,
        reason=reason,
        expected=expected,
        moved=moved if reason is None else None,
        met=published.between(names["a"], names["b"]) if published else None,
    )


def _judged(battle: LiveBattle) -> Sequence[Turn]:
    return battle.turns[: battle.judged_turns]


def texts(battle: LiveBattle) -> tuple[list[str], list[str], list[str]]:
    """Return the prompts that the vote was about, A's answers to them and B's."""
    turns = _judged(battle)
    said_a, said_b = ([turn.answers[side].text for turn in turns] for side in battle.sides)
    return [turn.prompt for turn in turns], said_a, said_b


def _battle(battle: LiveBattle, winner: Winner, now: float) -> Battle:
    turns = _judged(battle)
    prompts, said_a, said_b = texts(battle)
    last = turns[-1].answers
    line = Battle(
        battle_id=battle.battle_id,
        question_id=text_id(prompts[0]),
        category=WITH_IMAGE if any(turn.image for turn in turns) else None,
        model_a=battle.contest.names["a"],
        model_b=battle.contest.names["b"],
        winner=winner,
        question=prompts[0],
        conversation=[Message("user", prompt) for prompt in prompts] if len(prompts) > 1 else None,
        output_a=BETWEEN_TURNS.join(said_a),
        output_b=BETWEEN_TURNS.join(said_b),
        anony=battle.mode is Mode.BATTLE,
        policy=battle.contest.policy,
        pair_probability=battle.contest.probability,
        generation_config=battle.config,
        finish_a=last["a"].finish,
        finish_b=last["b"].finish,
        latency_a=_seconds(battle, "a"),
        latency_b=_seconds(battle, "b"),
        tstamp=now,
    )
    line.comparison_id = comparison_id(line)
    return line


def _seconds(battle: LiveBattle, side: Side) -> float:
    return round(sum(turn.answers[side].seconds for turn in _judged(battle)), 3)


def _card(battle: LiveBattle, side: Side, players: Players, published: Published | None) -> Card:
    name = battle.contest.names[side]
    tokens = [turn.answers[side].tokens for turn in _judged(battle)]
    card = Card(name=name, seconds=_seconds(battle, side))
    card.tokens = None if None in tokens else sum(number for number in tokens if number is not None)
    if (player := players.known(name)) is not None:
        card = msgspec.structs.replace(
            card, organisation=player.organisation, licence=player.licence, homepage=player.homepage
        )
    if published is not None and (line := published.rating(name)) is not None:
        card = msgspec.structs.replace(card, rating=line.rating, ci=line.ci95)
    return card
