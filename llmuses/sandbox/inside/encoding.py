"""From values to JSON nodes."""

from __future__ import annotations

import math
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from llmuses.sandbox.inside.values import MAX_DEPTH, MAX_NODES, Node, Outside, Table, TooLarge, base_of


class Encoder:
    """Turns the values of one message into nodes, with the table of the exchange."""

    def __init__(self, outside: Outside, table: Table):
        self.outside = outside
        self.table = table
        self.nodes = 0
        self.depth = 0

    def encode(self, value: Any) -> Node:
        """Return the node of a value. Raises TooLarge."""
        kind = type(value)
        if kind is bool or value is None:
            return value
        encoder = _ENCODERS.get(kind)
        if encoder is not None:
            return encoder(self, value)
        node = self.outside.reference(value)
        if node is not None:
            return node
        base = base_of(value)
        if base is tuple:
            number = self.outside.behind(value)
            items = self.items(tuple.__iter__(value), tuple.__len__(value))
            return ["tuple", *items] if number is None else ["held", number, *items]
        if base is not object:
            return _ENCODERS[base](self, value)
        plain = _plain_scalar(value)
        return self.outside.export(value) if plain is value else self.encode(plain)

    def state(self, value: Any) -> Node:
        """Return what a container holds now as a node, also where it is in the table already."""
        return _STATES[base_of(value)](self, value)

    def items(self, values: Iterable[Any], count: int) -> list[Node]:
        self.nodes += count
        self.depth += 1
        if self.nodes > MAX_NODES:
            raise TooLarge(f"a value of more than {MAX_NODES:,} parts")
        if self.depth > MAX_DEPTH:
            raise TooLarge(f"a value that is nested more than {MAX_DEPTH} deep")
        try:
            return [self.encode(value) for value in values]
        finally:
            self.depth -= 1


def _plain_scalar(value: Any) -> Any:
    """Return the number or truth of Python that one of numpy's stands for, every other value as it is."""
    numpy = sys.modules.get("numpy")
    kinds = getattr(numpy, "number", None), getattr(numpy, "bool_", None)
    if not any(isinstance(kind, type) and isinstance(value, kind) for kind in kinds):
        return value
    plain = value.item()
    return plain if type(plain) in (bool, int, float, complex) else value


def _numbered(encode: Callable[[Encoder, Any], Node]) -> Callable[[Encoder, Any], Node]:
    """Wrap the encoder of a mutable container: the first mention takes a number, later ones refer to it."""

    def first_or_again(encoder: Encoder, value: Any) -> Node:
        number = encoder.table.numbers.get(id(value))
        if number is not None:
            return ["@", number]
        encoder.table.add(value)
        return encode(encoder, value)

    return first_or_again


def _int(_: Encoder, value: Any) -> Node:
    plain = int.__index__(value)
    return plain if -(2**63) < plain < 2**63 else ["int", int.__format__(plain, "x")]


def _float(_: Encoder, value: Any) -> Node:
    plain = float.__float__(value)
    return plain if math.isfinite(plain) else ["float", float.__repr__(plain)]


def _complex(encoder: Encoder, value: Any) -> Node:
    plain = complex.__complex__(value)
    return ["complex", _float(encoder, plain.real), _float(encoder, plain.imag)]


def _str(_: Encoder, value: Any) -> Node:
    plain = str.__getitem__(value, slice(None))
    if plain.isascii():
        return plain
    raw = plain.encode("utf-8", "surrogatepass")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:  # halves of surrogate pairs, which JSON would join
        return ["str", raw.hex()]
    return plain


def _bytes(_: Encoder, value: Any) -> Node:
    return ["bytes", bytes.hex(value)]


def _bytearray(_: Encoder, value: Any) -> Node:
    return ["bytearray", bytearray.hex(value)]


def _tuple(encoder: Encoder, value: Any) -> Node:
    return ["tuple", *encoder.items(tuple.__iter__(value), tuple.__len__(value))]


def _list(encoder: Encoder, value: Any) -> Node:
    return ["list", *encoder.items(list.__iter__(value), list.__len__(value))]


def _set(encoder: Encoder, value: Any) -> Node:
    return ["set", *encoder.items(set.__iter__(value), set.__len__(value))]


def _frozenset(encoder: Encoder, value: Any) -> Node:
    return ["frozenset", *encoder.items(frozenset.__iter__(value), frozenset.__len__(value))]


def _deque(encoder: Encoder, value: Any) -> Node:
    return ["deque", value.maxlen, *encoder.items(deque.__iter__(value), deque.__len__(value))]


def _mapping(tag: str, pairs: Callable[[Any], Iterable[tuple[Any, Any]]]) -> Callable[[Encoder, Any], Node]:
    def encode(encoder: Encoder, value: Any) -> Node:
        flat = [part for pair in pairs(value) for part in pair]
        return [tag, *encoder.items(flat, len(flat))]

    return encode


def _view(tag: str) -> Callable[[Encoder, Any], Node]:
    """Return the encoder of a dictionary's view, which is not kept in step with the dictionary."""

    def encode(encoder: Encoder, value: Any) -> Node:
        parts = list(value)
        return [tag, *encoder.items(parts, len(parts))]

    return encode


def _range(encoder: Encoder, value: Any) -> Node:
    return ["range", *[_int(encoder, part) for part in (value.start, value.stop, value.step)]]


def _slice(encoder: Encoder, value: Any) -> Node:
    return ["slice", *encoder.items((value.start, value.stop, value.step), 3)]


def _decimal(_: Encoder, value: Any) -> Node:
    return ["Decimal", Decimal.__str__(value)]


def _fraction(encoder: Encoder, value: Any) -> Node:
    return ["Fraction", _int(encoder, value.numerator), _int(encoder, value.denominator)]


_STATES: dict[type, Callable[[Encoder, Any], Node]] = {
    list: _list,
    dict: _mapping("dict", dict.items),
    set: _set,
    bytearray: _bytearray,
    deque: _deque,
    Counter: _mapping("Counter", dict.items),
    defaultdict: _mapping("defaultdict", dict.items),
    OrderedDict: _mapping("OrderedDict", OrderedDict.items),
}
"""What a container holds, by its type."""

_ENCODERS: dict[type, Callable[[Encoder, Any], Node]] = {
    int: _int,
    float: _float,
    complex: _complex,
    str: _str,
    bytes: _bytes,
    tuple: _tuple,
    frozenset: _frozenset,
    range: _range,
    slice: _slice,
    Decimal: _decimal,
    Fraction: _fraction,
    type({}.keys()): _view("keys"),
    type({}.values()): _view("values"),
    type({}.items()): _view("items"),
    type(...): lambda _, __: ["..."],
    type(NotImplemented): lambda _, __: ["NotImplemented"],
    **{kind: _numbered(encode) for kind, encode in _STATES.items()},
}
