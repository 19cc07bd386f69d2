"""Texts as Python programs: how far they are some, what they define, what in them only shows them in use."""

from __future__ import annotations

import ast
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from textwrap import dedent

PARSING = threading.Lock()
"""Held while a text is parsed: until Python 3.13 two threads that parse at once break each other's count of depth."""

_NAME = "<answer>"
warnings.filterwarnings("ignore", category=SyntaxWarning, module=re.escape(_NAME))

_CUTS = 12
"""How often a text is cut before it is given up."""
_SHOWS = {"print", "input", "exit", "quit"}
_RUNS_TESTS = {("unittest", "main"), ("doctest", "testmod"), ("sys", "exit")}


def parsed(code: str) -> ast.Module | None:
    """Return the tree of a program, None where a text is none."""
    try:
        with PARSING:
            return ast.parse(code, _NAME)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def beginning(lines: Sequence[str]) -> str:
    """Return as many lines, from the first on, as are Python: what follows is prose, or was cut off."""
    for _ in range(_CUTS):
        code = "\n".join(lines)
        try:
            with PARSING:
                ast.parse(code, _NAME)
        except SyntaxError as problem:
            lines = lines[: min((problem.lineno or len(lines)) - 1, len(lines) - 1)]
        except (ValueError, RecursionError, MemoryError):
            return ""
        else:
            return code
    return ""


def as_python(code: str) -> str:
    """Return the program that a text is: as it stands, moved to the left, or as far as it goes; "" for none."""
    for attempt in (code, dedent(code)):
        if parsed(attempt) is not None:
            return attempt
    return beginning(dedent(code).split("\n"))


def definitions(code: str) -> set[str]:
    """Return the names that a program defines at its top level, also below ``if`` and ``try``; none for no Python."""
    tree = parsed(code)
    return set() if tree is None else set(_defined(tree.body))


def _defined(body: Sequence[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in statement.names)
        elif isinstance(statement, ast.Assign):
            yield from (target.id for target in statement.targets if isinstance(target, ast.Name))
        elif isinstance(statement, ast.AnnAssign) and statement.value and isinstance(statement.target, ast.Name):
            yield statement.target.id
        elif isinstance(statement, ast.If | ast.Try):
            yield from _defined([*statement.body, *statement.orelse])


def uses(tree: ast.AST | None) -> set[str]:
    """Return the names that a program or a part of it mentions."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} if tree else set()


def segment(code: str, statement: ast.stmt) -> str:
    """Return a statement's lines, with its decorators."""
    first = min([statement.lineno, *(node.lineno for node in getattr(statement, "decorator_list", []))])
    return "\n".join(code.split("\n")[first - 1 : statement.end_lineno])


def does_something(statement: ast.stmt) -> bool:
    """Whether a statement of a body is more than a word or a definition: ``Sorry`` is an expression too."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
        return False
    return not isinstance(statement, ast.Expr) or any(isinstance(node, ast.Call) for node in ast.walk(statement))


def without_use(code: str) -> str:
    """Return a program without the statements at its top level that show it in use and define nothing."""
    tree = parsed(code)
    if tree is None:
        return code
    own = {s.name for s in tree.body if isinstance(s, ast.FunctionDef | ast.ClassDef)}
    kept: set[int] = set()
    left: set[int] = set()
    for statement in tree.body:
        (left if _is_use(statement, own) else kept).update(range(statement.lineno, (statement.end_lineno or 0) + 1))
    lines = [line for number, line in enumerate(code.split("\n"), 1) if number in kept or number not in left]
    return "\n".join(lines).rstrip() + "\n"


def _is_use(statement: ast.stmt, own: set[str]) -> bool:
    if isinstance(statement, ast.Assert):
        return True
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
        return False
    if isinstance(statement, ast.If) and "__name__" in uses(statement.test):
        return True
    if isinstance(statement, ast.AnnAssign) and statement.value is None:
        return True
    if isinstance(statement, ast.Expr):
        value = statement.value
        return (
            _shows(value, own)
            if isinstance(value, ast.Call)
            else isinstance(value, ast.Name | ast.Attribute | ast.Tuple)
        )
    inner = list(ast.walk(statement))
    if any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom) for node in inner):
        return False
    return any(isinstance(node, ast.Call) and _shows(node, set()) for node in inner)


def _shows(call: ast.Call, own: set[str]) -> bool:
    """Whether a call prints, reads, ends the program or runs tests, or is of one of the program's own functions."""
    if isinstance(call.func, ast.Name):
        return call.func.id in own | _SHOWS
    called = call.func
    return (
        isinstance(called, ast.Attribute)
        and isinstance(called.value, ast.Name)
        and (called.value.id, called.attr) in _RUNS_TESTS
    )
