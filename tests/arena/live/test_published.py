"""Ratings in batches, pairs drawn by them, odd voters marked, and what one vote is said to move."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest

from arena.battle_files import open_battles
from arena.counting import Follower
from arena.live.pairing import Pairing
from arena.live.playing import Player
from arena.live.published import Publisher, expectation, read_published
from arena.live.rules import Publishing
from arena.matchmaking import Fewest, Uniform
from arena.pipeline.battles import read_record
from arena.rating import rate
from arena.ratings.counts import PairCounts
from leaderboard.battle_index import BattleShelf, hash_of
from llmuses.records import Battle, Exclusion, Redaction, Restoration, VoterMark, Winner
from llmuses.store import JsonlStore, Sync
from tests.support.live_arenas import TWO, Clock, ScriptedPlayers, battle, live_arena, visitor

MODELS = ("a1", "b2", "c3")


def votes(number: int, seed: int = 1, voter: str | None = None, winner: Winner | None = None) -> list[Battle]:
    chance = np.random.default_rng(seed)
    found = []
    for n in range(number):
        one, two = chance.permutation(3)[:2]
        drawn = Winner.MODEL_A if chance.random() < 1 / (1 + np.exp(0.8 * (one - two))) else Winner.MODEL_B
        found.append(
            Battle(
                battle_id=f"{seed}-{n}", question_id=f"{n}", question=f"Question {n} of {seed}?",
                model_a=MODELS[one], model_b=MODELS[two], winner=winner or drawn, output_a="x", output_b="y",
                voter=voter or f"v{n % 40}", tstamp=1000.0 + 50 * n,
            )
        )  # fmt: skip
    return found


def written(folder: Path, *records: msgspec.Struct) -> None:
    with JsonlStore(folder / "battles.jsonl", msgspec.Struct, Sync.NEVER) as store:
        store.append_all(records)


def publisher(folder: Path, clock: Clock, **rules: float) -> Publisher:
    return Publisher(folder, msgspec.convert({"seconds": 100, "votes": 10, **rules}, Publishing), clock)


def test_ratings_wait_for_time_and_votes(tmp_path: Path) -> None:
    clock = Clock()
    one = publisher(tmp_path, clock)
    assert not one.is_due() and one.latest() is None
    written(tmp_path, *votes(9))
    assert not one.is_due()
    written(tmp_path, *votes(60, 2))
    assert one.is_due() and one.publish()
    first = one.latest()
    assert first is not None and first.votes == 69 and [line.model for line in first.models] == ["a1", "b2", "c3"]
    written(tmp_path, *votes(60, 3))
    assert not one.is_due(), "too early"
    clock.now += 100
    assert one.is_due()
    clock.now += 1000
    assert publisher(tmp_path, clock, votes=61).is_due() is False, "too few"
    assert one.latest() == first == read_published(tmp_path)


def test_one_process_publishes_and_the_others_read(tmp_path: Path) -> None:
    clock = Clock()
    written(tmp_path, *votes(60))
    several = [publisher(tmp_path, clock) for _ in range(4)]
    threads = [threading.Thread(target=one.publish) for one in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.latest().votes for one in several if one.latest() is not None}) == 1  # type: ignore[union-attr]
    assert all(one.latest() is not None for one in several)


def test_withdrawn_and_excluded_battles_are_in_no_rating(tmp_path: Path) -> None:
    clock = Clock()
    some = votes(80)
    out = [Exclusion(battle_id=battle.battle_id, reason="named") for battle in some[:5]]
    gone = [Redaction(battle_id=battle.battle_id) for battle in some[5:10]]
    written(tmp_path, *gone, *some, *out)
    one = publisher(tmp_path, clock)
    one.publish()
    latest = one.latest()
    assert latest is not None and latest.votes == 70
    plain = rate(tmp_path / "battles.jsonl")
    assert plain.battles == 70


def test_a_battle_that_was_restored_counts_again_and_one_that_was_withdrawn_never_does(tmp_path: Path) -> None:
    some = votes(80)
    names = [battle.battle_id for battle in some]
    lines = [Exclusion(battle_id=name, reason="named", tstamp=10.0) for name in names[:6]]
    back = [Restoration(battle_id=name, restored="a person's name", tstamp=20.0) for name in names[:4]]
    again = Exclusion(battle_id=names[0], reason="a robot", tstamp=30.0)
    gone = [Redaction(battle_id=names[1], tstamp=5.0), Redaction(battle_id=names[70], tstamp=40.0)]
    written(tmp_path, *some, *gone, *lines, *back, again)
    path = tmp_path / "battles.jsonl"
    out = {names[0], names[1], names[4], names[5], names[70]}
    with open_battles([path], columns=("battle_id",)) as table:
        assert {row[0] for row in table.texts("battle_id")} == set(names) - out
    found = rate(path)
    assert found.battles == 75
    assert Follower(path).ratings().battles == 75
    assert {battle.battle_id for battle in read_record(path)} == set(names) - out
    index = BattleShelf().battles(path)
    assert {hash_of(name) for name in (names[0], names[4], names[5])} <= index.excluded.keys()
    assert not {hash_of(name) for name in names[2:4]} & index.excluded.keys()
    one = publisher(tmp_path, Clock())
    assert one.publish()
    latest = one.latest()
    assert latest is not None and latest.votes == 75


def test_a_voter_who_votes_unlike_anybody_is_marked_once_and_stays(tmp_path: Path) -> None:
    clock = Clock()
    written(tmp_path, *votes(300), *votes(60, 5, "odd", Winner.MODEL_A))
    one = publisher(tmp_path, clock)
    one.publish()
    one.publish()
    marks = list(JsonlStore(tmp_path / "voters.jsonl", VoterMark))
    assert [mark.voter for mark in marks] == ["odd"] and "left" in " ".join(marks[0].reasons)
    assert sum(b"odd" in line for line in (tmp_path / "battles.jsonl").read_bytes().splitlines()) == 60


def test_a_vote_is_no_oracle(tmp_path: Path) -> None:
    clock = Clock()
    players = ScriptedPlayers([Player(name) for name in MODELS], lambda *_: "an answer")

    async def play() -> set[tuple[object, ...]]:
        arena = live_arena(tmp_path, players, clock, publishing={"seconds": 100, "votes": 10})
        written(tmp_path, *votes(60))
        clock.now += 200
        arena.state(visitor(arena))
        while (tmp_path / "published.json").exists() is False:
            await asyncio.sleep(0.01)
        seen = set()
        for _ in range(30):
            clock.now += 1
            who = visitor(arena)
            found = await arena.vote(who, await battle(arena, who), Winner.MODEL_A)
            for side in (found.a, found.b):
                seen.add((side.name, side.rating, side.ci))
            assert found.expected is not None and found.moved is not None
            assert found.moved.a > 0 > found.moved.b
        return seen

    assert len(asyncio.run(play())) == 3, "one rating a model, whatever was voted since"


def test_what_a_vote_moves_is_near_what_it_does_move(tmp_path: Path) -> None:
    clock = Clock()
    some = votes(400)
    written(tmp_path, *some)
    one = publisher(tmp_path, clock)
    one.publish()
    before = {line.model: line.rating for line in rate(tmp_path / "battles.jsonl").models}
    extra = msgspec.structs.replace(some[0], battle_id="extra", model_a="c3", model_b="a1", winner=Winner.MODEL_A)
    written(tmp_path, extra)
    after = {line.model: line.rating for line in rate(tmp_path / "battles.jsonl").models}
    expected, moved = expectation(one.latest(), "c3", "a1", Winner.MODEL_A)
    assert expected is not None and moved is not None and 0 < expected < 0.5
    assert moved.a == pytest.approx((after["c3"] or 0) - (before["c3"] or 0), rel=0.6)
    assert moved.b == pytest.approx((after["a1"] or 0) - (before["a1"] or 0), rel=0.6)
    assert (
        expectation(one.latest(), "a1", "unknown", Winner.TIE)
        == expectation(None, "a1", "b2", Winner.TIE)
        == (None, None)
    )


# --- Pairs -------------------------------------------------------------------------------------------------------


def test_pairs_come_as_often_as_their_probability_says() -> None:
    players = [Player("a", 1.0), Player("b", 1.0), Player("c", 2.0)]
    pairing = Pairing(Uniform(), np.random.default_rng(3))
    drawn = Counter()
    said = {}
    for _ in range(3000):
        left, right, probability = pairing.draw(players)
        drawn[frozenset((left, right))] += 1
        drawn[left] += 1
        said[frozenset((left, right))] = probability
    assert said == pytest.approx({frozenset("ab"): 0.2, frozenset("ac"): 0.4, frozenset("bc"): 0.4})
    for pair, probability in said.items():
        assert drawn[pair] / 3000 == pytest.approx(probability, abs=0.03)
    assert drawn["c"] / 3000 == pytest.approx(0.4, abs=0.03), "either side"


def test_what_was_published_decides_who_meets() -> None:
    met = PairCounts(
        3, np.array([0, 0]), np.array([1, 2]), np.array([5.0, 5.0]), np.array([3.0, 3.0]), np.array([0.0, 0.0])
    )
    pairing = Pairing(Fewest(floor=0.1), np.random.default_rng(3))
    pairing.learn(["a", "b", "gone"], met)
    found = {frozenset(pairing.draw([Player("a"), Player("b"), Player("new")])[:2]) for _ in range(2)}
    assert found == {frozenset(("a", "new")), frozenset(("b", "new"))}


def test_two_players_always_meet() -> None:
    pairing = Pairing(Uniform(), np.random.default_rng(3))
    assert {frozenset(pairing.draw(TWO)[:2]) for _ in range(5)} == {frozenset(("one-7b", "two-8b"))}
    assert pairing.draw(TWO)[2] == 1.0


def test_how_two_models_stand_is_what_was_published_of_them(tmp_path: Path) -> None:
    written(tmp_path, *votes(200))
    publisher(tmp_path, Clock()).publish()
    published = read_published(tmp_path)
    assert published is not None
    with open_battles([tmp_path / "battles.jsonl"]) as table:
        counts = table.counts()
    met = counts.first.tolist().index(0)  # a1 against the next one
    n, won = float(counts.total[met]), float(counts.wins[met] + counts.ties[met] / 2)
    one, two = published.between("a1", "b2"), published.between("b2", "a1")
    assert one is not None and two is not None
    assert (one.n, one.share) == (n, pytest.approx(won / n))
    assert (two.n, two.share) == (n, pytest.approx(1 - won / n))
    assert published.between("a1", "nobody") is None
