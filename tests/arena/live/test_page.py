"""The battle page's markup: whole, escaped, in both languages, and with words for whatever the arena may say no to."""

from __future__ import annotations

import json
import re

import pytest

from arena.live.published import Standing
from arena.live.refusal import CODES
from arena.live.rules import Rules, load_rules
from arena.live.wire import Mode
from arena.live_html import battle_page
from llmuses.i18n import LANGUAGES, Lang, sentences
from llmuses.settings import static_dir
from tests.support.live_arenas import rules
from tests.support.pages import Page

HOSTILE = "</button><script>x</script>{{7*7}} \"'&<img src=x onerror=y>"
SCRIPT = "".join(path.read_text("utf-8") for path in sorted(static_dir().glob("arena*.js")))


def page(lang: Lang = "en", mode: str | None = None, of: Rules | None = None, **more: object) -> Page:
    arguments = {"playable": True, "standing": None, **more}
    return Page(battle_page(lang, mode, of or load_rules(), **arguments))  # type: ignore[arg-type]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("mode", [None, *Mode, "<script>"])
def test_the_page_is_whole_and_shows_the_mode_that_its_address_asks_for(lang: Lang, mode: str | None) -> None:
    shown = page(lang, mode)
    assert shown.errors == []
    assert not [tag for tag, attrs in shown.tags if tag == "script" or any(name.startswith("on") for name in attrs)]
    wanted = mode if mode in tuple(Mode) else "battle"
    assert shown.all("div", class_="g-arena")[0]["data-arena"] == wanted
    assert [link["data-mode"] for link in shown.all("a", aria_current="true")] == [wanted]


def test_votes_stand_in_the_order_of_their_keys() -> None:
    buttons = [attrs for tag, attrs in page().tags if "data-vote" in attrs]
    order = [(button["data-vote"], button["aria-keyshortcuts"]) for button in buttons]
    assert order == [("model_a", "1"), ("tie", "2"), ("both_bad", "3"), ("model_b", "4")]
    assert all("disabled" in button for button in buttons)


def test_who_they_were_is_promised_only_where_names_are_hidden() -> None:
    shown = page()
    assert shown.html.count("See who they were") == 1
    assert '<span data-in="battle"><b>4</b> See who they were</span>' in shown.html


def test_every_control_that_is_a_drawing_has_a_name() -> None:
    for tag, attrs in page().tags:
        if tag == "button" and "a-icon" in attrs.get("class", ""):
            assert attrs["aria-label"] and attrs["title"]
        if tag == "textarea":
            assert attrs["aria-label"]


def test_a_mode_that_the_rules_leave_out_is_not_there() -> None:
    shown = page(mode="side", of=rules(modes=["battle", "direct"]))
    assert [attrs["data-room"] for _, attrs in shown.tags if "data-room" in attrs] == ["battle", "direct"]
    assert 'data-mode="side"' not in shown.html


@pytest.mark.parametrize(("judge", "deeds"), [(None, ["link", "next"]), ("openai:judge", ["judge", "link", "next"])])
def test_an_arena_without_a_judge_offers_no_opinion(judge: str | None, deeds: list[str]) -> None:
    shown = page(of=rules(judge=judge and {"model": judge}))
    after = shown.html.partition('data-slot="after"')[2].partition('data-slot="failed"')[0]
    assert re.findall(r'data-do="(\w+)"', after) == deeds


def test_prompts_and_logins_of_a_file_of_one_s_own_are_escaped() -> None:
    provider = {"issuer": "https://login.example", "client_id": "x", "label": HOSTILE}
    own = rules(samples={"en": {HOSTILE: [HOSTILE]}}, logins={"example": provider})
    shown = page(of=own)
    assert shown.errors == []
    assert not [tag for tag, _ in shown.tags if tag == "script"]
    assert [attrs["data-prompt"] for _, attrs in shown.tags if "data-prompt" in attrs] == [HOSTILE]
    assert HOSTILE in shown.text
    assert shown.all("a", href="arena-login/example")


def test_prompts_of_the_reader_s_language_come_first_and_the_others_carry_theirs() -> None:
    for lang, other in (("en", "zh"), ("zh", "en")):
        cards = [attrs for tag, attrs in page(lang).tags if "data-prompt" in attrs]  # type: ignore[arg-type]
        assert len(cards) == 6
        listed = json.loads(page(lang).all("div", class_="g-arena")[0]["data-prompts"])  # type: ignore[arg-type]
        assert [prompt["lang"] for prompt in listed] == [lang] * 24 + [other] * 24
        assert {prompt["category"] for prompt in listed[24:]} == {"other"}


def test_what_was_published_is_said_and_that_nothing_was() -> None:
    assert (
        "2,400 votes · 4 models · ranking of 24 Nov 2026, 09:40 UTC"
        in page(standing=Standing(2400, 4, 1_795_513_200)).text
    )
    assert "1 vote · 2 models" in page(standing=Standing(1, 2, 1_795_513_200)).text
    assert "No ranking has been published yet" in page().text


def test_an_arena_in_which_nobody_can_play_says_what_it_needs() -> None:
    shown = page(playable=False)
    assert shown.errors == []
    assert "No model can play here yet" in shown.text and "models.yaml" in shown.text
    assert not [attrs for _, attrs in shown.tags if "data-room" in attrs]


def test_a_copy_that_is_only_read_says_so_to_the_script() -> None:
    assert "data-still" in page(still=True).html
    assert "data-still" not in page().html


@pytest.mark.parametrize("lang", LANGUAGES)
def test_there_are_words_for_every_refusal(lang: Lang) -> None:
    assert {f"refused.{code}" for code in CODES} <= sentences(lang, "arena", "refused.").keys()


def test_the_script_asks_for_no_word_that_is_not_there() -> None:
    known = sentences("en", "arena", "say.", "refused.").keys()
    asked = set(re.findall(r"words\(\s*\"([\w.]+)\"", SCRIPT)) | set(re.findall(r"\? \"((?:\w+\.)+\w+)\" :", SCRIPT))
    assert len(asked) > 40
    missing = {name for name in asked if not name.endswith(".") and not any(each.endswith(name) for each in known)}
    assert missing == set()
