"""What a model is, and the filters by it that both boards share."""

from __future__ import annotations

import pytest

from leaderboard.arena_board import axis_over
from leaderboard.arena_board_choice import read_picked, written_picked
from leaderboard.board_filters import Narrow, narrow_chips, narrow_menu, read_narrow
from leaderboard.board_words import Words
from leaderboard.known_models import Known, Models
from llmuses.settings import ModelEntry
from tests.support.pages import Page, check_harmless

MODELS = Models(
    {
        "Qwen3-8B": ModelEntry(
            model="openai:Qwen3-8B", organisation="Alibaba", licence="Apache-2.0", parameters=8.2, kind="chat"
        ),
        "mine": ModelEntry(model="Lab/Mine-7B"),
    }
)


@pytest.mark.parametrize(
    ("name", "spec", "details", "known"),
    [
        ("Qwen3-8B", "openai:Qwen3-8B", {}, Known("Alibaba", "Apache-2.0", 8.2, "chat")),
        ("qwen3-8b", "", {}, Known("Alibaba", "Apache-2.0", 8.2, "chat")),
        ("Qwen/Qwen3-8B", "", {}, Known("Alibaba", "Apache-2.0", 8.2, "chat")),
        ("Mine-7B", "transformers:Lab/Mine-7B", {"parameters": 7e9, "chat_template": False}, Known("Lab", None, 7.0, "base")),
        ("Other/Model", "Other/Model", {"chat_template": True}, Known("Other", None, None, "chat")),
        ("local", "/data/models/local", {}, Known()),
        ("local", "./models/local", {}, Known()),
        ("gpt", "openai:gpt", {}, Known(None, None, None, "chat")),
        ("baseline:random", "baseline:random", {}, Known()),
    ],
)  # fmt: skip
def test_what_is_known_comes_from_models_yaml_then_the_run_then_the_id(name, spec, details, known):
    assert MODELS.known(name, spec, details) == known


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ({}, ["small", "large", "unknown"]),
        ({"size": "10"}, ["small"]),
        ({"size": "larger"}, ["large"]),
        ({"size": "11"}, ["small", "large", "unknown"]),
        ({"kind": "base"}, ["large"]),
        ({"kind": "robot"}, ["small", "large", "unknown"]),
        ({"org": "A"}, ["small"]),
        ({"licence": "MIT", "org": "A"}, ["small"]),
        ({"licence": "MIT", "org": "B"}, []),
    ],
)
def test_a_filter_keeps_the_models_of_which_it_is_known(query, kept):
    models = {"small": Known("A", "MIT", 7.0, "chat"), "large": Known("B", None, 405.0, "base"), "unknown": Known()}
    assert [name for name, known in models.items() if read_narrow(query).keeps(known)] == kept


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_menu_offers_only_what_tells_models_apart_and_a_chip_takes_each_filter_off(lang):
    say = Words(lang, "board")
    assert narrow_menu(Narrow(), [Known("A"), Known("A")], say) == ""
    menu = Page(narrow_menu(Narrow(org="<b>"), [Known("A", "MIT", 7.0), Known("B", "MIT")], say))
    check_harmless(menu)
    assert [select["name"] for select in menu.all("select")] == ["size", "org"]
    chips = Page(narrow_chips(Narrow("10", "<b>", "", "chat"), say, lambda **changes: f"x?{sorted(changes)}"))
    check_harmless(chips)
    assert len(chips.all("a")) == 3


@pytest.mark.parametrize("name", ["plain", "with,comma", "with%2Cper cent", "模型/一", "a&b=c"])
def test_a_picked_name_comes_back_from_the_address_whatever_is_in_it(name):
    assert read_picked(f"{written_picked(name)},{written_picked('other')}") == (name, "other")


@pytest.mark.parametrize(
    ("low", "high"), [(999.0, 1001.0), (850.0, 1120.0), (-400.0, 2500.0), (1000.0, 1000.0), (1000.0, 1000.5)]
)
def test_an_axis_holds_every_interval_and_its_words_lie_on_its_lines(low, high):
    from leaderboard.arena_board import Row

    row = Row("m", low, (low, high), (1, 1), 100, 0.5, "", Known(), "")
    axis = axis_over([row])
    assert axis.low <= low <= high <= axis.high
    assert 1.9 <= axis.steps <= 13
    assert all(axis.low < tick < axis.high for tick in axis.ticks)
    assert axis_over([]) is None
