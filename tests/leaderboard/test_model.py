"""A model's page: what was ever known of it stays, and every figure is that of its rating or report."""

from __future__ import annotations

import json
from functools import cache

import pytest

from arena.rating import rate
from arena.rating_records import Rule
from leaderboard.arena_board_ratings import Desk
from leaderboard.arenas import Arenas
from leaderboard.battle_index import BattleShelf
from leaderboard.model import against_average, find_model
from leaderboard.model_export import model_sheet
from leaderboard.model_page import model_view
from leaderboard.ready import Ready
from leaderboard.results import Results
from leaderboard.sheets import to_json
from llmuses.records import HUMAN
from tests.support.arenas import write_arena
from tests.support.fake_runs import HOSTILE, FakeDataset, FakeRun
from tests.support.pages import Page, check_harmless, visit


@cache
def desk(folder):
    return Desk(Arenas(folder), patience=60)


def ready(folder):
    return Ready(desk(folder), patience=60)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    write_arena(folder)
    FakeRun("gamma", {"gsm8k": FakeDataset(n=200, wrong=20, unparsed=4, rejected=2), "mmlu": FakeDataset(n=200, wrong=20)}, run_id="gamma-run").write(folder)  # fmt: skip
    FakeRun("delta", {"gsm8k": FakeDataset(n=200, wrong=90), "mmlu": FakeDataset(n=200, wrong=120)}, run_id="delta-run").write(folder)  # fmt: skip
    FakeRun("loner", {"arc": FakeDataset(n=30, wrong=3)}, run_id="loner-run").write(folder)
    return folder


def page(outputs, name, lang="en", **query):
    found = Page(str(model_view(Results(outputs), ready(outputs), BattleShelf(), visit(lang, name=name, **query))))
    check_harmless(found)
    return found


def find(outputs, name):
    return find_model(name, Results(outputs).runs(), ready(outputs), {})


def test_ratings_are_those_of_rate_overall_and_by_category(outputs):
    figures = find(outputs, "gamma").arena
    path = outputs / "arena-open" / "battles.jsonl"
    people = {"judge": HUMAN, "blind_only": True}
    assert figures.line == next(line for line in rate(path, Rule(**people)).models if line.model == "gamma")
    groups = rate(path, Rule(by="category", **people)).groups
    assert {group.name: group.line for group in figures.groups if group.kind == "category"} == {
        name: next(line for line in lines if line.model == "gamma") for name, lines in groups.items()
    }


def test_opponents_stand_with_the_closest_first_and_their_battles_add_up(outputs):
    figures = find(outputs, "delta").arena
    assert sorted(met.apart for met in figures.met) == [met.apart for met in figures.met]
    assert sum(met.n for met in figures.met) == figures.line.battles


def test_the_expected_share_is_a_half_for_an_average_model(outputs):
    figures = find(outputs, "epsilon").arena
    line = figures.line
    line = type(line)(**{name: getattr(line, name) for name in line.__struct_fields__} | {"rating": figures.average})
    share, (low, high) = against_average(figures._replace(line=line))
    assert share == pytest.approx(0.5)
    assert low < high


def test_scores_are_those_of_the_reports_with_their_place(outputs):
    model = find(outputs, "gamma")
    run = Results(outputs).run("gamma-run")
    assert {each.column.dataset: (each.cell.score, each.cell.ci95) for each in model.benchmarks} == {
        name: (report.score, report.ci95) for name, report in run.reports.items()
    }
    assert [(each.place, each.of) for each in model.benchmarks] == [(1, 2), (1, 2)]
    said = page(outputs, "gamma").text
    assert "1.5%" in said  # 6 of 400 answers
    assert "0.5 rejected" in said or "0.5" in said


def test_kinds_are_named_only_where_the_difference_is_certain(outputs):
    better, worse = find(outputs, "gamma"), find(outputs, "delta")
    assert better.strongest
    assert not better.weakest
    assert worse.weakest
    assert not worse.strongest
    assert all(kind.apart - kind.margin > 0 for kind in better.strongest)
    assert "None for certain." in page(outputs, "loner").text


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_register_keeps_what_was_ever_entered(outputs, lang):
    assert "gamma-small" in page(outputs, "gamma", lang).text
    assert "gamma" in page(outputs, "gamma-small", lang).text  # never played, never ran: still known
    paused = page(outputs, "zeta", lang)
    assert "its server is being moved" in paused.text
    assert ("已暂停" if lang == "zh" else "paused") in paused.text


def test_whoever_is_not_known_is_said_with_a_way_on(outputs):
    found = page(outputs, f"nobody {HOSTILE}")
    assert "There is no such model" in found.text
    assert found.all("a", href="leaderboard")
    assert "No model was named" in page(outputs, "").text


def test_every_figure_leads_down(outputs):
    hrefs = [link["href"] for link in page(outputs, "gamma").all("a")]
    assert "browse?run=gamma-run&dataset=gsm8k" in hrefs
    assert "browse?run=gamma-run" in hrefs
    assert any(href.startswith("battles?arena=arena-open&model=gamma&other=") for href in hrefs)
    assert any(href.startswith("battles?arena=arena-open&model=gamma&id=") for href in hrefs)
    assert "compare?a=gamma" in hrefs


def test_the_download_says_what_the_page_says(outputs):
    found = json.loads(to_json(model_sheet(Results(outputs), desk(outputs), {"name": "gamma"})))
    model = find(outputs, "gamma")
    assert found["model"] == "gamma"
    values = {(each["kind"], each["name"]): each["value"] for each in found["figures"]}
    assert values["rating", "open"] == model.arena.line.rating
    assert values["score", "gsm8k"] == 0.87
    assert model_sheet(Results(outputs), desk(outputs), {"name": "nobody"}) is None


def test_the_table_to_take_away_has_points_and_intervals_as_the_page_has(outputs):
    sheet = model_sheet(Results(outputs), desk(outputs), {"name": "gamma"})
    rows = {(kind, name): (value, half) for kind, name, _, value, half, _ in sheet.cells}
    value, half = rows["score", "gsm8k"]
    shown = page(outputs, "gamma").text
    assert value == "87.0" and float(half) > 0
    assert f"±{half}" in shown
    rating, margin = rows["rating", "open"]
    assert rating in shown and f"±{margin}" in shown
