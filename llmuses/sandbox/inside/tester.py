"""The process of the tests, where the program under test has never been: the only place that knows a verdict."""

from __future__ import annotations

import ast
import builtins
import socket
import sys
import warnings
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from llmuses.sandbox.inside.border import Border
from llmuses.sandbox.inside.explain import Sources, explained, shown
from llmuses.sandbox.inside.natives import PLAIN_MODULES, name_of, plain_class, plain_module
from llmuses.sandbox.inside.silence import silence
from llmuses.sandbox.inside.values import Malformed, Node
from llmuses.sandbox.inside.wire import Wire

MODULE = "tests"
_TESTS, _HELPERS = "<tests>", "<helpers>"


def judge(channel: socket.socket, job: Mapping[str, Any]) -> dict[str, str]:
    """Run the tests of a job against the program at the other end of the channel.

    Returns ``outcome`` (``passed``, ``failed``, ``error``; ``refused`` for tests that are no Python) and ``detail``:
    which assertion, which exception. It is ``passed`` only where all of the test code ran to its end and every answer
    of the program could be read.
    """
    silence()
    warnings.simplefilter("ignore")
    helpers, test, entry_point = str(job.get("helpers") or ""), str(job["test"]), job.get("entry_point")
    sources: Sources = {}
    try:
        codes = [_compiled(text, name, sources) for text, name in ((helpers, _HELPERS), (test, _TESTS))]
    except (SyntaxError, ValueError, RecursionError) as problem:
        return {"outcome": "refused", "detail": f"the tests are no Python: {problem}"}
    if entry_point is not None and "check" not in _names_of(sources)[1]:
        return {"outcome": "refused", "detail": "the tests define no 'check'"}
    tests = _Tests()
    border = tests.border = Border(Wire(channel), tests)
    try:
        namespace = _namespace(border, sources, entry_point)
    except BaseException as problem:
        why = border.ended.detail if border.ended is not None else f"{type(problem).__name__}: {problem}"
        return {"outcome": "error", "detail": shown(f"the program cannot be defined: {why}")}
    outcome = {"outcome": "passed", "detail": ""}
    try:
        for code in codes:
            exec(code, namespace)
        if entry_point is not None:
            namespace["check"](namespace[entry_point])
    except BaseException as problem:
        outcome = explained(problem, border, sources)
    if border.ended is not None:  # also where the tests caught it
        return {"outcome": "error", "detail": shown(border.ended.detail)}
    return outcome


def _compiled(text: str, name: str, sources: Sources) -> Any:
    tree = sources[name] = (ast.parse(text, name), text)
    return compile(tree[0], name, "exec", dont_inherit=True, optimize=0)


def _namespace(border: Border, sources: Sources, entry_point: str | None) -> dict[str, Any]:
    """Return the names that the tests start with: what the program defines of those that they use.

    A builtin stays the builtin: ``abs(f(2) - 4) < 1e-6`` is not decided by the program's own ``abs``. The exception are
    tests that use no name but builtins and their own: then a builtin's name is what is tested. What the tests use as a
    module is their own module, whatever the program calls so. Raises NameError where the entry point is missing, and
    whatever ended the program's definition.
    """
    used, own = _names_of(sources)
    standard = set(vars(builtins))
    if entry_point is not None:
        wanted = {entry_point} | (used - standard)
    else:
        wanted = used - standard if used - standard - own else used
    given = border.ask("names", tuple(sorted(wanted)))
    if type(given) is not dict:
        raise Malformed("the program's process did not say what it defines")
    if entry_point is not None and entry_point not in given:
        raise NameError(f"it has no '{entry_point}'")
    module = sys.modules[MODULE] = ModuleType(MODULE)
    namespace = module.__dict__
    namespace.update({name: given[name] for name in wanted if name in given})
    for name in _modules_of(sources) & namespace.keys() - {entry_point}:
        # A class may be the module's of the same name, as in `from datetime import datetime`.
        if not isinstance(namespace[name], type):
            namespace[name] = plain_module(name)
    return namespace


def _names_of(sources: Sources) -> tuple[set[str], set[str]]:
    """Return the names that the tests and helpers use, and those that they define."""
    used: set[str] = set()
    own: set[str] = set()
    for tree, _ in sources.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                (used if isinstance(node.ctx, ast.Load) else own).add(node.id)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                own.add(node.name)
            elif isinstance(node, ast.alias):
                own.add((node.asname or node.name).partition(".")[0])
            elif isinstance(node, ast.arg):
                own.add(node.arg)
    return used, own


def _modules_of(sources: Sources) -> set[str]:
    """Return the names of plain modules that the tests and helpers use for nothing but their attributes."""
    nodes = [node for tree, _ in sources.values() for node in ast.walk(tree)]
    owners = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    names = [node for node in nodes if isinstance(node, ast.Name)]
    return {node.id for node in names} & PLAIN_MODULES - {node.id for node in names if id(node) not in owners}


class _Tests:
    """What the program may ask of the tests: to use the objects that they passed to it, in the way they are meant."""

    border: Border

    @property
    def operations(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "call": self._call,
            "get": self._get,
            "set": self._set,
            "iterate": self._iterate,
            "next": self._next,
            "length": self._length,
            "truth": self._truth,
            "item": self._item,
            "set item": self._set_item,
            "text": self._text,
            "repr": self._text,
            "instance": self._instance,
        }

    def reference(self, value: object) -> Node | None:
        if isinstance(value, ModuleType) and value.__name__ in PLAIN_MODULES:
            return ["module", value.__name__]
        name = name_of(value)
        return None if name is None else ["native", *name]

    def named(self, node: list[Node]) -> object:
        if node[0] == "native":
            return plain_class(node[1], node[2])
        if node[0] == "module":
            return plain_module(node[1])
        raise Malformed("a value of no kind")

    def _mine(self, value: object) -> Any:
        """Return a value that the tests passed to the program. Raises Malformed for any other."""
        if not self.border.shows(value):
            raise Malformed("a question about what was never passed")
        return value

    def _open(self, value: object, name: object) -> Any:
        """Return an object whose attribute of a name the program may use.

        Objects of classes of the tests and text files only: from a function or a generator's attributes a way leads to
        everything else.
        """
        if type(name) is not str or name.startswith("_") or type(value).__module__ not in (MODULE, "_io"):
            raise AttributeError(f"an object of the tests shows no {name!r}")
        return self._mine(value)

    def _call(self, function: object, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        return self._mine(function)(*arguments, **named)

    def _get(self, value: object, name: str) -> Any:
        return getattr(self._open(value, name), name)

    def _set(self, value: object, name: str, new: object) -> None:
        setattr(self._open(value, name), name, new)

    def _item(self, value: object, key: object) -> Any:
        return self._mine(value)[key]

    def _set_item(self, value: object, key: object, new: object) -> None:
        self._mine(value)[key] = new

    def _iterate(self, value: object) -> Any:
        return iter(self._mine(value))

    def _next(self, value: object) -> Any:
        return next(self._mine(value))

    def _length(self, value: object) -> int:
        return len(self._mine(value))

    def _truth(self, value: object) -> bool:
        return bool(self._mine(value))

    def _text(self, value: object) -> str:
        return str(self._mine(value))

    def _instance(self, value: object, kind: object) -> bool:
        return isinstance(value, self._mine(kind))
