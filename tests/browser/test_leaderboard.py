"""The leaderboard in a real browser: figures, order, search, drawer, languages, themes, a phone, keys, and no traffic."""

from __future__ import annotations

import csv
import re
import urllib.parse

import pytest

from leaderboard.results import Results
from tests.support.browser import served
from tests.support.fake_runs import HOSTILE, FakeDataset, FakeRun, grow, showcase


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    showcase(folder)
    FakeRun(f"evil {HOSTILE}", {"gsm8k": FakeDataset(n=30, wrong=29, sample_data=False)}, spec=HOSTILE, run_id="evil",
            hostile=True).write(folder)  # fmt: skip
    return folder


def models(page):
    return page.locator("tbody .name a").all_inner_texts()


def test_the_figures_are_those_of_the_reports(window, outputs):
    page = window().open()
    reports = {
        (entry.run.model, dataset): report
        for entry in Results(outputs).runs()
        for dataset, report in entry.reports.items()
        if entry.run_id != "evil"
    }
    shown = 0
    for link in page.locator("td.c a[data-drawer]").all():
        query = dict(urllib.parse.parse_qsl(link.get_attribute("data-drawer")))
        model = link.locator("xpath=ancestor::tr").locator(".name a").inner_text()
        report = reports.get((model, query["dataset"]))
        if report is None:
            continue
        half = 50 * (report.ci95[1] - report.ci95[0])
        assert link.inner_text().split()[:1] == [f"{100 * report.score:.1f}±{half:.1f}"] or (
            re.sub(r"\s", "", link.inner_text()) == f"{100 * report.score:.1f}±{half:.1f}"
        )
        shown += 1
    assert shown == len(reports) == 33


def test_a_click_on_a_head_sorts_and_a_second_one_turns_the_order(window):
    opened = window()
    page = opened.open()
    documents = len([url for url in opened.requests if "/benchmarks" in url])
    assert models(page)[0] == "Mistral-Small-3.2-24B-Instruct"
    page.locator("thead a", has_text="ARC").click()
    page.wait_for_url("**sort=-arc-0-shot")
    page.locator("th[aria-sort=descending]", has_text="ARC").wait_for()
    scores = [
        float(cell.split("±")[0])
        for cell in page.locator("tr:has(td.c:nth-child(4) a) td.c:nth-child(4)").all_inner_texts()
    ]
    ranked = scores[:10]
    assert ranked == sorted(ranked, reverse=True)
    page.locator("thead a", has_text="ARC").click()
    page.locator("th[aria-sort=ascending]", has_text="ARC").wait_for()
    assert models(page)[0] in ("baseline:random", "baseline:majority")
    page.go_back()
    page.locator("th[aria-sort=descending]", has_text="ARC").wait_for()
    assert len([url for url in opened.requests if "/benchmarks" in url]) == documents, "the page was not loaded again"


def test_an_address_reproduces_the_view(window):
    page = window().open("benchmarks?sort=name&q=baseline&hide=gsm8k-0-shot")
    assert models(page) == ["baseline:majority", "baseline:random"]
    assert page.locator("thead a", has_text="GSM8K").count() == 0
    assert page.locator("input[name=q]").last.input_value() == "baseline"


def test_typing_filters_at_once_and_clearing_brings_everything_back(window):
    page = window().open()
    everything = len(models(page))
    page.keyboard.press("/")
    page.keyboard.type("qwen")
    page.wait_for_url(lambda url: url.endswith("q=qwen"))
    page.locator(".u-filterbar", has_text="1 of 12 models").wait_for()
    assert models(page) == ["Qwen3-8B"]
    page.keyboard.press("Escape")
    page.locator("a", has_text="Clear filters").click()
    page.locator(".u-filterbar", has_text="12 of 12 models").wait_for()
    assert (len(models(page)), page.locator(".u-filterbar input[name=q]").input_value()) == (everything, "")


def test_a_search_that_finds_nothing_says_so(window):
    page = window().open("benchmarks?q=nobody")
    page.locator("h3", has_text="No model matches").wait_for()
    page.locator(".u-msg a", has_text="Clear filters").click()
    page.locator("table.u-bench").wait_for()
    assert "nobody" not in page.url


def test_columns_and_demo_rows_can_be_hidden(window):
    page = window().open()
    page.locator("summary", has_text="3 of 3 columns").click()
    page.locator("details[open] .u-pop label", has_text="GSM8K").click()
    page.locator("summary", has_text="2 of 3 columns").wait_for()
    assert page.locator("details[open] .u-pop").is_visible(), "the menu stays open for the next box"
    page.keyboard.press("Escape")
    page.locator("details[open] .u-pop").wait_for(state="hidden")
    page.locator("th", has_text="of 2").wait_for()
    page.locator("label.g-chip", has_text="Demo").click()
    page.locator(".u-filterbar", has_text="10 of 12 models").wait_for()
    assert "hide=gsm8k-0-shot" in page.url
    assert "demo=0" in page.url
    assert not [name for name in models(page) if name.startswith("baseline")]


def test_a_checked_column_has_a_tick_that_can_be_seen(window):
    page = window().open()
    page.locator("summary", has_text="3 of 3 columns").click()
    style = "getComputedStyle(document.querySelector('details[open] .u-pop input:checked')).backgroundColor"
    assert page.evaluate(style) == "rgb(42, 76, 194)"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{style} === 'rgb(147, 170, 255)'")
    page.locator("h1").click()
    page.locator("details[open] .u-pop").wait_for(state="hidden")


def test_a_cell_opens_the_drawer_and_the_drawer_leads_to_the_sample(window):
    page = window().open()
    cell = page.locator("tr", has_text="Qwen3-8B").locator("td.c a", has_text="77.0")
    width = page.locator(".u-wide").bounding_box()["width"]
    top = cell.bounding_box()["y"]
    cell.click()
    drawer = page.locator("aside.u-drawer")
    drawer.locator("h3", has_text="Samples that are not correct").wait_for()
    assert "run=openai-Qwen3-8B-mmlu-arc-gsm8k&dataset=mmlu" in page.url
    assert drawer.evaluate("element => element === document.activeElement")
    assert page.locator("td.on a").inner_text() == cell.inner_text()
    assert page.locator(".u-wide").bounding_box()["width"] < width
    assert cell.bounding_box()["y"] == top, "nothing moves up or down"
    page.keyboard.press("Escape")
    drawer.wait_for(state="hidden")
    assert "run=" not in page.url
    assert cell.evaluate("element => element === document.activeElement")
    cell.click()
    drawer.locator("h3", has_text="Samples that are not correct").wait_for()
    drawer.locator("li a").first.click()
    page.wait_for_url("**/browse?run=openai-Qwen3-8B-mmlu-arc-gsm8k&dataset=mmlu&sample=*&repeat=0")
    page.locator(".b-middle").wait_for()
    page.go_back()
    drawer.wait_for()
    assert drawer.locator(".u-figure").inner_text().startswith("77.0")


def test_with_a_modifier_key_a_cell_is_an_ordinary_link(window):
    opened = window()
    page = opened.open()
    with opened.context.expect_page() as other:
        page.locator("td.c a[data-drawer]").first.click(modifiers=["Control"])
    assert "/browse?run=" in other.value.url
    assert page.locator("aside.u-drawer").count() == 0


def test_an_address_with_a_run_and_a_dataset_opens_the_drawer(window):
    page = window().open("benchmarks?run=openai-phi-4-mmlu-arc-gsm8k&dataset=arc")
    drawer = page.locator("aside.u-drawer")
    drawer.wait_for()
    assert "incomplete: 12 of 300 samples failed" in drawer.inner_text()
    assert page.locator("td.on").count() == 1
    page.locator("thead a", has_text="Model").click()
    page.locator("th[aria-sort=ascending]", has_text="Model").wait_for()
    assert "dataset=arc" in page.url
    assert page.locator("td.on").count() == 1


def test_the_language_is_the_browsers_until_it_is_chosen_and_the_view_stays(window):
    opened = window(locale="zh-CN")
    page = opened.open("benchmarks?sort=name")
    assert page.locator("h1").inner_text() == "排行榜"
    assert (page.evaluate("document.documentElement.lang"), page.title()) == ("zh-CN", "排行榜 · llmuses")
    page.locator("thead a", has_text="ARC").click()
    page.wait_for_url("**sort=-arc-0-shot")
    page.locator("a[data-lang]").click()
    page.locator("h1", has_text="Leaderboard").wait_for()
    assert "sort=-arc-0-shot" in page.url
    opened.open("benchmarks")
    assert page.locator("h1").inner_text() == "Leaderboard"
    assert page.evaluate("document.documentElement.lang") == "en"


GROUND = "getComputedStyle(document.body).backgroundColor"


def test_the_theme_follows_the_system_until_it_is_switched_and_stays_switched(window):
    opened = window(color_scheme="dark")
    page = opened.open()
    assert page.evaluate(GROUND) == "rgb(18, 19, 22)"
    page.locator("[data-theme-switch]").click()
    assert page.evaluate(GROUND) == "rgb(250, 250, 248)"
    page.add_init_script(
        "window.grounds = new Set(); (function look() { if (document.body) window.grounds.add("
        f"{GROUND}); requestAnimationFrame(look); }})()"
    )
    opened.open("browse")
    assert page.evaluate("[...window.grounds]") == ["rgb(250, 250, 248)"], "no flash of the other theme"
    assert not page.evaluate("document.body.classList.contains('dark')")


def test_gradios_own_variables_are_the_tokens(window):
    page = window().open()
    style = "getComputedStyle(document.querySelector('.gradio-container'))"
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(
            f"document.body.classList.contains('dark') === {'true' if scheme == 'dark' else 'false'}"
        )
        for theirs, ours in (
            ("--body-background-fill", "--u-bg"),
            ("--button-primary-background-fill", "--u-accent"),
        ):
            assert page.evaluate(f"{style}.getPropertyValue('{theirs}')") == page.evaluate(
                f"{style}.getPropertyValue('{ours}')"
            )
    assert "Gradio" not in page.locator("body").inner_text()


def test_on_a_phone_one_benchmark_at_a_time_without_a_sideways_scroll(window):
    page = window(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).open()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("thead").is_hidden()
    page.locator(".u-chips a", has_text="GSM8K").tap()
    page.locator(".u-chips a.on", has_text="GSM8K").wait_for()
    tops = {name: box["y"] for name, box in _boxes(page).items()}
    assert (
        tops["phi-4"]
        < tops["Mistral-Small-3.2-24B-Instruct"]
        < tops["gemma-3-12b-it"]
        < tops["TinyLlama-1.1B-Chat-v1.0"]
    )
    for control in page.locator(".u-chips a:visible, .u-bar a.tool:visible, .u-bar button.tool:visible").all():
        assert control.bounding_box()["height"] >= 44
    page.locator("td.c.cur a").first.tap()
    drawer = page.locator("aside.u-drawer")
    drawer.locator("h3", has_text="Samples").wait_for()
    page.wait_for_function("document.querySelector('aside.u-drawer').getBoundingClientRect().width === 390")
    assert drawer.locator("[data-close]").bounding_box()["height"] >= 44
    drawer.locator("[data-close]").tap()
    drawer.wait_for(state="hidden")


def _boxes(page):
    rows = page.locator("tbody tr").all()
    return {row.locator(".name a").inner_text(): row.bounding_box() for row in rows}


def test_keys_lead_through_the_page_and_a_skip_link_comes_first(window):
    page = window().open()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "u-skip"
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.innerText") == models(page)[0]
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.innerText") == models(page)[1]
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.innerText") == models(page)[0]
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("j/k")
    assert page.locator(".u-filterbar input[name=q]").input_value() == "j/k"


def test_the_search_of_the_bar_leads_to_the_board_from_anywhere(window):
    page = window().open("browse")
    page.locator(".u-bar input[name=q]").fill("Qwen")
    page.keyboard.press("Enter")
    page.wait_for_url("**/leaderboard?q=Qwen")
    page.locator(".u-filterbar", has_text="1 of 12 models").wait_for()
    assert page.locator("table.u-bench tbody tr").count() == 1


def test_the_board_can_be_downloaded_as_it_is_shown(window, tmp_path):
    page = window().open("benchmarks?q=Qwen3")
    with page.expect_download() as download:
        page.locator("a", has_text="CSV").click()
    download.value.save_as(tmp_path / "board.csv")
    with open(tmp_path / "board.csv") as file:
        assert {row["model"] for row in csv.DictReader(file)} == {"Qwen3-8B"}


def test_the_link_that_is_copied_is_the_address(window):
    opened = window()
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = opened.open("benchmarks?sort=name")
    page.locator("button", has_text="Copy link").click()
    page.locator("button", has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_text_of_models_and_runs_does_nothing(window):
    opened = window()
    page = opened.open(f"benchmarks?q=evil&sort={urllib.parse.quote(HOSTILE)}")
    assert models(page)[0].startswith("evil </td></table><script>")
    page.locator("td.c a[data-drawer]").first.click()
    page.locator("aside.u-drawer li").first.wait_for()
    assert page.evaluate("window.hacked") is None
    assert page.locator("#main script, aside script, #main img, aside img").count() == 0
    assert "{{constructor}}" in page.locator("aside.u-drawer").inner_text()


def test_the_pages_ask_nobody_but_their_own_server(window, address):
    opened = window()
    page = opened.open()
    page.locator("td.c a[data-drawer]").first.click()
    page.locator("aside.u-drawer li").first.wait_for()
    opened.open("browse")
    opened.open("./")
    page.wait_for_timeout(500)
    own = urllib.parse.urlsplit(address).netloc
    foreign = {url for url in opened.requests if urllib.parse.urlsplit(url).netloc not in (own, "")}
    assert foreign == set()
    assert len(opened.requests) > 30


def test_an_unknown_address_is_a_page_with_a_way_back(window):
    opened = window()
    opened.page.goto("no/such/page")
    opened.page.locator("h3", has_text="There is no such page").wait_for()
    opened.page.locator(".u-msg a").click()
    opened.page.locator(".u-bar a[aria-current=page]").wait_for()
    assert "no/such/page" not in opened.page.url
    opened.problems.clear()  # the browser itself notes the 404


def test_a_board_wider_than_the_window_scrolls_in_its_box_beside_the_names(window, tmp_path):
    for shots in range(8):
        own = FakeDataset(n=40, wrong=shots, few_shot=shots, sample_data=True)
        FakeRun("model", {"mmlu": own}, run_id=f"r{shots}").write(tmp_path)
    with served(tmp_path) as address:
        opened = window(address, viewport={"width": 1280, "height": 800})
        page = opened.open()
        box, name = page.locator(".u-wide.u-more:not(.u-moved)"), page.locator("tbody .name")
        box.wait_for()
        left = name.bounding_box()["x"]
        page.locator(".u-wide").evaluate("box => box.scrollLeft = box.scrollWidth")
        page.locator(".u-wide.u-moved:not(.u-more)").wait_for()
        last = page.locator("td.c").last.bounding_box()
        assert last["x"] + last["width"] <= 1280
        assert name.bounding_box()["x"] == left
        assert page.evaluate("document.documentElement.scrollWidth") == 1280
        page.locator("td.c a").last.click()
        about = page.locator("aside .u-figure .end")
        about.wait_for()
        assert about.evaluate("element => element.scrollWidth <= element.clientWidth"), "nothing is cut"
        assert "chance 25" in about.inner_text()
        opened.page.set_viewport_size({"width": 390, "height": 844})
        opened.open()
        caption = page.locator(".u-about")
        assert caption.evaluate("element => element.scrollHeight <= element.clientHeight"), (
            "the rule is below the words"
        )


def test_a_run_that_goes_on_changes_its_figures_in_place(window, tmp_path):
    FakeRun("done", {"gsm8k": FakeDataset(n=50, wrong=20)}).write(tmp_path)
    going = FakeRun("going", {"gsm8k": FakeDataset(n=60, wrong=20)})
    grow(tmp_path, going, 6)
    with served(tmp_path) as address:
        page = window(address).open()
        page.locator(".name", has_text="running").wait_for()
        page.evaluate("window.mark = document.querySelector('tbody tr .name a')")
        before = page.locator("tr", has_text="going").locator("td.c a").inner_text()
        grow(tmp_path, going, 20)
        page.wait_for_function(f"!document.body.innerText.includes({before.split('±')[0]!r})")
        assert page.evaluate("window.mark.isConnected"), "the page was not written anew"
        going.write(tmp_path)
        page.locator(".name .u-tag.acc").wait_for(state="detached")
        assert page.locator("td.part").count() == 0
