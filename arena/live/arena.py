"""The live arena: battles from the first prompt to the vote. Everything that a page may ask for is checked here."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from arena.live.again import turn_again
from arena.live.asking import check_next, check_prompt, generation
from arena.live.battles import Battles, LiveBattle, Turn
from arena.live.choosing import Choosing
from arena.live.filtering import ContentFilter
from arena.live.house import HouseFile, terms_version
from arena.live.keys import Keys
from arena.live.limits import Limiter, Places
from arena.live.lines import Lines
from arena.live.opinion import LiveJudge
from arena.live.pictures import Pictures, ReadPicture, image_info
from arena.live.playing import MakeWriter, Players
from arena.live.proofs import Challenge, Proofs
from arena.live.published import Publisher, Standing
from arena.live.refusal import Refusal
from arena.live.rules import Rules
from arena.live.visitor import Tier, Visitor
from arena.live.voting import given_away, not_blind, opinion_lines, revealed, texts, vote_lines
from arena.live.wire import (
    Arena,
    BattleAgain,
    Began,
    Choosable,
    Ended,
    Event,
    ImageInfo,
    Limits,
    Mode,
    Opinion,
    PaneState,
    Revealed,
    SendAsk,
    Side,
)
from arena.live.writing import Writing, pause
from llmuses.errors import StoreError
from llmuses.records import GenerationConfig, Image, Redaction, Winner

if TYPE_CHECKING:
    from arena.live.players import PlayerState

_HOUSEKEEPING_SECONDS = 5.0


class LiveArena:
    """One process's part of an arena. Any number of processes share its folder; a battle stays in the one that began it.

    All methods belong to one event loop. Refusal is what each of them raises, whatever a visitor sends.
    """

    def __init__(
        self,
        folder: Path,
        rules: Rules,
        players: Players,
        make_writer: MakeWriter,
        read_picture: ReadPicture,
        clock: Callable[[], float] = time.time,
    ):
        """Raises StoreError where the folder cannot be used, UsageError for rules that cannot be followed."""
        self.rules = rules
        self.keys = Keys.of(folder)
        self._players = players
        self._make_writer = make_writer
        self._read_picture = read_picture
        self._clock = clock
        self._lines = Lines(folder / "battles.jsonl")
        self._battles = Battles(rules.slots, clock)
        self._pictures = Pictures(rules.sizes, clock)
        self._limiter = Limiter(rules.rates, clock)
        self._places = Places(rules.slots)
        self._house = HouseFile(folder)
        self._filter = ContentFilter(rules.filter, self._house)
        self._publisher = Publisher(folder, rules.publishing, clock)
        self._choosing = Choosing(rules, players, self._publisher, np.random.default_rng())
        self._proofs = Proofs(folder, self.keys, rules.proof, clock) if rules.proof else None
        self._judge = LiveJudge(rules.judge) if rules.judge else None
        self._kept_house = clock()
        self._welcomed = False
        self._publishing: asyncio.Task[None] | None = None

    def close(self) -> None:
        """Write what is owed and let go of files and models of its own."""
        self._lines.close()
        if self._judge is not None:
            self._judge.close()

    # -- asking

    async def send(self, visitor: Visitor, ask: SendAsk) -> AsyncGenerator[Event, None]:
        """Yield what happens after a prompt: Began, Frames, Ended. Closing it stops the models."""
        self.welcome()
        self._keep_house()
        prompt = check_prompt(ask.prompt, self.rules.sizes)
        battle = None if ask.battle is None else self._own(visitor, ask.battle)
        image = None if ask.image is None else self._pictures.get(visitor, ask.image)
        if battle is None:
            self._check_new(ask)
        else:
            check_next(battle, ask, prompt, self.rules.sizes)
            if image is not None:
                self._choosing.check_vision(battle.contest)
        config = generation(ask.settings, self.rules) if battle is None else battle.config
        self._limiter.take("send", visitor)
        with self._places.one(visitor):
            if battle is None and self._proofs is not None and visitor.tier is not Tier.LOGIN:
                self._proofs.spend(ask.proof or "", visitor.session)
            await self._filter.check(prompt)
            turn = Turn(prompt=prompt, image=image, picture=ask.image)
            if battle is None:
                battle = self._new_battle(visitor, ask, turn, config)
            else:
                check_next(battle, ask, prompt, self.rules.sizes)  # once more: the filter took its time
                if ask.edit:
                    self._note_what_was_read(battle)
                    if image is None:
                        turn.image, turn.picture = battle.turns[-1].image, battle.turns[-1].picture
                    battle.turns[-1] = turn
                else:
                    battle.turns.append(turn)
            if image is not None:
                self._battles.lighten()
            async with aclosing(self._written(battle, battle.sides)) as events:
                async for event in events:
                    yield event

    def _new_battle(self, visitor: Visitor, ask: SendAsk, turn: Turn, config: GenerationConfig) -> LiveBattle:
        battle = LiveBattle(
            battle_id=secrets.token_hex(8),
            session=visitor.session,
            tier=Tier.WORKED if self._proofs is not None else Tier.ANONYMOUS,
            mode=ask.mode,
            contest=self._choosing.contest(ask.mode, ask.models, turn.image is not None),
            config=config,
            turns=[turn],
        )
        self._battles.add(battle)
        return battle

    async def retry(self, visitor: Visitor, token: str) -> AsyncGenerator[Event, None]:
        """Ask the last turn again, of the sides that failed or, where none did, of all. Yields as ``send`` does."""
        battle = self._own(visitor, token)
        if battle.stop is not None:
            raise Refusal("writing")
        answers = battle.turns[-1].answers
        failed = tuple(side for side in battle.sides if side not in answers or answers[side].state is PaneState.FAILED)
        if battle.choice is not None and len(battle.turns) <= battle.judged_turns:
            raise Refusal("voted")
        self._limiter.take("send", visitor)
        with self._places.one(visitor):
            self._note_what_was_read(battle)
            async with aclosing(self._written(battle, failed or battle.sides)) as events:
                async for event in events:
                    yield event

    @staticmethod
    def _note_what_was_read(battle: LiveBattle) -> None:
        """Note what the last turn gave away, before it is written anew: who has read a name does not forget it."""
        if battle.mode is Mode.BATTLE and battle.choice is None:
            battle.given_away = battle.given_away or given_away(battle, battle.turns[-1:])

    async def _written(self, battle: LiveBattle, sides: tuple[Side, ...]) -> AsyncGenerator[Event, None]:
        """Have the last turn written by some sides. Nothing is awaited before the battle is marked as being written."""
        slots, last = self.rules.slots, len(battle.turns) - 1
        turn = battle.turns[last]
        writing = Writing(sides, self._make_writer, slots.seconds_per_turn, slots.overdue_seconds)
        battle.stop = writing.stop
        streams = {
            side: self._players.stream(battle.contest.names[side], battle.history(side, last), battle.config)
            for side in sides
        }
        try:
            yield Began(battle=self.keys.token(battle.battle_id, battle.session), turn=last)
            async with aclosing(writing.frames(streams, lambda: pause(self._places.taken))) as frames:
                async for frame in frames:
                    yield frame
        finally:
            writing.stop()
            turn.answers = {**turn.answers, **writing.answers()}
            battle.stop = None
        yield self._ended(battle)

    def _ended(self, battle: LiveBattle) -> Ended:
        reason = battle.no_vote() or ("closed" if self.rules.voting == "closed" else None)
        return Ended(vote=reason is None, reason=reason)

    def stop(self, visitor: Visitor, token: str) -> None:
        """Stop the sides that still write: what is there is the answer. Nothing happens where none does."""
        battle = self._own(visitor, token)
        if battle.stop is not None:
            battle.stop()

    async def again(self, visitor: Visitor, token: str) -> BattleAgain:
        """Return a battle of this visitor as it stands, for a page that was loaded anew. Raises Refusal ``writing`` as long as
        models write, whoever reads that has it, and as long as its vote is on the way to the disk."""
        battle = self._own(visitor, token)
        if battle.stop is not None or (battle.choice is not None and not battle.saved):
            raise Refusal("writing")
        self._limiter.take("again", visitor)
        turns = []
        for turn in battle.turns:
            turns.append(await turn_again(turn, self._make_writer, self._pictures.find(visitor, turn.picture)))
        return BattleAgain(
            turns=tuple(turns),
            ended=self._ended(battle),
            models=() if battle.mode is Mode.BATTLE else tuple(battle.contest.names.values()),
            revealed=self._revealed(battle, battle.choice) if battle.choice is not None else None,
        )

    # -- deciding

    async def vote(self, visitor: Visitor, token: str, choice: Winner) -> Revealed:
        """Take a battle's one vote, and return what it uncovers. When this returns the vote is on the disk."""
        self._keep_house()
        if self.rules.voting == "closed":
            raise Refusal("closed")
        battle = self._own(visitor, token)
        if self.rules.login_to_vote and visitor.tier is not Tier.LOGIN:
            raise Refusal("login")
        match battle.no_vote():
            case "voted":
                raise Refusal("voted", choice=str(battle.choice))
            case "writing":
                raise Refusal("writing")
            case "direct":
                raise Refusal("mode")
            case "failed" | "empty":
                raise Refusal("not_finished")
        self._limiter.take("vote", visitor)
        battle.choice, battle.judged_turns = choice, len(battle.turns)  # from here on a second vote finds it voted
        tier = visitor.tier if visitor.tier is Tier.LOGIN else battle.tier
        reason = not_blind(battle)
        try:
            await self._lines.write(*vote_lines(battle, choice, visitor.voter, tier, reason, self._clock()))
        except StoreError as problem:
            battle.choice, battle.judged_turns = None, 0
            raise Refusal("not_saved") from problem
        battle.saved = True
        return self._revealed(battle, choice)

    def _revealed(self, battle: LiveBattle, choice: Winner) -> Revealed:
        return revealed(battle, choice, not_blind(battle), self._players, self._publisher.latest())

    async def opinion(self, visitor: Visitor, token: str) -> Opinion:
        """Return the judge's view of a battle after its vote; it is asked once, and kept beside the vote."""
        battle = self._own(visitor, token)
        if self._judge is None:
            raise Refusal("no_judge")
        if battle.choice is None:
            raise Refusal("not_voted")
        if battle.opinion is None or (battle.opinion.done() and battle.opinion.exception() is not None):
            self._limiter.take("opinion", visitor)
            battle.opinion = asyncio.create_task(self._judged(self._judge, battle, battle.choice))
        return await asyncio.shield(battle.opinion)

    async def _judged(self, judge: LiveJudge, battle: LiveBattle, choice: Winner) -> Opinion:
        opinion = await judge.opinion(*texts(battle), choice)
        if lines := opinion_lines(battle, opinion, self._clock()):
            try:
                await self._lines.write(*lines)
            except StoreError as problem:
                raise Refusal("not_saved") from problem
        return opinion

    async def withdraw(self, visitor: Visitor, token: str) -> None:
        """Withdraw a battle of this visitor, whenever it was: it is forgotten here, and a redaction line stands for it."""
        battle_id = self._id(visitor, token)
        self._limiter.take("withdraw", visitor)
        battle = self._battles.get(battle_id)
        self._battles.drop(battle_id)
        if battle is None or battle.choice is not None:
            try:
                await self._lines.write(Redaction(battle_id=battle_id, tstamp=self._clock()))
            except StoreError as problem:
                raise Refusal("not_saved") from problem

    # -- around it

    async def take_image(self, visitor: Visitor, data: bytes) -> ImageInfo:
        """Check an image, write it anew without what else it says, and keep it for a while."""
        self._limiter.take("image", visitor)
        picture = await asyncio.to_thread(self._read_picture, data)
        name = self._pictures.add(visitor, picture)
        return image_info(name, picture)

    def image(self, visitor: Visitor, name: str) -> Image:
        """Return an image that this visitor sent."""
        return self._pictures.get(visitor, name)

    def count_login(self, visitor: Visitor) -> None:
        """Count a step of logging in. Raises Refusal ``rate`` where there were too many."""
        self._limiter.take("login", visitor)

    def challenge(self, visitor: Visitor) -> Challenge | None:
        """Return a challenge to solve before a battle; None where the rules ask for none."""
        return None if self._proofs is None else self._proofs.challenge(visitor.session)

    def state(self, visitor: Visitor) -> Arena:
        """Return what a page needs to know before anything was sent."""
        self.welcome()
        self._keep_house()
        rules, sizes = self.rules, self.rules.sizes
        return Arena(
            modes=rules.modes,
            models=tuple(Choosable(name=player.name, tags=player.tags) for player in self._players.playing()),
            limits=Limits(
                prompt_chars=sizes.prompt_chars,
                turns=sizes.turns,
                max_tokens=sizes.max_tokens,
                temperature=sizes.temperature,
                top_p=sizes.top_p,
                image_bytes=sizes.image_bytes,
            ),
            terms_needed=rules.terms,
            terms=terms_version(self._house.now()),
            voting=rules.voting,
            waits_for=self._players.waits_for,
            judge=self._judge is not None,
            proof=self._proofs is not None and visitor.tier is not Tier.LOGIN,
            logins=tuple(rules.logins),
            tier=visitor.tier.value,
            samples=rules.samples,
        )

    def welcome(self) -> None:
        """Load the models, where nobody has come before: an arena that nobody visits holds none."""
        if not self._welcomed:
            self._welcomed = True
            self._players.start()

    @property
    def playable(self) -> bool:
        """Return whether two models may play, now or when they are loaded."""
        return self._players.promising > 1

    def player_states(self) -> Sequence[PlayerState]:
        """Return how each model stands, for an admin's eyes: who plays, who sits out, why and until when."""
        return self._players.states()

    def terms(self, lang: str) -> Sequence[str] | None:
        """Return the paragraphs of the terms in a language; None where nobody wrote any for this arena."""
        return self._house.now().terms.get(lang)

    def standing(self) -> Standing | None:
        """Return what was last published; None where nothing was yet."""
        latest = self._publisher.latest()
        return Standing(latest.votes, len(latest.models), latest.tstamp) if latest else None

    def _check_new(self, ask: SendAsk) -> None:
        if self.rules.terms and ask.terms is not True and ask.terms != terms_version(self._house.now()):
            raise Refusal("terms")
        if ask.mode not in self.rules.modes:
            raise Refusal("mode")
        if ask.edit:
            raise Refusal("malformed")

    def _id(self, visitor: Visitor, token: str) -> str:
        battle_id = self.keys.battle_id(token, visitor.session)
        if battle_id is None:
            raise Refusal("foreign")
        return battle_id

    def _own(self, visitor: Visitor, token: str) -> LiveBattle:
        battle = self._battles.get(self._id(visitor, token))
        if battle is None:
            raise Refusal("ended")
        return battle

    def _keep_house(self) -> None:
        """Forget what is old and publish what is due, now and then, as visitors come by."""
        now = self._clock()
        if now - self._kept_house < _HOUSEKEEPING_SECONDS:
            return
        self._kept_house = now
        self._battles.forget()
        self._pictures.forget()
        if self._proofs is not None:
            self._proofs.forget()
        if (self._publishing is None or self._publishing.done()) and self._publisher.is_due():
            self._publishing = asyncio.create_task(asyncio.to_thread(self._publisher.publish_quietly))
