"""What prompts have in common: read once, whoever came first, and forgotten with the last one that needs it."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from llmuses.models.transformers.prompt_tree import PromptTree
from llmuses.models.transformers.slots import Prefix

SYSTEM = list(range(100, 120))
SHOTS = list(range(200, 280))


def told(leaf: Prefix) -> list[int]:
    return [token for prefix in leaf.chain() for token in prefix.tokens]


def all_nodes(leaves: Sequence[Prefix]) -> list[Prefix]:
    return list({id(prefix): prefix for leaf in leaves for prefix in leaf.chain()}.values())


families = st.lists(
    st.tuples(
        st.sampled_from([[], SYSTEM, SYSTEM + SHOTS, SYSTEM + SHOTS[:40], SHOTS]),
        st.lists(st.integers(0, 3), min_size=1, max_size=12),
    ).map(lambda parts: parts[0] + parts[1]),
    max_size=20,
)


@given(first=families, second=families)
def test_every_prompt_ends_in_a_prefix_that_holds_all_but_its_last_token(
    first: list[list[int]], second: list[list[int]]
) -> None:
    tree = PromptTree()
    leaves = tree.place(first) + tree.place(second)
    for leaf, prompt in zip(leaves, first + second, strict=True):
        assert told(leaf) == prompt[:-1]
        starts = [prefix.start for prefix in leaf.chain()]
        assert starts == sorted(starts)
    for leaf in leaves:
        tree.leave(leaf)
    assert tree._below == {}
    assert all(prefix.users == 0 for prefix in all_nodes(leaves))


def test_levels_nest() -> None:
    prompts = [[*SYSTEM, *SHOTS, number, 1] for number in range(9)] + [[*SYSTEM, number, 2] for number in range(9)]
    leaves = PromptTree().place(prompts)
    nodes = all_nodes(leaves)
    shared = [prefix.tokens for prefix in nodes if prefix.users > 1]
    assert SYSTEM in shared
    assert SHOTS in shared
    assert sum(len(prefix.tokens) for prefix in nodes) == len(SYSTEM) + len(SHOTS) + 18


def test_equal_prompts_share_all_but_the_token_that_is_read_next() -> None:
    leaves = PromptTree().place([SHOTS] * 4)
    assert [leaf.tokens for leaf in leaves] == [[]] * 4
    assert len({id(leaf.parent) for leaf in leaves}) == 1
    assert leaves[0].parent is not None
    assert leaves[0].parent.tokens == SHOTS[:-1]


def test_little_in_common_is_not_worth_a_prefix_of_its_own() -> None:
    leaves = PromptTree().place([[1, 2, 3, number, 9, 9, 9] for number in range(40)])
    assert all(leaf.parent is None for leaf in leaves)


def test_only_what_spares_much_is_attended_to_where_it_lies() -> None:
    few, many = (
        PromptTree().place([[*SHOTS, 1, 1], [*SHOTS, 2, 2]]),
        PromptTree().place([[*SHOTS, number, 1] for number in range(30)]),
    )
    assert few[0].parent is not None
    assert many[0].parent is not None
    assert (few[0].parent.merged, many[0].parent.merged) == (False, True)
    assert not any(leaf.merged for leaf in few + many)


def test_a_prompt_that_comes_later_finds_what_is_known_and_the_first_one_may_leave() -> None:
    tree = PromptTree()
    first = tree.place([[*SHOTS, number, 1] for number in range(3)])
    [later] = tree.place([[*SHOTS, 8, 8, 1]])
    assert later.parent is first[0].parent
    for leaf in first:
        tree.leave(leaf)
    assert told(later) == [*SHOTS, 8, 8]
    tree.leave(later)
    assert tree._below == {}
