"""The arena board, and what is new on the benchmark board, in a real browser: stories of people who choose a model."""

from __future__ import annotations

import csv

import pytest

from leaderboard.published import PublishedResults
from llmuses.records import PublishedResult
from tests.support.fake_arenas import showcase_arena, write_models
from tests.support.fake_runs import showcase


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    showcase(folder)
    showcase_arena(folder, battles=6000)
    (folder / "arena-people" / "battles.jsonl").touch()  # the one that changed last comes first
    source = "https://example.org/table"
    PublishedResults(folder).add(
        [PublishedResult(model="lab/theirs", dataset="mmlu", setting="5-shot", score=0.6, source=source)]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMUSES_MODELS", str(write_models(folder / "models.yaml")))
        yield folder


_WIDER = """() => [...document.querySelectorAll(".u *")].filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth)
    .map((one) => one.outerHTML.slice(0, 80))"""
"""What is wider than the window, for whoever reads why a test failed."""

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def names(page):
    return page.locator("tbody .name a").all_inner_texts()


def test_somebody_sorts_filters_and_shares_what_they_see_and_the_csv_is_the_same(window, tmp_path):
    opened = window()
    page = opened.open("leaderboard")
    page.locator("table.u-arena").wait_for()
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("Rank range")
    page.locator("thead a", has_text="Votes").click()
    page.locator("th[aria-sort=descending]", has_text="Votes").wait_for()
    votes = [int(cell.replace(",", "")) for cell in page.locator("td.votes").all_inner_texts()]
    assert votes == sorted(votes, reverse=True)
    page.locator("label.g-chip", has_text="Coding").click()
    page.wait_for_url("**category=coding*")
    page.locator(".u-code", has_text="--by category").wait_for()
    page.locator("summary", has_text="More filters").click()
    page.locator("select[name=org]").select_option("Alibaba")
    page.locator("a.g-chip.on", has_text="Alibaba").wait_for()
    seen = names(page)
    assert set(seen) == {
        "Qwen3-235B-A22B-Instruct-2507",
        "Qwen3-32B",
        "Qwen3-8B",
        "Qwen3-4B-Instruct-2507",
        "Qwen2.5-1.5B-Instruct",
    }
    fresh = window().open(page.url)
    fresh.locator("table.u-arena").wait_for()
    assert names(fresh) == seen
    with page.expect_download() as download:
        page.locator("a", has_text="CSV").click()
    download.value.save_as(tmp_path / "board.csv")
    with open(tmp_path / "board.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["model"] for row in rows] == seen
    assert [f"{float(row['rating']):,.0f}" for row in rows] == page.locator("td.rat").all_inner_texts()
    page.locator("a.g-chip.on", has_text="Alibaba").click()
    page.locator("tbody .name a", has_text="phi-4").wait_for()
    assert "org=" not in page.url


def test_two_picked_models_are_tinted_stay_in_the_address_and_lead_to_their_comparison(window):
    page = window().open("leaderboard")
    for name in ("Qwen3-8B", "phi-4"):
        page.get_by_label(f"Compare {name}", exact=True).check()
        page.locator("tr.on", has_text=name).wait_for()
    assert "pick=Qwen3-8B%2Cphi-4" in page.url
    for width in (1440, 1024):
        page.set_viewport_size({"width": width, "height": 768})
        ends = page.locator(".u-arenabar > :visible").evaluate_all(
            "all => all.map((e) => e.getBoundingClientRect().right)"
        )
        assert max(ends) <= width, "every filter is in sight, and so is the way to the comparison"
        assert page.locator("td.iv").first.bounding_box()["width"] > 150
    page.locator("a.g-btn", has_text="Compare 2").click()
    page.wait_for_url("**/compare?a=Qwen3-8B&b=phi-4")


def test_a_view_is_cited_with_its_date_and_the_hash_of_its_data(window):
    page = window().open("leaderboard?category=coding")
    page.locator("a", has_text="Cite").click()
    drawer = page.locator("aside.u-drawer")
    drawer.locator(".u-hash").wait_for()
    assert len(drawer.locator(".u-hash").inner_text()) == 64
    assert "@misc{" in drawer.inner_text()
    page.keyboard.press("Escape")
    drawer.wait_for(state="hidden")
    assert "cite" not in page.url


def test_what_others_published_is_told_apart_and_leads_to_its_source(window):
    page = window().open("benchmarks")
    assert names(page)[-1] == "theirs"
    cell = page.locator("td.pub a")
    assert "repeating-linear-gradient" in cell.evaluate("element => getComputedStyle(element).backgroundImage")
    cell.click()
    drawer = page.locator("aside.u-drawer")
    drawer.locator("a", has_text="https://example.org/table").wait_for()
    page.keyboard.press("Escape")
    page.locator("label.g-chip", has_text="Published results").click()
    page.locator(".u-filterbar", has_text="11 of 12 models").wait_for()
    page.locator("summary", has_text="Newest run of each").click()
    page.locator("details[open] label", has_text="Every run").click()
    page.wait_for_url("**runs=each*")
    page.locator("summary", has_text="Every run").wait_for()
    page.locator("tbody .name time").first.wait_for()


@pytest.mark.parametrize(("lang", "scheme"), [("zh-CN", "dark"), ("en-US", "light")])
def test_on_a_phone_each_model_has_two_lines_and_nothing_scrolls_sideways(window, lang, scheme):
    page = window(locale=lang, color_scheme=scheme, **PHONE).open("leaderboard")
    page.locator("table.u-arena").wait_for()
    assert page.locator("h1").inner_text() == ("排行榜" if lang == "zh-CN" else "Leaderboard")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    row = page.locator("tbody tr").first
    name, drawing = row.locator(".name").bounding_box(), row.locator("td.iv").bounding_box()
    assert drawing["y"] >= name["y"] + name["height"] - 2
    assert drawing["width"] > 300
    for control in page.locator(".u-arenabar label.g-chip").all():
        assert control.bounding_box()["height"] >= 44
    page.locator(".u-arenabar label.g-chip", has_text="编程" if lang == "zh-CN" else "Coding").tap()
    page.wait_for_url("**category=coding*")
    page.locator(".u-arenabar input:checked + *, .u-arenabar label:has(input:checked)").first.wait_for()
    for width in (360, 320):
        page.set_viewport_size({"width": width, "height": 640})
        door = page.locator(".u-door").bounding_box()
        assert door["x"] + door["width"] <= width, "the bar is in sight"
        assert page.evaluate("document.documentElement.scrollWidth") == width, page.evaluate(_WIDER)


def test_an_old_address_opens_the_drawer_where_the_board_is_now(window):
    page = window().open("leaderboard?run=openai-phi-4-mmlu-arc-gsm8k&dataset=arc")
    page.locator("aside.u-drawer").wait_for()
    assert "/benchmarks?run=openai-phi-4" in page.url
