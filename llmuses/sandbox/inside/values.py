"""Plain values as JSON nodes: what can be said across the border between the tests and the program under test.

A scalar that JSON knows stands for itself; everything else is a list that begins with a tag. Decoding builds exact
builtin types only, whatever subclass the value was: its content is read by the base type's own methods, so that no
overridden method takes part. What is not plain is handed to ``Outside``, which puts a handle in its place.

Mutable containers are numbered in the order in which they are met, on both sides alike. A second mention is a reference
to the first, which keeps aliases and cycles; and the state of one that was changed in place can be sent back by number.
Both sides may be hostile to each other: decoding raises Malformed for whatever is no message, and sizes are bounded.
"""

from __future__ import annotations

import math
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
    return list(_BASE_ITER[_base(value)](value))


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, bytes):
        return bool(old == new)
    return len(old) == len(new) and all(a is b for a, b in zip(old, new, strict=True))


_BASE_ITER: dict[type, Callable[[Any], Iterable[Any]]] = {
    list: list.__iter__,
    set: set.__iter__,
    deque: deque.__iter__,
}


def _base(value: object) -> type:
    """Return the plain type that a value is of, or is of a subclass of; object where there is none."""
    for base in type(value).__mro__:
        if base in _ENCODERS:
            return base
    return object


# --- encoding ----------------------------------------------------------------------------------------------


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
        base = _base(value)
        if base is tuple:
            number = self.outside.behind(value)
            items = self.items(tuple.__iter__(value), tuple.__len__(value))
            return ["tuple", *items] if number is None else ["held", number, *items]
        if base is not object:
            return _ENCODERS[base](self, value)
        return self.outside.export(value)

    def state(self, value: Any) -> Node:
        """Return what a container holds now as a node, also where it is in the table already."""
        return _CONTAINERS[_base(value)](self, value)

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


_CONTAINERS: dict[type, Callable[[Encoder, Any], Node]] = {
    list: _list,
    dict: _mapping("dict", dict.items),
    set: _set,
    bytearray: _bytearray,
    deque: _deque,
    Counter: _mapping("Counter", dict.items),
    defaultdict: _mapping("defaultdict", dict.items),
    OrderedDict: _mapping("OrderedDict", OrderedDict.items),
}
"""The plain types that can be changed in place."""

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
    **{kind: _numbered(encode) for kind, encode in _CONTAINERS.items()},
}


# --- decoding ----------------------------------------------------------------------------------------------


class Decoder:
    """Turns the nodes of one message into values, with the table of the exchange."""

    def __init__(self, outside: Outside, table: Table):
        self.outside = outside
        self.table = table
        self.depth = 0

    def decode(self, node: Node) -> Any:
        """Return the value of a node. Raises Malformed."""
        if type(node) is not list:
            return node
        self.depth += 1
        try:
            if self.depth > MAX_DEPTH + 10:
                raise Malformed("values nested too deep")
            decoder = _DECODERS.get(node[0])
            if decoder is not None:
                return decoder(self, node)
            items = tuple(map(self.decode, node[2:])) if node[0] == "held" else ()
            return self.outside.find(node, items)
        except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError) as problem:
            raise Malformed(f"no value: {problem}") from problem
        finally:
            self.depth -= 1

    def restore(self, number: Node, node: Node) -> None:
        """Give the container of a number the content that a node says. Raises Malformed."""
        if type(number) is not int or not 0 <= number < len(self.table.objects) or type(node) is not list or not node:
            raise Malformed("the state of no container")
        value = self.table.objects[number]
        if _base(value) is not _CLASSES.get(node[0]):
            raise Malformed("the state of another kind of container")
        try:
            if node[0] == "bytearray":
                bytearray.__setitem__(value, slice(None), bytes.fromhex(node[1]))
            else:
                _REFILL[node[0]](self, value, node)
        except (TypeError, ValueError, LookupError) as problem:
            raise Malformed(f"no state of a container: {problem}") from problem


def _pairs(decoder: Decoder, node: list[Node]) -> Iterable[tuple[Any, Any]]:
    if len(node) % 2 == 0:
        raise Malformed("a key without a value")
    parts = iter(node[1:])
    return [(decoder.decode(key), decoder.decode(value)) for key, value in zip(parts, parts, strict=True)]


def _fill_list(decoder: Decoder, value: Any, node: list[Node]) -> None:
    list.__setitem__(
        value, slice(None), [part if type(part) is not list else decoder.decode(part) for part in node[1:]]
    )


def _fill_set(decoder: Decoder, value: Any, node: list[Node]) -> None:
    items = [decoder.decode(part) for part in node[1:]]
    set.clear(value)
    set.update(value, items)


def _fill_deque(decoder: Decoder, value: Any, node: list[Node]) -> None:
    items = [decoder.decode(part) for part in node[2:]]
    deque.clear(value)
    deque.extend(value, items)


def _fill_mapping(decoder: Decoder, value: Any, node: list[Node]) -> None:
    pairs = _pairs(decoder, node)
    base = OrderedDict if isinstance(value, OrderedDict) else dict
    base.clear(value)
    for key, item in pairs:
        base.__setitem__(value, key, item)


_REFILL: dict[str, Callable[[Decoder, Any, list[Node]], None]] = {
    "list": _fill_list,
    "set": _fill_set,
    "deque": _fill_deque,
    "dict": _fill_mapping,
    "Counter": _fill_mapping,
    "defaultdict": _fill_mapping,
    "OrderedDict": _fill_mapping,
}
_CLASSES: dict[str, type] = {
    "list": list, "set": set, "deque": deque, "dict": dict, "bytearray": bytearray,
    "Counter": Counter, "defaultdict": defaultdict, "OrderedDict": OrderedDict,
}  # fmt: skip


def _new_container(decoder: Decoder, node: list[Node]) -> Any:
    # It is in the table before it is filled, as on the side that wrote it.
    kind = _CLASSES[node[0]]
    if kind is deque:
        if not (node[1] is None or type(node[1]) is int):
            raise Malformed("a deque of no length")
        value: Any = deque(maxlen=node[1])
    else:
        value = kind()
    decoder.table.add(value)
    _REFILL[node[0]](decoder, value, node)
    return value


def _new_bytearray(decoder: Decoder, node: list[Node]) -> bytearray:
    value = bytearray.fromhex(node[1])
    decoder.table.add(value)
    return value


def _again(decoder: Decoder, node: list[Node]) -> Any:
    if type(node[1]) is not int or node[1] < 0:
        raise Malformed("a reference to nothing")
    return decoder.table.objects[node[1]]


def _new_float(node: Node) -> float:
    if type(node) is float:
        return node
    if type(node) is list and node[1] in ("nan", "inf", "-inf"):
        return float(node[1])
    raise Malformed("no float")


def _whole(decoder: Decoder, node: Node) -> int:
    value = decoder.decode(node)
    if type(value) is not int:
        raise Malformed("no whole number")
    return value


def _many(decoder: Decoder, node: list[Node]) -> list[Any]:
    return [part if type(part) is not list else decoder.decode(part) for part in node[1:]]


_DECODERS: dict[str, Callable[[Decoder, list[Node]], Any]] = {
    "@": _again,
    "int": lambda _, node: int(node[1], 16),
    "float": lambda _, node: _new_float(node),
    "complex": lambda _, node: complex(_new_float(node[1]), _new_float(node[2])),
    "str": lambda _, node: bytes.fromhex(node[1]).decode("utf-8", "surrogatepass"),
    "bytes": lambda _, node: bytes.fromhex(node[1]),
    "bytearray": _new_bytearray,
    "tuple": lambda decoder, node: tuple(_many(decoder, node)),
    "frozenset": lambda decoder, node: frozenset(_many(decoder, node)),
    "range": lambda decoder, node: range(*[_whole(decoder, part) for part in node[1:4]]),
    "slice": lambda decoder, node: slice(*[decoder.decode(part) for part in node[1:4]]),
    "Decimal": lambda _, node: Decimal(node[1]),
    "Fraction": lambda decoder, node: Fraction(_whole(decoder, node[1]), _whole(decoder, node[2])),
    "keys": lambda decoder, node: dict.fromkeys(_many(decoder, node)).keys(),
    "values": lambda decoder, node: dict(enumerate(_many(decoder, node))).values(),
    "items": lambda decoder, node: dict(_many(decoder, node)).items(),
    "...": lambda _, __: ...,
    "NotImplemented": lambda _, __: NotImplemented,
    **dict.fromkeys(_REFILL, _new_container),
}
