"""What the room reads and nobody else: hidden runs and arenas, fresh votes; and how it publishes them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from leaderboard.arenas import AllArenas, Arenas
from leaderboard.published import PublishedResults
from leaderboard.results import AllResults, Results
from llmuses.records import Battle, PublishedResult, Winner
from llmuses.settings import arena_dir
from llmuses.store import JsonlStore, write_json
from llmuses.visibility import FILE, decide, standing
from llmuses.web.admin import reading, site
from llmuses.web.admin.door import TOKEN, add_admin
from llmuses.web.admin.room import Room
from llmuses.web.admin.rules import Account, AdminRules, Role
from llmuses.web.admin.sessions import COOKIE
from tests.support.fake_runs import FakeDataset, FakeRun
from tests.support.quick_hash import quick_hash

SAME = {"sec-fetch-site": "same-origin"}


class Person:
    """A browser of somebody with an account."""

    def __init__(self, client: TestClient, room: Room, name: str):
        account = next(account for account in room.rules.accounts if account.name == name)
        session = room.sessions.cookie(account, time.time())
        found = room.sessions.person(session, time.time())
        assert found is not None
        self._client, self._token, self.cookie = client, found.token, f"{COOKIE}={session}"

    def reads(self, address: str) -> str:
        self._client.cookies.clear()
        answer = self._client.get(address, headers={**SAME, "cookie": self.cookie}, follow_redirects=False)
        assert answer.status_code == 200, (address, answer.status_code)
        return answer.text

    def finds(self, address: str, said: str) -> bool:
        """Return whether an address says something, asked again while figures are being computed."""
        ends = time.monotonic() + 60
        while said not in self.reads(address):
            if time.monotonic() > ends:
                return False
            time.sleep(0.1)
        return True

    def does(self, deed: str, **about: Any) -> tuple[int, dict[str, Any]]:
        self._client.cookies.clear()
        answer = self._client.post(
            f"/admin/do/{deed}", json=about, headers={**SAME, TOKEN: self._token, "cookie": self.cookie}
        )
        return answer.status_code, answer.json()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("outputs")
    FakeRun("open-7b", {"arc": FakeDataset(n=9, wrong=3)}, run_id="open").write(folder)
    FakeRun("secret-9b", {"arc": FakeDataset(n=9, wrong=1)}, run_id="secret").write(folder)
    decide(folder / "secret", True, "a wrong prompt", "ada")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LLMUSES_ARENA", raising=False)
        _arena(folder / "arena-trial", "secret-9b", 1_795_000_000.0)
        write_json(
            folder / "arena-trial" / "arena.json",
            Battle(battle_id="", question_id="", model_a="", model_b="", winner=Winner.TIE),
        )
        _arena(arena_dir(folder), "live-3b", time.time() - 60)
        hashed = quick_hash("correct horse battery")
        accounts = Account(name="ada", password=hashed, role=Role.ADMIN), Account(name="bob", password=hashed)
        yield Room(AllResults(folder), AdminRules(accounts=accounts))


def _arena(folder: Path, model: str, when: float) -> None:
    with JsonlStore(folder / "battles.jsonl", Battle) as store:
        for number in range(4):
            store.append(
                Battle(
                    battle_id=f"b{number}", question_id=f"q{number}", model_a=model, model_b="open-7b", winner=Winner.MODEL_A,
                    question="What is a plum?", output_a="a fresh answer", output_b="a stone fruit", tstamp=when,
                )
            )  # fmt: skip


@pytest.fixture(scope="module")
def client(room: Room) -> Iterator[TestClient]:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_admin(app, room, site.TABS, site.DEEDS)
    with TestClient(app, base_url="http://lab.example", client=("203.0.113.7", 1)) as opened:
        yield opened


@pytest.fixture
def ada(client: TestClient, room: Room) -> Person:
    return Person(client, room, "ada")


@pytest.fixture
def bob(client: TestClient, room: Room) -> Person:
    return Person(client, room, "bob")


def test_the_list_marks_what_is_hidden_and_offers_what_is_not_yet(ada: Person) -> None:
    rows = re.findall(r"<tr>.*?</tr>", ada.reads("/admin/view/browse"))
    secret, opened = (next(row for row in rows if name in row) for name in ("secret-9b", "open-7b"))
    assert "hidden</b>" in secret and 'data-deed="publish-run"' in secret and "data-sure" in secret
    assert "hidden</b>" not in opened and 'data-deed="hide-run"' in opened


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/admin/browse?run=secret", "a wrong prompt"),
        ("/admin/view/browse?run=secret&dataset=arc", "ARC-Easy"),
        ("/admin/view/browse?run=secret&dataset=arc&sample=ARC-Easy%2F0", "plums"),
        ("/admin/view/browse?run=secret&dataset=arc&sample=ARC-Easy%2F0&with=open", "open-7b"),
        ("/admin/compare?a=secret-9b&b=open-7b", "secret-9b"),
        ("/admin/model?name=secret-9b", "secret-9b"),
        ("/admin/battles?arena=arena-trial", "secret-9b"),
        ("/admin/export/reviews.jsonl?run=secret&dataset=arc", "sample_id"),
        ("/admin/export/run.json?run=secret", "secret-9b"),
        ("/admin/export/compare.csv?a=secret-9b&b=open-7b", "secret-9b"),
        ("/admin/export/model.json?name=secret-9b", "secret-9b"),
        ("/admin/export/battles.csv?arena=arena-trial", "secret-9b"),
    ],
)
def test_everybody_of_the_room_reads_a_hidden_run_whole(ada: Person, bob: Person, address: str, said: str) -> None:
    assert ada.finds(address, said) and bob.finds(address, said)


def test_links_of_such_a_page_stay_in_the_room_and_those_of_the_bar_lead_out(ada: Person) -> None:
    page = ada.reads("/admin/browse?run=secret")
    links = set(re.findall(r'(?:href|src|action)="([^"#]+)"', page))
    inside = {each.partition("?")[0] for each in links if not each.startswith(("../", "./"))}
    assert inside <= {page.name for page in reading.PAGES} | {
        f"export/{name}"
        for name in ("run.json", "report.md", "report.html", "report.json", "reviews.jsonl", "predictions.jsonl")
    } | set(reading.PUBLIC)
    assert "../leaderboard" in links and "../admin?tab=jobs" in links
    assert all(each.startswith("../ui/") for each in links if "/ui/" in each or each.startswith("ui/"))


@pytest.mark.parametrize("page", ["benchmarks", "leaderboard", "charts"])
def test_the_room_s_boards_say_whose_they_are_and_lead_to_what_everybody_sees(
    ada: Person, bob: Person, page: str
) -> None:
    for person in (ada, bob):
        written = person.reads(f"/admin/{page}?q=a%22b")
        assert "only this room sees this page" in written and f'href="../{page}?q=a%22b"' in written
        assert "<div data-beside></div>" in written
        assert "<template data-drawn>" in person.reads(f"/admin/view/{page}")


def test_results_of_others_are_hidden_and_published_by_their_source(room: Room, ada: Person, bob: Person) -> None:
    public, source = PublishedResults(room.outputs), "https://example.org/table?a=1&b=2"
    public.add([PublishedResult(model="theirs", dataset="arc", setting="", score=0.5, source=source)])
    assert len(public.read()) == 1
    assert 'data-deed="hide-run"' in ada.reads("/admin/benchmarks")
    assert bob.does("hide-run", run=source)[0] == 403 and 'data-deed="hide-run"' not in bob.reads("/admin/benchmarks")
    status, said = ada.does("hide-run", run=source, reason="a wrong table")
    assert status == 200 and source in said["say"]
    assert public.read() == [] and "hidden</b>" in ada.reads("/admin/view/benchmarks")
    stands = room.published.sources()[source].decision
    assert stands is not None and (stands.by, stands.reason) == ("ada", "a wrong table")
    assert ada.does("publish-run", run=source)[0] == 200
    assert len(public.read()) == 1


@pytest.mark.parametrize("name", reading.PUBLIC)
def test_pages_that_are_the_same_for_everybody_are_one(client: TestClient, ada: Person, name: str) -> None:
    client.cookies.clear()
    answer = client.get(f"/admin/{name}?a=1", headers={**SAME, "cookie": ada.cookie}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, f"../{name}?a=1")


def test_a_fresh_vote_s_battle_is_read_by_who_looks_after_votes_and_by_nobody_else_of_the_room(
    ada: Person, bob: Person
) -> None:
    vote = re.search(r'href="(admin/battles\?arena=arena-live&amp;id=b3)"', ada.reads("/admin/view?tab=arena"))
    assert vote is not None
    address = "/" + vote[1].replace("&amp;", "&")
    assert ada.finds(address, "a fresh answer")
    assert "a fresh answer" not in bob.reads(address)


def test_an_admin_hides_and_publishes_a_run_and_says_why(room: Room, ada: Person) -> None:
    public = Results(room.outputs, room.results)
    assert ada.does("hide-run", run="open", reason="not checked yet")[0] == 200
    assert public.run("open") is None
    stands = standing(room.outputs / "open")
    assert stands is not None and stands.decision is not None
    assert (stands.decision.by, stands.decision.reason) == ("ada", "not checked yet")
    assert "not checked yet" in ada.reads("/admin/browse?run=open")
    assert ada.does("publish-run", run="open")[0] == 200
    assert public.run("open") is not None
    deeds = [(line.deed, line.by) for line in room.audit.last(9)]
    assert ("hide-run", "ada") in deeds and ("publish-run", "ada") in deeds


def test_an_operator_sees_what_is_hidden_and_publishes_nothing(room: Room, bob: Person) -> None:
    page = bob.reads("/admin/browse?run=secret")
    assert "only this room" in page and "publish-run" not in page
    assert bob.does("publish-run", run="secret")[0] == 403
    assert bob.does("hide-run", run="open")[0] == 403
    assert room.results.run("secret").hidden and not room.results.run("open").hidden  # type: ignore[union-attr]


@pytest.mark.parametrize("run", ["", "nobody", "../secret", "arena-live", "jobs"])
def test_what_is_no_run_and_no_arena_is_refused(room: Room, ada: Person, run: str) -> None:
    status, said = ada.does("hide-run", run=run)
    assert status == 409 and "not there" in said["problem"]
    assert not [path for path in room.outputs.rglob(FILE) if path.parent.name in ("arena-live", "jobs")]


def test_a_decision_that_cannot_be_read_is_said_and_published_anew(room: Room, ada: Person) -> None:
    file = room.outputs / "open" / FILE
    before = file.read_bytes() if file.exists() else None
    file.write_bytes(b'{"hidden": fal')
    assert "cannot be read" in ada.reads("/admin/browse?run=open")
    assert Results(room.outputs).run("open") is None
    assert ada.does("publish-run", run="open")[0] == 200
    assert Results(room.outputs).run("open") is not None
    assert before is None or file.read_bytes() != before


def test_an_arena_is_hidden_and_published_like_a_run(room: Room, ada: Person) -> None:
    public, everything = Arenas(room.outputs), AllArenas(room.outputs)
    assert public.source("arena-trial") is not None
    assert ada.does("hide-run", run="arena-trial", reason="a confidential model")[0] == 200
    assert public.source("arena-trial") is None and everything.source("arena-trial") is not None
    assert ada.finds("/admin/battles?arena=arena-trial", "a confidential model")
    assert ada.does("publish-run", run="arena-trial")[0] == 200
    assert public.source("arena-trial") is not None


@pytest.mark.parametrize(
    "address", ["/admin/browse", "/admin/battles", "/admin/view/browse?run=secret", "/admin/export/run.json?run=secret"]
)
def test_strangers_are_asked_who_they_are(client: TestClient, address: str) -> None:
    client.cookies.clear()
    answer = client.get(address, headers=SAME, follow_redirects=False)
    assert answer.status_code == 401 and "secret-9b" not in answer.text
    if address in ("/admin/browse", "/admin/battles"):
        assert 'action="admin/login"' in answer.text and '<base href="../">' in answer.text
