"""Charts: each figure drawn is one of the ratings or the board, and its table says the same."""

from __future__ import annotations

import json
import re
from functools import cache
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.rate_tables import win_rates
from arena.rating import rate
from arena.rating_records import Rule
from leaderboard.arena_board_ratings import Desk
from leaderboard.arenas import Arenas, Source
from leaderboard.board import make_board
from leaderboard.board_words import Words
from leaderboard.chart_cards import Shared
from leaderboard.chart_figures import Dot, Point, against, frontier, intervals, plain
from leaderboard.charts import look
from leaderboard.charts_export import charts_sheet
from leaderboard.charts_html import charts_page
from leaderboard.ready import Ready
from leaderboard.results import Results
from llmuses.records import HUMAN
from tests.support.arenas import STRENGTHS, write_arena
from tests.support.fake_runs import HOSTILE, FakeDataset, FakeRun
from tests.support.pages import Page, visit

FILES = ("ui/plotly.js", "ui/template.json")
WORDS = {"sentence": "{n} {first} {value}", "model": "m", "low": "l", "high": "h", "comma": ", "}


@cache
def desk(folder):
    return Desk(Arenas(folder))


def ready(folder):
    return Ready(desk(folder), patience=60)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    write_arena(folder)
    FakeRun("gamma", {"gsm8k": FakeDataset(n=60, wrong=20), "arc": FakeDataset(n=40, wrong=9), "mmlu": FakeDataset(n=40, wrong=20)}, run_id="gamma").write(folder)  # fmt: skip
    FakeRun("delta", {"gsm8k": FakeDataset(n=60, wrong=6), "arc": FakeDataset(n=40, wrong=4), "mmlu": FakeDataset(n=40, wrong=10)}, run_id="delta").write(folder)  # fmt: skip
    return folder


def cards(outputs, **query):
    found = look(Results(outputs), ready(outputs), visit("en", **query))
    assert found.problem == ""
    return {card.name: card for card in found.cards}


def test_ratings_and_intervals_are_those_of_rate(outputs):
    figure = cards(outputs)["ratings"].figure
    lines = rate(outputs / "arena-open" / "battles.jsonl", Rule(judge=HUMAN, blind_only=True)).models
    (trace,) = figure.data
    assert trace["x"] == [line.rating for line in lines]
    assert trace["error_x"]["array"] == [line.ci95[1] - line.rating for line in lines]
    assert figure.layout["yaxis"]["ticktext"] == [line.model for line in lines] == list(STRENGTHS)
    assert [row[0] for row in figure.table.rows] == list(STRENGTHS)
    assert figure.table.rows[0][1] == f"{lines[0].rating:,.0f}"


@pytest.mark.parametrize("which", ["predicted", "observed", "battles"])
def test_the_square_is_that_of_win_rates(outputs, which):
    rates = win_rates(outputs / "arena-open" / "battles.jsonl", Rule(judge=HUMAN, blind_only=True))
    figure = cards(outputs, rates=which)["rates"].figure
    expected = getattr(rates, which)
    factor = 1 if which == "battles" else 100
    for i, row in enumerate(figure.data[0]["z"]):
        for j, value in enumerate(row):
            if value is not None:
                assert value == pytest.approx(factor * expected[i][j])
            else:
                assert i == j or rates.battles[i][j] < 50
    assert figure.data[0]["z"][0][0] is None


def test_a_category_has_its_own_charts(outputs):
    whole, part = cards(outputs)["ratings"].figure, cards(outputs, category="coding")["ratings"].figure
    groups = rate(outputs / "arena-open" / "battles.jsonl", Rule(judge=HUMAN, blind_only=True, by="category")).groups
    assert part.data[0]["x"] == [line.rating for line in groups["coding"] if line.battles >= 50]
    assert part.data[0]["x"] != whole.data[0]["x"]


def test_the_last_moment_of_the_history_is_the_rating_of_today(outputs):
    figure = cards(outputs)["history"].figure
    lines = {line.model: line.rating for line in rate(outputs / "arena-open" / "battles.jsonl", Rule(judge=HUMAN, blind_only=True)).models}  # fmt: skip
    assert {trace["name"]: trace["y"][-1] for trace in figure.data} == {m: pytest.approx(r) for m, r in lines.items()}


def test_a_radar_closes_and_holds_each_category_of_each_chosen_model(outputs):
    figure = cards(outputs, a="zeta", b="gamma")["radar"].figure
    assert [trace["name"] for trace in figure.data] == ["zeta", "gamma"]
    for trace in figure.data:
        assert trace["theta"][0] == trace["theta"][-1]
        assert set(trace["theta"]) == {"Writing", "Coding", "Maths"}


def test_of_the_arena_on_this_site_only_what_was_published_is_drawn(tmp_path):
    folder = write_arena(tmp_path, "arena-live")
    source = Source("arena-live", folder / "battles.jsonl")
    assert source.live
    assert look(Results(tmp_path), ready(tmp_path), visit("en")).of == "benchmarks"
    published = {"tstamp": 1.79e9, "size": 10, "votes": 120, "met": [], "notes": []}
    line = {"rank": [1, 1], "battles": 60, "won": 0.6, "place": "rated", "borrowed": None, "online": None}
    published["models"] = [
        {"model": "gamma", "rating": 1100.0, "ci95": [1080.0, 1120.0], **line},
        {"model": "delta", "rating": 900.0, "ci95": [880.0, 920.0], **line},
    ]
    (folder / "published.json").write_text(json.dumps(published))
    assert cards(tmp_path)["ratings"].figure.data[0]["x"] == [1100.0, 900.0]
    assert cards(tmp_path)["history"].figure is None


def test_scores_are_those_of_the_board(outputs):
    figure = cards(outputs, of="benchmarks")["scores"].figure
    board = make_board(Results(outputs).runs(), {})
    assert figure.data[0]["x"] == pytest.approx(sorted((100 * row.mean.score for row in board.rows), reverse=True))
    column = next(column for column in board.all_columns if column.dataset == "arc")
    scores = cards(outputs, of="benchmarks", y=column.key)["scores"].figure
    assert scores.data[0]["x"] == pytest.approx([90.0, 77.5])


def test_tokens_are_those_that_the_reports_counted(outputs):
    assert {row[1] for row in cards(outputs, of="benchmarks", x="tokens")["scatter"].figure.table.rows} == {"24"}


@pytest.mark.parametrize("x", ["size", "price"])
def test_what_is_not_known_is_said_instead_of_drawn(outputs, x):
    card = cards(outputs, of="benchmarks", x=x)["scatter"]
    assert card.figure is None
    assert card.why


def test_every_chart_says_what_it_shows_and_has_its_figures_as_a_table(outputs):
    for query in ({}, {"of": "benchmarks"}):
        found = look(Results(outputs), ready(outputs), visit("en", **query))
        html = str(charts_page(found, visit("en", **query), FILES))
        page = Page(html)
        assert page.errors == []
        drawn = [card for card in found.cards if card.figure]
        plots = page.all("div", role="img")
        assert len(plots) == len(drawn) == page.classes("v-twin")
        assert all(len(plot["aria-label"]) > 40 for plot in plots)
        for plot in re.findall(r'data-figure="([^"]*)"', html):
            assert set(json.loads(unescape(plot))) == {"data", "layout"}


def test_an_empty_folder_is_said_with_a_way_on(tmp_path):
    found = look(Results(tmp_path), ready(tmp_path), visit("en"))
    assert "Nothing to draw yet" in Page(str(charts_page(found, visit("en"), FILES))).text


def test_names_are_no_markup_in_a_chart():
    figure = intervals([Dot(HOSTILE, 1.0, 0.5, 1.5)], "x", WORDS)
    texts = json.dumps([figure.data, figure.layout])
    assert "<script" not in texts
    assert "<img" not in texts
    assert plain("a<b>&c") == "a&lt;b&gt;&amp;c"


@given(st.lists(st.tuples(st.floats(0.1, 1000), st.floats(-500, 500)), min_size=1, max_size=20))
def test_the_line_holds_whatever_nothing_at_or_below_its_place_beats(pairs):
    points = [Point(x, Dot(f"m{n}", y, y - 1, y + 1)) for n, (x, y) in enumerate(pairs)]
    best = frontier(points)
    for point in points:
        reached = max(other.dot.value for other in best if other.x <= point.x)
        assert reached >= point.dot.value
    assert [point.x for point in best] == sorted(point.x for point in best)
    figure = against(points, ("x", "y"), WORDS | {"sentence": "{best}"})
    assert len(figure.table.rows) == len(points)


def test_names_beside_points_are_written_towards_the_middle_where_there_is_room():
    points = [Point(x, Dot(f"m{x}", x, x - 1, x + 1)) for x in (1.0, 20.0, 400.0)]
    *_, best = against(points, ("x", "y"), WORDS | {"sentence": "{best}"}).data
    assert dict(zip(best["text"], best["textposition"], strict=True)) == {
        "m1.0": "top right",
        "m20.0": "top left",
        "m400.0": "top left",
    }


def test_two_models_of_one_long_name_stay_two():
    dots = [Dot("m" * 60 + str(number), 1.0 + number, 0.5, 3.0) for number in range(3)]
    figure = intervals(dots, "x", WORDS)
    assert figure.data[0]["y"] == [0, 1, 2]


# --- what can be taken away


@pytest.mark.parametrize("query", [{}, {"rates": "observed"}, {"of": "benchmarks"}])
def test_what_is_taken_away_are_the_figures_that_are_drawn(outputs, query):
    sheet = charts_sheet(Results(outputs), desk(outputs), {**query, "lang": "zh"})
    drawn = [(name, card.figure) for name, card in cards(outputs, **query).items() if card.figure]
    assert len(sheet.records) == sum(len(figure.values) for _, figure in drawn) > 0
    name, figure = drawn[0]
    first = [record for record in sheet.records if record["chart"] == Words("en", "charts")(f"card.{name}")]
    assert [record["value"] for record in first] == figure.data[0]["x"]
    assert [record["ci_high"] - record["value"] for record in first] == pytest.approx(
        figure.data[0]["error_x"]["array"]
    )


def test_every_square_of_a_heat_map_is_in_the_file(outputs):
    sheet = charts_sheet(Results(outputs), desk(outputs), {})
    rates = win_rates(outputs / "arena-open" / "battles.jsonl", Rule(judge=HUMAN, blind_only=True))
    written = {(record["model"], record["about"]): record["value"] for record in sheet.records}
    for row, model in enumerate(rates.models):
        for column, other in enumerate(rates.models):
            if row != column:
                assert written[model, other] == pytest.approx(100 * rates.predicted[row][column])


def test_charts_without_figures_are_no_file(tmp_path):
    assert charts_sheet(Results(tmp_path), desk(tmp_path), {}) is None


@pytest.mark.parametrize(("values", "said"), [((60.0, 70.0), True), ((5.0, 90.0), False), ((-20.0, 30.0), False), ((1000.0, 1100.0), True)])  # fmt: skip
def test_a_chart_says_where_its_axis_does_not_begin_at_zero(values, said):
    dots = [Dot(str(value), value, value - 1, value + 1) for value in values]
    shared = Shared([], {}, Words("en", "charts"))
    assert ("does not begin at zero" in shared.note("line", dots)) == said
    card = shared.scatter(dots, {dot.name: 7.0 for dot in dots}, "points", 0)
    assert ("does not begin at zero" in card.note) == said
