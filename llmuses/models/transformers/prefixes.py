"""Token sequences as a tree of their common prefixes, so that what many of them share is computed once.

A node is a run of tokens; a sequence is a path from a root. Sequences that are equal end in the same node.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Probe(NamedTuple):
    """What is asked of one position: how likely ``target`` follows the token at ``offset`` of a node.

    ``sequence`` is the number of the sequence that asks.
    """

    offset: int
    target: int
    sequence: int


class Node:
    """A run of tokens that stands at ``start`` in every sequence that passes through it."""

    __slots__ = ("children", "parent", "probes", "start", "tokens")

    def __init__(self, tokens: list[int], start: int, parent: Node | None):
        self.tokens = tokens
        self.start = start
        self.parent = parent
        self.children: list[Node] = []
        self.probes: list[Probe] = []

    @property
    def stop(self) -> int:
        """The position after the last token."""
        return self.start + len(self.tokens)


class Asked(NamedTuple):
    """One continuation of one context, which must not be empty."""

    context: list[int]
    continuation: list[int]


def grow(asked: Sequence[Asked], worth: int) -> list[Node]:
    """Return the roots of the tree of all sequences, the longest first, and so on among the children of each node.

    Each sequence is its context and its continuation but for the last token, which is a target only. Its probes stand
    on its path. A node is kept where sharing it saves at least ``worth`` tokens; else its tokens stand in each child.
    """
    branches: dict[Node | None, dict[int, Node]] = {None: {}}
    ends = [_insert(branches, [*context, *continuation[:-1]]) for context, continuation in asked]
    for parent, children in branches.items():
        if parent is not None:
            parent.children = list(children.values())
    for number, (end, (context, continuation)) in enumerate(zip(ends, asked, strict=True)):
        _add_probes(end, number, len(context) - 1, continuation)
    return _longest_first(_without_small(list(branches[None].values()), worth))


def _insert(branches: dict[Node | None, dict[int, Node]], tokens: list[int]) -> Node:
    """Add a sequence and return the node that it ends in. ``branches`` holds the children of each by first token."""
    node: Node | None = None
    read = 0
    while read < len(tokens):
        children = branches.setdefault(node, {})
        child = children.get(tokens[read])
        if child is None:
            child = children[tokens[read]] = Node(tokens[read:], read, node)
        common = in_common(child.tokens, tokens, read)
        if common < len(child.tokens):
            # What is below keeps its identity: sequences that end there still do.
            upper = children[tokens[read]] = Node(child.tokens[:common], read, node)
            child.tokens = child.tokens[common:]
            child.start, child.parent = upper.stop, upper
            branches[upper] = {child.tokens[0]: child}
            child = upper
        read += common
        node = child
    assert node is not None
    return node


def in_common(run: list[int], tokens: list[int], start: int) -> int:
    """Return how many tokens of a run stand in a sequence from ``start`` on."""
    low, high = 0, min(len(run), len(tokens) - start)
    if run[:high] == tokens[start : start + high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if run[low:middle] == tokens[start + low : start + middle]:
            low = middle
        else:
            high = middle
    return low


def _add_probes(end: Node, number: int, first: int, continuation: list[int]) -> None:
    node: Node | None = end
    position = first + len(continuation) - 1
    while node is not None and position >= first:
        for place in range(position, max(node.start, first) - 1, -1):
            node.probes.append(Probe(place - node.start, continuation[place - first], number))
        position, node = node.start - 1, node.parent


def _without_small(roots: list[Node], worth: int) -> list[Node]:
    """Return the roots of the tree without the nodes that are not worth their while."""
    kept: list[Node] = []
    open_nodes = roots[::-1]
    while open_nodes:
        node = open_nodes.pop()
        if node.children and len(node.tokens) * (len(node.children) - 1) < worth:
            for number, child in enumerate(node.children):
                child.tokens = node.tokens + child.tokens
                child.start, child.parent = node.start, node.parent
                moved = [probe._replace(offset=probe.offset + len(node.tokens)) for probe in child.probes]
                child.probes = moved if number else node.probes + moved
        else:
            kept.append(node)
        open_nodes += reversed(node.children)
        node.children = []
    for node in kept:
        if node.parent is not None:
            node.parent.children.append(node)
    return [node for node in kept if node.parent is None]


def _longest_first(roots: list[Node]) -> list[Node]:
    longest: dict[int, int] = {}
    for node in reversed(list(in_order(roots))):
        longest[id(node)] = max((longest[id(child)] for child in node.children), default=node.stop)
        node.children.sort(key=lambda child: -longest[id(child)])
    return sorted(roots, key=lambda root: -longest[id(root)])


def in_order(roots: Sequence[Node]) -> Iterator[Node]:
    """Yield every node before its children, and all below a node before its next sibling."""
    waiting = list(reversed(roots))
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def subtree_ends(order: Sequence[Node]) -> list[int]:
    """Return, for each node of a list as ``in_order`` yields them, the index after the last node below it."""
    place = {id(node): index for index, node in enumerate(order)}
    ends = [index + 1 for index in range(len(order))]
    for index in range(len(order) - 1, -1, -1):
        parent = order[index].parent
        if parent is not None:
            above = place[id(parent)]
            ends[above] = max(ends[above], ends[index])
    return ends
