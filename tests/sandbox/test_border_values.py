"""Plain values cross the border as they are, as exact builtin types, in place and in bounds."""

from __future__ import annotations

import contextlib
import json
import math
from collections import ChainMap, Counter, OrderedDict, UserDict, defaultdict, deque, namedtuple
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmuses.sandbox.inside.decoding import Decoder
from llmuses.sandbox.inside.encoding import Encoder
from llmuses.sandbox.inside.values import MAX_DEPTH, Malformed, Table, TooLarge
from tests.sandbox.border import judged


class Nothing:
    """A side that knows no objects."""

    def reference(self, value: object) -> None:
        return None

    def behind(self, value: tuple[Any, ...]) -> None:
        return None

    def export(self, value: object) -> list[Any]:
        return ["object", 0, "object"]

    def find(self, node: list[Any], items: tuple[Any, ...]) -> object:
        raise Malformed(str(node[0])[:20])


def crossed(value: Any) -> Any:
    """Return a value as it arrives on the other side, by way of JSON text."""
    text = json.dumps(Encoder(Nothing(), Table()).encode(value), allow_nan=False)
    return Decoder(Nothing(), Table()).decode(json.loads(text))


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal in type, sign, order and every part; NaN is NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return (one != one and other != other) or (one == other and math.copysign(1, one) == math.copysign(1, other))
    if isinstance(one, complex):
        return same(one.real, other.real) and same(one.imag, other.imag)
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    if isinstance(one, list | tuple | deque):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers().map(lambda n: n**9), st.floats(), st.complex_numbers(),
    st.text(st.characters()), st.text(st.characters(categories=["Cs", "L"])), st.binary(), st.binary().map(bytearray),
    st.decimals(allow_nan=False), st.fractions(), st.just(...), st.just(NotImplemented),
    st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 9)), st.builds(slice, st.integers()),
)  # fmt: skip
keys = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.binary(),
    st.floats(allow_nan=False),
    st.tuples(st.integers()),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.lists(inner).map(deque),
        st.dictionaries(keys, inner),
        st.dictionaries(keys, inner).map(OrderedDict),
        st.sets(keys),
        st.frozensets(keys),
    ),
    max_leaves=20,
)


@given(values)
@settings(max_examples=150, deadline=None)
def test_a_plain_value_arrives_as_it_was_sent(value: Any) -> None:
    assert same(crossed(value), value)


@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.floats(allow_nan=False), lambda inner: st.lists(inner, max_size=5)
    )
)
@settings(max_examples=150, deadline=None)
def test_any_json_is_a_value_or_is_turned_down(node: Any) -> None:
    with contextlib.suppress(Malformed):
        Decoder(Nothing(), Table()).decode(node)


TAGS = st.sampled_from(
    "@ int float complex str bytes bytearray list tuple set frozenset dict Counter defaultdict OrderedDict deque range slice "
    "Decimal Fraction keys values items ... NotImplemented held yours object exception native module".split()
)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-3, 99) | st.floats(allow_nan=False) | st.text(max_size=4),
        lambda inner: st.builds(lambda tag, parts: [tag, *parts], TAGS, st.lists(inner, max_size=4)),
    ),
    st.integers(-1, 3),
)
@settings(max_examples=300, deadline=None)
def test_any_tagged_node_is_a_value_or_is_turned_down(node: Any, number: int) -> None:
    table = Table()
    table.add([1])
    table.add({1: 2})
    decoder = Decoder(Nothing(), table)
    for step in (lambda: decoder.decode(node), lambda: decoder.restore(number, node)):
        with contextlib.suppress(Malformed):
            step()


class Pair(namedtuple("Pair", "left right")):
    pass


class Colour(IntEnum):
    RED = 3


class Shouting(str):
    def __str__(self) -> str:
        return "something else"

    def __getitem__(self, _: Any) -> str:
        return "something else"

    def __eq__(self, _: object) -> bool:
        return True

    __hash__ = str.__hash__


class Liar(list[int]):
    def __iter__(self) -> Any:
        return iter([9, 9, 9])

    def __len__(self) -> int:
        return 1

    def __eq__(self, _: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class Off(float):
    def __float__(self) -> float:
        return 0.0


class Other(int):
    def __index__(self) -> int:
        return 0

    def __int__(self) -> int:
        return 0


class Named(dict[str, int]):
    def items(self) -> Any:
        return [("no", 0)]


@pytest.mark.parametrize(
    ("sent", "arrives"),
    [
        (Pair(1, "a"), (1, "a")),
        (Colour.RED, 3),
        (Shouting("quiet"), "quiet"),
        (Liar([1, 2]), [1, 2]),
        (Off(2.5), 2.5),
        (Other(7), 7),
        (Named(a=1), {"a": 1}),
        ([Shouting("a"), {"k": Other(2)}], ["a", {"k": 2}]),
        (Counter("abca"), Counter("abca")),
        (defaultdict(list, a=[1]), defaultdict(None, a=[1])),
        (deque([1, 2], maxlen=2), deque([1, 2], maxlen=2)),
        (10**5000, 10**5000),
        (-(2**63), -(2**63)),
        (2**63, 2**63),
        ("\ud83d\ude00", "\ud83d\ude00"),
        ("\ud800", "\ud800"),
        ("😀\x00", "😀\x00"),
        (True, True),
        (-0.0, -0.0),
        (float("nan"), float("nan")),
        (complex(float("inf"), -0.0), complex(float("inf"), -0.0)),
        (Decimal("1.10"), Decimal("1.10")),
        (Fraction(1, 3), Fraction(1, 3)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_of_a_subclass_arrives_as_what_it_really_is(sent: Any, arrives: Any) -> None:
    assert same(crossed(sent), arrives)


def test_the_views_of_a_dictionary_compare_as_views_do() -> None:
    d = {"a": 1, "b": 2}
    assert crossed(d.keys()) == {"a", "b"} == d.keys()
    assert crossed(d.items()) == d.items()
    assert list(crossed(d.values())) == [1, 2]
    assert crossed(d.keys()) != ["a", "b"]


def test_a_container_named_twice_is_one_container() -> None:
    row = [0]
    grid = crossed([row, row, {"again": row}])
    grid[0].append(1)
    assert grid == [[0, 1], [0, 1], {"again": [0, 1]}]


def test_a_list_that_holds_itself_arrives_so() -> None:
    ring: list[Any] = [1]
    ring.append(ring)
    arrived = crossed(ring)
    assert arrived[0] == 1
    assert arrived[1] is arrived


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = (value,)
    return value


def test_values_are_bounded_in_depth_and_number() -> None:
    assert crossed(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    with pytest.raises(TooLarge):
        crossed(nested(MAX_DEPTH + 1))
    with pytest.raises(TooLarge):
        crossed([0] * 3_000_000)
    tree: Any = (1,)
    for _ in range(60):
        tree = (tree, tree)
    with pytest.raises(TooLarge):
        crossed(tree)


def test_what_is_no_plain_value_is_left_to_the_side() -> None:
    for value in (object(), len, iter([1]), UserDict(), ChainMap({}), lambda: 1, json):
        assert Encoder(Nothing(), Table()).encode(value) == ["object", 0, "object"]


@pytest.mark.parametrize(
    "node",
    [
        [], [[]], ["nothing known"], ["list", ["@", 5]], ["@", -1], ["@", True], ["@", "0"], ["dict", 1], ["dict", ["list"], 1],
        ["set", ["list"]], ["int", "xyz"], ["int"], ["float", "seven"], ["str", "zz"], ["bytes", 7], ["range", 1, 2, 0],
        ["range", "a"], ["complex", 1], ["Fraction", 1, 0], ["Decimal", [1]], ["deque", "long"], ["deque", -1], ["items", 1],
        ["tuple", ["unknown"]], ["frozenset", ["dict"]], ["slice"], ["str", "ff"],
    ],
    ids=str,
)  # fmt: skip
def test_a_node_that_no_encoder_writes_is_turned_down(node: Any) -> None:
    with pytest.raises(Malformed):
        Decoder(Nothing(), Table()).decode(node)


@pytest.mark.parametrize(
    ("number", "node"),
    [(0, 5), (0, []), (1, ["list"]), (-1, ["list"]), (True, ["list"]), ("0", ["list"]), (0, ["dict"]), (0, ["tuple"]), (0, "list")],
)  # fmt: skip
def test_a_state_of_another_container_is_turned_down(number: Any, node: Any) -> None:
    table = Table()
    table.add([1])
    with pytest.raises(Malformed):
        Decoder(Nothing(), table).restore(number, node)
    assert table.objects == [[1]]


@pytest.mark.parametrize(
    ("result", "plain"),
    [
        ("numpy.sum([1, 2])", "3"),
        ("numpy.int8(-3)", "-3"),
        ("numpy.uint64(2 ** 64 - 1)", "2 ** 64 - 1"),
        ("numpy.float32(0.5)", "0.5"),
        ("numpy.float64(0.5)", "0.5"),
        ("numpy.complex64(1j)", "1j"),
        ("numpy.all(numpy.array([1]) > 0)", "True"),
        ("list(numpy.sort([2, 1]))", "[1, 2]"),
        ("{numpy.int64(1): (numpy.bool_(False),)}", "{1: (False,)}"),
    ],
)
def test_a_number_of_numpy_is_the_number_that_it_stands_for(result: str, plain: str) -> None:
    pytest.importorskip("numpy")
    program = f"import numpy\ndef f():\n    return {result}\n"
    assert judged(program, f"assert f() == {plain}") == {"outcome": "passed", "detail": ""}
    assert judged(program, "assert f() == 'no'")["outcome"] == "failed"
