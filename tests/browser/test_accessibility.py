"""axe-core over every page, in both themes and both languages: no serious finding.

axe-core is not a part of this repository: it comes with the package axe-playwright-python, or as LLMUSES_AXE names it.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.arenas import write_arena
from tests.support.fake_runs import FakeDataset, FakeRun


def axe_script() -> str:
    """Return the text of axe-core; the test is skipped where it is not installed."""
    if named := os.environ.get("LLMUSES_AXE"):
        return Path(named).read_text("utf-8")
    package = find_spec("axe_playwright_python")
    if package is None or not package.submodule_search_locations:
        pytest.skip("axe-core is not installed: pip install axe-playwright-python")
    return Path(package.submodule_search_locations[0], "axe.min.js").read_text("utf-8")


pytestmark = pytest.mark.timeout(900)  # axe looks through two dozen pages before the first test


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    FakeRun("alpha", {"gsm8k": FakeDataset(n=60, wrong=20, unparsed=2), "arc": FakeDataset(n=40, wrong=9)}, run_id="alpha").write(folder)  # fmt: skip
    FakeRun("beta", {"gsm8k": FakeDataset(n=60, wrong=6), "arc": FakeDataset(n=40, wrong=4)}, run_id="beta").write(
        folder
    )
    write_arena(folder)
    return folder


PAGES = {
    "arena board": "leaderboard",
    "benchmark board": "benchmarks",
    "drawer": "benchmarks?run=alpha&dataset=gsm8k",
    "charts of an arena": "charts",
    "charts of benchmarks": "charts?of=benchmarks",
    "compare": "compare?a=alpha&b=beta",
    "model in the arena": "model?name=gamma",
    "model with runs": "model?name=alpha",
    "runs": "browse",
    "run": "browse?run=alpha",
    "samples": "browse?run=alpha&dataset=gsm8k",
    "sample": "browse?run=alpha&dataset=gsm8k&sample=main/3",
    "two models on a sample": "browse?run=alpha&with=beta&dataset=gsm8k",
    "battles": "battles",
    "battle": "battles?id=b00003",
    "catalogue": "catalogue",
    "arena": "arena",
    "jobs": "admin",
    "new evaluation": "admin?tab=evaluate",
    "AI battles": "admin?tab=battles",
    "models": "admin?tab=models",
    "the arena's keeping": "admin?tab=arena",
    "health": "admin?tab=health",
    "no such page": "nowhere",
}

AUDIT = """async ({tags, colours, all}) => {
  const problems = async (what, rules) => (await axe.run(what, {resultTypes: ["violations"], ...rules})).violations
    .filter((each) => ["serious", "critical"].includes(each.impact))
    .map((each) => each.id + ": " + each.nodes.slice(0, 4).map((node) => node.target.join(" ") + " " + (node.any[0]?.message ?? node.all[0]?.message ?? "")).join(" | "));

  // Texts that look like one before them in all that a contrast is made of: the hundredth row of a table, not the first.
  const looks = new Map([[null, ""]]), seen = new Set(), first = [], again = [];
  const look = (each) => {
    if (!looks.has(each)) {
      const style = getComputedStyle(each);
      looks.set(each, look(each.parentElement) + [each.tagName, each.getAttribute("class"), style.color, style.backgroundColor,
        style.backgroundImage, style.opacity, style.fontSize, style.fontWeight, style.textDecoration].join() + ">");
    }
    return looks.get(each);
  };
  for (const each of document.body.querySelectorAll("*")) {
    const field = each.matches("input, select, textarea");
    if (!field && ![...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    (field || !seen.has(look(each)) ? first : again).push(each);
    seen.add(look(each));
  }
  const skipped = again.filter((each) => !first.some((one) => each.contains(one)));

  const found = await problems({include: [document], exclude: skipped}, {runOnly: colours});
  const off = Object.fromEntries(colours.map((rule) => [rule, {enabled: false}]));
  return all ? [...found, ...await problems(document, {runOnly: tags, rules: off})] : found;
}"""

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
"""What a theme can spoil. These two rules take as long as all others, and see each look of a text once."""


def audit(page, everything=True):
    """Return the serious findings of axe on a page; without ``everything`` those that a theme can spoil."""
    return page.evaluate(AUDIT, {"tags": TAGS, "colours": COLOURS, "all": everything})


BARE = """() => [...document.querySelectorAll("#main table")].filter((table) => table.tBodies.length && table.tBodies[0].rows.length)
  .flatMap((table) => {
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
    const unnamed = rows.filter((row) => row.cells.length > 1 && !row.querySelector("th, [role=rowheader]")).length;
    const heads = [...(table.tHead?.rows ?? [])].flatMap((row) => [...row.cells]).filter((cell) => cell.tagName === "TH");
    return [unnamed ? `${unnamed} rows without a head in ${table.className}` : "", heads.length ? "" : `no heads in ${table.className}`];
  }).filter(Boolean)"""


@pytest.fixture(scope="module")
def looked_at(windows, address):
    """Look at every page once, in one language or the other: what axe finds in light and in dark, and tables without heads."""
    script = axe_script()
    opened = windows.open(address, reduced_motion="reduce")
    page = opened.page
    findings, bare = {}, {}
    for number, (name, path) in enumerate(PAGES.items()):
        page.emulate_media(color_scheme="light")
        opened.open(path + ("&" if "?" in path else "?") + f"lang={('en', 'zh')[number % 2]}")
        if "data-figure" in page.content():
            page.locator(".plot-container").first.wait_for()
        bare[name] = page.evaluate(BARE)
        page.evaluate(script)
        found = audit(page)
        page.emulate_media(color_scheme="dark")
        page.locator("body.dark").wait_for()
        findings[name] = [*found, *audit(page, everything=False)]
    opened.close()
    return findings, bare


def test_no_page_has_a_serious_finding_in_light_or_dark(looked_at):
    assert {name: found for name, found in looked_at[0].items() if found} == {}


def test_every_figure_of_a_table_stands_under_a_column_and_beside_a_row_that_have_names(looked_at):
    assert {name: found for name, found in looked_at[1].items() if found} == {}


def test_the_dialog_of_keys_has_no_serious_finding(window):
    script = axe_script()
    page = window().open("browse")
    page.keyboard.press("?")
    page.locator("dialog.u-keys[open]").wait_for()
    page.evaluate(script)
    assert audit(page) == []
