"""The words of the app in two languages."""

from __future__ import annotations

import json
import re
import string

import pytest

from llmuses.i18n import LANGUAGES
from llmuses.settings import PACKAGE

NAMESPACES = (
    "web",
    "board",
    "start",
    "catalogue",
    "compare",
    "arena_report",
    "arena_board",
    "arena",
    "versus",
    "charts",
    "model",
    "battles",
    "admin",
)


def catalogue(lang, namespace):
    return json.loads((PACKAGE / "locale" / lang / f"{namespace}.json").read_text("utf-8"))


def placeholders(sentence):
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_both_languages_say_the_same_things_with_the_same_values(namespace):
    english, chinese = (catalogue(lang, namespace) for lang in LANGUAGES)
    assert english.keys() == chinese.keys()
    for name in english:
        assert placeholders(english[name]) == placeholders(chinese[name]), name


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_chinese_is_set_as_chinese_is(namespace):
    for name, sentence in catalogue("zh", namespace).items():
        words = re.sub(r"\{\w+\}", "", sentence)
        assert not re.search(r"[\u4e00-\u9fff][,.;:!?()]|[,.;:!?()][\u4e00-\u9fff]", words), (
            name,
            "half-width punctuation",
        )
        assert not re.search(r"[\u4e00-\u9fff][A-Za-z]|[A-Za-z][\u4e00-\u9fff]", words), (
            name,
            "no space around Latin words",
        )


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("namespace", NAMESPACES)
def test_nothing_is_shouted(lang, namespace):
    assert not [name for name, sentence in catalogue(lang, namespace).items() if "!" in sentence or "！" in sentence]
