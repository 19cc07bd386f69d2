"""Votes looked through, taken out and brought back: the last word counts, and what was withdrawn stays away."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.live.votes import Wanted, exclude, exclude_voter, last_votes, restore, withdraw
from arena.rating import rate
from llmuses.errors import UsageError
from llmuses.records import Battle, Record, Winner
from llmuses.store import JsonlStore

PLAYED = [("a", "b", "ann"), ("a", "c", "ann"), ("b", "c", "bob"), ("a", "b", "bob"), ("c", "a", "cid")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "battles.jsonl"
    with JsonlStore(found, Record) as store:
        for number, (one, two, voter) in enumerate(PLAYED):
            vote = Battle(
                battle_id=f"n{number}", question_id="q", question="Why?" * 100, model_a=one, model_b=two,
                winner=Winner.MODEL_A, voter=voter, tier="anonymous", tstamp=1000.0 + number,
            )  # fmt: skip
            store.append(vote)
            if number == 1:
                vote.judge = "a-judge"
                store.append(vote)
    return found


def shown(path: Path, number: int = 100, **wanted: object) -> str:
    found = last_votes(path, Wanted(**wanted), number)  # type: ignore[arg-type]
    return " ".join(vote.battle_id + ("-" if vote.excluded else "") for vote in found)


def test_the_last_votes_come_first_and_can_be_looked_through(path: Path) -> None:
    assert shown(path) == "n4 n3 n2 n1 n0"
    assert shown(path, 2) == "n4 n3"
    assert shown(path, voter="ann") == "n1 n0"
    assert shown(path, model="c") == "n4 n2 n1"
    assert shown(path, voters=["ann", "cid"]) == "n4 n1 n0"
    assert shown(path, voters=[]) == ""
    assert shown(path.with_name("none.jsonl")) == ""
    first = last_votes(path, Wanted(), 1)[0]
    assert (first.model_a, first.model_b, first.winner, first.voter, first.tier) == (
        "c",
        "a",
        "model_a",
        "cid",
        "anonymous",
    )
    assert first.question is not None and len(first.question) == 200


def test_a_vote_is_taken_out_and_comes_back_as_often_as_somebody_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a clock that stands still: the last word counts all the same
    monkeypatch.setattr("arena.live.votes.time.time", lambda: 500.0)
    for _ in range(3):
        assert exclude(path, ["n1", "n3"], "a bot") == 2
        assert exclude(path, ["n1", "n3"], "a bot") == 0
        assert shown(path) == "n4 n3- n2 n1- n0"
        assert shown(path, excluded=True) == "n3- n1-"
        assert last_votes(path, Wanted(excluded=True), 1)[0].excluded == "a bot"
        assert rate(path).battles == 3
        assert restore(path, ["n1", "n3"], "a person after all") == 2
        assert restore(path, ["n1"], "again") == 0
        assert shown(path) == "n4 n3 n2 n1 n0"
        assert rate(path).battles == 6, "the judge's opinion of a battle goes with it"


def test_all_votes_of_a_voter_are_taken_out_together(path: Path) -> None:
    exclude(path, ["n3"], "hurried")
    assert exclude_voter(path, "bob", "a bot") == 1
    assert shown(path) == "n4 n3- n2- n1 n0"
    with pytest.raises(UsageError, match="no vote of eve"):
        exclude_voter(path, "eve", "a bot")


def test_what_was_withdrawn_is_not_shown_and_does_not_come_back(path: Path) -> None:
    exclude(path, ["n2"], "a bot")
    assert withdraw(path, ["n2", "n4"]) == 2
    assert shown(path) == "n3 n1 n0"
    for deed, name in ((restore, "n2"), (exclude, "n4"), (exclude, "n9")):
        with pytest.raises(UsageError, match=f"there is no vote {name}"):
            deed(path, [name], "x")
    with pytest.raises(UsageError, match="nothing was withdrawn"):
        withdraw(path, ["n1", "n9"])
    assert shown(path) == "n3 n1 n0"
