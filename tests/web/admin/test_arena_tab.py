"""The live arena looked after in the admin room: its models, votes, voters, words and terms; and what stands of it in the audit log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx2
import msgspec
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from arena.live.players import ArenaPlayers
from arena.live.published import MARKS, read_published
from arena.live.refusal import Refusal
from leaderboard.results import AllResults
from llmuses.records import AuditLine, Battle, Record, RegisterLine, VoterMark
from llmuses.settings import ModelEntry
from llmuses.store import JsonlStore
from llmuses.web.admin import arena_tab, health_tab
from llmuses.web.admin.door import add_admin
from llmuses.web.admin.room import Room
from llmuses.web.admin.rules import Account, AdminRules, Role
from tests.arena.live.test_published import votes
from tests.support.live_arenas import live_arena
from tests.support.quick_hash import quick_hash
from tests.support.waiting import until

HERE = {"sec-fetch-site": "same-origin"}
PASSWORD = "correct horse battery"
HASHED = quick_hash(PASSWORD)
ENTRIES = {name: msgspec.convert({"model": f"openai:{name}", "arena": {}}, ModelEntry) for name in ("a1", "b2", "c3")}
KEYLESS = msgspec.convert({"model": "openai:x", "args": {"api_key_env": "NO_SUCH_KEY"}, "arena": {}}, ModelEntry)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    monkeypatch.setenv("LLMUSES_ARENA", str(tmp_path / "live"))
    monkeypatch.setenv("OPENAI_API_KEY", "a key that nobody is asked with")
    accounts = Account(name="ada", password=HASHED, role=Role.ADMIN), Account(name="bob", password=HASHED)
    with JsonlStore(tmp_path / "live" / "battles.jsonl", Record) as store:
        store.append_all(votes(80))
    players = ArenaPlayers(tmp_path / "live", ENTRIES)
    arena = live_arena(tmp_path / "live", players)  # type: ignore[arg-type]
    yield Room(AllResults(tmp_path), AdminRules(accounts=accounts), arena)
    arena.close()
    players.close()


def client(room: Room, name: str) -> TestClient:
    app = FastAPI()
    add_admin(app, room, (arena_tab.TAB, health_tab.TAB), arena_tab.DEEDS)
    caller = TestClient(app, base_url="http://lab.example", client=("203.0.113.7", 50000), follow_redirects=False)
    caller.post("/admin/login", data={"name": name, "password": PASSWORD}, headers=HERE)
    return caller


@pytest.fixture
def ada(room: Room) -> TestClient:
    return client(room, "ada")


def do(caller: TestClient, deed: str, **body: object) -> httpx2.Response:
    token = caller.get("/admin").text.split('data-token="')[1].split('"')[0]
    sent = {**HERE, "x-llmuses-token": token, "content-type": "application/json"}
    return caller.post(f"/admin/do/{deed}", content=msgspec.json.encode(body), headers=sent)


def said(answer: httpx2.Response, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    content = answer.json()
    return str(content.get("say") or content["problem"])


def tab(caller: TestClient, name: str = "arena", lang: str = "en", **query: str) -> str:
    answer = caller.get("/admin/view", params={"tab": name, "lang": lang, **query}, headers=HERE)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("deed", arena_tab.DEEDS)
def test_an_operator_can_do_none_of_it_and_nothing_is_written(room: Room, tmp_path: Path, deed: str) -> None:
    before = (tmp_path / "live" / "battles.jsonl").read_bytes()
    bob = client(room, "bob")
    for body in ({"battle": "1-1", "reason": "x"}, {"model": "a1"}, {"voter": "v1", "reason": "x"}, {}):
        assert do(bob, deed, **body).status_code == 403
    assert "1-1" not in tab(bob), "the tab is not shown either"
    assert (tmp_path / "live" / "battles.jsonl").read_bytes() == before
    assert not (tmp_path / "live" / "players.jsonl").exists()


def test_every_deed_is_in_the_audit_log_with_who_did_it(room: Room, ada: TestClient) -> None:
    for deed in arena_tab.DEEDS:
        body = {"battle": "1-3"} if deed.endswith("-vote") else {"voter": "v3"} if deed.endswith("voter") else {}
        do(ada, deed, **({"model": "a1"} if deed.endswith("-model") else body))
    lines: list[AuditLine] = room.audit.last(100)
    done = {line.deed: (line.by, line.address) for line in lines}
    assert {deed: done.get(deed) for deed in arena_tab.DEEDS} == dict.fromkeys(arena_tab.DEEDS, ("ada", "203.0.113.7"))
    assert "exclude-vote" in tab(ada, "health")
    assert "exclude-vote" not in tab(client(room, "bob"), "health")


def test_a_deed_that_was_refused_is_on_record_as_refused_and_why(room: Room, ada: TestClient) -> None:
    do(ada, "exclude-vote", battle="1-3", reason=" ")
    do(ada, "exclude-vote", battle="1-3", reason="bought")
    told = [(line.by, line.deed, line.about[:13], line.address) for line in room.audit.last(100)[::-1]]
    assert [deed for _, deed, _, _ in told if deed.startswith("exclude")] == [
        "exclude-vote", "exclude-vote refused", "exclude-vote",
    ]  # fmt: skip
    assert ("ada", "exclude-vote refused", "Give a reason", "203.0.113.7") in told
    assert "exclude-vote refused" in tab(ada, "health")


def test_a_model_without_its_key_cannot_play_and_the_variable_is_named(
    room: Room, ada: TestClient, tmp_path: Path
) -> None:
    assert "cannot play" not in tab(ada)
    players = ArenaPlayers(tmp_path / "keyless", {"x9": KEYLESS})
    room.arena = live_arena(tmp_path / "keyless", players)  # type: ignore[arg-type]
    for lang, words in (("en", "cannot play"), ("zh", "不能出场")):
        shown = tab(ada, lang=lang)
        assert words in shown and "NO_SUCH_KEY is not set" in shown
    health = tab(ada, "health")
    assert health.count("NO_SUCH_KEY is not set") == 1
    assert "0 failures" not in health, "nobody asked it, so that nothing failed"
    room.arena.close()
    players.close()


def test_models_are_paused_retired_and_resumed(room: Room, ada: TestClient, tmp_path: Path) -> None:
    assert said(do(ada, "pause-model", model="a1", reason="its <server> moves")) == "a1 is paused."
    assert said(do(ada, "retire-model", model="b2")) == "b2 is retired."
    assert room.arena is not None
    assert {state.name: state.state for state in room.arena.player_states()} == {
        "a1": "paused", "b2": "retired", "c3": "loading",
    }  # fmt: skip
    assert "its &lt;server&gt; moves" in tab(ada)
    assert said(do(ada, "pause-model", model="a1"), 409) == "a1 stands so already."
    assert said(do(ada, "resume-model", model="c3"), 409) == "c3 stands so already."
    assert said(do(ada, "pause-model", model="nobody"), 409) == "nobody is no model of this arena."
    assert said(do(ada, "resume-model", model="a1")) == "a1 plays again."
    register = JsonlStore(tmp_path / "live" / "register.jsonl", RegisterLine)
    assert [(line.model, line.event.value) for line in register] == [
        ("a1", "paused"), ("b2", "retired"), ("a1", "resumed"),
    ]  # fmt: skip


def published(folder: Path) -> int:
    found = read_published(folder)
    assert found is not None
    return found.votes


def test_excluded_votes_drop_out_of_the_published_rating_and_restored_ones_come_back(
    ada: TestClient, tmp_path: Path
) -> None:
    live = tmp_path / "live"
    assert said(do(ada, "publish")) == "Published: 80 votes."
    assert said(do(ada, "exclude-vote", battle="1-5"), 409) == "Give a reason: it is kept with the vote."
    assert (
        said(do(ada, "exclude-vote", battle="1-5", reason="a bot"))
        == "Votes excluded: 1. The next publication leaves them out."
    )
    assert said(do(ada, "exclude-voter", voter="v7", reason="a bot")).startswith("Votes excluded: 2.")
    assert published(live) == 80
    do(ada, "publish")
    assert published(live) == 77
    assert tab(ada, show="excluded").count("no: a bot") == 3
    do(ada, "restore-vote", battle="1-5", reason="a person")
    do(ada, "withdraw-vote", battle="1-6")
    do(ada, "publish")
    assert published(live) == 77
    assert "1-6&" not in tab(ada) and said(do(ada, "restore-vote", battle="1-6", reason="x"), 409).startswith(
        "there is no"
    )


def test_votes_are_looked_through_by_voter_model_and_mark(ada: TestClient, tmp_path: Path) -> None:
    with JsonlStore(tmp_path / "live" / MARKS, VoterMark) as store:
        store.append(VoterMark(voter="v9", votes=2, reasons=["votes every 1.0 seconds"], tstamp=5.0))
    assert tab(ada).count('data-deed="withdraw-vote"') == 80
    assert tab(ada, voter="v9").count('data-deed="withdraw-vote"') == 2
    assert tab(ada, show="marked").count('data-deed="withdraw-vote"') == 2
    assert "votes every 1.0 seconds" in tab(ada)
    assert "There is no such vote." in tab(ada, voter="<script>")
    assert 0 < tab(ada, model="c3").count('data-deed="withdraw-vote"') < 80
    assert "可疑投票者" in tab(ada, lang="zh")


def test_words_and_terms_hold_from_the_moment_they_are_saved(room: Room, ada: TestClient) -> None:
    assert room.arena is not None
    assert said(do(ada, "save-house", words=["moonshine"], terms_zh=["请友善。", "请简短。"], seen="none")) == (
        "Saved. It holds from now on."
    )
    with pytest.raises(Refusal, match="filtered"):
        asyncio.run(room.arena._filter.check("How is moonshine made?"))
    assert room.arena.terms("zh") == ("请友善。", "请简短。")
    assert room.arena.terms("en") is None
    page = tab(ada)
    assert "moonshine" in page and "请友善。\n请简短。" in page and "may be published for research" in page
    assert "somebody changed the file" in said(do(ada, "save-house", seen="none"), 409)
    seen = page.split('name="seen" value="')[1].split('"')[0]
    do(ada, "save-house", seen=seen)
    asyncio.run(room.arena._filter.check("How is moonshine made?"))
    assert room.arena.terms("zh") is None


def test_the_health_tab_names_broken_lines_damaged_runs_and_who_works(
    room: Room, ada: TestClient, tmp_path: Path
) -> None:
    with open(tmp_path / "live" / "battles.jsonl", "ab") as file:
        file.write(b"no line\n[]\n")
    (tmp_path / "live" / "battles.jsonl.torn").write_bytes(b'{"battle\n')
    (tmp_path / "run-1").mkdir()
    (tmp_path / "run-1" / "run.json").write_text("{")
    found = health_tab.checked(tmp_path / "live" / "battles.jsonl")
    assert (found.lines, found.broken, found.torn) == (82, 2, 1)
    with JsonlStore(tmp_path / "live" / "battles.jsonl", Battle) as store:
        store.append_all(votes(3, seed=2))
    assert health_tab.checked(tmp_path / "live" / "battles.jsonl")[1:] == (85, 2, 1)
    page = tab(ada, "health")
    assert "live/battles.jsonl" in page and "run-1/run.json" in page
    assert "No process starts jobs" in page
    room.supervisor.start()
    until(room.supervisor.holder)
    assert "This process (" in tab(ada, "health")
    other = Room(AllResults(tmp_path), AdminRules())
    assert other.supervisor.holder() == room.supervisor.holder()
    room.close()
    assert other.supervisor.holder() is None
