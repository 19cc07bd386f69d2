"""What holds for every answer that can be written: nothing is raised, places are inside, time grows with length only."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmuses.metrics.choice import read_choice
from llmuses.metrics.math import read_math
from llmuses.metrics.math_plain import decide, math_form
from llmuses.metrics.numbers import equal_numbers, read_number
from llmuses.metrics.reading import Reading, boxed, fold
from tests.unit.metrics.hostile import HOSTILE

CHOICES = ["Paris", "London, the big one", "A dog", "B cells"]

words = st.sampled_from(
    "the answer is A B C D a b ( ) ** \\boxed{ } $ 1 2,345 -6 .5 1/2 = + . , : \n not or and option choice Paris London "
    "答案 是 选 正确 错误 A、 #### because B. (C) A) \\frac{1}{2} ０ Ａ \u00a0 ½ 10^3 <<1=1>> so therefore".split(" ")
)  # fmt: skip
answers = st.one_of(st.text(), st.text("AB ()\n.,*答案是选1/2-=$\\{}"), st.lists(words, max_size=30).map(" ".join))


@given(answers)
@example("\ud800")
@example("ß is the answer: ı")
@example("A\n\nx\nA. a\nB. b\nAnswer: B or C")
def test_reading_a_choice_never_raises_and_points_at_the_letter_or_the_options_text(text: str) -> None:
    reading = read_choice(text, CHOICES)
    if reading is None:
        return
    start, end = reading.span
    assert 0 <= start < end <= len(text)
    assert reading.value in ("A", "B", "C", "D")
    found = fold(text[start:end])
    if found.upper() != reading.value:
        option = re.sub(r"^a ", "", CHOICES["ABCD".index(reading.value)].casefold())
        assert re.sub(r"[\W_]", "", option) in re.sub(r"[\W_]", "", found.casefold())


@given(answers)
@example("\ud800")
@example("1/0")
@example("1e99")
@example("9" * 5000)
@example("\\frac{1}{0}")
@example("²")
def test_reading_a_number_never_raises_and_points_at_its_digits(text: str) -> None:
    reading = read_number(text)
    if reading is None:
        return
    start, end = reading.span
    assert 0 <= start < end <= len(text)
    assert any(sign.isnumeric() for sign in text[start:end])
    assert equal_numbers(reading.value, reading.value) or reading.value.endswith("/0") or len(reading.value) > 4000


formulas = st.lists(
    st.sampled_from(
        "$ $$ \\( \\) \\[ \\] \\boxed{ { } ( ) [ ] \\frac 1 2 12 x y = + - ^ _ , ; . \\text{cm} \\sqrt \\pi \\le and or the answer is "
        "答案是 #### \\begin{pmatrix} \\end{pmatrix} & \\\\ % ° \\pm \\infty \\cup final I hope it is correct\n".split(
            " "
        )
    ),
    max_size=30,
)


@settings(deadline=None)
@given(st.one_of(answers, formulas.map(" ".join), formulas.map("".join)))
@example("\ud800")
@example("\\boxed{\\boxed{}}")
@example("The final answer is I hope it is correct")
def test_reading_mathematics_never_raises_and_points_into_the_text(text: str) -> None:
    reading = read_math(text)
    if reading is None:
        return
    start, end = reading.span
    assert 0 <= start < end <= len(text)
    assert reading.value.strip()


@settings(deadline=None)
@given(st.one_of(answers, formulas.map("".join)), st.one_of(answers, formulas.map("".join)))
@example("1/0", "1/0")
@example("0.\\overline{0}", "0")
@example("9" * 400, "9" * 399)
def test_deciding_by_plain_forms_never_raises_and_an_answer_equals_itself(one: str, other: str) -> None:
    assert decide(one, other) in (True, False, None)
    assert decide(one, one) is (math_form(one) != "")


@given(st.integers(-(10**12), 10**12))
def test_a_whole_number_is_read_back_however_it_is_grouped(number: int) -> None:
    for text in (f"The answer is {number}.", f"The answer is {number:,}.", f"#### {number:,}", f"So x = {number:,} cm"):
        reading = read_number(text)
        assert reading is not None
        assert equal_numbers(reading.value, str(number))


@given(st.decimals(-(10**9), 10**9, places=3, allow_nan=False))
def test_a_decimal_is_read_back(number: object) -> None:
    reading = read_number(f"The answer is {number}.")
    assert reading is not None
    assert equal_numbers(reading.value, str(number))


@given(st.text())
def test_folding_keeps_every_place(text: str) -> None:
    assert len(fold(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("\\boxed{5}", "5"),
        ("\\boxed{1} then \\boxed{2}", "2"),
        ("\\boxed{\\frac{1}{2}}", "\\frac{1}{2}"),
        ("\\boxed{1} and \\boxed{2", "1"),
        ("\\boxed{}", ""),
        ("\\boxed", None),
        ("boxed{5}", None),
    ],
)
def test_the_last_box_that_closes_is_found(text: str, content: str | None) -> None:
    place = boxed(text)
    assert (text[slice(*place)] if place else None) == content


def read_city(text: str) -> Reading | None:
    return read_choice(text, CHOICES)


@pytest.mark.parametrize("read", [read_city, read_number])
def test_no_text_takes_long(read: Callable[[str], Reading | None]) -> None:
    # Each takes a small part of a second; a pattern that goes quadratic takes half a minute.
    for text in HOSTILE:
        begin = time.process_time()
        read(text)
        assert time.process_time() - begin < 4, repr(text[:60])
