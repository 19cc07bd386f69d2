"""Compare, charts, a model's page and battles in a real browser: from a difference down to the sample, and back."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from llmuses.records import Review, Status
from llmuses.store import JsonlStore
from tests.support.arenas import write_arena
from tests.support.fake_runs import FakeDataset, FakeRun


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    FakeRun("alpha", {"gsm8k": FakeDataset(n=120, wrong=40, unparsed=3), "arc": FakeDataset(n=80, wrong=9)}, run_id="alpha").write(folder)  # fmt: skip
    FakeRun("beta", {"gsm8k": FakeDataset(n=120, wrong=10), "arc": FakeDataset(n=80, wrong=20)}, run_id="beta").write(folder)  # fmt: skip
    FakeRun("gamma", {"gsm8k": FakeDataset(n=120, wrong=30)}, run_id="gamma").write(folder)
    write_arena(folder)
    _turn_round(folder / "beta" / "reviews" / "gsm8k.jsonl")
    return folder


def _turn_round(path):
    """Make two answers wrong that were right, so that there are disagreements in both directions."""
    store = JsonlStore(path, Review)
    right = [line for line in store if line.status is Status.SCORED and 1.0 in line.scores.values()]
    for line in right[:2]:
        store.append(msgspec.structs.replace(line, scores=dict.fromkeys(line.scores, 0.0)))


def go(page, path):
    page.goto(path)
    page.locator("#main").wait_for()


def test_from_a_difference_to_the_samples_that_decide_it_and_back(page, window):
    go(page, "compare?a=alpha&b=beta")
    page.locator(".v-forest a", has_text="GSM8K").click()
    page.locator(".v-panel h2", has_text="GSM8K").wait_for()
    assert "on=" in page.url
    cut = page.locator(".v-panel a.cut").first
    cut.hover()
    assert cut.get_attribute("title") == cut.inner_text(), "what is cut off is said whole"
    page.get_by_text("Read them side by side").click()
    page.locator(".v-two").wait_for()
    first = page.locator("[data-at]").get_attribute("data-at")
    seen = [first]
    for _ in range(3):
        page.keyboard.press("d")
        page.wait_for_function("(was) => document.querySelector('[data-at]').dataset.at !== was", arg=seen[-1])
        seen.append(page.locator("[data-at]").get_attribute("data-at"))
    assert len(set(seen)) == 4
    page.wait_for_function("(at) => location.href.endsWith(at)", arg=seen[-1])
    assert {"Correct", "Wrong"} == {words.strip() for words in page.locator(".u-pane-head .u-v").all_inner_texts()}
    fresh = window().open(page.url)
    assert fresh.locator("[data-at]").get_attribute("data-at") == seen[-1]
    page.locator(".u-crumb a", has_text="Compare").click()
    page.locator(".v-forest").wait_for()


def test_a_battle_and_what_decided_it_fit_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    go(page, "battles?id=b00003")
    page.locator(".v-decided dd").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert min(each.bounding_box()["width"] for each in page.locator(".v-decided dd").all()) > 200


def test_models_are_chosen_added_and_left_out(page):
    go(page, "compare?a=alpha&b=beta")
    page.locator("select[name=c]").select_option("gamma")
    page.locator(".v-forest tbody", has_text="GSM8K").locator("th", has_text="gamma").wait_for()
    assert "c=gamma" in page.url
    page.get_by_label("Leave out beta").click()
    page.wait_for_function("() => !location.search.includes('beta')")
    page.wait_for_function("() => document.querySelector('select[name=b]').value === 'gamma'")
    page.go_back()
    page.wait_for_function("() => document.querySelector('select[name=b]').value === 'beta'")


def test_a_comparison_can_be_taken_away(page):
    go(page, "compare?a=alpha&b=beta")
    page.locator(".v-files summary").click()
    with page.expect_download() as download:
        page.locator(".v-files a", has_text="JSON").click()
    found = json.loads(open(download.value.path(), encoding="utf-8").read())
    shown = page.locator(".v-forest tbody td.b, .v-forest tbody td.q.n").all_inner_texts()
    for figure in found["figures"]:
        assert f"{100 * figure['difference']:+.1f}".replace("-", "−") in shown


def test_charts_are_drawn_follow_the_theme_and_have_a_table(page):
    go(page, "charts")
    page.wait_for_function(
        """() => { const plots = [...document.querySelectorAll(".v-plot")]; return plots.length >= 4
             && !document.querySelector("#main[data-live]") && plots.every((plot) => plot.querySelector(".plot-container")); }"""
    )  # figures that were still being computed came by themselves
    page.evaluate(
        """() => { for (const drawing of document.querySelectorAll(".plot-container")) drawing.old = true;
             dispatchEvent(new PopStateEvent("popstate")); }"""
    )
    page.wait_for_function(
        """() => [...document.querySelectorAll(".v-plot")].map((plot) => plot.querySelector(".plot-container"))
                   .every((drawing) => drawing && !drawing.old)"""
    )  # the page was written anew, and its charts are there again
    ink = "() => getComputedStyle(document.querySelector('.v-plot .scatterlayer .point')).fill"
    light = page.evaluate(ink)
    page.locator("[data-theme-switch]").click()
    page.wait_for_function(f"(was) => ({ink})() !== was", arg=light)
    page.locator(".v-twin summary").first.click()
    assert page.locator(".v-twin table tbody tr").first.locator("th").inner_text() == "gamma"
    page.locator(".v-rates a", has_text="Battles").click()
    page.wait_for_function("() => location.search.includes('rates=battles')")
    page.locator("h2", has_text="How often").wait_for()
    page.wait_for_function(
        "() => [...document.querySelectorAll('.v-plot')].every((plot) => plot.querySelector('.plot-container'))"
    )
    page.locator("select[name=category]").select_option("coding")
    page.wait_for_function("() => location.search.includes('category=coding')")
    page.locator(".u-actions [data-drawer]").click()
    page.locator(".u-drawer .u-hash").wait_for()
    assert "arena" in page.locator(".u-drawer .u-cite").first.inner_text()


def test_from_a_models_page_to_its_battles_and_one_of_them(page):
    go(page, "model?name=gamma")
    assert "300" not in page.locator(".v-five").inner_text()
    page.locator("section", has_text="Head to head").get_by_role("link", name=re.compile(r"^\d+$")).first.click()
    page.locator(".v-list-of").wait_for()
    assert "other=" in page.url
    page.locator(".v-list-of tbody th a").first.click()
    page.locator(".v-two").wait_for()
    before = page.url
    page.keyboard.press("j")
    page.wait_for_function("(was) => location.href !== was", arg=before)
    page.locator(".u-crumb a", has_text="Battles").click()
    page.locator(".v-list-of").wait_for()


def test_the_question_mark_opens_the_keys_on_every_page_and_not_while_one_types(page):
    for path in ("leaderboard", "compare", "charts", "browse", "battles"):
        go(page, path)
        page.keyboard.press("?")
        page.locator("dialog.u-keys[open]").wait_for()
        page.keyboard.press("Escape")
        page.wait_for_function("() => !document.querySelector('dialog[open]')")
    page.keyboard.press("/")
    page.keyboard.type("?")
    assert page.locator("dialog[open]").count() == 0


def test_on_a_phone_and_in_chinese_nothing_is_wider_than_the_screen(window):
    page = window(viewport={"width": 390, "height": 844}, locale="zh-CN").page
    for path in (
        "compare?a=alpha&b=beta",
        "model?name=gamma",
        "model?name=alpha",
        "battles",
        "battles?id=b00003",
        "charts",
        "browse?run=alpha&with=beta&dataset=gsm8k",
    ):
        go(page, path)
        assert page.locator("html").get_attribute("lang") == "zh-CN"
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
