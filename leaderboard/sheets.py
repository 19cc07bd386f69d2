"""A view as something to take away: CSV and JSON of its figures, Markdown and LaTeX of the table as it is read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec


class Sheet(NamedTuple):
    """``records`` hold every figure with all that it takes to check it, under ``fields``; ``head`` is what is true of all of
    them. ``headers`` and ``cells`` are the table as people read it, ``names`` columns of it are names, the rest figures."""

    caption: str
    fields: Sequence[str]
    records: Sequence[Mapping[str, Any]]
    head: Mapping[str, Any]
    headers: Sequence[str]
    cells: Sequence[Sequence[str]]
    names: frozenset[int] = frozenset({0})


def to_csv(sheet: Sheet) -> bytes:
    """Return the records as CSV with a header.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, list(sheet.fields), lineterminator="\n")
    writer.writeheader()
    for record in sheet.records:
        writer.writerow({name: _harmless(value) for name, value in record.items()})
    return out.getvalue().encode()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def to_json(sheet: Sheet) -> bytes:
    """Return the records as JSON under ``figures``, with what is true of all of them before them."""
    return msgspec.json.format(msgspec.json.encode({**sheet.head, "figures": list(sheet.records)}), indent=2) + b"\n"


def to_markdown(sheet: Sheet) -> bytes:
    """Return the table in Markdown, its caption below it."""
    marks = [":--" if place in sheet.names else "--:" for place in range(len(sheet.headers))]
    rows = [sheet.headers, marks, *sheet.cells]
    lines = ["| " + " | ".join(_marked(cell) for cell in row) + " |" for row in rows]
    return ("\n".join([*lines, "", _marked(sheet.caption)]) + "\n").encode()


def _marked(text: str) -> str:
    for letter in "\\|*_<>`[]":
        text = text.replace(letter, f"\\{letter}")
    return " ".join(text.split())


_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "−": "$-$", "–": "--", "<": "$<$", ">": "$>$", "†": r"$\dagger$",
}  # fmt: skip


def to_latex(sheet: Sheet) -> bytes:
    """Return the table in LaTeX, for the package booktabs."""
    columns = "".join("l" if place in sheet.names else "r" for place in range(len(sheet.headers)))
    rows = [" & ".join(_tex(cell) for cell in row) + r" \\" for row in [sheet.headers, *sheet.cells]]
    lines = [
        "% needs \\usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        rows[0],
        r"\midrule",
        *rows[1:],
        r"\bottomrule",
        r"\end{tabular}",
        rf"\caption{{{_tex(sheet.caption)}}}",
        r"\end{table}",
    ]
    return ("\n".join(lines) + "\n").encode()


def _tex(text: str) -> str:
    return "".join(_TEX.get(letter, letter) for letter in " ".join(text.split()))


WRITERS: Mapping[str, tuple[Callable[[Sheet], bytes], str]] = {
    "csv": (to_csv, "text/csv"),
    "json": (to_json, "application/json"),
    "md": (to_markdown, "text/markdown"),
    "tex": (to_latex, "application/x-tex"),
}
"""How each ending of a file's name is written, and its media type."""
