"""The boards over HTTP: old addresses, downloads in every format with their hash, and a copy that is only read."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from starlette.testclient import TestClient

from leaderboard.arena_board_page import moved, shows_arena
from leaderboard.arena_board_ratings import Desk
from leaderboard.arena_board_view import arena_beside, arena_view
from leaderboard.arenas import Arenas
from leaderboard.battle_index import BattleShelf
from leaderboard.battles_export import battles_beside
from leaderboard.board_page import Boards
from leaderboard.charts import look
from leaderboard.charts_export import charts_beside
from leaderboard.charts_html import charts_page
from leaderboard.demo_state import DemoState
from leaderboard.ready import Ready
from leaderboard.results import Results
from llmuses.cli import _parser
from llmuses.settings import read_only
from llmuses.web.site import create_site
from tests.support.arenas import write_arena
from tests.support.fake_arenas import FakeArena
from tests.support.fake_runs import HOSTILE, FakeRun
from tests.support.pages import Page, check_harmless, visit

HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    FakeRun("mine_1", run_id="mine").write(folder)
    FakeArena({"one & only": 1000, "two": 1050, "three_3": 1100}, 600).write(folder / "arena-x")
    return folder


@pytest.fixture(scope="module")
def client(outputs):
    with create_site(outputs, demo=False) as app, TestClient(app, base_url="http://testserver") as started:
        yield started


@pytest.fixture(scope="module")
def desk(outputs):
    made = Desk(Arenas(outputs), patience=60)
    yield made
    made.close()


# --- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["run=mine&dataset=gsm8k", "sort=-gsm8k-0-shot-sample-set", "hide=x", "demo=0", "col=x", "view=board"]
)
def test_an_old_address_of_the_benchmark_board_leads_to_where_it_is_now(client, query):
    answer = client.get(f"/leaderboard?{query}", headers=HTML, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, f"/benchmarks?{query}")


@pytest.mark.parametrize("query", ["", "sort=-votes", "q=two", "category=coding", "arena=arena-x", "cite=1", "lang=zh"])
def test_an_address_of_the_arena_board_stays(client, query):
    assert client.get(f"/leaderboard?{query}", headers=HTML, follow_redirects=False).status_code == 200


def test_without_an_arena_the_leaderboard_is_the_benchmark_board_until_the_arena_is_asked_for(tmp_path):
    FakeRun("mine").write(tmp_path)
    desk = Desk(Arenas(tmp_path))
    assert not shows_arena(desk, {"run": "mine", "dataset": "gsm8k"})
    assert moved(desk, {"run": "mine", "dataset": "gsm8k"}) is None
    assert shows_arena(desk, {"board": "arena"})
    desk.close()


def write_votes(outputs, number):
    path = write_arena(outputs, "arena-live", battles=number) / "battles.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:number]))


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "1 of 50 votes; no rating yet"), ("zh", "已有 1 票，满 50 票才有评分")]
)
def test_the_arena_s_board_says_how_many_votes_are_wanted_for_its_first_ratings(tmp_path, lang, said):
    FakeRun("mine").write(tmp_path)
    write_votes(tmp_path, 1)
    with create_site(tmp_path, demo=False) as app, TestClient(app) as started:
        assert not shows_arena(Desk(Arenas(tmp_path)), {})
        assert started.get("/leaderboard?board=arena", follow_redirects=False).status_code == 200
    desk = Desk(Arenas(tmp_path))
    shown = Page(arena_view(desk, visit(lang, board="arena")))
    desk.close()
    assert said in shown.text
    assert shown.all("a", href="leaderboard?board=arena")[0]["aria-current"] == "page"


def test_votes_that_wait_for_the_first_batch_are_said(tmp_path):
    write_votes(tmp_path, 60)
    desk = Desk(Arenas(tmp_path))
    assert "60 votes are in" in Page(arena_view(desk, visit("en", board="arena"))).text
    desk.close()


@pytest.mark.parametrize("page", ["leaderboard", "charts", "benchmarks"])
def test_what_a_board_is_narrowed_by_goes_with_the_reader_to_its_charts_and_back(desk, outputs, page):
    query = {"size": "10", "org": "Alibaba"}
    if page == "leaderboard":
        shown = Page(arena_view(desk, visit("en", category="coding", **query)))
    elif page == "charts":
        shown = Page(
            charts_page(look(Results(outputs), Ready(desk), visit("en", **query)), visit("en", **query), ("", ""))
        )
    else:
        shown = Page(Boards(Results(outputs)).view(visit("en", **query), DemoState()))
    ways = [
        a["href"]
        for nav in [shown.html.partition('class="u-sub"')[2].partition("</nav>")[0]]
        for a in Page(nav).all("a")
    ]
    assert len(ways) == 3
    assert all("size=10" in way and "org=Alibaba" in way for way in ways)
    assert [("category=coding" in way) for way in ways] == [page == "leaderboard", False, page == "leaderboard"]


# --- what can be taken away ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("board", ["leaderboard", "benchmarks"])
@pytest.mark.parametrize(("ending", "kind"), [("csv", "text/csv"), ("json", "application/json"), ("md", "text/markdown"), ("tex", "application/x-tex")])  # fmt: skip
def test_each_board_is_a_file_in_four_formats_as_its_address_shows_it(client, board, ending, kind):
    answer = client.get(f"/export/{board}.{ending}", params={"q": "two" if board == "leaderboard" else "mine"})
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert answer.headers["content-disposition"] == f'attachment; filename="{board}.{ending}"'
    text = answer.text
    assert ("two" in text and "one &" not in text) if board == "leaderboard" else "mine" in text
    if ending == "json":
        assert json.loads(text)["figures"]
    if ending == "md":
        assert len({line.count("|") - line.count("\\|") for line in text.splitlines() if line.startswith("|")}) == 1
    if ending == "tex":
        assert text.count(r"\begin{") == text.count(r"\end{") == 2
        assert not re.search(r"(?<!\\)[_&%#](?![ ])", text.partition(r"\toprule")[2].replace(" & ", ""))


def test_names_are_harmless_in_markdown_and_latex(client):
    assert r"one & only" in client.get("/export/leaderboard.md").text
    tex = client.get("/export/leaderboard.tex").text
    assert r"one \& only" in tex
    assert r"three\_3" in tex


@pytest.mark.parametrize("query", [{}, {"category": "coding", "sort": "-votes"}])
def test_the_hash_of_a_citation_is_that_of_the_csv_that_the_same_address_gives(client, desk, query):
    page = Page(arena_beside(desk, visit("en", cite="1", **query)))
    check_harmless(page)
    csv = client.get("/export/leaderboard.csv", params=query).content
    assert hashlib.sha256(csv).hexdigest() in page.html
    assert "600 battles" in page.text or "coding" in page.text
    assert re.search(r"read \d{4}-\d\d-\d\d; data SHA-256", page.text)


@pytest.mark.parametrize("view", ["charts", "battles"])
def test_charts_and_battles_are_files_with_a_citation_too(client, desk, outputs, view):
    shelf = BattleShelf()
    asked = visit("zh", cite="1")
    page = Page(
        charts_beside(Results(outputs), desk, asked) if view == "charts" else battles_beside(desk, shelf, asked)
    )
    check_harmless(page)
    for ending in ("csv", "json", "md", "tex"):
        answer = client.get(f"/export/{view}.{ending}")
        assert answer.status_code == 200
        assert "two" in answer.text
    csv = client.get(f"/export/{view}.csv").content
    assert hashlib.sha256(csv).hexdigest() in page.html


def test_the_benchmark_boards_citation_names_its_date_and_hash_too(client, outputs):
    boards = Boards(Results(outputs))
    page = Page(boards.beside(visit("zh", cite="1")))
    check_harmless(page)
    assert hashlib.sha256(client.get("/export/benchmarks.csv").content).hexdigest() in page.html


def test_hostile_queries_change_nothing(client, desk):
    for name in (
        "category",
        "language",
        "votes",
        "judge",
        "style",
        "org",
        "licence",
        "size",
        "kind",
        "sort",
        "pick",
        "arena",
        "rows",
    ):
        answer = client.get("/export/leaderboard.json", params={name: HOSTILE})
        assert answer.status_code in (200, 404)
        check_harmless(Page(arena_view(desk, visit("en", **{name: HOSTILE}))))


# --- a copy that is only read -----------------------------------------------------------------------------------------


def test_a_copy_that_is_only_read_takes_no_votes_and_has_no_admin_room(client, monkeypatch):
    monkeypatch.setenv("LLMUSES_READ_ONLY", "1")
    for path in ("/admin", "/admin/jobs"):
        assert client.get(path, headers=HTML).status_code == 404
    for deed in ("send", "vote", "opinion", "withdraw", "image"):
        answer = client.post(f"/arena-api/{deed}", json={})
        assert (answer.status_code, answer.json()["code"]) == (403, "closed")
    assert client.get("/leaderboard", headers=HTML).status_code == 200
    assert client.get("/export/leaderboard.csv").status_code == 200


@pytest.mark.parametrize(("value", "closed"), [("", False), ("0", False), ("no", False), ("1", True), ("true", True)])
def test_the_setting_is_on_unless_it_says_no(monkeypatch, value, closed):
    monkeypatch.setenv("LLMUSES_READ_ONLY", value)
    assert read_only() is closed


def test_serve_can_be_told_to_only_show():
    assert _parser().parse_args(["serve", "--read-only"]).read_only
