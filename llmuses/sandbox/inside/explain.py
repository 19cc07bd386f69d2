"""Why the tests did not pass, in one line."""

from __future__ import annotations

import ast
import reprlib
from types import TracebackType

from llmuses.sandbox.inside.border import Border

Sources = dict[str, tuple[ast.Module, str]]
"""The code of the tests by the name it was compiled under: its tree and its text."""

_MAX_CODE, _MAX_DETAIL = 200, 500


class _Repr(reprlib.Repr):
    """Short, and never a question across the border."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 80

    def repr_Handle(self, _: object, __: int) -> str:
        return "an object"

    repr_CallableHandle = repr_IteratorHandle = repr_Handle


_repr = _Repr().repr


def shown(text: str) -> str:
    """Return a text as a verdict holds it: one line, not long, and nothing but characters."""
    line = " ".join(text.encode("utf-8", "backslashreplace").decode().split())
    return line if len(line) <= _MAX_DETAIL else line[: _MAX_DETAIL - 1] + "…"


def explained(problem: BaseException, border: Border, sources: Sources) -> dict[str, str]:
    """Return ``outcome`` and ``detail`` of tests that ended with an exception."""
    place = _place(problem.__traceback__, sources)
    said = _said(problem)
    if isinstance(problem, AssertionError) and problem is not border.crossed:
        said = f"{said}; " if said else ""
        return {"outcome": "failed", "detail": shown(f"{said}{place}{_last_answer(border)}")}
    said = f"{type(problem).__name__}: {said}" if said else type(problem).__name__
    raised = "the program raised " if problem is border.crossed else ""
    return {"outcome": "error", "detail": shown(f"{raised}{said} ({place})" if place else f"{raised}{said}")}


def _said(problem: BaseException) -> str:
    try:
        return str(problem)
    except BaseException:  # the message may hold an object of the program, and the program may be gone
        return ""


def _last_answer(border: Border) -> str:
    try:
        return f" (the last call gave {_repr(border.answer)})"
    except Exception:
        return ""


def _place(trace: TracebackType | None, sources: Sources) -> str:
    """Return the innermost line of the tests that was reached, and its statement."""
    found = ""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name in sources:
            found = f"line {trace.tb_lineno}: {_statement(*sources[name], trace.tb_lineno)}"
        trace = trace.tb_next
    return found


def _statement(tree: ast.Module, text: str, line: int) -> str:
    """Return the smallest statement that a line is part of, on one line."""
    around = [
        node for node in ast.walk(tree) if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    if not around:
        return ""
    smallest = min(around, key=lambda node: (node.end_lineno or 0) - node.lineno)
    code = " ".join((ast.get_source_segment(text, smallest) or "").split())
    return code if len(code) <= _MAX_CODE else code[: _MAX_CODE - 1] + "…"
