"""Classes, functions and modules of the standard library, which cross the border by their names."""

from __future__ import annotations

import builtins
import importlib
import sys
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, ModuleType
from typing import Any

from llmuses.sandbox.inside.values import Malformed

PLAIN_MODULES = frozenset(
    "abc array bisect calendar cmath collections copy dataclasses datetime decimal enum fractions functools hashlib heapq "
    "io itertools json math numbers operator queue random re statistics string struct sys textwrap time types typing "
    "unicodedata uuid".split()
)
"""Modules that a test may use because the program imported them: the test gets its own, untouched by the program."""

_CLASS_MODULES = frozenset({"builtins", "collections", "datetime", "decimal", "fractions"})

EXCEPTIONS: dict[str, type[BaseException]] = {
    name: value
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException) and not issubclass(value, BaseExceptionGroup)
}
"""The builtin exceptions by name."""


def name_of(value: object) -> tuple[str, str] | None:
    """Return the module and qualified name of a class or function of the standard library, None for anything else."""
    if isinstance(value, MethodDescriptorType):
        module: object = value.__objclass__.__module__
    elif isinstance(value, type | FunctionType | BuiltinFunctionType):
        module = value.__module__
    else:
        return None
    name = value.__qualname__
    if type(module) is not str or type(name) is not str or module.partition(".")[0] not in sys.stdlib_module_names:
        return None
    try:
        return (module, name) if _looked_up(module, name) is value else None
    except (AttributeError, ImportError):
        return None


def plain_class_name(value: object) -> tuple[str, str] | None:
    """Return the name of one of the few classes that the program may name to the tests, None for anything else."""
    name = name_of(value) if isinstance(value, type) else None
    return name if name is not None and name[0] in _CLASS_MODULES else None


def by_name(module: object, name: object) -> object:
    """Return a class or function of the standard library by its name. Raises Malformed."""
    if type(module) is not str or type(name) is not str or module.partition(".")[0] not in sys.stdlib_module_names:
        raise Malformed("no name of the standard library")
    try:
        return _looked_up(module, name)
    except (AttributeError, ImportError) as problem:
        raise Malformed(f"no name of the standard library: {problem}") from problem


def plain_class(module: object, name: object) -> type:
    """Return a class that the program may name to the tests. Raises Malformed."""
    value = by_name(module, name) if module in _CLASS_MODULES else None
    if not isinstance(value, type):
        raise Malformed("no class that may be named")
    return value


def plain_module(name: object) -> ModuleType:
    """Return a module that the program may name to the tests. Raises Malformed."""
    if name not in PLAIN_MODULES:
        raise Malformed("no module that may be named")
    return importlib.import_module(str(name))


def _looked_up(module: str, name: str) -> Any:
    value: Any = sys.modules.get(module) or importlib.import_module(module)
    for part in name.split("."):
        value = getattr(value, part)
    return value
