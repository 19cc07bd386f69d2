"""Code of the user's own, named as ``module:name`` or ``FILE.py:name``."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Collection, Iterable, Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from llmuses.errors import UnknownNameError, UsageError

_SPEC = re.compile(r"(?P<place>(?P<file>.+\.py)|[A-Za-z_]\w*(?:\.\w+)*):(?P<name>[A-Za-z_]\w*)", re.DOTALL)


def own_object(spec: str, kind: str) -> Any:
    """Return what ``module:name`` or ``FILE.py:name`` stands for; a module may lie in the current folder.

    A file is run anew where its text has changed. ``kind`` says what it is for: a class, a function. Raises UsageError, with
    the file and line of what is wrong where there is one.
    """
    parts = _SPEC.fullmatch(spec)
    if parts is None:
        raise UsageError(f"'{spec}' is neither FILE.py:{kind.upper()} nor module:{kind.upper()}.")
    module = _of_file(Path(parts["file"]).expanduser()) if parts["file"] else _by_name(parts["place"])
    if hasattr(module, parts["name"]):
        return getattr(module, parts["name"])
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
    if not own:
        raise UsageError(f"there is no {kind} {parts['name']} in {parts['place']}, which defines none at all.")
    raise UnknownNameError(f"{kind} in {parts['place']}", parts["name"], own)


def place(thing: Any) -> str:
    """Return the file and line of a class or a function, its name where nothing knows them."""
    try:
        return f"{_short(inspect.getsourcefile(thing) or '')}, line {inspect.getsourcelines(thing)[1]}"
    except (OSError, TypeError):
        return getattr(thing, "__name__", "it")


def fault(problem: BaseException, files: Collection[str]) -> str | None:
    """Return in one line what went wrong in one of these files and where, None for what went wrong elsewhere."""
    if isinstance(problem, SyntaxError) and problem.filename and Path(problem.filename).is_file():
        return f"{_short(problem.filename)}, line {problem.lineno}: {problem.msg}."
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if frame.filename in files]
    if not frames:
        return None
    what = "the program ends here" if isinstance(problem, SystemExit) else type(problem).__name__
    said = " ".join(str(problem).split()) if isinstance(problem, Exception) else ""
    return f"{_short(frames[-1].filename)}, line {frames[-1].lineno}: {what}{f': {said}' if said else ''}."


def text_sha256(files: Iterable[str]) -> str:
    """Return a hash over the texts of some files, without what they do when they are run as a program; 64 hex digits.

    Raises UsageError for a file that is gone.
    """
    digest = hashlib.sha256()
    for file in files:
        try:
            digest.update(_without_main(Path(file).read_bytes()))
        except OSError as problem:
            raise UsageError(f"cannot read {file}, which your code is from: {problem.strerror}.") from problem
    return digest.hexdigest()


def _without_main(text: bytes) -> bytes:
    """Return a file's text without what it does when it is run as a program, and the empty lines before that."""
    lines = text.splitlines(keepends=True)
    try:
        parsed = ast.parse(text).body
    except SyntaxError:  # it was edited since
        return text
    for node in reversed(parsed):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'":
            before = b"".join(lines[: node.lineno - 1]).rstrip() + b"\n"
            lines = [before, *lines[node.end_lineno :]]
    return b"".join(lines)


def _of_file(path: Path) -> ModuleType:
    file = path.resolve()
    try:
        text = file.read_bytes()
    except OSError as problem:
        raise UsageError(f"cannot read {path}: {problem.strerror}.") from problem
    name = f"own_{file.stem}_{hashlib.sha256(bytes(file) + text).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    loader = SourceFileLoader(name, str(file))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        with _neighbours(file.parent), _said({str(file)}, f"cannot load {path}"):
            exec(loader.source_to_code(text, str(file)), vars(module))  # no .pyc is left beside it
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _by_name(name: str) -> ModuleType:
    parts, files, module = name.split("."), set[str](), None
    importlib.invalidate_caches()  # a file may have been written just now
    with _neighbours(Path.cwd()), _said(files, f"cannot import {name}"):
        for end in range(1, len(parts) + 1):  # a package, and what is in it
            part = ".".join(parts[:end])
            try:
                found = importlib.util.find_spec(part)
            except (ModuleNotFoundError, ValueError):
                found = None
            if found is None:
                raise UsageError(f"there is no module {name}: it must be importable from here.")
            files.add(found.origin or "")
            module = importlib.import_module(part)
    assert module is not None
    return module


@contextlib.contextmanager
def _said(files: Collection[str], otherwise: str) -> Iterator[None]:
    try:
        yield
    except UsageError:
        raise
    except (Exception, SystemExit) as problem:
        line = fault(problem, files) or f"{otherwise} ({type(problem).__name__}: {' '.join(str(problem).split())})."
        raise UsageError(line) from problem


@contextlib.contextmanager
def _neighbours(folder: Path) -> Iterator[None]:
    """Have what lies beside a file importable, as ``python FILE.py`` has it: first while it is loaded, last from then on."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(str(folder))
        if str(folder) not in sys.path:
            sys.path.append(str(folder))


def _short(file: str) -> str:
    """Return a file's path as a message shows it: from the current folder on where it lies below it."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
