"""From JSON nodes to values. Whoever wrote them may be hostile: what no encoder writes is turned down."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from llmuses.sandbox.inside.values import CONTAINERS, MAX_DEPTH, Malformed, Node, Outside, Table, base_of


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
        if base_of(value) is not CONTAINERS.get(node[0]):
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


def _new_container(decoder: Decoder, node: list[Node]) -> Any:
    # It is in the table before it is filled, as on the side that wrote it.
    kind = CONTAINERS[node[0]]
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
