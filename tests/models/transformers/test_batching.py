"""Batches: bounded by rows, tokens and length, and halved where memory does not suffice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmuses.models.transformers.batching import Batcher, TokenBudget


def longest(items: Sequence[int]) -> int:
    return max(items)


@given(
    items=st.lists(st.integers(1, 50), max_size=40),
    rows=st.integers(1, 10),
    tokens=st.none() | st.integers(1, 200),
)
def test_every_item_is_worked_on_once_in_batches_within_bounds(items: list[int], rows: int, tokens: int | None) -> None:
    batches: list[list[int]] = []

    def work(batch: Sequence[int]) -> list[int]:
        batches.append(list(batch))
        return [-item for item in batch]

    outcome = list(Batcher(rows, tokens, None).run(items, longest, work))
    assert [(item, result) for item, result, _ in outcome] == [(item, -item) for item in items]
    for batch in batches:
        assert len(batch) <= rows
        assert tokens is None or len(batch) == 1 or max(batch) * len(batch) <= tokens


def test_a_batch_longer_than_the_window_is_cut_into_rows() -> None:
    sizes: list[int] = []
    list(Batcher(8, None, 10).run([10, 10, 11, 10], longest, lambda batch: sizes.append(len(batch)) or list(batch)))
    assert sizes == [2, 1, 1]


@pytest.mark.parametrize(
    "problem",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")],
)
def test_out_of_memory_halves_the_batch_for_good(problem: RuntimeError) -> None:
    sizes: list[int] = []

    def work(batch: Sequence[int]) -> list[int]:
        sizes.append(len(batch))
        if len(batch) > 2:
            raise problem
        return list(batch)

    outcome = list(Batcher(8, None, None).run(list(range(10)), longest, work))
    assert [result for _, result, _ in outcome] == list(range(10))
    assert sizes == [8, 4, 2, 2, 2, 2, 2]


def test_an_item_that_does_not_fit_alone_has_no_result_and_the_rest_goes_on() -> None:
    def work(batch: Sequence[int]) -> list[int]:
        if 7 in batch:
            raise torch.OutOfMemoryError("out of memory")
        return list(batch)

    outcome = list(Batcher(1, None, None).run([5, 7, 6], longest, work))
    assert [result for _, result, _ in outcome] == [5, None, 6]


def test_other_errors_are_not_swallowed() -> None:
    def work(batch: Sequence[int]) -> list[int]:
        raise RuntimeError("shape mismatch")

    with pytest.raises(RuntimeError, match="shape mismatch"):
        list(Batcher(4, None, None).run([1], longest, work))


def after_passes(budget: TokenBudget, pace: Callable[[int], float], passes: int) -> list[int]:
    """Return the budgets of some full passes, where ``pace`` is the tokens a second at a budget."""
    budgets = []
    for _ in range(passes):
        budgets.append(budget.tokens)
        budget.took(budget.tokens, budget.tokens / pace(budget.tokens))
    return budgets


def test_a_budget_grows_as_long_as_passes_become_faster_by_it() -> None:
    budgets = after_passes(TokenBudget(100, 1, most=10_000), lambda tokens: min(tokens, 700), 12)
    assert budgets == [100, 100, 200, 200, 400, 400, 800, 800, 1600, 1600, 800, 800]


def test_a_budget_stays_where_larger_passes_gain_nothing() -> None:
    assert after_passes(TokenBudget(100, 1, most=10_000), lambda tokens: 50, 6) == [100, 100, 200, 200, 100, 100]


def test_a_budget_that_was_asked_for_stays() -> None:
    assert set(after_passes(TokenBudget(300, 1), float, 9)) == {300}


def test_a_budget_does_not_grow_beyond_its_most() -> None:
    assert max(after_passes(TokenBudget(100, 1, most=500), float, 20)) == 400


def test_a_pass_that_was_not_full_says_nothing_about_the_budget() -> None:
    budget = TokenBudget(100, 1, most=1_000)
    for _ in range(9):
        budget.took(50, 1e-9)
    assert budget.tokens == 100


def test_a_budget_that_did_not_fit_is_halved_for_good() -> None:
    budget = TokenBudget(100, 64, most=10_000)
    assert budget.halve(90)
    assert (budget.tokens, budget.logits) == (45, 32)
    assert set(after_passes(budget, float, 9)) == {45}
    assert not budget.halve(TokenBudget.smallest)
