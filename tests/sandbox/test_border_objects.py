"""What tests do with a program across the border works as in one process: arguments changed in place, functions passed,
objects of the program's classes, iterators, exceptions."""

from __future__ import annotations

import pytest

from tests.sandbox.border import judged

PASSED = {"outcome": "passed", "detail": ""}

SAME_AS_IN_ONE_PROCESS = {
    # -- arguments changed in place
    "a list that is sorted in place": ("def f(x): x.sort()", "x = [3, 1, 2]\nassert f(x) is None\nassert x == [1, 2, 3]"),
    "a dictionary that loses keys": ("def f(d): d.pop('a')", "d = {'a': 1, 'b': 2}\nf(d)\nassert d == {'b': 2}"),
    "a set, a bytearray and a deque that grow": (
        "def f(*all):\n    all[0].add(2)\n    all[1].extend(b'b')\n    all[2].appendleft(0)",
        ("from collections import deque\ns, b, q = {1}, bytearray(b'a'), deque([1])\nf(s, b, q)\n"
        "assert s == {1, 2} and b == b'ab' and q == deque([0, 1])"),
    ),
    "a row of a grid": ("def f(g): g[1][0] = 9", "g = [[1], [2]]\nrow = g[1]\nf(g)\nassert g == [[1], [9]] and row is g[1]"),
    "a list that is passed twice": ("def f(a, b):\n    a.append(1)\n    return a is b", "x = []\nassert f(x, x) is True\nassert x == [1]"),
    "a list that is returned": ("def f(x):\n    x.append(1)\n    return x", "x = []\nassert f(x) is x and x == [1]"),
    "a list inside a result": ("def f(x): return {'it': x}", "x = [1]\nassert f(x)['it'] is x"),
    "two lists that change places": ("def f(g): g[0], g[1] = g[1], g[0]", "a, b = [1], [2]\ng = [a, b]\nf(g)\nassert g[0] is b and g[1] is a"),
    "a list that comes to hold itself": ("def f(x): x.append(x)", "x = []\nf(x)\nassert x[0] is x"),
    "a list that is changed before an exception": (
        "def f(x):\n    x.clear()\n    raise ValueError('no')",
        "x = [1]\ntry:\n    f(x)\nexcept ValueError as problem:\n    assert str(problem) == 'no'\nassert x == []",
    ),
    "a list that is left alone": ("def f(x): return sorted(x)", "x = [2, 1]\nassert f(x) == [1, 2] and x == [2, 1]"),
    "an ordered dictionary whose order changes": (
        "def f(d): d.move_to_end('a')",
        "from collections import OrderedDict\nd = OrderedDict(a=1, b=2)\nf(d)\nassert list(d) == ['b', 'a']",
    ),
    "a keyword argument": ("def f(*, rows): rows.append(1)", "x = []\nf(rows=x)\nassert x == [1]"),
    # -- functions passed
    "a lambda": ("def f(g, xs): return [g(x) for x in xs]", "assert f(lambda x: x + 1, [1, 2]) == [2, 3]"),
    "a key for sorting": ("def f(xs, key): return sorted(xs, key=key)", "assert f(['bb', 'a'], key=len) == ['a', 'bb']"),
    "a function that remembers": (
        "def f(g):\n    for n in range(3): g(n)", "seen = []\nf(lambda n: seen.append(n))\nassert seen == [0, 1, 2]"
    ),
    "a bound method": ("def f(g): g(1)", "seen = []\nf(seen.append)\nassert seen == [1]"),
    "a function that raises": (
        "def f(g):\n    try: g()\n    except KeyError as e: return e.args[0]",
        "def g(): raise KeyError('k')\nassert f(g) == 'k'",
    ),
    "a function whose exception goes through the program": (
        "def f(g): return g()",
        "def g(): raise ZeroDivisionError('mine')\ntry:\n    f(g)\nexcept ZeroDivisionError as e:\n    assert str(e) == 'mine'\nelse:\n    assert 0",
    ),
    "a function that changes its argument": (
        "def f(g):\n    x = [1]\n    g(x)\n    return x", "assert f(lambda x: x.append(2)) == [1, 2]"
    ),
    "a function that calls the program": (
        "def f(g, n): return n if n == 0 else g(n - 1) + 1", "def g(n): return f(g, n)\nassert f(g, 5) == 5"
    ),
    "a function of the standard library": ("def f(op): return op(2, 3)", "import operator\nassert f(operator.mul) == 6"),
    "a method of a type": ("def f(m, xs): return [m(x) for x in xs]", "assert f(str.upper, ['a']) == ['A']"),
    "a function that comes back": ("def f(g): return g", "g = lambda: 1\nassert f(g) is g"),
    "a generator": ("def f(g): return sum(g)", "assert f(n * n for n in range(4)) == 14"),
    "an object of a class of the tests": (
        "def f(node):\n    n = 0\n    while node:\n        n, node = n + node.value, node.next\n    return n",
        ("class Node:\n    def __init__(self, value, next=None): self.value, self.next = value, next\n"
        "assert f(Node(1, Node(2, Node(3)))) == 6"),
    ),
    "an object of the tests that is changed": (
        "def f(node): node.value = [5]", "class Node: value = 0\nn = Node()\nf(n)\nassert n.value == [5]"
    ),
    "an object of the tests that is asked for its length and items": (
        "def f(box): return len(box), box[0], list(box), str(box)",
        ("class Box:\n    def __len__(self): return 2\n    def __getitem__(self, i): return [7, 8][i]\n    def __iter__(self): return iter([7, 8])\n"
        "    def __str__(self): return 'box'\nassert f(Box()) == (2, 7, [7, 8], 'box')"),
    ),
    # -- types and modules
    "a type as an argument": ("def f(xs, t): return [x for x in xs if not isinstance(x, t)]", "assert f((4, 7.7, 'a'), int) == [7.7, 'a']"),
    "a type as a result": ("def f(x): return type(x)", "assert f(1) is int and f('') == str"),
    "a module that the program imported": ("import sys\ndef f(x): return sys.getsizeof(x)", "assert f((1, 2)) == sys.getsizeof((1, 2))"),
    "a module under another name": ("import collections as c\ndef f(x): return c.Counter(x)", "assert f('aab') == c.Counter('aab')"),
    "a constant of the program": ("LIMIT = [1, 2]\ndef f(x): return x in LIMIT", "assert LIMIT == [1, 2] and f(2)"),
    "a function named as a builtin": ("def sum(a, b): return a * b", "assert sum(3, 5) == 15"),
    "a name bound elsewhere": ("def f(x): return x", "def check(candidate):\n    assert candidate(1) == f(1)\ncheck(f)"),
    # -- objects of the program
    "a class of the program": (
        ("class Node:\n    def __init__(self, data):\n        self.data, self.left, self.right = data, None, None\n"
        "def f(n): return 0 if n is None else 1 + max(f(n.left), f(n.right))"),
        "root = Node(1)\nroot.left = Node(2)\nroot.left.right = Node(3)\nassert f(root) == 3\nassert root.left.right.data == 3",
    ),
    "objects in a list": (
        "class Pair:\n    def __init__(self, a, b): self.a, self.b = a, b\ndef f(ps): return max(p.b - p.a for p in ps)",
        "assert f([Pair(1, 5), Pair(2, 4)]) == 4",
    ),
    "a class with methods, items and a length": (
        ("class Stack:\n    def __init__(self): self.items = []\n    def push(self, x): self.items.append(x)\n    def pop(self): return self.items.pop()\n"
        "    def __len__(self): return len(self.items)\n    def __getitem__(self, i): return self.items[i]\n    def __iter__(self): return iter(self.items)\n"
        "    def __repr__(self): return 'Stack()'\n    def __bool__(self): return True"),
        ("s = Stack()\nassert s and len(s) == 0\ns.push(1)\ns.push([2])\nassert s[1] == [2] and list(s) == [1, [2]] and 1 in s and 5 not in s\n"
        "assert s.pop() == [2] and len(s) == 1 and repr(s) == 'Stack()' and isinstance(s, Stack)"),
    ),
    "an object that comes back as itself": (
        "class Box: pass\nBOX = Box()\ndef f(): return BOX\ndef g(b): return b is BOX", "assert f() is f() and g(f()) and f() == BOX"
    ),
    "a named tuple of the program": (
        "from collections import namedtuple\nPoint = namedtuple('Point', 'x y')\ndef f(ps): return sum(p.x for p in ps)",
        "p = Point(1, 2)\nassert p == (1, 2) and p.x == 1 and f([p, Point(y=0, x=5)]) == 6",
    ),
    "a data class of the program": (
        "from dataclasses import dataclass\n@dataclass\nclass Item:\n    name: 'str'\n    price: float = 1.0\ndef f(i): return i.price * 2",
        "i = Item('a')\ni.price = 4\nassert f(i) == 8 and i.name == 'a'",
    ),
    "members of an enumeration": (
        "from enum import Enum\nclass C(Enum):\n    R = 1\n    G = 2\ndef f(c): return C.G if c is C.R else C.R",
        "assert f(C.R) is C.G and f(C.G) == C.R and f(C.R).value == 2",
    ),
    "a static and a class method": (
        "class T:\n    @staticmethod\n    def a(x): return x\n    @classmethod\n    def b(cls): return cls.__name__", "assert T.a(1) == 1 and T.b() == 'T' and T().a(2) == 2"
    ),
    "a context manager": (
        "class R:\n    open = False\n    def __enter__(self):\n        self.open = True\n        return self\n    def __exit__(self, *_): self.open = False",
        "with R() as r:\n    assert r.open\nassert not r.open",
    ),
    "a list class of the program": ("class L(list): pass\ndef f(): return L([1, 2])", "assert f() == [1, 2]"),
    "a function made by the program": ("def f(n): return lambda x: x + n", "assert f(2)(3) == 5 and callable(f(1))"),
    # -- iterators
    "a generator of the program": ("def f(n):\n    for i in range(n): yield i", "assert list(f(3)) == [0, 1, 2] and next(f(1)) == 0 and sum(f(4)) == 6"),
    "a generator without end": (
        "def f():\n    n = 0\n    while True:\n        yield n\n        n += 1",
        "from itertools import islice\nassert list(islice(f(), 3)) == [0, 1, 2]",
    ),
    "the end of an iterator": ("def f(): return iter([1])", "i = f()\nassert next(i) == 1 and next(i, None) is None"),
    "map, filter, zip and enumerate": (
        "def f(): return map(abs, [-1]), filter(None, [0, 1]), zip([1], [2]), enumerate('a')",
        "a, b, c, d = f()\nassert list(a) == [1] and list(b) == [1] and list(c) == [(1, 2)] and list(d) == [(0, 'a')]",
    ),
    "a generator that raises": (
        "def f():\n    yield 1\n    raise KeyError(2)",
        "seen = []\ntry:\n    for x in f(): seen.append(x)\nexcept KeyError as e:\n    seen.append(e.args[0])\nassert seen == [1, 2]",
    ),
    "unpacking": ("def f(): return (n for n in (1, 2, 3))", "a, *b = f()\nassert a == 1 and b == [2, 3]"),
    # -- exceptions
    "an exception by its kind": (
        "def f(x): return {}[x]", "try:\n    f('k')\nexcept KeyError as e:\n    assert e.args == ('k',)\nelse:\n    assert 0"
    ),
    "an exception of the program": (
        "class Poor(ValueError):\n    def __init__(self, need, have): super().__init__(f'{need} > {have}')\ndef f(): raise Poor(2, 1)",
        "try:\n    f()\nexcept Poor as e:\n    assert str(e) == '2 > 1' and isinstance(e, ValueError)\nelse:\n    assert 0",
    ),
    "an exception with a text of its own": (
        "class E(Exception):\n    def __str__(self): return 'own'\ndef f(): raise E(1)",
        "try:\n    f()\nexcept E as e:\n    assert str(e) == 'own'\nelse:\n    assert 0",
    ),
    "an exception that the tests raise into the program": (
        "class E(Exception): pass\ndef f(g):\n    try: g()\n    except E: return 'caught'",
        "def g(): raise E('x')\nassert f(g) == 'caught'",
    ),
    "assertRaises": (
        "def f(x):\n    if x < 0: raise ValueError(x)\n    return x",
        "import unittest\nt = unittest.TestCase()\nwith t.assertRaises(ValueError): f(-1)\nt.assertEqual(f(2), 2)\nt.assertAlmostEqual(f(0.1) + 0.2, 0.3)",
    ),
    "an exit that the tests expect": ("import sys\ndef f(): sys.exit(3)", "try:\n    f()\nexcept SystemExit as e:\n    assert e.code == 3\nelse:\n    assert 0"),
    "an exception with structured arguments": (
        "def f(): return open('/no/such/file')", "try:\n    f()\nexcept FileNotFoundError as e:\n    assert e.errno == 2\nelse:\n    assert 0"
    ),
    # -- numbers
    "a tolerance on floats": ("def f(x): return x ** 0.5", "import math\nassert abs(f(2) - 1.41421356) < 1e-6 and math.isclose(f(4), 2)"),
    "numbers that are no numbers": ("def f(): return float('nan'), float('-inf')", "a, b = f()\nassert a != a and b == float('-inf')"),
    "a decimal and a fraction": (
        "from decimal import Decimal\nfrom fractions import Fraction\ndef f(): return Decimal('0.1') * 3, Fraction(1, 3)",
        "a, b = f()\nassert str(a) == '0.3' and b * 3 == 1",
    ),
    "a very large number": ("def f(n): return 7 ** n", "assert f(20000) == 7 ** 20000"),
    "a result that is printed": ("def f(x): print(x, flush=True)", "assert f('x') is None"),
    "standard input": ("def f():\n    try: return input()\n    except EOFError: return 'end'", "assert f() == 'end'"),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME_AS_IN_ONE_PROCESS)
def test_it_works_across_the_border_as_in_one_process(name: str) -> None:
    program, test = SAME_AS_IN_ONE_PROCESS[name]
    namespace = {"__name__": __name__}  # data classes look for their module
    if name not in ("a result that is printed", "standard input"):
        exec(compile(f"{program}\n{test}", "<both>", "exec"), namespace)  # the tests hold in one process
    assert judged(program, test) == PASSED


def test_helpers_of_the_prompt_are_the_tests_own() -> None:
    program = "def helper(x): return 99\ndef f(x): return helper(x)"
    helpers = "import math\ndef helper(x): return math.floor(x)"
    test = "def check(candidate):\n    assert candidate(2) == helper(99.5)\n    assert helper(2.5) == math.floor(2)"
    assert judged(program, test, "f", helpers) == PASSED


def test_check_is_called_with_the_entry_point() -> None:
    test = "METADATA = {}\ndef check(candidate):\n    assert candidate([1.0]) == [1.0] == f([1.0])"
    assert judged("def f(x): return x", test, "f") == PASSED


# --- what a verdict says -------------------------------------------------------------------------------------

VERDICTS = [
    ("def f(x): return x", "assert f(1) == 1\nassert f(2) == 3", "failed", "line 2: assert f(2) == 3 (the last call gave 2)"),
    ("def f(x): return x", "assert f(1) == 2, 'one and one'", "failed", "one and one; line 1: assert f(1) == 2, 'one and one'"),
    ("def f(x): return x", "assert f(\n    1\n) == 2", "failed", "line 1: assert f( 1 ) == 2"),
    ("def f(x): return [1] * 500", "assert f(1) == 2", "failed", "gave [1, 1, 1, 1, 1, 1, ...]"),
    ("def f(x): return object()", "assert f(1) == 2", "failed", "gave an object"),
    ("def f(x): return 1 / 0", "f(1)", "error", "the program raised ZeroDivisionError: division by zero (line 1: f(1))"),
    ("def f(x): raise AssertionError('mine')", "f(1)", "error", "the program raised AssertionError: mine (line 1: f(1))"),
    ("def f(x): return None", "f(1) + 1", "error", "TypeError: unsupported operand"),
    ("def g(x): pass", "assert f(1) == 1", "error", "NameError: name 'f' is not defined (line 1: assert f(1) == 1)"),
    ("def f(x) return x", "f(1)", "error", "the program cannot be defined: SyntaxError: "),
    ("import no_such_module", "f(1)", "error", "the program cannot be defined: ModuleNotFoundError: No module named 'no_such_module'"),
    ("exit_code = 1\nraise SystemExit(0)", "f(1)", "error", "the program cannot be defined: SystemExit: 0"),
    ("import os\nos._exit(0)", "f(1)", "error", "the program cannot be defined: the program's process ended"),
    ("import os\ndef f(x): os._exit(0)", "f(1)", "error", "the program's process ended while it was asked (call)"),
    ("def f(x): return f(x)", "f(1)", "error", "the program raised RecursionError: maximum recursion depth exceeded"),
    ("def f(x): return [0] * 3_000_000", "f(1)", "error", "what the program gave is too large: a value of more than 2,000,000 parts"),
    ("def f(x): return 'x' * 40_000_000", "f(1)", "error", "what the program gave is too large: a value of more than 32 MB"),
    ("def f(x): return x", "f('x' * 40_000_000)", "error", "an argument is too large"),
    ("def f(x): raise ValueError('a\\nb\\ud800' + 'c' * 5000)", "f(1)", "error", "ValueError: a b\\ud800ccc"),
    ("def f(x): return x", "def", "refused", "the tests are no Python"),
    ("\x00", "f(1)", "error", "the program cannot be defined"),
    ("\ud800", "f(1)", "error", "the program cannot be defined"),
]  # fmt: skip


@pytest.mark.parametrize(("program", "test", "outcome", "detail"), VERDICTS, ids=[detail for *_, detail in VERDICTS])
def test_a_verdict_says_which_assertion_or_which_exception(program: str, test: str, outcome: str, detail: str) -> None:
    verdict = judged(program, test)
    assert verdict["outcome"] == outcome
    assert detail in verdict["detail"]
    assert len(verdict["detail"]) <= 500 and verdict["detail"].isprintable()


def test_a_missing_entry_point_is_named() -> None:
    verdict = judged("def g(x): pass", "def check(c): pass", "f")
    assert verdict == {"outcome": "error", "detail": "the program cannot be defined: NameError: it has no 'f'"}


def test_a_check_of_the_programs_own_is_none() -> None:
    verdict = judged("def check(candidate): pass\ndef f(x): return 3", "assert True", "f")
    assert verdict == {"outcome": "refused", "detail": "the tests define no 'check'"}


def test_a_failure_inside_check_names_the_line_of_the_tests() -> None:
    verdict = judged(
        "def f(x): return 3", "def check(candidate):\n    for n in (3, 4):\n        assert candidate(n) == n", "f"
    )
    assert verdict == {"outcome": "failed", "detail": "line 3: assert candidate(n) == n (the last call gave 3)"}
