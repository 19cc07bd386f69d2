"""What stands in for an object of the other side: each use of it is a question across the border.

Comparison, hashing and arithmetic are never asked: they would show the other side what its object is compared with, and
let it answer. A handle equals itself alone. ``in`` walks through the items and compares them here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol


class Asks(Protocol):
    """The border, as handles see it."""

    def ask(self, operation: str, *arguments: object) -> Any:
        """Have the other side do something with its objects."""


class Handle:
    """An object of the other side. ``number`` is its name there."""

    __slots__ = ("__border", "__number", "__weakref__")
    __border: Asks
    __number: int

    def __init__(self, border: Asks, number: int):
        object.__setattr__(self, "_Handle__border", border)
        object.__setattr__(self, "_Handle__number", number)

    def __getattr__(self, name: str) -> Any:
        return self.__border.ask("get", self, name)

    def __setattr__(self, name: str, value: object) -> None:
        self.__border.ask("set", self, name, value)

    def __delattr__(self, name: str) -> None:
        self.__border.ask("delete", self, name)

    def __getitem__(self, key: object) -> Any:
        return self.__border.ask("item", self, key)

    def __setitem__(self, key: object, value: object) -> None:
        self.__border.ask("set item", self, key, value)

    def __delitem__(self, key: object) -> None:
        self.__border.ask("delete item", self, key)

    def __len__(self) -> int:
        length: int = self.__border.ask("length", self)
        return length

    def __bool__(self) -> bool:
        return self.__border.ask("truth", self) is True

    def __iter__(self) -> Iterator[Any]:
        walk: Iterator[Any] = self.__border.ask("iterate", self)
        return walk

    def __contains__(self, item: object) -> bool:
        return any(item is one or item == one for one in self)

    def __instancecheck__(self, value: object) -> bool:
        return self.__border.ask("instance", value, self) is True

    def __str__(self) -> str:
        text: str = self.__border.ask("text", self)
        return text

    def __repr__(self) -> str:
        text: str = self.__border.ask("repr", self)
        return text

    def __enter__(self) -> Any:
        return self.__border.ask("call", self.__border.ask("get", self, "__enter__"), (), {})

    def __exit__(self, *about: object) -> None:
        self.__border.ask("call", self.__border.ask("get", self, "__exit__"), (None, None, None), {})


def _border_of(handle: Handle) -> Asks:
    border: Asks = object.__getattribute__(handle, "_Handle__border")
    return border


class CallableHandle(Handle):
    """A function, class or other callable of the other side."""

    __slots__ = ()

    def __call__(self, /, *arguments: object, **named: object) -> Any:
        return _border_of(self).ask("call", self, arguments, named)


class IteratorHandle(Handle):
    """An iterator of the other side, walked through one item at a time."""

    __slots__ = ()

    def __iter__(self) -> IteratorHandle:
        return self

    def __next__(self) -> Any:
        return _border_of(self).ask("next", self)


class HeldTuple(tuple[Any, ...]):
    """A tuple of a class of the other side, such as a named tuple: its items are here, its attributes there."""

    __border: Asks
    __number: int

    @classmethod
    def of(cls, items: tuple[Any, ...], border: Asks, number: int) -> HeldTuple:
        """Return the tuple of these items that is kept there under a number."""
        held = cls(items)
        held.__border = border
        held.__number = number
        return held

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_HeldTuple__"):
            raise AttributeError(name)
        return self.__border.ask("get", self, name)


HANDLES: dict[str, type[Handle]] = {"object": Handle, "callable": CallableHandle, "iterator": IteratorHandle}
"""The class of handle by the word for it in a message."""


def handle_number(value: object, border: Asks) -> int | None:
    """Return the number of what a handle of this border stands for, None for any other value."""
    kind = type(value)
    if kind is HeldTuple:
        owner, number = value.__dict__["_HeldTuple__border"], value.__dict__["_HeldTuple__number"]
    elif kind in (Handle, CallableHandle, IteratorHandle):
        owner = object.__getattribute__(value, "_Handle__border")
        number = object.__getattribute__(value, "_Handle__number")
    else:
        return None
    return number if owner is border else None
