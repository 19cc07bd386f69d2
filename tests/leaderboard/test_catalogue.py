"""The catalogue of benchmarks: every one of them with its words, its facts and a prompt as it is really asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leaderboard.arena_board_ratings import Desk
from leaderboard.arenas import Arenas
from leaderboard.battle_index import BattleShelf
from leaderboard.battles_page import battles_view
from leaderboard.board_words import title_words
from leaderboard.browse import browse
from leaderboard.catalogue import about, catalogue, catalogue_drawer
from leaderboard.ready import Ready
from leaderboard.results import Results
from leaderboard.samples import Shelf
from llmuses.benchmarks import benchmark_names, get_benchmark
from llmuses.evaluation.example import example_prompt, forms
from llmuses.i18n import LANGUAGES
from llmuses.records import Generate, Mode
from tests.support.pages import Page, visit

NAMES = benchmark_names()
each_benchmark = pytest.mark.parametrize("name", NAMES)


def test_every_benchmark_stands_in_the_table_and_opens_its_drawer() -> None:
    page = Page(catalogue(visit()))
    assert page.errors == []
    links = [attributes["data-drawer"] for tag, attributes in page.tags if "data-drawer" in attributes]
    assert sorted(links) == sorted(f"benchmark={name}" for name in NAMES)


def test_the_pages_below_browse_lead_to_each_other(tmp_path: Path) -> None:
    results, ready = Results(tmp_path), Ready(Desk(Arenas(tmp_path)))
    pages = {
        "browse": browse(results, Shelf(), visit()),
        "battles": battles_view(ready, BattleShelf(), visit(), ("", "")),
        "catalogue": catalogue(visit()),
    }
    for name, html in pages.items():
        ways = [tag for _, tag in Page(html).tags if tag.get("href") in pages and "class" not in tag]
        assert [way["href"] for way in ways] == list(pages), name
        assert [way["href"] for way in ways if way.get("aria-current") == "page"] == [name]


@each_benchmark
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_benchmark_is_described_in_both_languages(name: str, lang: str) -> None:
    sentence = about(get_benchmark(name), "zh" if lang == "zh" else "en")
    assert sentence
    assert bool(re.search(r"[\u4e00-\u9fff]", sentence)) is (lang == "zh")


def test_a_search_finds_by_name_subject_and_language() -> None:
    def found(q: str) -> set[str]:
        tags = Page(catalogue(visit(q=q))).tags
        return {
            attributes["data-drawer"].removeprefix("benchmark=")
            for _, attributes in tags
            if "data-drawer" in attributes
        }

    assert "mmlu" in found("MMLU")
    assert "mmlu" in found("anatomy")
    assert "ceval" in found("zh")
    assert "mmlu" not in found("zh")
    assert found("no such thing <b>") == set()
    assert "&lt;b&gt;" in Page(catalogue(visit(q="no such thing <b>"))).html


@each_benchmark
def test_the_drawer_shows_a_prompt_of_each_form_as_it_is_asked(name: str) -> None:
    benchmark = get_benchmark(name)
    page = Page(catalogue_drawer(visit(benchmark=name)))
    assert page.errors == []
    shown = page.text
    for form in forms(benchmark):
        ask = example_prompt(name, form).ask
        texts = [message.content for message in ask.messages] if isinstance(ask, Generate) else [ask.context]
        assert all(" ".join(text.split()) in shown for text in texts), form
        assert isinstance(ask, Generate) is (form.mode is Mode.GENERATE)
    assert benchmark.licence in shown
    if benchmark.hub is not None:
        assert f"modelscope.cn/datasets/{benchmark.hub.modelscope}" in page.html
        assert f"huggingface.co/datasets/{benchmark.hub.huggingface}" in page.html


@pytest.mark.parametrize("name", ["", "no_such", "<script>", "../mmlu"])
def test_what_is_no_benchmark_opens_nothing(name: str) -> None:
    assert catalogue_drawer(visit(benchmark=name)) == ""


def test_the_user_s_own_rows_are_called_by_a_name_in_each_language() -> None:
    assert title_words("general_qa", get_benchmark("general_qa").title, "zh") == "自己的问答题"
    assert title_words("general_mcq", get_benchmark("general_mcq").title, "en") == get_benchmark("general_mcq").title
    assert title_words("mmlu", "MMLU", "zh") == "MMLU"
    assert title_words("general_qa", "A title of one's own", "zh") == "A title of one's own"
