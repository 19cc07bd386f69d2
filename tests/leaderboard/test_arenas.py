"""The arenas of an outputs folder: what is found, and that figures are computed once for each state of a file."""

from __future__ import annotations

import json
import os
import threading

import pytest

from arena.rating import rate
from arena.rating_records import Rule
from leaderboard.arena_board_ratings import Desk
from leaderboard.arenas import Arenas, Facts, rule_of, votes_of
from leaderboard.battle_index import BattleShelf
from leaderboard.battles import Hall, Place
from leaderboard.kept import Kept, sign
from llmuses.records import HUMAN, Battle, Winner
from llmuses.store import JsonlStore
from tests.support.arenas import write_arena


def test_arenas_are_found_with_the_one_that_changed_last_first(tmp_path):
    for number, name in enumerate(("arena-old", "arena-new")):
        path = write_arena(tmp_path, name, battles=10) / "battles.jsonl"
        os.utime(path, (1e9 + number, 1e9 + number))
    assert [source.name for source in Arenas(tmp_path).sources()] == ["arena-new", "arena-old"]
    assert Arenas(tmp_path).source("arena-old").title == "old"
    assert Arenas(tmp_path / "missing").sources() == []


def test_a_file_without_battles_has_no_facts(tmp_path):
    folder = tmp_path / "arena-empty"
    folder.mkdir()
    (folder / "battles.jsonl").write_text("{}\n")
    (source,) = Arenas(tmp_path).sources()
    assert Arenas(tmp_path).facts(source) == Facts([], [], [])


def test_ratings_are_those_of_rate_and_follow_the_file(tmp_path):
    folder = write_arena(tmp_path)
    arenas = Arenas(tmp_path)
    (source,) = arenas.sources()
    before = arenas.ratings(source, Rule())
    assert before is arenas.ratings(source, Rule())
    assert before == rate(source.battles, Rule())
    with JsonlStore(folder / "battles.jsonl", Battle) as store:
        store.append(Battle(battle_id="new", question_id="", model_a="gamma", model_b="zeta", winner=Winner.MODEL_B))
    assert arenas.ratings(source, Rule()).battles == before.battles + 1


@pytest.mark.parametrize("name", ["arena-live", "arena-public"])
def test_the_arena_on_this_site_shows_no_vote_at_once_whatever_its_folder_is_called(tmp_path, monkeypatch, name):
    if name != "arena-live":
        monkeypatch.setenv("LLMUSES_ARENA", str(tmp_path / "x" / ".." / name))
    write_arena(tmp_path, name)
    write_arena(tmp_path, "arena-other")
    arenas = Arenas(tmp_path)
    live, other = arenas.source(name), arenas.source("arena-other")
    assert live.live and not other.live
    assert live.counted.name == "published.json"
    assert arenas.facts(live) == Facts([], [], []), "nothing was published yet"
    assert arenas.facts(other).people > 0
    shelf = BattleShelf()
    now = max(battle.tstamp for battle in JsonlStore(live.battles, Battle))
    assert not Hall(shelf, live, clock=lambda: now).select(Place()).all()
    assert Hall(shelf, other, clock=lambda: now).select(Place()).all()


def test_ratings_are_of_the_moment_at_which_they_were_published_also_from_a_file_that_was_put_back_later(tmp_path):
    folder = write_arena(tmp_path, "arena-live")
    published = {"tstamp": 1.79e9, "size": 10, "votes": 120, "met": [], "notes": [], "models": []}
    (folder / "published.json").write_text(json.dumps(published))
    other = write_arena(tmp_path, "arena-other") / "battles.jsonl"
    os.utime(other, (1.7e9, 1.7e9))
    desk = Desk(Arenas(tmp_path), patience=60)
    try:
        moments = {source.name: desk.facts(source).when for source in desk.sources()}
    finally:
        desk.close()
    assert moments == {"arena-live": 1.79e9, "arena-other": 1.7e9}


FACTS = {
    "both": Facts([], [(HUMAN, 9), ("judge", 5)], []),
    "people": Facts([], [(HUMAN, 9)], []),
    "judge": Facts([], [("judge", 5), ("other", 2)], []),
}


@pytest.mark.parametrize(
    ("facts", "wish", "votes"),
    [
        ("both", None, "people"), ("both", "judge", "judge"), ("both", "both", "both"), ("people", "both", "people"),
        ("judge", "people", "judge"), ("judge", None, "judge"), ("both", "nonsense", "people"),
    ],
)  # fmt: skip
def test_votes_are_those_that_are_wished_for_where_there_are_any(facts, wish, votes):
    assert votes_of(FACTS[facts], wish) == votes


def test_people_and_judge_are_combined_without_trusting_the_judge_blindly():
    assert rule_of(FACTS["both"], "both").combine == "ppi"
    assert rule_of(FACTS["judge"], "judge").judge == "judge"
    assert rule_of(FACTS["people"], "people").blind_only


def test_what_takes_long_is_computed_once_however_many_ask(tmp_path):
    kept, calls, go = Kept(4), [], threading.Event()

    def make():
        calls.append(1)
        go.wait(60)
        return "value"

    found = []
    threads = [threading.Thread(target=lambda: found.append(kept.get("key", make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join()
    assert found == ["value"] * 8
    assert calls == [1]


def test_what_raises_is_asked_again():
    kept, answers = Kept(4), iter([ValueError("once"), None])

    def make():
        problem = next(answers)
        if problem:
            raise problem
        return "value"

    with pytest.raises(ValueError, match="once"):
        kept.get("key", make)
    assert kept.get("key", make) == "value"


def test_only_the_last_values_are_kept_and_a_missing_file_has_no_sign(tmp_path):
    kept, calls = Kept(2), []
    for key in "abca":
        kept.get(key, lambda key=key: calls.append(key))
    assert calls == ["a", "b", "c", "a"]
    assert sign(tmp_path / "nothing") is None
