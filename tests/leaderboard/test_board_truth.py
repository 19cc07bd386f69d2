"""Every number on a board is the one that it leads to: over a store of sixty runs, and against ``llmuses rate``."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import re
import shlex
from typing import NamedTuple
from urllib.parse import parse_qsl

import pytest

from leaderboard.arena_board_ratings import Desk
from leaderboard.arena_board_view import arena_sheet, arena_view
from leaderboard.arenas import Arenas
from leaderboard.board import make_board
from leaderboard.board_html import board_page
from leaderboard.board_page import Boards
from leaderboard.demo_state import DemoState
from leaderboard.results import Results
from leaderboard.sheets import to_csv
from llmuses.cli import main
from llmuses.evaluation.identity import same_thing
from llmuses.records import Mode
from llmuses.statistics.intervals import Z95
from tests.support.fake_arenas import SHOWN, FakeArena, showcase_arena, write_models
from tests.support.fake_runs import FakeDataset, FakeRun
from tests.support.pages import Page, visit

MODELS = 12


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Sixty runs of twelve models: two numbers of worked examples, two modes, two sets of rows, some with what failed, was cut
    short or could not be read, some still running or interrupted, several of one model in one column."""
    folder = tmp_path_factory.mktemp("outputs")
    chance = random.Random(5)
    for number in range(60):
        datasets = {}
        for name in ("mmlu", "arc", "gsm8k"):
            if chance.random() < 0.8:
                n = chance.choice((30, 60, 61))
                datasets[name] = FakeDataset(
                    n=n,
                    wrong=chance.randrange(n // 2),
                    unparsed=chance.choice((0, 0, 3)),
                    rejected=chance.choice((0, 0, 1)),
                    failed=chance.choice((0, 0, 0, 0, 2)),
                    truncated=chance.choice((0, 2)),
                    few_shot=chance.choice((0, 0, 5)),
                    mode=chance.choice((None, Mode.GENERATE)),
                    sample_data=False,
                    sha256=chance.choice("aab") * 64,
                    answered=chance.choice((None,) * 12 + (9,)),
                )
        if datasets:
            FakeRun(f"model-{number % MODELS:02}", datasets, run_id=f"run-{number:02}", started=1.795e9 + number).write(
                folder
            )
    return folder


class Figure(NamedTuple):
    """A cell as the page has it: whose it is, in which column, what it leads to, what it says."""

    model: str
    column: int
    run: str
    dataset: str
    shown: str
    label: str


def written(page):
    """Return the cells of a board's page that lead somewhere, and each model's average as it is written."""
    body = page.html.partition("<tbody>")[2].partition("</tbody>")[0]
    figures, averages = [], {}
    for row in body.split("<tr")[1:]:
        model = re.search(r'<th scope="row".*?<a [^>]*>(.*?)</a>', row)[1]
        cells = re.findall(r'<td class="c([^"]*)"[^>]*>(.*?)</td>', row)
        for place, (look, inside) in enumerate(cells):
            text = re.sub(r"<[^>]+>", "", inside)
            if " avg" in look:
                averages[model] = text
            elif link := re.search(r'data-drawer="([^"]*)".*?aria-label="([^"]*)"', inside):
                query = dict(parse_qsl(link[1].replace("&amp;", "&")))
                figures.append(Figure(model, place, query["run"], query["dataset"], text, link[2]))
    return figures, averages


def points(value):
    return f"{100 * value:.1f}"


@pytest.mark.parametrize(
    "query", [{}, {"runs": "each"}, {"sort": "name"}, {"until": "2026-11-18"}, {"hide": "arc-0-shot-logprob"}]
)
def test_every_figure_on_the_page_is_that_of_the_report_that_it_leads_to(outputs, query):
    results = Results(outputs)
    page = Page(board_page(make_board(results.runs(), query), visit("en", **query)))
    reports = {(entry.run_id, name): report for entry in results.runs() for name, report in entry.reports.items()}
    models = {entry.run_id: entry.run.model for entry in results.runs()}
    figures, _ = written(page)
    of_reports = [figure for figure in figures if (figure.run, figure.dataset) in reports]
    assert len(of_reports) > 30
    for figure in of_reports:
        report = reports[figure.run, figure.dataset]
        low, high = report.ci95
        assert models[figure.run] == figure.model
        assert figure.shown == f"{points(report.score)} ±{50 * (high - low) * 2 / 2:.1f}"
        ends = f"{points(low)} to {points(high)}"
        middling = abs(report.score - (low + high) / 2) < (high - low) / 8
        said = f" ±{50 * (high - low):.1f} ({ends})" if middling else f", from {ends}"
        assert f"{points(report.score)}{said}; n = {report.n}" in figure.label
        assert ("incomplete" in figure.label) == (report.counts.failed > 0)
    for figure in figures:
        if (figure.run, figure.dataset) not in reports:
            assert "running" in figure.label or "interrupted" in figure.label


def test_what_stands_in_one_column_was_asked_and_scored_alike(outputs):
    results = Results(outputs)
    reports = {(entry.run_id, name): report for entry in results.runs() for name, report in entry.reports.items()}
    figures, _ = written(Page(board_page(make_board(results.runs(), {}), visit())))
    alike = {}
    for figure in figures:
        if report := reports.get((figure.run, figure.dataset)):
            thing = json.dumps([report.setting, same_thing(report.identity)], sort_keys=True)
            alike.setdefault(figure.column, set()).add(thing)
    assert len(alike) > 6
    assert all(len(things) == 1 for things in alike.values())
    assert len({next(iter(things)) for things in alike.values()}) == len(alike), (
        "and no two columns hold the same thing"
    )


def test_an_average_is_over_complete_figures_of_the_columns_that_its_head_names_and_over_one_column_a_benchmark(
    outputs,
):
    results = Results(outputs)
    reports = {(entry.run_id, name): report for entry in results.runs() for name, report in entry.reports.items()}
    board = make_board(results.runs(), {})
    page = Page(board_page(board, visit()))
    figures, averages = written(page)
    places = {column.key: 1 + place for place, column in enumerate(board.columns)}
    basis = [places[column.key] for column in board.basis]
    assert len({column.dataset for column in board.basis}) == len(board.basis) >= 2
    assert f"of {len(board.basis)}" in page.text
    shown = 0
    for model, average in averages.items():
        found = [f for f in figures if f.model == model and f.column in basis]
        whole = [reports[f.run, f.dataset] for f in found if (f.run, f.dataset) in reports]
        whole = [report for report in whole if report.counts.failed == 0]
        if len(whole) < len(basis):
            assert average == "–"
            continue
        score = sum(report.score for report in whole) / len(basis)
        margin = math.sqrt(sum(((r.ci95[1] - r.ci95[0]) / (2 * Z95)) ** 2 for r in whole)) / len(basis) * Z95
        assert average == f"{points(score)}±{100 * margin:.1f}"
        shown += 1
    assert shown >= MODELS / 2


def test_the_csv_holds_the_reports_own_numbers_to_the_last_digit(outputs):
    boards = Boards(Results(outputs))
    reports = {
        (entry.run_id, name): report for entry in boards.results.runs() for name, report in entry.reports.items()
    }
    rows = list(csv.DictReader(io.StringIO(to_csv(boards.sheet({"runs": "each"})).decode())))
    checked = 0
    for row in rows:
        if report := reports.get((row["run"], row["dataset"])):
            assert (float(row["score"]), float(row["ci_low"]), float(row["ci_high"])) == (report.score, *report.ci95)
            assert int(row["n"]) == report.n
            checked += 1
    assert checked == len(reports)


def test_each_run_has_its_row_and_an_earlier_day_shows_what_there_was_then(outputs):
    boards = Boards(Results(outputs))
    runs = [entry.run_id for entry in boards.results.runs()]
    assert sorted(row.runs[0] for row in boards.board({"runs": "each"}).rows) == sorted(runs)
    assert len(boards.board({}).rows) == MODELS
    assert boards.board({"until": "2026-11-01"}).rows == []
    assert len(boards.board({"until": "2026-12-01"}).rows) == MODELS
    assert len(boards.board({"until": "tomorrow"}).rows) == MODELS
    boards.view(visit("en", until="2026-11-01"), DemoState())


# --- the arena ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def arenas(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arenas")
    showcase_arena(folder, battles=6000)
    strengths = {name: known[0] for name, known in list(SHOWN.items())[:6]}
    both = folder / "arena-both"
    FakeArena(strengths, 1500, questions=200, seed=3, outputs=True).write(both)
    FakeArena(strengths, 1500, questions=200, seed=3, outputs=True, judge="a judge").write(both)
    FakeArena(strengths, 3000, questions=200, seed=4, outputs=True, judge="a judge").write(both)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMUSES_MODELS", str(write_models(folder / "models.yaml")))
        yield folder


@pytest.fixture(scope="module")
def desk(arenas):
    made = Desk(Arenas(arenas), patience=60)
    yield made
    made.close()


VIEWS = [
    {"arena": "arena-people"},
    {"arena": "arena-people", "category": "coding"},
    {"arena": "arena-people", "language": "zh"},
    {"arena": "arena-people", "category": "writing", "language": "en"},
    {"arena": "arena-people", "sort": "-votes", "org": "Alibaba"},
    {"arena": "arena-judged"},
    {"arena": "arena-judged", "category": "maths"},
    {"arena": "arena-both", "votes": "judge"},
    {"arena": "arena-both", "votes": "both"},
    {"arena": "arena-both", "style": "1"},
    {"arena": "arena-both", "style": "1", "votes": "judge", "category": "writing"},
]


@pytest.mark.parametrize("query", VIEWS, ids=str)
def test_every_rating_on_the_page_is_that_of_the_command_below_it(arenas, desk, query, tmp_path, monkeypatch):
    page = Page(arena_view(desk, visit("en", **query)))
    command = re.search(r"\$ </span>(llmuses rate .*?)</div>", page.html)[1]
    words = [*shlex.split(command.replace("&#39;", "'").replace("&#34;", '"')), "--output", str(tmp_path / "r.json")]
    monkeypatch.chdir(arenas)
    assert main(words[1:]) == 0
    rated = json.loads((tmp_path / "r.json").read_text())
    group = query.get("category") or query.get("language")
    lines = {line["model"]: line for line in (rated["groups"][group] if group in rated["groups"] else rated["models"])}
    rows = rows_of(page)
    assert rows
    if "org" not in query:
        assert set(rows) == set(lines)
    exact = {row["model"]: row for row in csv.DictReader(io.StringIO(to_csv(arena_sheet(desk, query)).decode()))}
    for model, (rank, rating, half, votes, drawn) in rows.items():
        line = lines[model]
        assert int(votes.replace(",", "")) == line["battles"] == int(exact[model]["battles"])
        if line["place"] != "rated" or line["battles"] < 50:
            assert (rank, rating, half, drawn) == ("–", "–", "", None)
            assert exact[model]["rating"] == ""
            continue
        low, high = line["ci95"]
        best, worst = line["rank"]
        assert rank == (f"{best}" if best == worst else f"{best}–{worst}")
        assert rating == f"{line['rating']:,.0f}"
        assert half == f"±{(high - low) / 2:,.0f}"
        assert [float(exact[model][name]) for name in ("rating", "ci_low", "ci_high")] == [line["rating"], low, high]
        assert drawn[0] < drawn[1] < drawn[2]


def rows_of(page):
    """Return what each row of the arena board says: rank, rating, margin, votes, and the three places of its drawing."""
    found = {}
    for row in page.html.partition("<tbody>")[2].partition("</tbody>")[0].split("<tr")[1:]:
        model = re.search(r'<th scope="row".*?<a [^>]*>(.*?)</a>', row)[1]
        text = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r'<td class="n [^>]*>(.*?)</td>', row)]
        drawn = re.search(r"--a:([\d.]+);--m:([\d.]+);--b:([\d.]+)", row)
        found[model] = (*text, [float(each) for each in drawn.groups()] if drawn else None)
    return found


def test_the_drawing_stands_where_its_numbers_are_on_the_axis_that_all_share(desk):
    page = Page(arena_view(desk, visit("en", arena="arena-people")))
    ticks = [
        (float(at) / 100, float(value.replace(",", "")))
        for at, value in re.findall(r'left:([\d.]+)%">([\d,]+)<', page.html)
    ]
    assert len(ticks) >= 3
    (x0, v0), *_, (x1, v1) = ticks
    exact = {
        row["model"]: row
        for row in csv.DictReader(io.StringIO(to_csv(arena_sheet(desk, {"arena": "arena-people"})).decode()))
    }
    for model, (*_, drawn) in rows_of(page).items():
        for name, place in zip(("ci_low", "rating", "ci_high"), drawn or (), strict=False):
            value = v0 + (place / 100 - x0) / (x1 - x0) * (v1 - v0)
            assert value == pytest.approx(float(exact[model][name]), abs=(v1 - v0) / 200)


def test_models_without_a_rating_are_named_with_the_reason_and_are_not_drawn(desk):
    text = Page(arena_view(desk, visit("en", arena="arena-people"))).text
    assert "Fewer than 50 votes, too few for a rating: granite-4.0-h-small" in text
    assert "Lost to nobody, so that nothing bounds a rating from above: Seed-OSS-36B-Instruct" in text
    assert (
        "Not linked to the other models by battles, so that no rating on the same scale exists: island-one, island-two"
        in text
    )
    assert "retired" in text
