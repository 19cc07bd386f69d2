"""The admin room in a real browser: evaluations and AI battles started, watched, stopped, taken up again, and found on the boards."""

from __future__ import annotations

import contextlib
import os
from collections import Counter

import pytest
import yaml

from tests.support.browser import served
from tests.support.servers import mock_openai
from tests.support.tiny_models import tiny_model

PASSWORD = "correct horse battery"
SOON = 120_000
"""Milliseconds in which a job that is started comes to its next state, on a machine with much to do."""

MODELS = ("skill-20", "skill-50", "skill-80")


@pytest.fixture(scope="module")
def server():
    """A server of models that answer as well as their names say, and of a judge that sees how well."""
    with mock_openai(arena="fair", latency="0.12") as mock:
        yield mock


@pytest.fixture(scope="module")
def site(tmp_path_factory, server):
    folder = tmp_path_factory.mktemp("room")
    rules = folder / "admin.yaml"
    rules.write_text("allowed_addresses: [127.0.0.0/8]\n")
    args = {"base_url": server.base_url, "max_concurrency": 2}
    models = {name: {"model": f"openai:{name}", "args": args} for name in (*MODELS, "judge")}
    (folder / "outputs").mkdir()
    (folder / "outputs" / "models.yaml").write_text(yaml.safe_dump(models))
    told = {
        "LLMUSES_ADMIN_PASSWORD": PASSWORD,
        "LLMUSES_ADMIN_CONFIG": str(rules),
        "LLMUSES_OUTPUTS": str(folder / "outputs"),
        "OMP_NUM_THREADS": "1",
        "OPENAI_API_KEY": "none",
    }
    with _environment(told), served(folder / "outputs") as address:
        yield address


@contextlib.contextmanager
def _environment(told):
    before = {name: os.environ.get(name) for name in [*told, "LLMUSES_MODELS"]}
    os.environ.update(told)
    os.environ.pop("LLMUSES_MODELS", None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@pytest.fixture(scope="module")
def page(browser, site):
    """Somebody who has logged in, after a wrong try."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US", base_url=site).new_page()
    page.set_default_timeout(SOON)
    page.problems = []
    page.on("pageerror", lambda problem: page.problems.append(str(problem)))
    page.goto("admin")
    for password in ("wrong password", PASSWORD):
        page.fill("[name=name]", "admin")
        page.fill("[name=password]", password)
        page.click("form .g-btn.primary")
        if password != PASSWORD:
            page.locator("[role=alert]", has_text="wrong").wait_for()
    page.locator("[data-room]").wait_for()
    yield page
    assert page.problems == []


def start(page, fields, datasets=("gsm8k",)):
    """Fill in the form of a new evaluation and start it; return the job's id."""
    page.goto("admin?tab=evaluate")
    page.check(f"[name=source][value={fields.pop('source')}]", force=True)
    for dataset in datasets:
        page.check(f"[name=datasets][value={dataset}]", force=True)
    page.check("[name=sample_data]")
    for name, value in fields.items():
        page.fill(f"[name={name}]", str(value))
    page.click(".u-formend .g-btn.primary")
    page.wait_for_url("**tab=jobs**")
    return page.url.rpartition("job=")[2]


def row(page, job):
    return page.locator(f".u-jobs tr:has(a[href$='{job}'])")


def becomes(page, job, status):
    row(page, job).locator("td:first-child", has_text=status).wait_for()


def test_an_evaluation_of_an_api_model_is_watched_stopped_taken_up_again_copied_and_found_on_the_leaderboard(
    page, server
):
    fields = {"source": "api", "model": "skill-60", "base_url": server.base_url, "concurrency": 1}
    others = Counter(server.stats().asked)
    job = start(page, {**fields, "limit": 40})
    becomes(page, job, "Running")
    widths = "[...document.querySelectorAll('.u-jobs th')].map(e => Math.round(e.getBoundingClientRect().width)).join()"
    before = page.evaluate(widths)
    page.wait_for_function("parseInt(document.querySelector('.u-jobs [role=progressbar]').ariaValueNow) > 5")
    assert page.evaluate(widths) == before, "no column moves while figures arrive"
    stop = row(page, job).locator("[data-deed=cancel]")
    stop.click()
    page.locator("[data-said]", has_text=job).wait_for()
    stop.click()
    becomes(page, job, "Cancelled")
    asked = server.stats().requests
    row(page, job).locator("[data-deed=resume]").click()
    becomes(page, job, "Done")
    assert server.stats().requests > asked
    mine = Counter(server.stats().asked) - others
    assert max(mine.values()) <= 2, "what was answered was not asked again, but for what was in flight"
    row(page, job).locator(".u-acts a", has_text="Clone").click()  # to the form as it was filled in
    assert page.input_value("[name=model]") == "skill-60"
    assert page.is_checked("[name=source][value=api]")
    assert page.is_checked("[name=datasets][value=gsm8k]")
    assert page.input_value("[name=limit]") == "40"
    page.goto("leaderboard?board=benchmarks")
    page.locator("td, th", has_text="skill-60").first.wait_for()
    page.goto("admin/benchmarks")
    for _ in range(2):  # the room's own board: a figure opens beside it, and once more after it was closed
        page.locator("td a[data-drawer]").first.click()
        page.locator("html[data-drawer=open] [data-beside] aside", has_text="skill-60").wait_for()
        page.keyboard.press("Escape")
        page.locator("html:not([data-drawer])").wait_for()


def test_an_evaluation_of_a_checkpoint_on_this_machine_ends_with_a_report(page):
    job = start(page, {"source": "directory", "model": tiny_model(chat=True), "limit": 2}, ("arc",))
    becomes(page, job, "Done")
    page.click(".u-cardhead >> text=Report")
    page.locator("main h1, main h2").first.wait_for()
    assert "browse?run=" in page.url


def test_a_model_is_added_in_the_page_and_says_hello(page, server):
    page.goto("admin?tab=models")
    area = page.locator("textarea[name=text]")
    fresh = {"newcomer": {"model": "openai:skill-40", "args": {"base_url": server.base_url}}}
    area.fill(f"{area.input_value()}\n{yaml.safe_dump(fresh)}")
    page.click("[data-deed=save-models] .g-btn.primary")
    page.locator("[data-said]", has_text="Saved").wait_for()
    page.goto("admin?tab=evaluate")
    page.fill("[name=model]", "newcomer")
    page.click("[data-deed=hello]")
    page.locator("[data-outcome=hello]", has_text="thinks that its answer is worth").wait_for()


def test_ai_battles_are_watched_until_the_ranking_is_the_true_one(page):
    page.goto("admin?tab=battles")
    page.fill("[name=name]", "spring")
    for name in MODELS:
        page.check(f"[name=models][value='{name}']", force=True)
    page.fill("[name=number]", "12")
    page.select_option("[name=judge]", "judge")
    page.click("[data-deed=plan-battles]")
    page.locator("[data-outcome=plan-battles] tr", has_text="Judge calls").locator("td", has_text="72").wait_for()
    page.click(".u-formend .g-btn.primary")
    page.wait_for_url("**tab=jobs**")
    job = page.url.rpartition("job=")[2]
    seen = page.locator(".u-newest tbody tr").first
    seen.wait_for()
    assert row(page, job).locator("td:first-child").inner_text() in ("Running", "Done")
    becomes(page, job, "Done")
    page.locator(".u-figures", has_text="36 / 36").wait_for()
    assert page.locator(".u-ranking tbody th").all_inner_texts() == list(MODELS[::-1])
    page.click(".u-cardhead >> text=Read battles")
    page.locator("main a", has_text="skill-80").first.wait_for()


@pytest.fixture
def phone(page, server):
    """The window as small as a phone; in the room is a job."""
    page.goto("admin?tab=jobs")
    if not page.locator(".u-jobs tbody tr").count():
        start(page, {"source": "api", "model": "skill-60", "base_url": server.base_url, "limit": 1})
    page.set_viewport_size({"width": 390, "height": 844})
    yield page
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("admin?lang=en")


def test_the_room_speaks_chinese_and_fits_a_phone(phone):
    page = phone
    for tab, words in (("jobs", "任务"), ("evaluate", "评测集"), ("battles", "开始对战")):
        page.goto(f"admin?tab={tab}&lang=zh")
        page.locator("main", has_text=words).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, tab
    for lang in ("zh", "en"):
        page.goto(f"admin?tab=jobs&lang={lang}")
        door = page.locator(".u-bar .u-door").bounding_box()
        assert door["x"] + door["width"] <= 390, "the way into the room is in sight"
        about, log = (page.locator(".u-jobgrid > .u-card").nth(place).bounding_box() for place in (0, 1))
        assert log["y"] >= about["y"] + about["height"], "a job's two cards stand under each other"


def test_on_a_small_laptop_what_one_does_to_a_job_is_in_sight_in_both_languages(phone):
    page = phone
    page.set_viewport_size({"width": 1024, "height": 768})
    for lang in ("zh", "en"):
        page.goto(f"admin?tab=jobs&lang={lang}")
        page.locator(".u-acts").first.wait_for()
        cut = """() => [...document.querySelectorAll('.u-acts > *')]
            .filter((each) => each.getBoundingClientRect().right > innerWidth - 24 || each.scrollWidth > each.clientWidth)
            .map((each) => each.textContent)"""
        assert page.evaluate(cut) == []
        head = page.locator(".u-room .u-head").bounding_box()
        work = page.locator("[data-working]").bounding_box()
        assert head["y"] <= work["y"] and work["y"] + work["height"] <= head["y"] + head["height"]
