"""A comparison as Markdown (CommonMark with tables)."""

from __future__ import annotations

from llmuses.comparison.result import Comparison
from llmuses.comparison.words import Section, content
from llmuses.i18n import Lang
from llmuses.reports import escape_markdown as escape


def markdown(found: Comparison, lang: Lang = "en") -> str:
    """Return a comparison in one language. Names that models and datasets bring along are escaped."""
    said = content(found, lang)
    runs = "\n".join(f"- {escape(label)}: {escape(run_id)}" for label, run_id in said.runs if label != run_id)
    blocks = [f"# {escape(said.title)}", runs, *(_section(each, said.columns) for each in said.sections), said.foot]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _section(section: Section, columns: list[str]) -> str:
    lines = [f"## {escape(section.heading)}", ""]
    if section.rows:
        rule = ["---", *["---:"] * (len(columns) - 1)]
        rows = [[escape(cell) for cell in row] for row in (columns, *section.rows)]
        lines += ["| " + " | ".join(row) + " |" for row in (rows[0], rule, *rows[1:])] + [""]
    lines += [f"- {escape(note)}" for note in section.notes]
    return "\n".join(lines).rstrip()
