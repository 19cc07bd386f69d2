"""The tree of common prefixes: it reads every sequence, asks every position once, and shares what is worth it."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmuses.models.transformers.prefixes import Asked, Node, grow, in_order, subtree_ends

TOKENS = st.integers(1, 3)
ASKED = st.lists(st.builds(Asked, st.lists(TOKENS, min_size=1, max_size=8), st.lists(TOKENS, max_size=5)), max_size=12)


def tokens_of(node: Node | None) -> list[int]:
    """Return all tokens from the beginning of a sequence to the end of a node."""
    return [] if node is None else tokens_of(node.parent) + node.tokens


def probed(roots: list[Node]) -> dict[tuple[int, int], tuple[list[int], int]]:
    """Return, for each probe by sequence and position, what has been read up to it and what it asks for."""
    found = {}
    for node in in_order(roots):
        for probe in node.probes:
            read = tokens_of(node)[: node.start + probe.offset + 1]
            assert (probe.sequence, len(read)) not in found, "asked twice"
            found[probe.sequence, len(read)] = (read, probe.target)
    return found


@given(asked=ASKED, worth=st.sampled_from([0, 1, 2, 5, 9, sys.maxsize]))
def test_every_token_of_every_continuation_is_asked_once_after_all_that_stands_before_it(
    asked: list[Asked], worth: int
) -> None:
    expected = {
        (number, len(context) + place): ([*context, *continuation[:place]], target)
        for number, (context, continuation) in enumerate(asked)
        for place, target in enumerate(continuation)
    }
    assert probed(grow(asked, worth)) == expected


@given(asked=ASKED, worth=st.integers(0, 12))
def test_a_node_with_branches_saves_what_it_is_worth(asked: list[Asked], worth: int) -> None:
    for node in in_order(grow(asked, worth)):
        assert node.tokens
        assert not node.children or len(node.tokens) * (len(node.children) - 1) >= worth
        assert all(child.parent is node and child.start == node.stop for child in node.children)


@given(asked=ASKED)
def test_without_sharing_each_root_is_a_sequence_and_none_is_the_beginning_of_another(asked: list[Asked]) -> None:
    rows = [row.tokens for row in grow(asked, sys.maxsize)]
    sequences = {(*context, *continuation[:-1]) for context, continuation in asked}
    assert {tuple(row) for row in rows} == {
        one for one in sequences if not any(other != one and other[: len(one)] == one for other in sequences)
    }
    assert len({tuple(row) for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("asked", "tokens"),
    [
        pytest.param([([1, 2, 3], [4]), ([1, 2, 3], [5])], [[1, 2, 3]], id="options of one token"),
        pytest.param([([1, 2, 3], [4, 5]), ([1, 2, 3], [6, 7])], [[1, 2, 3], [4], [6]], id="endings of one question"),
        pytest.param([([1, 2, 3], [4, 5]), ([1, 2, 3], [4, 5])], [[1, 2, 3, 4]], id="the same request again"),
        pytest.param([([1, 2], [3]), ([1, 2, 3], [4])], [[1, 2, 3]], id="one is the beginning of the other"),
        pytest.param([([1, 9], [3]), ([2, 9], [4])], [[1, 9], [2, 9]], id="nothing in common"),
        pytest.param(
            [([7, 7, 1, 1, 2], [3, 4]), ([7, 7, 1, 1, 2], [5, 6]), ([7, 7, 8, 8], [9])],
            [[7, 7], [1, 1, 2], [3], [5], [8, 8]],
            id="shots, a question, its endings",
        ),
    ],
)
def test_what_is_shared_stands_once(asked: list[tuple[list[int], list[int]]], tokens: list[list[int]]) -> None:
    roots = grow([Asked(*one) for one in asked], 1)
    assert [node.tokens for node in in_order(roots)] == tokens


@given(asked=ASKED)
def test_the_longest_come_first(asked: list[Asked]) -> None:
    def longest(node: Node) -> int:
        return max((longest(child) for child in node.children), default=node.stop)

    roots = grow(asked, 1)
    for siblings in (roots, *(node.children for node in in_order(roots))):
        lengths = [longest(node) for node in siblings]
        assert lengths == sorted(lengths, reverse=True)


@given(asked=ASKED)
def test_what_stands_below_a_node_follows_it_without_a_gap(asked: list[Asked]) -> None:
    order = list(in_order(grow(asked, 1)))
    for index, end in enumerate(subtree_ends(order)):
        below = {id(node) for node in in_order([order[index]])}
        assert {id(node) for node in order[index:end]} == below
