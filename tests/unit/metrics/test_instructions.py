"""IFEval's 25 kinds of instruction: what follows each, what does not, and what only the loose sense lets pass.

The verdicts were compared with those of lm-evaluation-harness 0.4.13 (its own copy of the authors' script, NLTK's English
Punkt model, langdetect seeded) on 12,000 pairs of a real text and an instruction with drawn arguments: all the same but
one sentence count and 17 of ``letter_frequency`` with a letter that is none ("#"), for which that copy draws another.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.metrics.instructions import INSTRUCTIONS, check_arguments, follows, variants
from tests.unit.metrics.hostile import HOSTILE

LEAST, LESS = "at least", "less than"

# kind, arguments, a text that follows, one that does not
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("keywords:existence", {"keywords": ["river", "sea"]}, "Rivers reach the SEA.", "The river ends."),
    ("keywords:existence", {"keywords": ["c++"]}, "I write C++.", "I write C."),
    ("keywords:frequency", {"keyword": "tea", "frequency": 2, "relation": LEAST}, "Tea or steam?", "Tea."),
    ("keywords:frequency", {"keyword": "tea", "frequency": 2, "relation": LESS}, "Tea.", "Tea, tea!"),
    ("keywords:forbidden_words", {"forbidden_words": ["rain", "wet"]}, "It trains.", "No Rain today."),
    ("keywords:letter_frequency", {"letter": "E", "let_frequency": 3, "let_relation": LEAST}, "Eel pie", "Ear pie"),
    ("keywords:letter_frequency", {"letter": "#", "let_frequency": 1, "let_relation": LESS}, "none", "#one"),
    ("language:response_language", {"language": "fr"}, "La rivière coule lentement.", "The river flows slowly."),
    ("language:response_language", {"language": "fr"}, "123, 456", "Der Fluss fließt langsam dahin."),
    ("length_constraints:number_sentences", {"num_sentences": 2, "relation": LEAST}, "One. Two.", "One, two."),
    ("length_constraints:number_sentences", {"num_sentences": 2, "relation": LESS}, "Mr. Lee left.", "He left. So what?"),
    ("length_constraints:number_words", {"num_words": 3, "relation": LEAST}, "well-known fact", "two words"),
    ("length_constraints:number_words", {"num_words": 3, "relation": LESS}, "two words", "now three words"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "one\n***\ntwo\n***\n", "one\n\ntwo"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "***\none *** two", "one\n***\n***\ntwo"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 1}, "only one", "one *** two"),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "then"},
     "First.\n\n\"Then, more.", "First.\n\nAnd then."),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 2, "nth_paragraph": 1, "first_word": "weekend"},
     "Weekend! Yes.\n\nMore.", "Weekends.\n\nMore."),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "b"},
     "a\n\nb\n\n", "a\n\n\n\nb"),  # the second of the paragraphs is empty, though only two are counted
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[name], [date]", "[name\n] and [date]"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Bye.\np. s. More.", "Bye. PS More."),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "Bye.\nP.P.S more", "Bye.\nP.S. more"),
    ("detectable_content:postscript", {"postscript_marker": "NB"}, "Bye. nb: more", "Bye."),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* one\n  - two", "* one\n* two\n* three"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 1}, "**Bold**\n* one", "1. one"),
    ("detectable_format:constrained_response", {}, "Well: My answer is maybe.", "Maybe."),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*one* and *two*", "*one* and two*"),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 1}, "**one**", "** **"),
    ("detectable_format:multiple_sections", {"section_spliter": "Day", "num_sections": 2}, "Day 1\na\nDay2", "Day 1\nday 2"),
    ("detectable_format:json_format", {}, "```json\n{\"a\": [1]}\n```", "Sure: {\"a\": 1}"),
    ("detectable_format:json_format", {}, "[1, 2]", "{'a': 1}"),
    ("detectable_format:title", {}, "<<On tea>>\nIt is hot.", "<On tea>"),
    ("detectable_format:title", {}, "a << b >> c", "<<\nOn tea>> and << >>"),
    ("combination:two_responses", {}, "One.\n******\nTwo.", "One.\n******\nOne."),
    ("combination:two_responses", {}, "******\nOne.\n******\nTwo.", "One.\n******\nTwo.\n******\nThree."),
    ("combination:repeat_prompt", {"prompt_to_repeat": "What is tea?"}, "what is tea?\nA drink.", "You ask: What is tea?"),
    ("startend:end_checker", {"end_phrase": "the end."}, "So it is.\nThe End.\"", "The end. Really."),
    ("startend:quotation", {}, "\n\"All of it.\" ", "“All of it.”"),
    ("change_case:capital_word_frequency", {"capital_frequency": 3, "capital_relation": LEAST}, "NASA and I, ESA", "NASA"),
    ("change_case:capital_word_frequency", {"capital_frequency": 2, "capital_relation": LESS}, "One WORD", "I SAY"),
    ("change_case:english_capital", {}, "THE SUN IS SHINING AND WE CAN ALL GO OUT.", "The river flows slowly."),
    ("change_case:english_capital", {}, "THIS IS THE END OF THE STORY.", "РЕКА МЕДЛЕННО ТЕЧЁТ ЧЕРЕЗ ГОРОД"),
    ("change_case:english_lowercase", {}, "the river flows slowly.", "the River flows slowly."),
    ("change_case:english_lowercase", {}, "a river runs through this town", "der fluss fließt langsam durch die stadt"),
    ("punctuation:no_comma", {}, "One; two, three".replace(",", ""), "One, two"),
    ("punctuation:no_comma", {}, "一，二", "1,000"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "arguments", "following", "other"), CASES)
def test_an_instruction_is_followed_or_not(kind: str, arguments: dict[str, Any], following: str, other: str) -> None:
    check_arguments(kind, arguments)
    assert follows(following, kind, arguments)
    assert not follows(other, kind, arguments)


def test_all_25_kinds_are_in_the_table() -> None:
    assert {kind for kind, *_ in CASES} == set(INSTRUCTIONS)
    assert len(INSTRUCTIONS) == 25


@pytest.mark.parametrize(("kind", "arguments"), {kind: arguments for kind, arguments, *_ in CASES}.items())
def test_an_empty_text_follows_nothing(kind: str, arguments: dict[str, Any]) -> None:
    assert not any(follows(text, kind, arguments) for text in ("", " \n"))


# --- the loose sense ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "arguments", "text"),
    [
        ("detectable_format:json_format", {}, 'Here it is:\n{"a": 1}'),
        ("detectable_format:json_format", {}, 'Here it is:\n{"a": 1}\nAnything else?'),
        ("change_case:english_lowercase", {}, "Sure!\nthe river flows slowly."),
        ("startend:end_checker", {"end_phrase": "the end"}, "This is **the end**"),
        ("startend:quotation", {}, '**"All of it."**'),
        ("punctuation:no_comma", {}, "Well, sure.\nOne and two."),
        ("combination:repeat_prompt", {"prompt_to_repeat": "What is tea?"}, "**What is tea?**\nA drink."),
    ],
)
def test_opening_words_closing_words_and_bold_type_are_forgiven_in_the_loose_sense_only(
    kind: str, arguments: dict[str, Any], text: str
) -> None:
    assert not follows(text, kind, arguments)
    assert any(follows(form, kind, arguments) for form in variants(text))


def test_a_text_has_eight_forms() -> None:
    assert variants("first *a*\nmiddle *b*\nlast") == [
        "first *a*\nmiddle *b*\nlast", "middle *b*\nlast", "first *a*\nmiddle *b*", "middle *b*",
        "first a\nmiddle b\nlast", "middle b\nlast", "first a\nmiddle b", "middle b",
    ]  # fmt: skip


@given(st.sampled_from(CASES), st.text(alphabet='ab.,*\n"[]<>-# 1', max_size=40))
def test_what_is_followed_strictly_is_followed_loosely(case: tuple[str, dict[str, Any], str, str], text: str) -> None:
    kind, arguments, *_ = case
    assert any(follows(form, kind, arguments) for form in variants(text)) >= follows(text, kind, arguments)


# --- rows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "arguments", "said"),
    [
        ("length:words", {}, "not one of IFEval's 25 kinds"),
        ("length_constraints:number_words", {"num_words": 3}, "relation"),
        ("length_constraints:number_words", {"num_words": 3, "relation": "around"}, "relation cannot be 'around'"),
        ("length_constraints:number_words", {"num_words": "many", "relation": LESS}, "num_words cannot be 'many'"),
        ("punctuation:no_comma", {"num_words": 3}, "num_words"),
        ("keywords:existence", {"keywords": "tea"}, "keywords cannot be 'tea'"),
        ("startend:end_checker", {"end_phrase": " "}, "end_phrase cannot be ' '"),
    ],
)
def test_an_instruction_that_cannot_be_checked_is_refused(kind: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_arguments(kind, arguments)


@pytest.mark.parametrize(("kind", "arguments"), {kind: arguments for kind, arguments, *_ in CASES}.items())
def test_no_text_takes_long(kind: str, arguments: dict[str, Any]) -> None:
    hostile = ["[" * 200_000, "<<" * 100_000, "*" * 200_000, "\n" * 200_000, '"' * 200_000, ". " * 100_000, "\ud800"]
    for text in [*hostile, HOSTILE[0]]:
        begin = time.process_time()
        follows(text, kind, arguments)
        assert time.process_time() - begin < 12, repr(text[:60])
