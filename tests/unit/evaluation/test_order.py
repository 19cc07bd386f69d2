"""The order of asking: seeded, stratified, stable when the limit grows."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from llmuses.evaluation.dataset import stratified_order

sizes_of_subsets = st.lists(st.integers(1, 60), min_size=1, max_size=8)


def _owner(position: int, sizes: list[int]) -> int:
    for number, size in enumerate(sizes):
        if position < size:
            return number
        position -= size
    raise AssertionError(position)


def _names(sizes: list[int]) -> list[str]:
    return [f"subset {number}" for number in range(len(sizes))]


@given(sizes=sizes_of_subsets, seed=st.integers(0, 5))
def test_without_a_limit_every_sample_has_one_turn(sizes: list[int], seed: int) -> None:
    order = stratified_order(_names(sizes), sizes, None, seed)
    assert sorted(order) == list(range(sum(sizes)))


@given(sizes=sizes_of_subsets, limit=st.integers(1, 70))
def test_the_limit_holds_for_each_subset(sizes: list[int], limit: int) -> None:
    order = stratified_order(_names(sizes), sizes, limit, 0)
    taken = Counter(_owner(position, sizes) for position in order)
    assert [taken[number] for number in range(len(sizes))] == [min(limit, size) for size in sizes]


@given(sizes=sizes_of_subsets, small=st.integers(1, 30), more=st.integers(0, 30))
def test_a_larger_limit_keeps_the_samples_of_a_smaller_one(sizes: list[int], small: int, more: int) -> None:
    names = _names(sizes)
    assert set(stratified_order(names, sizes, small, 3)) <= set(stratified_order(names, sizes, small + more, 3))


@given(sizes=sizes_of_subsets, share=st.floats(0.1, 1))
def test_each_beginning_holds_every_subset_in_proportion(sizes: list[int], share: float) -> None:
    order = stratified_order(_names(sizes), sizes, None, 0)
    beginning = order[: round(share * len(order))]
    taken = Counter(_owner(position, sizes) for position in beginning)
    for number, size in enumerate(sizes):
        assert abs(taken[number] - size * len(beginning) / len(order)) <= len(sizes) + 1


def test_the_seed_decides() -> None:
    sizes, names = [50, 20], ["a", "b"]
    assert list(stratified_order(names, sizes, None, 1)) == list(stratified_order(names, sizes, None, 1))
    assert list(stratified_order(names, sizes, None, 1)) != list(stratified_order(names, sizes, None, 2))


def test_a_subset_is_shuffled_the_same_whatever_stands_beside_it() -> None:
    alone = stratified_order(["b"], [20], 5, 0)
    beside = [position - 50 for position in stratified_order(["a", "b"], [50, 20], 5, 0) if position >= 50]
    assert sorted(alone) == sorted(beside)
