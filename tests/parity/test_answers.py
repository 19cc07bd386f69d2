"""What counts as one answer where lm-evaluation-harness's filters and llmuses read the same text."""

from __future__ import annotations

import pytest

from tests.parity.answers import Read, Text, read_all, table

RIGHT = "She has 3 + 2 = 5 pens.\n#### 5"


def read(text: str, strict: str, flexible: str = "5", answer: str = "#### 5") -> Read:
    said = {
        "strict-match": {"extracted": strict, "score": float(strict == "5")},
        "flexible-extract": {"extracted": flexible, "score": float(flexible == "5")},
    }
    return read_all([Text("somewhere", text, answer)], [said])[0]


def test_an_answer_after_the_marker_is_read_by_both() -> None:
    found = read(RIGHT, "5")
    assert (found.ours, found.strict, found.agrees, found.right) == ("5", "5", True, (True, True, True))


@pytest.mark.parametrize(("text", "strict"), [("#### 1,200", "1,200"), ("#### 12.", "12."), ("#### -3.50", "-3.50")])
def test_commas_and_a_full_stop_at_the_end_are_no_difference(text: str, strict: str) -> None:
    assert read(text, strict).agrees


def test_another_number_is_a_difference() -> None:
    found = read(RIGHT, "6")
    assert not found.agrees
    assert not found.cut


def test_nothing_read_where_strict_match_found_a_number_is_a_difference() -> None:
    assert not read("No idea.", "6").agrees


def test_where_strict_match_finds_nothing_there_is_nothing_to_agree_with() -> None:
    found = read("The answer is 5.", "[invalid]")
    assert found.strict is None
    assert found.agrees
    assert found.right == (True, False, True)


@pytest.mark.parametrize(("text", "strict", "ours"), [("It is 7/14 of them. #### 7/14", "7", "7/14")])
def test_a_number_of_which_strict_match_takes_the_beginning_alone_is_told_apart(
    text: str, strict: str, ours: str
) -> None:
    found = read(text, strict, "14")
    assert (found.ours, found.agrees, found.cut) == (ours, False, True)


@pytest.mark.parametrize("text", ["#### 7 or 9", "#### 7\nThe answer is 14.", "She has 14 pens, not 7. #### 7"])
def test_another_number_of_the_text_is_no_longer_form_of_the_same(text: str) -> None:
    assert not read(text, "7")._replace(ours="14").cut


def test_the_table_counts_by_source() -> None:
    lines = table([read(RIGHT, "5"), read("#### 7/14", "7"), read("The answer is 6.", "[invalid]")]).splitlines()
    assert lines[2] == "| somewhere | 3 | 2 | 1 | 1 | 33.33 | 33.33 | 100.00 |"
