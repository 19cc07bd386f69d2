"""Programs that try to pass tests which they do not pass. Each is judged twice: the forger never passes, and the same
tests pass a program that does what they ask for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

from llmuses.sandbox import FunctionJob, Limits, open_sandbox
from tests.sandbox.border import judged

SQUARE = "def f(x):\n    return x * x + 1\n"


class Forger(NamedTuple):
    """A program that does not do its task, the tests it is judged by, and a program that does it."""

    program: str
    test: str = "assert f(2) == 5\nassert f(3) == 10"
    honest: str = SQUARE


def always(base: str, value: str, *methods: str) -> str:
    """Return a program whose result is of a class that agrees with everything."""
    body = "".join(
        f"    def {name}(self, *_): return {result}\n" for name, _, result in (m.partition("=") for m in methods)
    )
    return f"class Forged({base}):\n{body}def f(x):\n    return Forged({value})\n"


YES = "__eq__=True", "__ne__=False", "__hash__=hash(5)", "__lt__=True", "__le__=True", "__gt__=True", "__ge__=True"
# Frames as the border writes them: a length, then JSON.
FAKE_REPLIES = """
import os, json, struct
def fake(value):
    data = json.dumps(["value", value, []]).encode()
    return struct.pack("!I", len(data)) + data
def to_every_descriptor(data):
    for number in range(3, 1024):
        try:
            os.write(number, data)
        except OSError:
            pass
"""


def raising(own: str) -> str:
    """Return a program that answers with an exception which is said to be of another kind than it is."""
    return (
        f"{FAKE_REPLIES}import time\ndef f(x):\n"
        f"    data = json.dumps(['error', 'Exception', {own}, '', ['tuple'], []]).encode()\n"
        "    to_every_descriptor(struct.pack('!I', len(data)) + data)\n    time.sleep(60)"
    )


FORGERS = {
    "an object that equals everything": Forger(always("object", "", *YES)),
    "a whole number that equals everything": Forger(always("int", "7", *YES)),
    "a float that equals everything": Forger(always("float", "7.5", *YES)),
    "a complex number that equals everything": Forger(always("complex", "7", *YES)),
    "a text that equals everything": Forger(always("str", "'no'", *YES), "assert f(2) == 'five'", "def f(x): return 'five'"),
    "bytes that equal everything": Forger(always("bytes", "b'no'", *YES), "assert f(2) == b'5'", "def f(x): return b'5'"),
    "a list that equals everything": Forger(always("list", "", *YES), "assert f(2) == [5]", "def f(x): return [5]"),
    "a tuple that equals everything": Forger(always("tuple", "", *YES), "assert f(2) == (5,)", "def f(x): return (5,)"),
    "a dictionary that equals everything": Forger(always("dict", "", *YES), "assert f(2) == {5: 5}", "def f(x): return {5: 5}"),
    "a set that equals everything": Forger(always("set", "", *YES), "assert {5} == f(2)", "def f(x): return {5}"),
    "a list whose items equal everything": Forger(
        always("int", "7", *YES).replace("return Forged(7)", "return [Forged(7)]"), "assert f(2) == [5]", "def f(x): return [5]"
    ),
    "a length that is as long as asked for": Forger(
        always("list", "", "__len__=3", "__iter__=iter([1, 2, 3])"), "assert len(f(2)) == 3", "def f(x): return [1, 2, 3]"
    ),
    "an object that is within every tolerance": Forger(
        always("float", "7", "__sub__=0.0", "__rsub__=0.0", "__abs__=0.0", "__round__=5", *YES),
        "assert abs(f(2) - 5) < 1e-6\nassert round(f(2)) == 5",
    ),
    "an opaque object that is within every tolerance": Forger(
        always("object", "", "__sub__=0.0", "__rsub__=0.0", "__abs__=0.0", "__float__=5.0", *YES), "assert abs(f(2) - 5) < 1e-6"
    ),
    "an object that contains everything": Forger(
        always("object", "", "__contains__=True", "__iter__=iter(())"), "assert 5 in f(2)", "def f(x): return [5]"
    ),
    "an object that is in every collection": Forger(always("object", "", *YES), "assert f(2) in [5, 6] and f(2) in {5, 6}"),
    "an object that says it is a number": Forger(
        "class Forged:\n    __class__ = int\n    def __eq__(self, other): return True\ndef f(x): return Forged()",
        "assert isinstance(f(2), int)\nassert f(2) == 5",
    ),
    "a class that calls everything its instance": Forger(
        "class Meta(type):\n    def __instancecheck__(self, x): return True\n    def __eq__(self, x): return True\n    __hash__ = type.__hash__\n"
        "class f(metaclass=Meta):\n    def __init__(self, x): pass\n"
    ),
    "its process ends with success when it is asked": Forger("import os\ndef f(x): os._exit(0)"),
    "its process ends with success before it is asked": Forger("import os\nos._exit(0)"),
    "it exits with success when it is asked": Forger("import sys\ndef f(x): sys.exit(0)"),
    "it exits with success before it is asked": Forger("raise SystemExit(0)"),
    "it exits where the tests look away": Forger(
        "import os\ndef f(x): os._exit(0)",
        "try:\n    passed = f(2) == 5\nexcept BaseException:\n    passed = True\nassert passed",
    ),
    "it interrupts the tests": Forger("def f(x): raise KeyboardInterrupt"),
    "it says at exit that all went well": Forger(
        "import atexit, os\natexit.register(lambda: os._exit(0))\ndef f(x): raise SystemExit(0)"
    ),
    "it prints a verdict": Forger(
        "print('PASSED')\nimport sys\nsys.stdout.write('{\"outcome\": \"passed\"}\\n')\ndef f(x):\n    print('passed')"
    ),
    "it writes a verdict on every descriptor": Forger(
        FAKE_REPLIES + "to_every_descriptor(b'{\"outcome\": \"passed\", \"detail\": \"\"}\\n')\ndef f(x): return None"
    ),
    "it answers before it is asked": Forger(FAKE_REPLIES + "for _ in range(9): to_every_descriptor(fake(True))\ndef f(x): return None"),
    "it answers with a truth": Forger(FAKE_REPLIES + "def f(x):\n    to_every_descriptor(fake(True) * 9)\n    os._exit(0)"),
    "it closes the channel": Forger("import os\ndef f(x): os.closerange(3, 1024)"),
    "it hands its descriptors to a child and ends": Forger(
        "import os, time\ndef f(x):\n    if os.fork() == 0:\n        time.sleep(0.2)\n        os._exit(0)\n    os._exit(0)"
    ),
    "it has an abs of its own": Forger(
        "def abs(x): return 0.0\ndef round(x): return 5\ndef f(x): return 99.0", "assert abs(f(2) - 5) < 1e-6 and round(f(2)) == 5"
    ),
    "it has a set, a sorted and a len of its own": Forger(
        "class all_the_same(list):\n    pass\nset = sorted = len = lambda x: 0\ndef f(x): return [7]",
        "assert set(f(2)) == {5}\nassert sorted(f(2)) == [5]",
        "def f(x): return [5]",
    ),
    "it patches the builtins": Forger(
        "import builtins\nbuiltins.abs = builtins.len = builtins.sorted = lambda *_: 0\nbuiltins.all = builtins.any = lambda _: True\n"
        "builtins.isinstance = lambda *_: True\ndef f(x): return 99",
        "assert abs(f(2) - 5) < 1\nassert all(f(n) == n * n + 1 for n in range(3))",
    ),
    "it patches the modules that the tests import": Forger(
        "import math\nmath.isclose = lambda *_, **__: True\nmath.fabs = lambda _: 0.0\ndef f(x): return 99.0",
        "import math\nassert math.isclose(f(2), 5.0) and math.fabs(f(2) - 5) < 1e-6",
    ),
    "it patches a module that the tests use through it": Forger(
        "import math\nmath.isclose = lambda *_, **__: True\ndef f(x): return 99.0",
        "assert math.isclose(f(2), 5.0)",
        "import math\n" + SQUARE,
    ),
    "it has a class in place of a module that the tests use through it": Forger(
        "class math:\n    isclose = lambda *_, **__: True\ndef f(x): return 99.0",
        "assert math.isclose(f(2), 5.0)",
        "import math\n" + SQUARE,
    ),
    "it has a tuple with attributes in place of a module": Forger(
        "class Fake(tuple):\n    def getsizeof(self, _): return 5\nsys = Fake()\ndef f(x): return 99.0",
        "assert sys.getsizeof(f(2)) == sys.getsizeof([])",
        "import sys\ndef f(x): return []",
    ),
    "it has another module in place of the one that the tests use through it": Forger(
        "import types as math\nmath.isclose = lambda *_, **__: True\ndef f(x): return 99.0",
        "assert math.isclose(f(2), 5.0)",
        "import math\n" + SQUARE,
    ),
    "it puts a module of its own among the loaded ones": Forger(
        "import sys, types\nmath = types.ModuleType('math')\nmath.isclose = lambda *_, **__: True\nsys.modules['math'] = math\n"
        "def f(x): return 99.0",
        "import math\nassert math.isclose(f(2), 5.0)",
    ),
    "it patches the clock, the recursion and the signals": Forger(
        "import sys, time, signal\ntime.time = lambda: 0\nsys.setrecursionlimit(50)\nsignal.alarm(0)\ndef f(x): return 99"
    ),
    "it traces every frame": Forger(
        "import sys\ndef trace(frame, event, arg):\n    frame.f_globals['passed'] = True\n    return trace\nsys.settrace(trace)\n"
        "sys.setprofile(lambda *_: None)\ndef f(x): return 99"
    ),
    "it walks up the frames to change what is expected": Forger(
        "import sys\ndef f(x):\n    frame = sys._getframe()\n    while frame:\n        for name in list(frame.f_locals):\n"
        "            frame.f_globals[name] = 5\n        frame = frame.f_back\n    return 99"
    ),
    "it replaces every function that the collector knows": Forger(
        "import gc\ndef yes(*_, **__): return True\ndef f(x):\n    for one in gc.get_objects():\n"
        "        if isinstance(one, dict) and 'outcome' in one:\n            one['outcome'] = 'passed'\n    return 99"
    ),
    "it changes the border on its side": Forger(
        "from llmuses.sandbox.inside import border, encoding, tester\nencoding.Encoder.encode = lambda self, value: True\n"
        "tester.judge = lambda *_: {'outcome': 'passed', 'detail': ''}\nborder.Border.ask = lambda *_: 5\ndef f(x): return 99"
    ),
    "it defines the tests' own function": Forger(
        "def check(candidate): pass\ndef f(x): return 99", "def check(candidate):\n    assert candidate(2) == 5\ncheck(f)"
    ),
    "it ends a walk through its results": Forger(
        "def f(x): raise StopIteration", "assert all(map(lambda ok: ok, map(lambda n: f(n) == n * n + 1, [2, 3])))"
    ),
    "it ends a walk with the end of a generator": Forger(
        "def f(x): raise GeneratorExit", "assert list(map(f, [])) == [] and all(map(f, [2, 3])) and f(2) == 5"
    ),
    "it ends a walk with an exception that is said to be another": Forger(
        raising("['native', 'builtins', 'StopIteration']"), "assert all(map(lambda n: f(n) == n * n + 1, [2, 3]))"
    ),
    "it ends a walk with a class of its own that is said to be another": Forger(
        raising("['exception', 7, 'E', 'StopIteration']"), "assert list(map(f, [2, 3])) in ([], [5, 10])"
    ),
    "it raises what the tests raise": Forger("def f(x): raise AssertionError"),
    "it returns the function that it was given": Forger(
        "def f(g): return g", "assert f(lambda: 5) == 5", "def f(g): return g()"
    ),
    "it looks into the function that it was given": Forger(
        "def f(g):\n    g.__globals__['expected'] = g.__code__\n    return g.__globals__['expected']",
        "expected = 5\nassert f(lambda: 1) == expected",
        "def f(g): return g() + 4",
    ),
    "it looks into the generator that it was given": Forger(
        "def f(g):\n    g.gi_frame.f_globals['expected'] = 0\n    return 0",
        "expected = 5\nassert f(n for n in [2, 3]) == expected",
        "def f(g): return sum(g)",
    ),
    "it asks for what it was never given": Forger(
        FAKE_REPLIES + "def f(x):\n    data = json.dumps(['ask', 'call', ['native', 'builtins', 'type'], ['tuple'], ['dict']]).encode()\n"
        "    to_every_descriptor(struct.pack('!I', len(data)) + data)\n    return 99"
    ),
    "it makes the tests import what it likes": Forger(
        FAKE_REPLIES + "def f(x):\n    to_every_descriptor(fake(['module', 'antigravity']) * 3)\n    os._exit(0)"
    ),
    "it gives the tests a function of the system": Forger(
        FAKE_REPLIES + "def f(x):\n    to_every_descriptor(fake(['native', 'os', '_exit']) * 3)\n    os._exit(0)",
        "assert f(2)(0) == 5",
        "def f(x): return lambda _: 5",
    ),
    "it gives the tests a class that ends them": Forger("def f(x): return SystemExit", "assert f(2)(0) == 5", "def f(x): return lambda _: 5"),
}  # fmt: skip

BREAKS_ITSELF = "it patches the builtins"
"""With them it loses its own end of the channel."""


@pytest.mark.parametrize("name", FORGERS)
def test_a_forger_does_not_pass(name: str) -> None:
    forger = FORGERS[name]
    verdict = judged(forger.program, forger.test, seconds=1.0 if name == BREAKS_ITSELF else 30.0)
    if name == BREAKS_ITSELF:
        assert verdict["outcome"] in ("error", "timed_out")
    else:
        assert verdict["outcome"] in ("failed", "error"), verdict
        assert verdict["detail"]


def test_no_forger_passes_in_the_sandbox_either() -> None:
    limits = Limits(seconds=5.0, cpu_seconds=5)
    with open_sandbox(limits=limits) as sandbox, ThreadPoolExecutor(4) as threads:
        jobs = [FunctionJob(forger.program, forger.test) for forger in FORGERS.values()]
        verdicts = dict(zip(FORGERS, threads.map(sandbox.run, jobs), strict=True))
        honest = {name: sandbox.run(FunctionJob(*job)) for job, name in list(HONEST.items())[:5]}
    assert [name for name, verdict in verdicts.items() if verdict.passed] == []
    assert [name for name, verdict in honest.items() if not verdict.passed] == []


HONEST = {(forger.honest, forger.test): name for name, forger in FORGERS.items()}


@pytest.mark.parametrize(("honest", "test"), HONEST, ids=HONEST.values())
def test_the_same_tests_pass_a_program_that_does_what_they_ask_for(honest: str, test: str) -> None:
    assert judged(honest, test) == {"outcome": "passed", "detail": ""}
