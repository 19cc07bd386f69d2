"""Built-in reference players that need no weights: every honest leaderboard shows what blind play reaches.

``random`` chooses among the options with equal probability, or writes a random number. ``majority`` gives the letter
that most worked examples of its prompt give, A where there is none. ``echo`` says its prompt back: what a scorer gives
for text that happens to stand in the question.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from llmuses.errors import UnknownNameError
from llmuses.records import Generate, Loglikelihood, Mode, Request, Response, Score

PREFERS = Mode.LOGPROB

_VERSION = 1
_OPTION = re.compile(r"^\s*\(?([A-Z])[.):、]\s*\S")
_EXAMPLE = re.compile(r"^(?:Answer|答案是?)[:：]\s*([A-Z])\s*$", re.MULTILINE)


class Args(msgspec.Struct, kw_only=True, frozen=True):
    """Arguments of a baseline: the seed of its chance, and seconds to wait before each answer, to be watched."""

    seed: int = 0
    delay: Annotated[float, Meta(ge=0)] = 0.0


def check(name: str, args: Args) -> None:
    """Raise UnknownNameError where there is no such player."""
    if name not in BASELINES:
        raise UnknownNameError("baseline", name, BASELINES)


def load(name: str, args: Args) -> Baseline:
    """Return the player of that name. Raises UnknownNameError."""
    check(name, args)
    return Baseline(name, args)


class Baseline:
    """A player that answers by a rule. The same request gets the same answer; another repeat may get another."""

    prefers = PREFERS

    def __init__(self, player: str, args: Args):
        self.name = f"baseline:{player}"
        self.identity = f"baseline:{player}:{_VERSION}:{args.seed}"
        self.details: Mapping[str, Any] = {"player": player, "seed": args.seed}
        self._play = BASELINES[player]
        self._args = args

    def run(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Answer one request after the other."""
        for request in requests:
            began = time.perf_counter()
            if self._args.delay:
                time.sleep(self._args.delay)
            chance = random.Random(f"{self._args.seed}/{request.key}")
            if isinstance(request.ask, Generate):
                text = "\n\n".join(message.content for message in request.ask.messages)
                answer = self._play(text, (), chance)
                response = Response(key=request.key, text=answer, finish_reason="stop")
            else:
                chosen = self._play(request.ask.context, request.ask.continuations, chance)
                response = Response(key=request.key, scores=_certain(request.ask, chosen))
            response.latency = time.perf_counter() - began
            yield response

    def close(self) -> None:
        """Nothing is held."""


def _certain(ask: Loglikelihood, chosen: str) -> list[Score]:
    """Return scores that put everything on one continuation, by whatever length they are divided."""
    index = ask.continuations.index(chosen)
    return [Score(logprob=0.0 if n == index else -1000.0, greedy=n == index) for n in range(len(ask.continuations))]


def options_of(prompt: str) -> list[str]:
    """Return the letters of the last block of options in a prompt, [] where there is none."""
    letters: list[str] = []
    for line in prompt.splitlines():
        if match := _OPTION.match(line):
            letters = ["A"] if match[1] == "A" else [*letters, match[1]]
    return letters


def _random(prompt: str, continuations: tuple[str, ...], chance: random.Random) -> str:
    if continuations:
        return chance.choice(continuations)
    letters = options_of(prompt)
    return f"Answer: {chance.choice(letters)}" if letters else f"The answer is {chance.randint(1, 100)}."


def _majority(prompt: str, continuations: tuple[str, ...], chance: random.Random) -> str:
    given = Counter(_EXAMPLE.findall(prompt)).most_common(1)
    letter = given[0][0] if given else "A"
    if not continuations:
        return f"Answer: {letter}" if options_of(prompt) else "The answer is 1."
    return next((text for text in continuations if text.strip() == letter), continuations[0])


def _echo(prompt: str, continuations: tuple[str, ...], chance: random.Random) -> str:
    if not continuations:
        return prompt
    return max(continuations, key=lambda text: prompt.rfind(text.strip()))


BASELINES: Mapping[str, Callable[[str, tuple[str, ...], random.Random], str]] = {
    "echo": _echo,
    "majority": _majority,
    "random": _random,
}
"""Each player: what it says to a prompt, or which of the continuations it chooses."""
