"""Hostile markup in a real browser, put into a page as an answer is: it runs nothing, loads nothing and covers nothing."""

from __future__ import annotations

from typing import Any

import pytest

from arena.live.rendering import LiveMarkdown, plain, render
from llmuses.settings import static_dir
from tests.arena.live.rendering.test_hostile import MARKUP

SHEETS = ("tokens.css", "components.css", "gradio-look.css", "app.css", "arena.css")
PAGE = """<!doctype html><meta charset=utf-8><style>{css}</style><body class="u" style="margin: 0">
<section class="u" id="pane" style="width: 480px; height: 420px; overflow: auto; position: relative">
<div class="g-chat" style="height: 100%"><div class="bot"><div class="a-blocks"></div></div></div></section>
<button id="vote" style="display: block; width: 480px; height: 40px">A is better</button>
<script nonce="x">window.ran = []; window.alert = what => ran.push(what)</script>"""

PUT = """blocks => {
  const place = document.querySelector(".a-blocks");
  place.replaceChildren(...blocks.map(html => { const block = document.createElement("div"); block.innerHTML = html; return block; }));
}"""
LOOK = """() => {
  const seen = { ran: [...ran], on_top: null, loud: [], names: [], outside: [] };
  const vote = document.getElementById("vote"), box = vote.getBoundingClientRect(), all = document.querySelectorAll(".a-blocks *");
  seen.on_top = [0.1, 0.5, 0.9].every(share => document.elementFromPoint(box.left + share * box.width, box.top + box.height / 2) === vote);
  for (const element of all) {
    const style = getComputedStyle(element);
    if (!["static", "relative"].includes(style.position) || style.float !== "none") seen.loud.push(element.outerHTML.slice(0, 200));
    for (const { name } of element.attributes)
      if (["id", "name", "style", "src", "srcset", "action", "formaction"].includes(name) || name.startsWith("on")) seen.names.push(name);
    if (["FORM", "INPUT", "BUTTON", "SCRIPT", "STYLE", "IMG", "IFRAME", "OBJECT", "LINK", "META", "BASE", "SVG"].includes(element.tagName.toUpperCase()))
      seen.names.push(element.tagName);
  }
  return seen;
}"""


@pytest.fixture(scope="module")
def tab(browser: Any) -> Any:
    css = "\n".join((static_dir() / sheet).read_text("utf-8") for sheet in SHEETS)
    page = browser.new_page()
    page.asked = []
    page.route("**/*", lambda route: (page.asked.append(route.request.url), route.abort()))
    page.set_content(PAGE.replace("{css}", css))
    yield page
    page.close()


def check(tab: Any, blocks: list[str]) -> None:
    tab.evaluate(PUT, blocks)
    seen = tab.evaluate(LOOK)
    assert (seen["ran"], seen["loud"], seen["names"], seen["on_top"]) == ([], [], [], True), blocks
    assert tab.asked == []


def test_nothing_runs_loads_or_covers_the_vote_whole_or_cut_anywhere(tab: Any) -> None:
    for markup in MARKUP:
        check(tab, render(markup))
        live = LiveMarkdown()
        for end in range(1, len(markup), 7):
            live.update(f"- **a {markup[:end]}")
            check(tab, live.shown)
        check(tab, [plain(markup)])


def test_everything_at_once_is_harmless_too_and_a_click_on_it_runs_nothing(tab: Any) -> None:
    check(tab, render("\n\n".join(MARKUP[:40])) + render("\n\n".join(MARKUP[40:])))
    tab.evaluate(
        """() => { for (const element of document.querySelectorAll(".a-blocks *"))
             for (const kind of ["mouseover", "focus", "toggle", "error", "load"]) element.dispatchEvent(new Event(kind)); }"""
    )
    assert tab.evaluate("ran.length") == 0
    assert tab.asked == []


def test_long_words_and_wide_things_stay_in_their_pane(tab: Any) -> None:
    wide = [
        "x" * 3000,
        "| " + "a" * 300 + " |\n|---|\n| b |",
        "```\n" + "y" * 2000 + "\n```",
        "$" + "z + " * 200 + "z$",
        "> " * 15 + "deep",
    ]
    for text in wide:
        check(tab, render(text))
        outside = tab.evaluate(
            """() => { const pane = document.getElementById("pane").getBoundingClientRect();
                 return document.documentElement.scrollWidth > innerWidth || document.getElementById("pane").scrollWidth > pane.width + 1; }"""
        )
        assert not outside, text[:20]


def test_formulas_are_drawn_by_the_browser(tab: Any) -> None:
    tab.evaluate(PUT, render(r"$$\frac{a}{b}$$"))
    box = tab.evaluate(
        """() => { const [up, down] = document.querySelectorAll(".a-blocks mfrac > *");
             return [up.getBoundingClientRect().bottom, down.getBoundingClientRect().top]; }"""
    )
    assert box[0] <= box[1] + 1
