"""What is kept of conversations: of the right tokens, each once, no more than is allowed, gone when memory is needed."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmuses.models.transformers.kept import Kept
from llmuses.models.transformers.memory import free_memory
from llmuses.models.transformers.slots import Layer, Layers, Prefix

SYSTEM = list(range(100, 160))


def kept_of(tokens: Sequence[int]) -> Callable[[int], Layers]:
    """Return what a network would keep: numbers that follow from all tokens up to each."""

    def layers(first: int) -> Layers:
        sums = torch.tensor(tokens, dtype=torch.float64).cumsum(0)[first:]
        return {index: (sums[None, :, None] + index, -sums[None, :, None] - index) for index in range(2)}

    return layers


def recalled(kept: Kept, *stretches: Sequence[int]) -> list[Prefix]:
    """Return a chain of prefixes after what is known of it was filled in."""
    path: list[Prefix] = []
    for tokens in stretches:
        path.append(Prefix(tokens, path[-1] if path else None))
    kept.recall(path)
    return path


def known(path: Sequence[Prefix]) -> int:
    return sum(prefix.known for prefix in path)


def is_right(path: Sequence[Prefix]) -> bool:
    """Return whether what is known is what the network would have kept of exactly these tokens."""
    tokens = [token for prefix in path for token in prefix.tokens]
    expected = kept_of(tokens)(0)
    return all(
        torch.equal(
            layer[part][:, : prefix.known], expected[index][part][:, prefix.start : prefix.start + prefix.known]
        )
        for prefix in path
        for index, layer in prefix.layers.items()
        for part in range(2)
    )


conversations = st.lists(
    st.tuples(st.sampled_from([[], SYSTEM, SYSTEM[:40], [7] * 50]), st.lists(st.integers(0, 2), max_size=60)).map(
        lambda parts: parts[0] + parts[1]
    ),
    max_size=12,
)


@given(conversations, st.integers(0, 400), conversations, st.lists(st.integers(0, 50), min_size=1, max_size=4))
def test_what_is_recalled_is_what_the_network_kept_of_the_longest_known_beginning(
    said: list[list[int]], most: int, asked: list[list[int]], cuts: list[int]
) -> None:
    kept = Kept()
    for tokens in said:
        kept.keep(tokens, kept_of(tokens))
        kept.shrink(most)
        assert kept.size <= most
    distinct = {tuple(tokens[: n + 1]) for tokens in said for n in range(len(tokens))}
    assert kept.size <= len(distinct)
    for tokens in [*asked, *said]:
        places = sorted({min(cut, len(tokens)) for cut in cuts} | {0, len(tokens)})
        path = recalled(kept, *(tokens[a:b] for a, b in itertools.pairwise(places)))
        assert is_right(path)
        longest = max((n for n in range(len(tokens) + 1) if n == 0 or tuple(tokens[:n]) in distinct), default=0)
        assert known(path) <= longest
        if kept.size == len(distinct) and longest >= 32:
            assert known(path) == longest


def test_the_next_turn_goes_on_where_the_last_one_ended() -> None:
    kept = Kept()
    first = [*SYSTEM, 1, 2, 3]
    kept.keep(first, kept_of(first))
    second = [*first, 4, 5, 6]
    path = recalled(kept, second)
    assert known(path) == len(first)
    kept.keep(second, kept_of(second))
    assert kept.size == len(second)


def test_where_an_earlier_turn_was_changed_only_what_stands_before_it_counts() -> None:
    kept = Kept()
    thought = [*SYSTEM, 1, 1, 1, 1, 2, 2]
    kept.keep(thought, kept_of(thought))
    path = recalled(kept, [*SYSTEM, 2, 2, 9, 9])
    assert known(path) == len(SYSTEM)
    assert is_right(path)


def test_another_conversation_goes_on_from_a_common_opening_that_is_kept_once() -> None:
    kept = Kept()
    for number in range(5):
        tokens = [*SYSTEM, number, number]
        assert known(recalled(kept, tokens)) == (len(SYSTEM) if number else 0)
        kept.keep(tokens, kept_of(tokens))
    assert kept.size == len(SYSTEM) + 5 * 2


def test_a_few_tokens_that_all_prompts_begin_with_are_not_worth_it() -> None:
    kept = Kept()
    kept.keep(SYSTEM, kept_of(SYSTEM))
    assert known(recalled(kept, [*SYSTEM[:20], 1, 2, 3])) == 0


def test_what_was_not_of_use_for_longest_goes_first() -> None:
    kept = Kept()
    talks = [[number] * 40 for number in range(1, 4)]
    for talk in talks:
        kept.keep(talk, kept_of(talk))
    recalled(kept, [*talks[0], 9])
    kept.shrink(80)
    assert [known(recalled(kept, talk)) for talk in talks] == [40, 0, 40]


def test_whoever_needs_memory_gets_that_of_all_networks() -> None:
    ones = [Kept(), Kept()]
    for kept in ones:
        kept.keep(SYSTEM, kept_of(SYSTEM))
    assert free_memory()
    assert [kept.size for kept in ones] == [0, 0]
    assert not free_memory()
    assert known(recalled(ones[0], SYSTEM)) == 0


def test_a_network_without_memory_for_a_copy_leaves_what_is_kept_as_it_was() -> None:
    kept = Kept()
    kept.keep(SYSTEM, kept_of(SYSTEM))

    def full(first: int) -> dict[int, Layer]:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        kept.keep([*SYSTEM[:50], 7, 7], full)
    assert known(recalled(kept, SYSTEM)) == kept.size == len(SYSTEM)


def test_threads_may_keep_recall_and_give_up_at_once() -> None:
    kept = Kept()
    wrong: list[object] = []

    def work(seed: int) -> None:
        try:
            for turn in range(40):
                talk = [*SYSTEM, seed, *range(turn)]
                if not is_right(recalled(kept, talk)):
                    wrong.append(talk)
                kept.keep(talk, kept_of(talk))
                kept.shrink(150)
                if turn % 10 == seed:
                    kept.give_up()
        except Exception as problem:
            wrong.append(problem)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not wrong
    assert kept.size <= 150
