"""The page: nothing in it acts, nothing in it comes from elsewhere, and what is drawn agrees with what is written."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.i18n import LANGUAGES, Lang
from llmuses.records import RunStatus
from llmuses.reports import html
from tests.unit.reports.builders import estimate, plan, report, run

HOSTILE = '</title></style></td><script>alert(1)</script><img src=x onerror="alert(2)"> & {0} {name} \u202e'


class Page(HTMLParser):
    """The tags of a page in their order, with attributes, and its text."""

    def __init__(self, page: str):
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.title = ""
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._inside = tag
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.title += data
        elif self._inside != "style":
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def page_of(name: str) -> str:
    whole = run(plan(name), model=name, model_spec=name, model_identity=name, run_id=name, command=name)
    whole.model_args = {name: name}
    whole.versions = {name: name}
    named = report(
        name,
        title=name,
        setting=name,
        metric=name,
        of=estimate(5, 10, failed=2),
        subsets={name: estimate(1, 2), "other": estimate(1, 2)},
        categories={name: estimate(1, 2)},
        metrics={name: estimate(1, 2)},
        served_models=[name],
    )
    return html(whole, [named])


def test_names_that_models_and_datasets_bring_along_are_shown_and_not_obeyed() -> None:
    page = Page(page_of(HOSTILE))
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert page.tags == Page(page_of("harmless")).tags
    assert page.text.count(HOSTILE) >= 12
    assert page.title == f"{HOSTILE}: evaluation report"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1))
def test_no_name_changes_what_the_page_is_made_of(name: str) -> None:
    page = Page(page_of(name))
    assert page.tags == Page(page_of("harmless")).tags
    assert name in page.text


def test_the_page_needs_nothing_beside_it() -> None:
    page = html(run(), [report()])
    for tag, name, value in Page(page).attributes:
        if name in ("src", "href", "srcset", "action", "poster", "data"):
            assert value.startswith(("#", "data:")), f"<{tag} {name}={value}>"
    style = page[page.index("<style>") : page.index("</style>")]
    assert "@import" not in style
    assert all(address.startswith("data:") for address in re.findall(r'url\("?([^")]+)', style))
    assert "default-src &#39;none&#39;" in page
    assert "<script" not in page


def test_it_is_dark_where_the_system_is_dark() -> None:
    style = html(run(), [report()])
    dark = style[style.index("@media screen and (prefers-color-scheme: dark)") :]
    assert "--u-bg: #121316" in dark
    assert re.search(r"^\.dark \{", style, re.MULTILINE) is None


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_holds_all_languages_and_shows_the_one_asked_for(lang: Lang) -> None:
    page = html(run(status=RunStatus.INCOMPLETE), [report(of=estimate(5, 10, failed=1))], lang)
    assert "Evaluation report" in page
    assert "评测报告" in page
    chosen = [value for tag, name, value in Page(page).attributes if (tag, name) == ("input", "value")]
    assert chosen == list(LANGUAGES)
    assert re.findall(r'value="(\w+)" checked', page) == [lang]
    assert re.search(r"<html lang=\"(\w+)", page)[1] == lang  # type: ignore[index]


def test_a_whisker_stands_where_the_numbers_say() -> None:
    page = html(run(), [report()])
    score = report()
    assert score.score is not None and score.ci95 is not None
    drawn = re.findall(r"--a:([\d.]+);--m:([\d.]+);--b:([\d.]+)", page)
    expected = tuple(f"{100 * value:.1f}" for value in (score.ci95[0], score.score, score.ci95[1]))
    assert expected in drawn
    assert '<b class="ref" style="--r:25.0">' in page


def test_no_whisker_is_drawn_where_there_is_no_score() -> None:
    page = html(run(), [report(of=estimate(0, 0, failed=40))])
    assert "--m:" not in page[page.index("</style>") :]
    assert "Nothing was answered, so there is no number." in page


def test_an_incomplete_run_says_so_at_its_head() -> None:
    page = html(run(status=RunStatus.INCOMPLETE), [report(of=estimate(8, 10, failed=10))])
    assert page.index("10 of 20 answers of MMLU have no score") < page.index("Results")


def test_a_long_table_is_set_in_two_halves_without_losing_a_row() -> None:
    subsets = {f"subject {number:02}": estimate(5, 10) for number in range(57)}
    page = html(run(), [report(subsets=subsets)])
    english = page[
        page.index('<main class="u-page r-page" lang="en"') : page.index('<main class="u-page r-page" lang="zh-CN"')
    ]
    assert re.findall(r'title="(subject \d\d)"', english) == list(subsets)
    assert english.count("<table") == 3


def test_ids_are_unique_and_every_link_inside_the_page_leads_somewhere() -> None:
    page = Page(html(run(plan("mmlu"), plan("arc")), [report("mmlu"), report("arc")]))
    ids = [value for _, name, value in page.attributes if name == "id"]
    links = {value[1:] for _, name, value in page.attributes if name == "href" and value.startswith("#")}
    assert len(ids) == len(set(ids))
    assert links
    assert links <= set(ids)


def test_a_run_of_57_subjects_stays_a_light_page() -> None:
    subsets = {f"subject {number:02}": estimate(5, 10) for number in range(57)}
    assert len(html(run(), [report(subsets=subsets)]).encode()) < 250_000
