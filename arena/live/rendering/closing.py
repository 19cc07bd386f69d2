"""Text that ends in the middle, completed so that no mark stands there raw: ``**``, a code span, a link, a formula."""

from __future__ import annotations

import re

_RUN = re.compile(r"\*+|_+|~+|`+|\$+|\\[(\[]?")
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\n]*\Z")
_FORMULA = re.compile(r"\\[a-zA-Z]|[\^_{}=]")
_MARKS_ALONE = re.compile(r"(?:[-=*+_#>|:~$\\\s]+|\s{0,99}(?:\d{1,9}[.)]?|`+|(?:```|~~~)[^\n]*))\Z")
_CELLS = re.compile(r"[ >]{0,20}\|")


def without_unclear_end(text: str) -> str:
    """Return a text that still grows without a last line of which nobody can say yet what it is.

    That is a line of marks alone (the beginning of a list, a heading, a fence, the rule under a table's head), or a
    table's head before the rule under it.
    """
    start = text.rfind("\n") + 1
    if start < len(text) and _MARKS_ALONE.match(text, start):
        text = text[:start]
    if text.endswith("\n") and not text.endswith("\n\n"):
        start = text.rfind("\n", 0, len(text) - 1) + 1
    return text[:start] if _CELLS.match(text, start) and not _in_table(text, start) else text


def _in_table(text: str, start: int) -> bool:
    """Return whether the line before is cells, too: the head was shown to be one already."""
    before = text[text.rfind("\n", 0, max(start - 1, 0)) + 1 : start]
    return bool(_CELLS.match(before))


def closed(content: str) -> str:
    """Return the inline source of a block that still grows, with what is open at its end closed."""
    content = content.rstrip("*_~ \t\n")  # marks at the very end begin something, or are half of an end
    if link := _LINK.search(content):
        content = content[: link.start()] + link[1]
    marks = _Marks()
    at = 0
    while found := _RUN.search(content, at):
        run, start, at = found[0], found.start(), found.end()
        kind = run[0]
        if kind == "`":
            end = _same_run(content, run, at)
            if end is None:
                return _with_code(content, run, at) + marks.ends()
            at = end
        elif run in ("\\(", "\\[") or kind == "$":
            end_mark = {"\\(": "\\)", "\\[": "\\]"}.get(run, run)
            end = content.find(end_mark, at)
            if end >= 0:
                at = end + len(end_mark)
            elif kind == "\\" or (len(run) <= 2 and _FORMULA.search(content, at)):
                return _with_formula(content[:start], run, content[at:], end_mark) + marks.ends()
        elif kind == "\\":
            at += 1  # what follows is no mark
        elif kind in "*_~":
            marks.note(content, start, at)
    return content.removesuffix("\\").rstrip() + marks.ends()


def _same_run(content: str, run: str, at: int) -> int | None:
    """Return the end of the next run of as many backticks."""
    for found in re.finditer("`+", content[at:]):
        if len(found[0]) == len(run):
            return at + found.end()
    return None


def _with_code(content: str, run: str, at: int) -> str:
    code = content[at:].rstrip("`")
    return content[:at] + code + run if code.strip() else content[: at - len(run)].rstrip()


def _with_formula(before: str, mark: str, source: str, end_mark: str) -> str:
    source = source.rstrip("\\").rstrip()
    if not source:
        return before.rstrip()
    missing = source.count("{") - source.count("}")
    return before + mark + source + "}" * max(0, missing) + end_mark


class _Marks:
    """The marks of emphasis that are open, the innermost last."""

    def __init__(self) -> None:
        self._open: list[tuple[str, int]] = []
        self._count = dict.fromkeys("*_~", 0)

    def note(self, content: str, start: int, end: int) -> None:
        """Take note of a run of marks: by what stands around it, it opens or closes (CommonMark 0.31, 6.2)."""
        mark, length = content[start], end - start
        before, after = content[start - 1 : start] if start else "", content[end : end + 1]
        opens = bool(after) and not after.isspace()
        closes = bool(before) and not before.isspace()
        if mark == "_":
            opens, closes = opens and not before.isalnum(), closes and not after.isalnum()
        if mark == "~" and length != 2:
            return
        while closes and length and self._count[mark]:
            opened = self._pop(mark)
            if opened > length:
                self._push(mark, opened - length)
            length = max(0, length - opened)
        if opens and length:
            self._push(mark, length)

    def _push(self, mark: str, length: int) -> None:
        self._open.append((mark, length))
        self._count[mark] += 1

    def _pop(self, mark: str) -> int:
        """Return the length of the innermost run of a mark; what was opened inside and is not closed there is none."""
        while True:
            kind, length = self._open.pop()
            self._count[kind] -= 1
            if kind == mark:
                return length

    def ends(self) -> str:
        """Return what closes all that is open."""
        return "".join(mark * length for mark, length in reversed(self._open))
