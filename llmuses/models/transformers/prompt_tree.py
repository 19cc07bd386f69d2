"""What prompts have in common, so that it is read once."""

from __future__ import annotations

from collections.abc import Sequence

from llmuses.models.transformers.slots import Prefix

_WORTH = 32
"""So many tokens must be spared in all for a prefix to be shared."""

_LEAST = 8
"""A shared prefix has at least so many tokens."""

_MERGED = 1_024
"""So many tokens must be spared for a prefix to be attended to where it lies: each such prefix costs a few operations in
every layer, however short it is."""


class PromptTree:
    """The prefixes of the answers in progress: a tree whose nodes live as long as somebody uses them."""

    def __init__(self) -> None:
        self._below: dict[int, list[Prefix]] = {}

    def place(self, prompts: Sequence[list[int]]) -> list[Prefix]:
        """Return for each prompt the prefix that ends with all of its tokens but the last one, which begins the answer.

        The prefixes are in use until they are handed back to ``leave``.
        """
        reached: dict[int, tuple[Prefix | None, list[int]]] = {}
        for number, prompt in enumerate(prompts):
            parent = self._descend(prompt)
            reached.setdefault(id(parent), (parent, []))[1].append(number)
        leaves: dict[int, Prefix] = {}
        for parent, numbers in reached.values():
            numbers.sort(key=lambda number: prompts[number])
            self._grow(parent, numbers, prompts, leaves)
        for leaf in leaves.values():
            leaf.users += 1
        return [leaves[number] for number in range(len(prompts))]

    def leave(self, prefix: Prefix | None) -> None:
        """Hand back a prefix. What nobody uses any more is forgotten."""
        while prefix is not None:
            prefix.users -= 1
            if prefix.users:
                return
            prefix.forget()
            siblings = self._below[id(prefix.parent)]
            siblings.remove(prefix)
            if not siblings:
                del self._below[id(prefix.parent)]
            prefix = prefix.parent

    def _descend(self, prompt: list[int]) -> Prefix | None:
        """Return the last known prefix that a prompt begins with. It leaves at least one token of the prompt."""
        parent: Prefix | None = None
        while True:
            start = parent.end if parent else 0
            for child in self._below.get(id(parent), ()):
                if child.end < len(prompt) and prompt[start : child.end] == child.tokens:
                    parent = child
                    break
            else:
                return parent

    def _grow(
        self, parent: Prefix | None, numbers: Sequence[int], prompts: Sequence[list[int]], leaves: dict[int, Prefix]
    ) -> None:
        """Add what prompts, sorted, go on with after ``parent``; ``leaves`` gets the last prefix of each."""
        start = parent.end if parent else 0
        first = 0
        while first < len(numbers):
            members, length = _together(numbers[first:], prompts, start)
            group = numbers[first : first + members]
            first += members
            if members == 1:
                leaves[group[0]] = self._add(prompts[group[0]][start:-1], parent, merged=False)
                continue
            spared = (members - 1) * length
            shared = self._add(prompts[group[0]][start : start + length], parent, merged=spared >= _MERGED)
            self._grow(shared, group, prompts, leaves)

    def _add(self, tokens: Sequence[int], parent: Prefix | None, merged: bool) -> Prefix:
        child = Prefix(tokens, parent, merged)
        self._below.setdefault(id(parent), []).append(child)
        if parent:
            parent.users += 1
        return child


def _together(numbers: Sequence[int], prompts: Sequence[list[int]], start: int) -> tuple[int, int]:
    """Return how many of the first prompts, sorted, share their next tokens, and how many tokens: most prompts first.

    (1, 0) where sharing is not worth it.
    """
    together = (1, 0)
    common = len(prompts[numbers[0]]) - 1 - start
    for members in range(2, len(numbers) + 1):
        before, here = prompts[numbers[members - 2]], prompts[numbers[members - 1]]
        common = min(common, len(here) - 1 - start, _common(before, here, start, common))
        if common < _LEAST:
            break
        if (members - 1) * common >= _WORTH:
            together = (members, common)
    return together


def _common(one: list[int], other: list[int], start: int, most: int) -> int:
    """Return how many tokens are equal from ``start`` on, ``most`` at most."""
    most = min(most, len(one) - start, len(other) - start)
    low, high = 0, most
    while low < high:  # slices compare much faster than tokens one by one
        middle = (low + high + 1) // 2
        if one[start + low : start + middle] == other[start + low : start + middle]:
            low = middle
        else:
            high = middle - 1
    return low
