"""Battles under way: what was asked and answered so far, in the memory of the process that started them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from arena.live.rules import Slots
from arena.live.visitor import Tier
from arena.live.wire import Mode, Opinion, PaneState, Side
from llmuses.records import GenerationConfig, Image, Message, Winner


class Contest(NamedTuple):
    """Who plays, by side, and how it came to that. ``probability`` and ``policy`` are None where the models were chosen."""

    names: dict[Side, str]
    probability: float | None = None
    policy: str | None = None


class Answer(msgspec.Struct, kw_only=True, frozen=True):
    """One side's answer to one turn, as far as it came; ``seconds`` from asking to the last word."""

    text: str
    state: PaneState
    thoughts: str = ""
    """What was thought before it: folded away, and yet to be read."""
    finish: str | None = None
    tokens: int | None = None
    seconds: float = 0.0

    @property
    def whole(self) -> bool:
        """Return whether there is something that can be judged: it ended by itself or was stopped, and says anything."""
        return self.state in (PaneState.FINISHED, PaneState.STOPPED) and bool(self.text.strip())


class Turn(msgspec.Struct, kw_only=True):
    """One prompt and the answers to it."""

    prompt: str
    image: Image | None = None
    picture: str | None = None
    """The id under which the image was sent."""
    answers: dict[Side, Answer] = {}

    @property
    def message(self) -> Message:
        """Return the prompt as a model gets it."""
        return Message("user", self.prompt, (self.image,) if self.image else ())


class LiveBattle(msgspec.Struct, kw_only=True):
    """One battle. ``stop`` is there while models write."""

    battle_id: str
    session: str
    tier: Tier
    mode: Mode
    contest: Contest
    config: GenerationConfig
    turns: list[Turn] = []
    choice: Winner | None = None
    saved: bool = False
    """Whether the vote is on the disk: until then nobody is told who played."""
    judged_turns: int = 0
    """How many turns the vote was about: what was said later was said with names."""
    given_away: str | None = None
    """How an answer that is not there any more, after an edit or another try, had shown who plays: ``asked`` or ``named``."""
    opinion: asyncio.Task[Opinion] | None = None
    stop: Callable[[], None] | None = None
    touched: float = 0.0

    @property
    def sides(self) -> tuple[Side, ...]:
        """Return the sides of this battle, one in direct chat."""
        return tuple(self.contest.names)

    def history(self, side: Side, turns: int) -> tuple[Message, ...]:
        """Return what one side is asked in the turn after so many: all before it, and the prompt."""
        messages: list[Message] = []
        for turn in self.turns[:turns]:
            messages += [turn.message, Message("assistant", turn.answers[side].text)]
        return (*messages, self.turns[turns].message)

    def length(self) -> int:
        """Return how many characters were said: all prompts, and the longer side's answers."""
        return sum(
            len(turn.prompt) + max((len(answer.text) for answer in turn.answers.values()), default=0)
            for turn in self.turns
        )

    def no_vote(self) -> str | None:
        """Return why the battle takes no vote now; None where it does."""
        if self.mode is Mode.DIRECT:
            return "direct"
        if self.choice is not None:
            return "voted"
        answers = [turn.answers.get(side) for turn in self.turns for side in self.sides]
        if self.stop is not None or not answers or None in answers:
            return "writing"
        if any(answer is not None and answer.state is PaneState.FAILED for answer in answers):
            return "failed"
        return None if all(answer is not None and answer.whole for answer in answers) else "empty"


class Battles:
    """The battles of this process. What nobody touched for long is forgotten, and what came first where there are too many."""

    def __init__(self, slots: Slots, clock: Callable[[], float]):
        self._slots = slots
        self._clock = clock
        self._battles: OrderedDict[str, LiveBattle] = OrderedDict()

    def __len__(self) -> int:
        return len(self._battles)

    def add(self, battle: LiveBattle) -> None:
        """Remember a battle from now on."""
        self._battles[battle.battle_id] = battle
        self._touch(battle)
        self.forget()

    def lighten(self) -> None:
        """Forget the battles with images that were untouched longest, where the images of all take too much."""
        kept = 0
        for battle in reversed(list(self._battles.values())):
            kept += sum(len(turn.image.data) for turn in battle.turns if turn.image is not None)
            if kept > self._slots.image_bytes and battle.stop is None and any(turn.image for turn in battle.turns):
                del self._battles[battle.battle_id]

    def get(self, battle_id: str) -> LiveBattle | None:
        """Return a battle and keep it longer; None where it is not known (any more)."""
        self.forget()
        battle = self._battles.get(battle_id)
        if battle is not None:
            self._touch(battle)
        return battle

    def _touch(self, battle: LiveBattle) -> None:
        battle.touched = self._clock()
        self._battles.move_to_end(battle.battle_id)

    def drop(self, battle_id: str) -> None:
        """Forget one battle, and stop who writes in it."""
        battle = self._battles.pop(battle_id, None)
        if battle is not None and battle.stop is not None:
            battle.stop()

    def forget(self) -> None:
        """Forget what is too old or too much. Those that are being written stay: they end by themselves."""
        old = self._clock() - self._slots.idle_seconds
        while self._battles:
            oldest = next(iter(self._battles.values()))
            if oldest.touched > old and len(self._battles) <= self._slots.battles:
                return
            if oldest.stop is not None:
                self._touch(oldest)
                return
            del self._battles[oldest.battle_id]
