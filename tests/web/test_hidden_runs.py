"""Hidden runs of a running app: every address and every event is asked for them, as they are and by whatever names them.

The words of a hidden run occur nowhere else. The same questions are asked once more after it was published: each word must
then be found, so that none of them is missed because nobody looked where it stands.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from leaderboard.arenas import Arenas
from leaderboard.published import PublishedResults
from leaderboard.results import AllResults, Results
from leaderboard.sheets import WRITERS
from llmuses.cli import main
from llmuses.records import Battle, PublishedResult, Winner
from llmuses.store import JsonlStore
from llmuses.visibility import FILE, decide
from llmuses.web import downloads, shell
from llmuses.web.site import create_site
from tests.support.fake_runs import FakeDataset, FakeRun
from tests.web.test_every_endpoint import ADMIN, _routes

MODEL, RUN, SPEC, TEXT, REPORT = "zqmodel-9b", "zqrun-arc", "openai:zqmaker/zqmodel-9b", "zqanswer", "zqreport"
BROKEN, COPY, REASON = "zqbroken", "zqcopied", "zqreason"
ARENA, PLAYER, QUESTION = "arena-zqspring", "zqplayer", "zqquestion"
IMPORTED, SOURCE = "zqimported-3b", "https://zqsource.example/table"
SECRETS = (
    "zqmodel",
    "zqrun",
    "zqmaker",
    TEXT,
    REPORT,
    BROKEN,
    COPY,
    "zqspring",
    PLAYER,
    QUESTION,
    "zqimported",
    "zqsource",
)
SAMPLE = "ARC-Easy/0"
AT = {"run": RUN, "dataset": "arc"}

NAMED = {
    **AT,
    "sample": SAMPLE,
    "name": SPEC,
    "a": SPEC,
    "b": "open-7b",
    "arena": ARENA,
    "id": "b1",
    "of": "arena",
    "board": "arena",
}
QUERIES: tuple[Mapping[str, str], ...] = (
    {},
    NAMED,
    {"run": RUN, "q": "zq", "name": MODEL, "a": "open-7b", "b": MODEL, "on": "arc", "of": "benchmarks", "board": "benchmarks", "model": PLAYER},
    {"run": "open", "dataset": "arc", "sample": SAMPLE, "filter": "disagree", "a": "open-7b", "b": "other-7b", "name": "open-7b", "published_by": SOURCE, "of": IMPORTED},
    {"run": "open", "dataset": "arc", "sample": SAMPLE, "with": RUN, "name": PLAYER, "cite": "1"},
)  # fmt: skip
"""What every page and every file is asked for, each page by its own names in the query. What a query says itself may come
back in its answer."""


PASSWORD = "correct horse battery"
IN_THE_ROOM = (
    ("benchmarks", MODEL),
    ("benchmarks", IMPORTED),
    ("view/benchmarks", SOURCE),
    (f"view/benchmarks?run={RUN}&dataset=arc", f"browse?run={RUN}"),
    (f"view/benchmarks?{urlencode({'published_by': SOURCE, 'of': IMPORTED})}", "u-drawer"),
    (f"leaderboard?arena={ARENA}", PLAYER),
    ("leaderboard?board=arena", "zqspring"),
    ("charts?of=benchmarks", MODEL),
    ("export/benchmarks.csv", MODEL),
    ("export/benchmarks.json", IMPORTED),
    (f"export/leaderboard.csv?arena={ARENA}", PLAYER),
    ("export/charts.csv?of=benchmarks", MODEL),
)
"""What the room's boards tell of what is hidden."""


class Site(NamedTuple):
    """The app over a folder with open runs and hidden ones, and the names of the files to take away."""

    client: TestClient
    app: Any
    folder: Path
    exports: tuple[str, ...]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("outputs")
    FakeRun("open-7b", {"arc": FakeDataset(n=9, wrong=3)}, run_id="open").write(folder)
    FakeRun("other-7b", {"arc": FakeDataset(n=9, wrong=5)}, run_id="other").write(folder)
    hidden = FakeRun(MODEL, {"arc": FakeDataset(n=9, wrong=1)}, run_id=RUN, spec=SPEC, started=1_796_000_000.0).write(
        folder
    )
    for path in hidden.glob("predictions/*.jsonl"):
        path.write_text(path.read_text().replace("Let us see.", TEXT))
    for name in ("report.html", "report.md"):
        (hidden / name).write_text(REPORT)
    decide(hidden, True, REASON, "ada")
    broken = folder / BROKEN
    broken.mkdir()
    (broken / "run.json").write_text("{")
    (broken / FILE).write_text('{"hidd')
    shutil.copytree(hidden, folder / COPY)
    (folder / COPY / FILE).unlink()
    battles = [
        Battle(
            battle_id=f"b{n}",
            question_id="q",
            model_a=PLAYER,
            model_b=f"open-{n}",
            winner=Winner.TIE,
            question=QUESTION,
        )
        for n in range(4)
    ]
    JsonlStore(folder / ARENA / "battles.jsonl", Battle).append_all(battles)
    (folder / ARENA / "arena.json").touch()
    decide(folder / ARENA, True, REASON, "ada")
    theirs = PublishedResult(model=IMPORTED, dataset="arc", setting="0-shot", score=0.5, source=SOURCE)
    PublishedResults(folder).add([theirs])
    assert main(["hide", SOURCE, "--outputs", str(folder)]) == 0
    names: list[str] = []

    def added(app: Any, results: Results, sheets: Mapping[str, Any]) -> None:
        names.extend(f"{name}.{ending}" for name in sheets for ending in WRITERS)
        downloads.add_downloads(app, results, sheets)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shell, "add_downloads", added)
        patch.setenv("LLMUSES_ADMIN_PASSWORD", PASSWORD)
        with create_site(folder, demo=False) as app, TestClient(app, client=("203.0.113.7", 1)) as client:
            files = (*names, *downloads._RUN_FILES, *downloads._LINES, "report.json", "review.json", "prediction.json")
            yield Site(client, app, folder, files)


def _asked(site: Site, queries: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, Mapping[str, str], str]]:
    """Yield what was asked for, with which query, and what came back: each address, each file, each event of each page.

    Documents are the same for all queries, a file is the same table in each of its formats, and a page that is opened is
    the one that is asked for afterwards: for these a few queries do.
    """
    paths = {path for method, path in _routes(site.app.routes) if method == "GET" and path not in ADMIN}
    events = site.client.get("/config").json()["dependencies"]
    for query in queries:
        said, few = f"?{urlencode(query)}" if query else "", query is NAMED
        for path in sorted(paths) if few else ():
            if "{" not in path:
                yield path, query, site.client.get(path + said, follow_redirects=False).text
        for name in site.exports:
            if few or name.endswith((".csv", ".jsonl")):
                yield name, query, site.client.get(f"/export/{name}{said}").text
        for event in events:
            if few or "load" not in (trigger for _, trigger in event["targets"]):
                body = {
                    "fn_index": event["id"],
                    "data": [],
                    "event_data": {"query": said, "turn": 1},
                    "session_hash": "x",
                }
                answer = site.client.post(f"/gradio_api/run/predict{said}", json=body)
                yield f"event {event['id']}", query, answer.text


def _told(
    site: Site, enough: int, queries: Sequence[Mapping[str, str]] = QUERIES
) -> dict[str, tuple[str, Mapping[str, str]]]:
    """Return where each secret was found first, but where the query itself said it, until ``enough`` of them are."""
    found: dict[str, tuple[str, Mapping[str, str]]] = {}
    for where, query, answer in _asked(site, queries):
        given = " ".join(query.values())
        for secret in SECRETS:
            if secret in answer and secret not in given:
                found.setdefault(secret, (where, query))
        if len(found) >= enough:
            break
    return found


def _in_the_room(site: Site) -> dict[str, str]:
    """Log in and read the boards and charts as the room has them; return the headers of who did."""
    ours = {"sec-fetch-site": "same-origin"}
    sent = {"name": "admin", "password": PASSWORD}
    answer = site.client.post("/admin/login", data=sent, headers=ours, follow_redirects=False)
    assert answer.status_code == 303
    admin = {**ours, "cookie": answer.headers["set-cookie"].partition(";")[0]}
    site.client.cookies.clear()
    for address, said in IN_THE_ROOM:
        for _ in range(200):
            answer = site.client.get(f"/admin/{address}", headers=admin)
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
            if said in answer.text:
                break
            time.sleep(0.05)  # its figures are being computed
        assert said in answer.text, address
    return admin


def test_nothing_of_a_hidden_run_is_public_and_all_of_it_once_it_is_published(site: Site) -> None:
    assert len(site.exports) >= 20
    admin = _in_the_room(site)
    assert _told(site, 1) == {}, "or what was written for the room is kept for everybody"
    for name in ("benchmarks.csv", "leaderboard.json?board=arena", "charts.csv?of=benchmarks", f"run.json?run={RUN}"):
        answer = site.client.get(f"/export/{name}", headers=admin)
        assert [secret for secret in SECRETS if secret in answer.text] == [], (
            "a public address is the same for an admin"
        )
    assert main(["publish", RUN, COPY, ARENA, SOURCE, "--outputs", str(site.folder)]) == 0
    decide(site.folder / BROKEN, False, "", "ada")
    found = _told(site, len(SECRETS))
    assert set(found) == set(SECRETS), "nobody looked where the others stand"
    assert main(["hide", RUN, COPY, ARENA, SOURCE, "--outputs", str(site.folder)]) == 0
    decide(site.folder / BROKEN, True, "", "ada")
    assert _told(site, 1, QUERIES[2:]) == {}, "what was kept while they were public is still told"


@pytest.mark.parametrize("query", [query for query in QUERIES if query.get("run") == RUN])
def test_who_asks_for_a_hidden_run_is_told_what_whoever_asks_for_none_is_told(
    site: Site, query: Mapping[str, str]
) -> None:
    """Not even that there is one: the answer is the same for a name that never was."""
    never = {name: "xx" + value[2:] if value == RUN else value for name, value in query.items()}
    for name in ("run.json", "report.html", "report.json", "reviews.jsonl", "prediction.json"):
        ours, theirs = (site.client.get(f"/export/{name}?{urlencode(asked)}") for asked in (query, never))
        assert (ours.status_code, ours.text) == (theirs.status_code, theirs.text) == (404, "There is no such run.")


def test_a_run_that_begins_hidden_never_shows_while_it_goes_on(site: Site) -> None:
    folder = site.folder / "zqlive"
    folder.mkdir()
    (folder / FILE).touch()  # killed before its first word: it begins anew, hidden
    FakeRun("zqlive", {"arc": FakeDataset(n=9, answered=4)}, run_id="zqlive", running=True).write(site.folder)
    pages = [site.client.post("/gradio_api/run/predict", json={"fn_index": n, "data": []}).text for n in range(20)]
    assert not [page for page in pages if "zqlive" in page]
    FakeRun("zqlive", {"arc": FakeDataset(n=9)}, run_id="zqlive").write(site.folder)


def test_a_page_that_was_kept_is_written_anew_at_once(tmp_path: Path) -> None:
    FakeRun("alpha", run_id="alpha").write(tmp_path)
    everything = AllResults(tmp_path)
    public = Results(tmp_path, everything)
    first, all_of_them = public.runs(), everything.runs()
    assert public.runs() is first
    decide(tmp_path / "alpha", True, "", "ada")
    assert public.runs() == [] and public.run("alpha") is None
    assert [entry.hidden for entry in everything.runs()] == [True]
    assert everything.runs() is not all_of_them and public.runs() is public.runs()
    decide(tmp_path / "alpha", False, "", "ada")
    assert [entry.run_id for entry in public.runs()] == ["alpha"]


def test_two_copies_of_one_run_are_hidden_where_one_of_them_is(tmp_path: Path) -> None:
    folder = FakeRun("alpha", run_id="alpha").write(tmp_path)
    shutil.copytree(folder, tmp_path / "copy")
    for hidden in (folder, tmp_path / "copy"):
        decide(hidden, True, "", "ada")
        assert Results(tmp_path).runs() == [] and Results(tmp_path).damaged() == []
        decide(hidden, False, "", "ada")
    assert len(Results(tmp_path).runs()) == 1


def test_a_hidden_run_that_is_deleted_file_by_file_is_not_shown_meanwhile(tmp_path: Path) -> None:
    public, arenas = Results(tmp_path), Arenas(tmp_path)
    for _ in range(2):  # another run may come into the place of one that has gone
        folder = FakeRun("alpha", run_id="alpha").write(tmp_path)
        (folder / "battles.jsonl").touch()
        assert len(public.runs()) == len(arenas.sources()) == 1
        decide(folder, True, "", "ada")
        assert public.runs() == [] and arenas.sources() == []
        (folder / FILE).unlink()
        assert public.runs() == [] and arenas.sources() == []
        shutil.rmtree(folder)
        assert public.runs() == [] and arenas.sources() == []


def test_what_is_wrong_with_a_hidden_run_is_said_in_the_room_alone(tmp_path: Path) -> None:
    folder = FakeRun("alpha", run_id="alpha").write(tmp_path)
    (folder / "reports" / "gsm8k.json").write_text("{")
    everything = AllResults(tmp_path)
    public = Results(tmp_path, everything)
    public.runs()
    assert len(public.damaged()) == 1
    decide(folder, True, "", "ada")
    assert public.damaged() == [], "before anybody looked at the runs again"
    public.runs()
    assert public.damaged() == [] and len(everything.damaged()) == 1


def test_a_decision_that_cannot_be_read_for_now_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decide(FakeRun("alpha", run_id="alpha").write(tmp_path), False, "", "ada")
    results = Results(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(
            "llmuses.visibility.os.open", lambda *_: (_ for _ in ()).throw(OSError(24, "Too many open files"))
        )
        assert results.runs() == []
    assert len(results.runs()) == 1


def test_public_pages_are_written_over_public_runs_alone() -> None:
    """A page that took all runs would be a mistake of types; no file of pages names them at all."""
    allowed = {"results.py", "indexing.py", "arenas.py", "published.py"}
    pages = [path for path in Path("leaderboard").glob("*.py") if path.name not in allowed]
    pages += [path for path in Path("llmuses/web").glob("*.py") if path.name not in {"site.py", "demo.py", "health.py"}]
    assert len(pages) > 60
    assert [
        path for path in pages if re.search(r"\bAll(Results|Arenas|Published)\b|\b_everything\b", path.read_text())
    ] == []
