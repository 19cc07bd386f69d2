"""A benchmark whose authors ask not to show its rows, from a run to every page and every download."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.testclient import TestClient

from leaderboard.board import make_board
from leaderboard.browse import browse
from leaderboard.drawer import drawer
from leaderboard.export import sheet
from leaderboard.results import Results
from leaderboard.samples import Filter, Shelf
from leaderboard.sheets import to_csv, to_json
from llmuses.evaluation import evaluate
from llmuses.records import Ask, Prediction
from llmuses.store import JsonlStore
from llmuses.web.site import create_site
from tests.support.pages import Page, visit
from tests.support.scripted import ScriptedModel, failure, rejection

SECRETS = ("zirconium riddle", "quiet answer", "wrong guess", "thinking aloud", "Obscure science")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an outputs folder with two runs over GPQA-shaped rows: right, wrong, unreadable, refused, failed answers."""
    folder = tmp_path_factory.mktemp("gpqa")
    with open(folder / "gpqa_diamond.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        names = ("Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
        writer.writerow(["Question", *names, "High-level domain", "Record ID"])
        for n in range(24):
            wrong = [f"wrong guess {n}.{i}" for i in range(3)]
            writer.writerow([f"zirconium riddle {n}?", f"quiet answer {n}", *wrong, "Obscure science", f"rec{n}"])
    counter = iter(range(1000))

    def answer(ask: Ask) -> object:
        n = next(counter)
        if n % 8 == 5:
            return "thinking aloud: I do not know"
        if n % 8 in (6, 7):
            return failure() if n % 8 == 6 else rejection()
        return f"thinking aloud {n}.\nAnswer: {'ABCD'[n % 4]}"

    for identity in ("one", "two"):
        model = ScriptedModel(answer, identity=identity)  # type: ignore[arg-type]
        model.name = f"model-{identity}"
        args = {"gpqa": {"local_path": str(folder)}}
        evaluate(model, "gpqa", dataset_args=args, outputs=folder / "outputs")
    return folder / "outputs"


def told(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def test_the_run_itself_keeps_every_row_for_its_owner(outputs: Path) -> None:
    for run in Results(outputs).runs():
        (predictions,) = (run.folder / "predictions").glob("*.jsonl")
        assert len(list(JsonlStore(predictions, Prediction))) == 24
        assert "zirconium riddle" in predictions.read_text()


def test_no_report_of_a_run_holds_a_row(outputs: Path) -> None:
    for run in Results(outputs).runs():
        for path in (run.folder / "report.md", run.folder / "report.html", run.folder / "run.json"):
            assert told(path.read_text()) == [], path
        assert json.loads((run.folder / "reports" / "gpqa.json").read_text())["publish_samples"] is False
        assert told((run.folder / "reports" / "gpqa.json").read_text()) == []


def test_no_page_that_can_be_reached_shows_a_row(outputs: Path) -> None:
    results, shelf = Results(outputs), Shelf()
    runs = [run.run_id for run in results.runs()]
    pending = [{"run": run, "dataset": "gpqa", "filter": name} for run in runs for name in [*Filter, ""]]
    pending += [{}, *({"run": run} for run in runs)]
    pending += [{"run": runs[0], "dataset": "gpqa", "q": word} for word in ("zirconium", "quiet", "rec1", "thinking")]
    pending += [
        {"run": runs[0], "dataset": "gpqa", "sample": "diamond/rec3", "view": view}
        for view in ("rendered", "written", "raw")
    ]
    seen: set[str] = set()
    while pending and len(seen) < 80:
        query = pending.pop()
        if (key := json.dumps(query, sort_keys=True)) in seen:
            continue
        seen.add(key)
        page = Page(str(browse(results, shelf, visit("en", **query))))
        assert told(page.html) == [], query
        for link in page.all("a"):
            address = urlsplit(link.get("href", ""))
            if address.path.rpartition("/")[2] == "browse":
                pending.append(dict(parse_qsl(address.query)))
    assert any("rec3" in key for key in seen)
    assert len(seen) == 80


def test_neither_the_board_nor_what_opens_beside_it_shows_a_row(outputs: Path) -> None:
    results = Results(outputs)
    for run in results.runs():
        page = Page(str(drawer(results.runs(), Shelf(), visit("en", run=run.run_id, dataset="gpqa"))))
        assert "stay unpublished" in page.text
        assert told(page.html) == []
    board = make_board(results.runs(), {})
    assert "GPQA" in to_csv(sheet(board)).decode() or "gpqa" in to_csv(sheet(board)).decode()
    assert told(to_csv(sheet(board)).decode()) == []
    exported = to_json(sheet(board))
    assert told(exported if isinstance(exported, str) else exported.decode()) == []


@pytest.fixture(scope="module")
def client(outputs: Path) -> Iterator[TestClient]:
    with create_site(outputs, demo=False) as app, TestClient(app, base_url="http://testserver") as started:
        yield started


@pytest.mark.parametrize("name", ["reviews.jsonl", "predictions.jsonl", "review.json", "prediction.json"])
def test_rows_cannot_be_taken_away(client: TestClient, outputs: Path, name: str) -> None:
    for run in Results(outputs).runs():
        answer = client.get(f"/export/{name}?run={run.run_id}&dataset=gpqa&sample=diamond/rec3")
        assert answer.status_code == 403
        assert told(answer.text) == []


@pytest.mark.parametrize(
    "name", ["leaderboard.csv", "leaderboard.json", "report.json", "report.html", "report.md", "run.json"]
)
def test_what_can_be_taken_away_holds_figures_alone(client: TestClient, outputs: Path, name: str) -> None:
    run = Results(outputs).runs()[0]
    answer = client.get(f"/export/{name}?run={run.run_id}&dataset=gpqa")
    assert answer.status_code == 200
    assert told(answer.text) == []
