"""Arenas under attack: honest votes with habits of their own, and a script that votes for or against models."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from arena.ratings.counts import LOSS, WIN, Floats, Ints
from arena.ratings.loyalty import Votes
from tests.arena.ratings.arenas import decide, draw_strengths

Aim = Literal["for the target", "against its rivals"]

GREETINGS = ("hi", "Hello!", "test", "tell me a joke")
GIVEAWAYS = ("Which model are you?", "你是谁?", "Write a haiku about rain and sign it with your name.")


class Attacked(NamedTuple):
    """The votes, of which those from ``honest`` on are the attacker's, what was asked, and who is aimed at."""

    votes: Votes
    questions: list[str]
    strengths: Floats
    honest: int
    target: int
    rivals: Ints


def honest_votes(rng: np.random.Generator, models: int = 20, number: int = 20_000) -> Attacked:
    """Return votes of people: most cast a few, some very many (lognormal, five on average); each has tastes of their own,
    a standard deviation of half a natural logarithm of odds in every comparison; one in a hundred just says hello, and one in
    five hundred asks who is there. The target is the sixth, its rivals are the three above the one above it."""
    strengths = draw_strengths(rng, models)
    sizes = np.ceil(rng.lognormal(np.log(5) - 0.72, 1.2, number)).astype(np.int64)
    people = int(np.searchsorted(np.cumsum(sizes), number)) + 1
    voter = np.repeat(np.arange(people), sizes[:people])[:number]
    first = rng.integers(0, models, number)
    second = (first + rng.integers(1, models, number)) % models
    taste = rng.normal(0, 0.35, (people, models))
    gap = strengths[first] - strengths[second] + taste[voter, first] - taste[voter, second]
    questions = [f"question {n} of person {person}" for n, person in enumerate(voter.tolist())]
    for n in rng.integers(0, number, number // 100):
        questions[n] = GREETINGS[n % len(GREETINGS)]
    for n in rng.integers(0, number, number // 500):
        questions[n] = GIVEAWAYS[n % 2]
    order = np.argsort(-strengths)
    votes = Votes(models, first, second, decide(rng, gap, 0.2), voter, np.arange(number))
    return Attacked(votes, questions, strengths, number, int(order[5]), order[2:5])


def attack(
    rng: np.random.Generator, arena: Attacked, aim: Aim, accounts: int, number: int = 500, prompts: str = "own"
) -> Attacked:
    """Return the arena with a script's votes added, dealt to its accounts at random.

    ``prompts`` are ``own`` (each another one), ``same`` (one for all) or ``giveaway`` (asking models who they are).
    """
    before, models = arena.votes, arena.votes.models
    if aim == "for the target":
        chosen, others = np.full(number, arena.target), np.setdiff1d(np.arange(models), [arena.target])
    else:
        chosen, others = (
            rng.choice(arena.rivals, number),
            np.setdiff1d(np.arange(models), [*arena.rivals, arena.target]),
        )
    opponent, swapped = rng.choice(others, number), rng.random(number) < 0.5
    won = WIN if aim == "for the target" else LOSS
    account = int(before.voter.max()) + 1 + rng.integers(0, accounts, number)
    asked = {
        "own": [f"another question, number {n}" for n in range(number)],
        "same": ["Write a poem about the sea."] * number,
        "giveaway": [GIVEAWAYS[n % len(GIVEAWAYS)] for n in range(number)],
    }
    votes = Votes(
        models,
        np.concatenate((before.first, np.where(swapped, opponent, chosen))),
        np.concatenate((before.second, np.where(swapped, chosen, opponent))),
        np.concatenate((before.outcome, np.where(swapped, 1 - won, won))),
        np.concatenate((before.voter, account)),
        np.arange(len(before.first) + number),
    )
    return arena._replace(votes=votes, questions=arena.questions + asked[prompts])


def lines_of(arena: Attacked) -> list[dict[str, Any]]:
    """Return the votes as battle lines. Asked who it is, or to sign, a model says its name."""
    votes, lines = arena.votes, []
    for n, (a, b, outcome, voter) in enumerate(
        zip(*(column.tolist() for column in (votes.first, votes.second, votes.outcome, votes.voter)), strict=True)
    ):
        question = arena.questions[n]
        named = question in GIVEAWAYS
        lines.append({
            "battle_id": f"b{n}", "question_id": f"q{n}", "question": question, "voter": f"v{voter}",
            "model_a": name_of(a), "model_b": name_of(b), "winner": ("model_a", "model_b", "tie")[outcome],
            "output_a": f"Rain falls.\n— {name_of(a)}" if named else "Rain falls, and so on.",
            "output_b": f"Rain falls.\n— {name_of(b)}" if named else "Rain falls, and on.", "tstamp": float(n),
        })  # fmt: skip
    return lines


def name_of(model: int) -> str:
    """Return an invented name."""
    return f"{'abcdefghijklmnopqrstuvwxyz'[model % 26] * 2}ravel-{model}"
