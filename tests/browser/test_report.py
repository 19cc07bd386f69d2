"""A run's report in a real browser: no script, no request, two languages, light and dark, a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llmuses.records import RunStatus
from llmuses.reports import write_reports
from tests.unit.reports.builders import estimate, plan, report, run

HOSTILE = '<img src="http://evil.example/x.png"><script>document.title = "hacked"</script>' + "wide" * 60


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    subsets = {f"high_school_subject_{number:02}": estimate(5, 10, unparsed=1) for number in range(57)}
    reports = [
        report(
            of=estimate(300, 570, unparsed=57, failed=3), subsets=subsets, averages={"subsets_weighted": estimate(5, 9)}
        ),
        report("arc", title=HOSTILE, of=estimate(0, 0, failed=3)),
    ]
    folder: Path = tmp_path_factory.mktemp("run")
    write_reports(folder, run(plan(), plan("arc"), model=HOSTILE, status=RunStatus.INCOMPLETE), reports, "en")
    return (folder / "report.html").as_uri()


@pytest.fixture
def page(browser, address: str) -> Iterator:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(address)
    yield page
    context.close()


def test_it_asks_for_nothing_and_complains_of_nothing(browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("console", lambda message: seen.append(message.text))
    page.goto(address)
    page.wait_for_load_state()
    assert [said for said in seen if not said.startswith("data:")] == [address]
    assert "hacked" not in page.title()[:6]
    context.close()


def test_one_press_shows_the_other_language_and_no_more_than_one_is_shown(page) -> None:
    assert page.locator("main:visible").get_attribute("lang") == "en"
    page.get_by_text("中文").click()
    assert page.locator("main:visible").get_attribute("lang") == "zh-CN"
    assert page.get_by_role("heading", name="结果").is_visible()


def test_the_language_is_chosen_with_the_keyboard_too(page) -> None:
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.locator("main:visible").get_attribute("lang") == "zh-CN"


def test_the_system_chooses_light_or_dark(page) -> None:
    def ground() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.emulate_media(color_scheme="light")
    light = ground()
    page.emulate_media(color_scheme="dark")
    assert light == "rgb(250, 250, 248)"
    assert ground() == "rgb(18, 19, 22)"


def test_nothing_is_wider_than_the_window(page) -> None:
    for language in ("English", "中文"):
        page.get_by_text(language, exact=True).click()
        for width in (390, 720, 1000, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (language, width)


def test_a_name_in_the_results_leads_to_its_section(page) -> None:
    page.get_by_role("link", name="MMLU").click()
    assert page.evaluate("document.querySelector(':target h2').textContent") == "MMLU"
