"""The process of the program under test: it defines the program, then does what the tests ask."""

from __future__ import annotations

import operator
import socket
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from llmuses.sandbox.inside.border import Border
from llmuses.sandbox.inside.natives import PLAIN_MODULES, by_name, plain_class_name, plain_module
from llmuses.sandbox.inside.silence import silence
from llmuses.sandbox.inside.values import Malformed, Node
from llmuses.sandbox.inside.wire import Wire

MODULE = "solution"
"""The name that the program has as a module: ``if __name__ == "__main__"`` is not meant for the tests."""

_FRAMES = 50
"""Frames that stand below a call of the program here, and do not where it is run by itself."""


def serve(channel: socket.socket, job: Mapping[str, Any]) -> None:
    """Define the program of a job, then answer the tests until they are done.

    Nothing that happens here decides a verdict: all that leaves is plain values, and they are judged elsewhere.
    """
    silence()
    sys.setrecursionlimit(sys.getrecursionlimit() + _FRAMES)
    program = _Program(str(job["candidate"]))
    Border(Wire(channel), program).serve()


class _Program:
    """What the tests may ask of the program: everything, it is the program's own process."""

    def __init__(self, text: str):
        self._problem: BaseException | None = None
        module = ModuleType(MODULE)
        self._namespace = module.__dict__
        sys.modules[MODULE] = module
        try:
            exec(compile(text, "<program>", "exec", dont_inherit=True), self._namespace)
        except BaseException as problem:
            self._problem = problem

    def names(self, wanted: tuple[str, ...]) -> dict[str, Any]:
        """Return those of the wanted names that the program defines. Raises what ended its definition."""
        if self._problem is not None:
            raise self._problem
        return {name: self._namespace[name] for name in wanted if name in self._namespace}

    @property
    def operations(self) -> Mapping[str, Callable[..., Any]]:
        return {"names": self.names, **_OPERATIONS}

    def reference(self, value: object) -> Node | None:
        if isinstance(value, ModuleType) and value.__name__ in PLAIN_MODULES:
            return ["module", value.__name__]
        name = plain_class_name(value)
        return None if name is None else ["native", *name]

    def named(self, node: list[Node]) -> object:
        if node[0] == "native":
            return by_name(node[1], node[2])
        if node[0] == "module":
            return plain_module(node[1])
        raise Malformed("a value of no kind")


def _call(function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    return function(*arguments, **named)


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "call": _call,
    "get": getattr,
    "set": setattr,
    "delete": delattr,
    "item": operator.getitem,
    "set item": operator.setitem,
    "delete item": operator.delitem,
    "length": len,
    "truth": bool,
    "text": str,
    "repr": repr,
    "iterate": iter,
    "next": next,
    "instance": isinstance,
}
