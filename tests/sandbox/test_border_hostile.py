"""The other end of the channel may write anything: the tests answer with an error, do not crash, do not pass."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

import pytest

from tests.sandbox.border import Said, judged, judged_by_bytes

LENGTH = struct.Struct("!I")


def framed(message: object) -> bytes:
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    return LENGTH.pack(len(data)) + data


NAMES = framed(["value", ["dict", "f", ["object", 0, "callable"]], []])
"""What a program answers first: it defines one function."""

NO_ANSWERS: dict[str, bytes] = {
    "nothing": b"",
    "half a length": b"\x00\x00",
    "a length of four gigabytes": b"\xff\xff\xff\xff" + b"x" * 100,
    "a length and less than that": LENGTH.pack(100) + b"[",
    "no JSON": framed(b"passed"),
    "no UTF-8": framed(b"\xff\xfe[]"),
    "no list": framed({"outcome": "passed"}),
    "an empty list": framed([]),
    "a list of no kind": framed([[]]),
    "an unknown kind": framed(["passed"]),
    "a value and no states": framed(["value", 5]),
    "a value and too much": framed(["value", 5, [], []]),
    "a value with states of nothing": framed(["value", 5, [[0, ["list"]]]]),
    "states that are no list": framed(["value", 5, {"0": 1}]),
    "states that are no pairs": framed(["value", 5, [[0]]]),
    "a constant that JSON has not": framed(b'["value",NaN,[]]'),
    "a thousand brackets": framed(b"[" * 1000),
    "a million brackets": framed(b"[" * 1_000_000),
    "millions of lists": framed(b'["value",[' + b"[]," * 5_000_000 + b"0],[]]"),
    "a number of a million digits": framed(b'["value",' + b"9" * 1_000_000 + b",[]]"),
    "an object of no number": framed(["value", ["object", -1, "callable"], []]),
    "an object of a huge number": framed(["value", ["object", 10**30, "callable"], []]),
    "an object of no kind": framed(["value", ["object", 1, "everything"], []]),
    "an object of a kind that cannot be a key": framed(["value", ["object", 1, []], []]),
    "what was never shown": framed(["value", ["yours", 0], []]),
    "an exception of no base": framed(["value", ["exception", 1, "E", "int"], []]),
    "a module that may not be named": framed(["value", ["module", "os"], []]),
    "a class that may not be named": framed(["value", ["native", "subprocess", "Popen"], []]),
    "a function by name": framed(["value", ["native", "builtins", "eval"], []]),
    "a way into a class": framed(["value", ["native", "builtins", "object.__subclasses__"], []]),
    "an exception of no kind": framed(["error", 5, None, "", ["tuple"], []]),
    "an exception of no text": framed(["error", "ValueError", None, 5, ["tuple"], []]),
    "an exception without arguments": framed(["error", "ValueError", None, "", 5, []]),
    "an exception and too little": framed(["error", "ValueError"]),
    "too large for no reason": framed(["too large", 5]),
    "a question of no name": framed(["ask"]),
    "a question that is not answered": framed(["ask", "names", ["tuple", "f"]]),
    "a question about what was never shown": framed(["ask", "call", ["yours", 0], ["tuple"], ["dict"]]),
    "a question about a class": framed(["ask", "call", ["native", "builtins", "type"], ["tuple", 5], ["dict"]]),
    "a question with too little": framed(["ask", "get"]),
    "an attribute of a text": framed(["ask", "get", "text", "format"]),
}


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_what_is_no_answer_is_an_error(name: str) -> None:
    verdict = judged_by_bytes(Said(NAMES + NO_ANSWERS[name]), "assert f(2) == 5")
    assert verdict["outcome"] == "error"
    assert verdict["detail"].startswith("the program's process ") or "cannot be taken in" in verdict["detail"]


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_no_answer_is_an_error_also_where_the_tests_catch_everything(name: str) -> None:
    assert judged_by_bytes(Said(NAMES + NO_ANSWERS[name]), "try:\n    f(2)\nexcept:\n    pass")["outcome"] == "error"


WORDS = ["value", "error", "ask", "list", "dict", "yours", "object", "call", "get", 0, 1, None, "f", "tuple", 5]


def noise(chance: random.Random) -> bytes:
    """Return fifty messages of words of the border, put together by chance."""

    def node(depth: int) -> Any:
        if depth == 0:
            return chance.choice(WORDS)
        return [node(chance.randrange(depth)) for _ in range(chance.randrange(6))]

    def message() -> list[Any]:
        return [chance.choice(["value", "error", "ask"]), *[node(3) for _ in range(chance.randrange(5))]]

    return b"".join(framed(message()) for _ in range(50))


def test_noise_is_never_a_pass() -> None:
    for seed in range(20):
        said = Said(NAMES + noise(random.Random(seed)))
        assert judged_by_bytes(said, "assert f(2) == 5.5\nassert f(3) == 10.25")["outcome"] in ("error", "failed")


def test_names_that_are_no_names_are_an_error() -> None:
    for answer in (["value", 5, []], ["value", ["dict", 5, 5], []], ["error", "NameError", None, "x", ["tuple"], []]):
        assert judged_by_bytes(Said(framed(answer), ends=False), "assert f(2) == 5")["outcome"] == "error"


def test_a_program_that_says_nothing_keeps_the_tests_waiting_until_they_are_ended() -> None:
    said = Said(NAMES, ends=False)
    assert judged_by_bytes(said, "assert f(2) == 5", seconds=0.5)["outcome"] == "timed_out"


def test_a_program_that_asks_without_end_does_not_pass() -> None:
    program = "def f(g):\n    while True: g(1)"
    assert judged(program, "f(lambda x: x)", seconds=0.5)["outcome"] == "timed_out"


def test_calls_across_the_border_are_bounded_in_depth() -> None:
    verdict = judged("def f(g): return g(g)", "def g(h): return f(h)\nf(g)")
    assert verdict["outcome"] == "error"
    assert "RecursionError" in verdict["detail"]


def test_a_tester_shows_nothing_but_what_it_passed() -> None:
    """Attributes that begin with an underscore, and those of functions and generators, are not to be had."""
    program = (
        "def f(x, names):\n    seen = []\n    for name in names:\n        try: seen.append(getattr(x, name) is not None)\n"
        "        except AttributeError: seen.append(False)\n    return seen"
    )
    test = (
        "secret = 5\ndef g(): yield secret\nclass Box:\n    inside = 1\n    _hidden = 2\n"
        "assert f(g, ['__globals__', '__code__', '__closure__', '__self__', 'func_globals']) == [False] * 5\n"
        "assert f(g(), ['gi_frame', 'gi_code', 'send', 'throw']) == [False] * 4\n"
        "assert f(Box(), ['inside', '_hidden', '__dict__']) == [True, False, False]\n"
        "assert f([].append, ['__self__']) == [False]\n"
        "assert f(Box, ['inside', 'mro']) == [False, False]"
    )
    assert judged(program, test) == {"outcome": "passed", "detail": ""}


def test_the_verdict_does_not_wait_for_the_program_to_end() -> None:
    program = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\ndef f(x): return x"
    assert judged(program, "assert f(1) == 1")["outcome"] == "passed"
