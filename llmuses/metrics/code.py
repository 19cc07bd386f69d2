"""Programs out of answers: which part of a text is the code that the model means to be run.

Fenced or bare, whole or only the body of the function that the prompt began; what stands around it is left out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from textwrap import dedent, indent
from typing import NamedTuple

from llmuses.metrics.python_text import (
    as_python,
    beginning,
    definitions,
    does_something,
    parsed,
    segment,
    uses,
    without_use,
)
from llmuses.metrics.reading import Reading

_MAX_TEXT = 60_000
"""So many characters of an answer are looked at."""
_OPEN = re.compile(r"(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)[^\n`]*\n")
_PYTHON = {"", "python", "py", "python3", "py3", "python2", "ipython", "ipython3", "code"}
_BEGIN, _DONE = re.compile(r"\[(?:BEGIN|PYTHON)\]"), re.compile(r"\[(?:DONE|/PYTHON|END)\]")
_CODE_LINE = re.compile(
    r"(?:def|class|async[ ]+def)[ ]+\w|import[ ]+[\w.]+|from[ ]+[\w.]+[ ]+import[ ]|@\w+|\w+(?:[ ]*,[ ]*\w+)*[ ]*=[ ]*[^=\s]"
)
_BODY_LINE = re.compile(
    r"[ \t]+\S|#|(?:return|for|while|if|try|with|raise|yield|import|from|def|pass)\b"
    r"|[\w.]+\(|\w[\w, ]*(?:\[[^\n]*\])?[ ]*[-+*/|&]?=[^=]"
)
_FUTURE = re.compile(r"^from __future__ import [^\n]*\n?", re.MULTILINE)
_DEFINITION = re.compile(r"^[ \t]*(?:def|class)[ ]+\w+", re.MULTILINE)


class _Part(NamedTuple):
    """A part of an answer that may be the program: its code, its place in the text, how it was marked."""

    code: str
    span: tuple[int, int]
    rule: str


def read_program(text: str, names: Sequence[str], prompt: str = "") -> Reading | None:
    """Return the program that an answer holds, None where there is nothing to run.

    ``names`` are what it should define; with a ``prompt`` the first one is the function that the prompt begins. Of
    several fenced parts the last one that defines one of them counts, together with earlier parts that define what it
    uses; else the longest. A body alone is put under the prompt, a whole function gets the prompt's imports and helpers
    before it. Statements that only show the program in use (asserts, prints, ``if __name__``) are left out.
    ``rule``: ``fenced``, ``marked`` ([BEGIN] … [DONE]) or ``bare``; with ``_body`` where no signature was repeated.
    """
    text = text.encode("utf-8", "replace").decode()  # halves of surrogate pairs are no text, and no source either
    start = text.rfind("</think>") + len("</think>") if "</think>" in text else 0
    end = min(len(text), start + _MAX_TEXT)
    fenced = _fenced(text, start, end)
    rest = _unfenced(text, start, end)
    body_first = bool(prompt) and rest.code.strip() != "" and rest.code.lstrip("\n")[0] in " \t"
    if (whole := _defining(fenced, names)) is not None:
        return _reading(whole, _with_preamble(whole.code, prompt, names))
    if not body_first and (whole := _bare(rest, names)) is not None and definitions(whole.code) & set(names):
        return _reading(whole, _with_preamble(whole.code, prompt, names))
    for part in [*sorted(fenced, key=lambda part: -len(part.code)), rest]:
        if prompt and (program := _under(prompt, part.code, names[0])) is not None:
            return _reading(part._replace(rule=f"{part.rule}_body"), program)
    return _other(fenced, rest, prompt, names)


def _other(fenced: Sequence[_Part], rest: _Part, prompt: str, names: Sequence[str]) -> Reading | None:
    """Return a program that defines none of the names: one of another name, or one that is no Python."""
    bare = _bare(rest, names)
    for wanted in (definitions, _DEFINITION.search):
        parts = [part for part in [*fenced, *([bare] if bare else [])] if wanted(part.code)]
        if parts:
            part = max(parts, key=lambda part: len(part.code))
            return _reading(part, _with_preamble(part.code, prompt, names))
    return None


def preamble(prompt: str, name: str) -> str:
    """Return what a prompt defines beside the function that it asks for: imports and helpers."""
    tree = parsed(prompt)
    if tree is None:
        return ""
    return "\n\n".join(
        segment(prompt, statement)
        for statement in tree.body
        if not (isinstance(statement, ast.FunctionDef) and statement.name == name)
    )


def _reading(part: _Part, program: str) -> Reading:
    return Reading(without_use(program), part.span, part.rule)


def _with_preamble(code: str, prompt: str, names: Sequence[str]) -> str:
    before = preamble(prompt, names[0]) if prompt else ""
    if not before.strip():
        return code
    future = "".join(line.group().rstrip("\n") + "\n" for line in _FUTURE.finditer(code))
    return f"{future}{before.rstrip()}\n\n{_FUTURE.sub('', code) if future else code}"


# --- the parts of an answer ----------------------------------------------------------------------------------


def _lines(code: str) -> str:
    return code.replace("\r\n", "\n").replace("\r", "\n")


def _fenced(text: str, start: int, end: int) -> list[_Part]:
    """Return the fenced parts that can be Python, the last one also where its fence was never closed."""
    found: list[_Part] = []
    at = start
    while (fence := _OPEN.search(text, at, end)) is not None:
        begin, at = _content(text, fence, end)
        code = _lines(text[fence.end() : begin])
        if code.strip() and (fence["language"].lower() in _PYTHON or definitions(code)):
            found.append(_Part(code, (fence.end(), begin), "fenced"))
    return found


def _content(text: str, fence: re.Match[str], end: int) -> tuple[int, int]:
    """Return where the content of a fence ends, and where the text goes on behind it.

    A fence inside a docstring closes nothing: of the first few places the first that leaves a program counts.
    """
    close = re.compile(r"(?:^[ \t]*|(?<=\S))" + re.escape(fence["fence"]), re.MULTILINE)
    first: tuple[int, int] | None = None
    at = fence.end()
    for _ in range(5):
        mark = close.search(text, at, end)
        if mark is None:
            break
        first = first or mark.span()
        if parsed(dedent(_lines(text[fence.end() : mark.start()]))) is not None:
            return mark.span()
        at = mark.end()
    return first or (end, end)


def _unfenced(text: str, start: int, end: int) -> _Part:
    """Return the text between the markers of MBPP's prompt, where one is there, up to the first fence.

    The first marker often is the prompt's own; a fence without an opening one may have been opened there too.
    """
    fence = _OPEN.search(text, start, end)
    stop = fence.start() if fence else end
    if fence is None and text[start:end].rstrip().endswith("```"):
        stop = start + len(text[start:end].rstrip()) - 3
    begin, done = _BEGIN.search(text, start, stop), _DONE.search(text, start, stop)
    if begin is not None and done is not None and done.start() < begin.start():
        begin = None
    span = (begin.end() if begin else start, done.start() if done else stop)
    return _Part(_lines(text[slice(*span)]), span, "marked" if begin or done else "bare")


def _bare(part: _Part, names: Sequence[str]) -> _Part | None:
    """Return the program that unfenced text holds: from a line on that defines something, as far as it is Python.

    None where nothing is defined. What begins a definition and is no Python is returned as it is.
    """
    lines = part.code.split("\n")
    starts = [number for number, line in enumerate(lines) if _CODE_LINE.match(line)][:20]
    found: _Part | None = None
    for number in starts:
        code = beginning(lines[number:])
        defined = definitions(code)
        if defined and (found is None or defined & set(names)):
            begin = min(part.span[1], part.span[0] + sum(len(line) + 1 for line in lines[:number]))
            found = part._replace(code=code, span=(begin, min(part.span[1], begin + len(code))))
        if defined & set(names):
            return found
    if found is None and starts and _DEFINITION.search(part.code):
        return part._replace(code="\n".join(lines[starts[0] :]))
    return found


# --- programs ------------------------------------------------------------------------------------------------


def _defining(parts: Sequence[_Part], names: Sequence[str]) -> _Part | None:
    """Return the last part that defines one of the names, with what it uses of earlier parts before it."""
    programs = [as_python(part.code) for part in parts]
    for number in reversed(range(len(parts))):
        code = programs[number]
        if not definitions(code) & set(names):
            continue
        missing = uses(parsed(code)) - definitions(code)
        for earlier in reversed(programs[:number]):
            defined = definitions(earlier)
            if defined & missing and not defined & set(names):
                code = f"{earlier.rstrip()}\n\n{code}"
                missing = (missing | uses(parsed(earlier))) - defined
        return parts[number]._replace(code=code)
    return None


def _under(prompt: str, body: str, name: str) -> str | None:
    """Return the prompt with a body below it, None where the two make no function.

    The body's first line may have lost its indentation, or all of it have none. Of what follows the function only what
    it uses is kept: a model without a chat template goes on to write other things.
    """
    head = prompt.rstrip() + "\n"
    lines = body.strip("\n").split("\n")
    first = next((number for number, line in enumerate(lines) if _BODY_LINE.match(line[:200])), len(lines))
    text = "\n".join(lines[first:])
    if not text or re.match(rf"[ \t]*def[ ]+{re.escape(name)}\b", text):
        return None
    best, longest = None, head.count("\n")
    for attempt in (text, f"    {text.lstrip()}", indent(dedent(text), "    ")):
        program = beginning((head + attempt).split("\n"))
        function = _function(program, name)
        if function is None or (function.end_lineno or 0) <= longest:
            continue
        if any(s.lineno > head.count("\n") and does_something(s) for s in function.body):
            best, longest = program, function.end_lineno or 0
    return None if best is None else _trimmed(best, name)


def _trimmed(program: str, name: str) -> str:
    """Return a program up to the end of a function, with what the function uses of what is defined below it."""
    tree, function = parsed(program), _function(program, name)
    if tree is None or function is None:
        return program
    used = uses(function) - {name}
    below = [s for s in tree.body if isinstance(s, ast.FunctionDef | ast.ClassDef) and s.lineno > function.lineno]
    above = "\n".join(program.split("\n")[: function.end_lineno])
    return "\n\n".join([above, *(segment(program, s) for s in below if s.name in used)])


def _function(program: str, name: str) -> ast.FunctionDef | None:
    tree = parsed(program)
    return next((s for s in tree.body if isinstance(s, ast.FunctionDef) and s.name == name), None) if tree else None
