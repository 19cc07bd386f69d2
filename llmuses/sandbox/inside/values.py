"""Plain values as JSON nodes: what can be said across the border between the tests and the program under test.

A scalar that JSON knows stands for itself; everything else is a list that begins with a tag. ``encoding`` reads a value
of a subclass by the base type's own methods, so that no overridden method takes part, and ``decoding`` builds exact
builtin types only. What is not plain is handed to ``Outside``, which puts a handle in its place.

Mutable containers are numbered in the order in which they are met, on both sides alike. A second mention is a reference
to the first, which keeps aliases and cycles; and the state of one that was changed in place can be sent back by number.
Both sides may be hostile to each other: decoding raises Malformed for whatever is no message, and sizes are bounded.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

MAX_NODES = 2_000_000
"""How many values one message may hold."""
MAX_DEPTH = 100
"""How deep values may be nested."""

Node = Any
"""What JSON holds: None, bool, int, float, str, or a list of nodes that begins with a tag."""


CONTAINERS: dict[str, type] = {
    "list": list,
    "set": set,
    "deque": deque,
    "dict": dict,
    "bytearray": bytearray,
    "Counter": Counter,
    "defaultdict": defaultdict,
    "OrderedDict": OrderedDict,
}
"""The plain types that can be changed in place, by their tags."""

PLAIN = frozenset(
    {
        *CONTAINERS.values(), int, float, complex, str, bytes, tuple, frozenset, range, slice, Decimal, Fraction,
        type({}.keys()), type({}.values()), type({}.items()), type(...), type(NotImplemented),
    }
)  # fmt: skip
"""All types that cross as plain values, beside None and bool."""


def base_of(value: object) -> type:
    """Return the plain type that a value is of, or is of a subclass of; object where there is none."""
    return next((base for base in type(value).__mro__ if base in PLAIN), object)


class TooLarge(Exception):
    """A value has too many parts, or is nested too deep, to cross the border."""


class Malformed(Exception):
    """A message that no encoder writes."""


class Outside(Protocol):
    """What one side knows about values that are not plain."""

    def reference(self, value: object) -> Node | None:
        """Return the node of a value that goes by name or by number, None for one that may be plain."""

    def behind(self, value: tuple[Any, ...]) -> int | None:
        """Return the number under which a tuple of a class of its own is kept, None where it is a tuple and no more."""

    def export(self, value: object) -> Node:
        """Return the node of a value that cannot be plain. Raises TooLarge where there are too many."""

    def find(self, node: list[Node], items: tuple[Any, ...]) -> object:
        """Return what a node of ``reference``, ``behind`` or ``export`` stands for on this side. Raises Malformed."""


class Table:
    """The mutable containers of one exchange by number."""

    def __init__(self) -> None:
        self.objects: list[Any] = []
        self.numbers: dict[int, int] = {}

    def add(self, value: object) -> None:
        """Give a container the next number. It is kept alive, so that its id stays its own."""
        self.numbers[id(value)] = len(self.objects)
        self.objects.append(value)

    def cut(self, count: int) -> None:
        """Forget all but the first containers."""
        for value in self.objects[count:]:
            del self.numbers[id(value)]
        del self.objects[count:]

    def snapshot(self) -> list[Any]:
        """Return what each container holds now, for ``changed``."""
        return [_content(value) for value in self.objects]

    def changed(self, before: list[Any]) -> list[int]:
        """Return the numbers of the containers that no longer hold what they held."""
        return [n for n, old in enumerate(before) if not _same(old, _content(self.objects[n]))]


def _content(value: Any) -> Any:
    """Return what a mutable container holds, one level deep, in its order."""
    if isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, OrderedDict):
        return [part for pair in OrderedDict.items(value) for part in pair]
    if isinstance(value, dict):
        return [part for pair in dict.items(value) for part in pair]
    return list(_BASE_ITER[base_of(value)](value))


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, bytes):
        return bool(old == new)
    return len(old) == len(new) and all(a is b for a, b in zip(old, new, strict=True))


_BASE_ITER: dict[type, Callable[[Any], Iterable[Any]]] = {
    list: list.__iter__,
    set: set.__iter__,
    deque: deque.__iter__,
}
