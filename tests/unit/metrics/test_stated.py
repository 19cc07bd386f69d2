"""What an answer states: labels, words in an order, brackets, in the ways models write them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.metrics.stated import read_brackets, read_label, read_words
from tests.unit.metrics.hostile import HOSTILE

YES_NO = {"yes": "Yes", "no": "No"}
TRUE_FALSE = {"true": "True", "false": "False"}
VALID = {"valid": "valid", "invalid": "invalid"}


def label(text: str, words: dict[str, str], *plain: str) -> str | None:
    reading = read_label(text, words, plain)
    if reading is None:
        return None
    assert text[slice(*reading.span)].lower() in words
    return reading.value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("No", "No"),
        (" yes.", "Yes"),
        ("**No**", "No"),
        ("No, since they end two steps to the left.", "No"),
        ("- Yes", "Yes"),
        ("So the answer is No.", "No"),
        ("We are back at (0, 0). So the answer is Yes.", "Yes"),
        ("The answer is: **Yes**", "Yes"),
        ("**Final answer:** no", "No"),
        ("Answer: Yes\n\nThey return.", "Yes"),
        ("Answer:\n\nNo", "No"),
        ("The answer to the question is no.", "No"),
        ("$\\boxed{\\text{No}}$", "No"),
        ("#### Yes", "Yes"),
        ("答案是 Yes。", "Yes"),
        ("First the answer is yes, I think.\nWait: the answer is no.", "No"),
        ("We add all steps.\n\nNo.", "No"),
        ("We add all steps.\n\n**Yes**", "Yes"),
        ("Yes or no? I cannot tell.", None),
        ("There is no way to tell.", None),
        ("They walk on and on, with no end", None),
        ("I do not know.", None),
        ("", None),
    ],
)
def test_yes_and_no_are_read_where_they_are_stated_and_never_out_of_a_sentence(text: str, said: str | None) -> None:
    assert label(text, YES_NO) == said


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("Therefore, the expression evaluates to **False**.", TRUE_FALSE, "False"),
        ("not True = False, so we get False", TRUE_FALSE, "False"),
        ("= True and True = True", TRUE_FALSE, "True"),
        ("True and False = not False and", TRUE_FALSE, "True"),  # it opens with it
        ("Z = not not False = not not False", TRUE_FALSE, None),
        ("Z = not not False = not", TRUE_FALSE, None),
        ("The argument is invalid.", VALID, "invalid"),
        ("Hence the argument is not deductively valid.", VALID, "invalid"),
        ("So the argument is not valid", VALID, "invalid"),
        ("The answer is not valid, so let me think.", VALID, None),
        ("It is deductively valid.", VALID, "valid"),
        ("Premises may be valid or invalid, depending on taste", VALID, None),
    ],
)
def test_words_that_are_rare_in_sentences_may_end_the_last_one(
    text: str, words: dict[str, str], said: str | None
) -> None:
    assert label(text, words, *words) == said


KNOWN = ["oven", "it&t", "costume", "end"]


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("costume it&t oven", "costume it&t oven"),
        ("So the answer is costume it&t oven.", "costume it&t oven"),
        ("The sorted words are below. Answer: costume, it&t, oven", "costume it&t oven"),
        ("**Answer:** *costume*, *oven*", "costume oven"),
        ("Answer:\n1. costume\n2. it&t\n3. oven", "costume it&t oven"),
        ("The answer is:\n\n- Costume\n- Oven\n\nI hope that this helps.", "costume oven"),
        ("1. costume\n2. oven", "costume oven"),
        ("costume\nit&t\noven\n", "costume it&t oven"),
        ("They begin with c and o.\ncostume, oven", "costume oven"),
        ("$\\boxed{\\text{costume oven}}$", "costume oven"),
        ('["costume", "oven"]', "costume oven"),
        ("costume < it&t < oven", "costume it&t oven"),
        ("So the answer is costume end oven.", "costume end oven"),
        ("The words in order are: costume, it&t and oven. I hope that this helps.", "costume it&t oven"),
        ("So the answer is costume bird oven.", "costume bird oven"),  # a word too many is not overlooked
        ("I cannot do that", None),
        ("", None),
    ],
)
def test_words_are_read_in_their_order_from_a_line_or_a_list(text: str, listed: str | None) -> None:
    reading = read_words(text, KNOWN)
    assert (reading.value if reading else None) == listed


@pytest.mark.parametrize(
    ("text", "brackets"),
    [
        ("] ) }", "] ) }"),
        ("])}", "] ) }"),
        ("`] ) }`", "] ) }"),
        ("**> )**", "> )"),
        ("So, we need \"]\", \"}\", \"]\". So the answer is ] } ].", "] } ]"),
        ("The answer is: > >", "> >"),
        ("Answer:\n```\n} )\n```", "} )"),
        ("We get $\\boxed{] ) }}$.", "] ) }"),
        ("The stack (from the top) is long.\n> ] )", "> ] )"),
        ("First close (, then [.\nThe rest: ) ]", ") ]"),
        ("I cannot (really) do that.", None),
        ("", None),
    ],
)  # fmt: skip
def test_brackets_are_read_with_and_without_spaces(text: str, brackets: str | None) -> None:
    reading = read_brackets(text)
    assert (reading.value if reading else None) == brackets


@given(
    st.lists(
        st.sampled_from(["the answer is", ":", "\n", "no", "yes", "not ", "is ", "oven", "]", "}", " ", "*", "#### "]),
        max_size=25,
    ).map("".join)
)
def test_what_is_read_stands_in_the_text(text: str) -> None:
    if reading := read_label(text, YES_NO, ["no"]):
        assert YES_NO[text[slice(*reading.span)].lower()] in YES_NO.values()
    if reading := read_words(text, KNOWN):
        assert text[slice(*reading.span)].lower().startswith(reading.value.split()[0])
    if reading := read_brackets(text):
        assert "".join(reading.value.split()) == "".join(text[slice(*reading.span)].split())


def test_no_text_takes_long() -> None:
    # Each takes a small part of a second; a pattern that goes quadratic takes half a minute.
    for text in [
        *HOSTILE[::6],
        "answer is\n" * 6000,
        "[" * 60_000,
        "not " * 15_000,
        "yes " * 15_000,
        "\n" * 60_000,
    ]:
        begin = time.process_time()
        read_label(text, YES_NO, ["no"])
        read_words(text, KNOWN)
        read_brackets(text)
        assert time.process_time() - begin < 12, repr(text[:60])
