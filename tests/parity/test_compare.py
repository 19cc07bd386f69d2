"""What counts as a difference between two programs that asked one model the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parity.compare import Asked, Key, Outcome, compare, compare_prompts, table

ACC = {"acc": "acc"}
FIRST, SECOND = ("rivers", 0), ("rivers", 1)


def asked(*logprobs: float, prompt: str = "Which?\nAnswer:", options: str = " A| B| C", **scores: float) -> Asked:
    return Asked(prompt, tuple(options.split("|")), logprobs, scores or {"acc": 1.0})


def outcome(
    ours: Asked | Mapping[Key, Asked], theirs: Asked | Mapping[Key, Asked], metrics: Mapping[str, str] = ACC
) -> Outcome:
    both = [{FIRST: side} if isinstance(side, Asked) else side for side in (ours, theirs)]
    return compare("rivers", both[0], both[1], metrics)


SAME = asked(-1.0, -2.0, -3.0)


def test_equal_answers_are_equal() -> None:
    found = outcome({FIRST: SAME, SECOND: SAME}, {FIRST: SAME, SECOND: SAME})
    assert (found.samples, found.prompts_equal, found.choices_equal, found.largest) == (2, 2, 2, 0.0)
    assert not found.differences


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (SAME._replace(prompt="Which?\nAnswer: "), "prompts differ at character 14: 'Which?\\nAnswer:' and"),
        (SAME._replace(prompt="What?\nAnswer:"), "prompts differ at character 2"),
        (SAME._replace(continuations=("A", "B", "C")), "continuations differ"),
        (asked(-1.002, -2.0, -3.0), "log-probabilities are up to 0.002 apart"),
        (asked(float("nan"), -2.0, -3.0), "log-probabilities are up to nan apart"),
        (asked(-1.0, -2.0, -3.0, acc=0.0), "scores differ: acc 1 and acc 0"),
    ],
)
def test_what_is_different_is_said(theirs: Asked, said: str) -> None:
    found = outcome(SAME, theirs)
    assert len(found.differences) == 1
    assert said in found.differences[0].what
    assert found.differences[0].key == FIRST


def test_another_order_of_options_is_another_choice_even_where_numbers_are_close() -> None:
    found = outcome(asked(-1.0, -1.0001, -3.0), asked(-1.0001, -1.0, -3.0))
    assert [difference.what for difference in found.differences] == [
        "choices differ: options (0, 0) and (1, 1), counted from 0"
    ]
    assert (found.prompts_equal, found.choices_equal) == (1, 0)
    assert found.largest == pytest.approx(1e-4)


def test_the_likeliest_for_each_byte_is_a_choice_too() -> None:
    options = " a long one| short"
    found = outcome(asked(-4.0, -2.5, options=options), asked(-4.0, -1.5, options=options))
    assert "choices differ: options (1, 0) and (1, 1), counted from 0" in [one.what for one in found.differences]


def test_bytes_are_counted_without_the_gap_and_characters_beyond_ascii_by_their_length() -> None:
    # Three bytes for each character: the second is the likeliest for each byte, the first for each character.
    options = " ab| 北京"
    found = outcome(asked(-2.0, -2.4, options=options), asked(-2.0, -7.0, options=options))
    assert "choices differ: options (0, 1) and (0, 0), counted from 0" in [one.what for one in found.differences]


def test_numbers_that_differ_by_rounding_alone_are_equal() -> None:
    assert not outcome(SAME, asked(-1.00002, -2.00003, -2.9999)).differences


def test_different_prompts_do_not_count_for_the_largest_difference() -> None:
    other = asked(-9.0, -8.0, -7.0, prompt="Where?\nAnswer:")
    assert outcome({FIRST: SAME, SECOND: SAME}, {FIRST: other, SECOND: SAME}).largest == 0.0


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [({FIRST: SAME, SECOND: SAME}, {FIRST: SAME}), ({FIRST: SAME}, {FIRST: SAME, SECOND: SAME})],
)
def test_a_sample_that_one_program_lacks_is_a_difference(
    ours: Mapping[Key, Asked], theirs: Mapping[Key, Asked]
) -> None:
    found = outcome(ours, theirs)
    assert [difference.key for difference in found.differences] == [SECOND]
    assert (found.samples, found.prompts_equal, found.choices_equal) == (2, 1, 1)


def test_options_are_matched_by_their_text_where_we_asked_more_of_them_at_once() -> None:
    ours = asked(-1.0, -2.0, -3.0, -4.0, options=" A| B| C| D", mc1=0.0)
    theirs = asked(-3.0, -2.0, options=" C| B", acc=0.0)
    assert not outcome(ours, theirs, {"mc1": "acc"}).differences
    assert outcome(ours, asked(-3.0, -2.0, options=" C| E", acc=0.0), {"mc1": "acc"}).differences


def test_metrics_go_by_each_programs_own_name() -> None:
    ours, theirs = asked(-1.0, -2.0, -3.0, acc_norm=1.0), asked(-1.0, -2.0, -3.0, acc_bytes=1.0, acc_norm=0.0)
    found = outcome(ours, theirs, {"acc_norm": "acc_bytes"})
    assert not found.differences
    assert table([found]).splitlines()[2:] == [
        "| rivers    | 1       | 1             | 1             | 0.0e+00           | acc_norm = acc_bytes | 100.00  | 100.00  |",
        "|           |         |               |               |                   | (acc_norm)           | –       | 0.00    |",
    ]


numbers = st.lists(st.floats(-50, 0, allow_nan=False), min_size=2, max_size=6)


@given(numbers)
def test_whatever_is_compared_with_itself_is_equal(logprobs: list[float]) -> None:
    self: Any = Asked("Which?", tuple(f" option {i}" for i in range(len(logprobs))), tuple(logprobs), {"acc": 0.0})
    assert not outcome(self, self).differences


@given(numbers, st.integers(0, 5), st.floats(1.1e-3, 10))
def test_a_number_that_is_off_by_more_than_the_tolerance_is_always_found(
    logprobs: list[float], place: int, off: float
) -> None:
    options = tuple(f" option {i}" for i in range(len(logprobs)))
    moved = list(logprobs)
    moved[place % len(moved)] -= off
    both = [Asked("Which?", options, tuple(side), {"acc": 0.0}) for side in (logprobs, moved)]
    assert outcome(both[0], both[1]).differences


def test_prompts_can_be_compared_where_no_model_answered() -> None:
    theirs = {FIRST: SAME._replace(logprobs=(-9.0, -8.0, -7.0)), SECOND: SAME._replace(prompt="Where?")}
    found = compare_prompts("rivers", {FIRST: SAME, SECOND: SAME}, theirs)
    assert (found.samples, found.prompts_equal, found.choices_equal) == (2, 1, None)
    assert [difference.key for difference in found.differences] == [SECOND]
    assert table([found]).splitlines()[-1].split("|")[2:5] == [" 2       ", " 1             ", " –             "]
