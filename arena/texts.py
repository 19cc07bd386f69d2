"""What is derived from battles' texts while they are read: style, language, which prompts are the same. All in SQL."""

from __future__ import annotations

import numpy as np

from arena.battle_files import BattleTable, Derived
from arena.sql_text import said

STYLES = ("length", "headers", "lists", "bold")
"""What may please beyond what is said: characters, Markdown headers, list items, bold passages."""

_MARKS = {
    "headers": r"(?m)^#{{1,6}}\s+\S",
    "lists": r"(?m)^\s*([-*+]|\d+[.)])\s+\S",
    "bold": r"\*\*[^*\n]+\*\*|__[^_\n]+__",
}


def style_columns() -> dict[str, Derived]:
    """Return a column for each style: (a − b) / (a + b) of both outputs' amounts, 0 where neither has any, NaN where an
    output is missing. Marks inside fenced code are not counted. Source of the form: Li, Angelopoulos & Chiang (2024),
    "Does style matter? Disentangling style and substance in Chatbot Arena", lmsys.org."""
    columns = {}
    for style in STYLES:
        one, two = (_amount(style, column) for column in ("output_a", "output_b"))
        share = f"coalesce(({one} - {two})::DOUBLE / nullif({one} + {two}, 0), 0)"
        missing = "{output_a} IS NULL OR {output_b} IS NULL"
        columns[f"style_{style}"] = Derived(
            f"CASE WHEN {missing} THEN 'nan'::DOUBLE ELSE {share} END", ("output_a", "output_b"), "DOUBLE"
        )
    return columns


def _amount(style: str, column: str) -> str:
    text = _escaped(said("COLUMN", "assistant")).replace("COLUMN", f"{{{column}}}")
    if style == "length":
        return f"length({text})"
    return f"len(regexp_extract_all(regexp_replace({text}, '(?s)```.*?(```|$)', '', 'g'), '{_MARKS[style]}'))"


def _escaped(sql: str) -> str:
    """Return SQL with its braces doubled: in a derived column they stand for columns."""
    return sql.replace("{", "{{").replace("}", "}}")


_QUESTION = _escaped(said("COLUMN", "user")).replace("COLUMN", "{question}")

PROMPT = {
    "same_prompt": Derived(
        rf"""CASE WHEN {{question}} IS NULL THEN hash(uuid())
            ELSE hash(trim(regexp_replace(lower({_QUESTION}), '[^\p{{{{L}}}}\p{{{{N}}}}]+', ' ', 'g'))) END""",
        ("question",),
    )
}
"""Prompts as numbers, equal where nothing but case, spaces and punctuation differs."""


def discount_repeats(table: BattleTable) -> list[str]:
    """Weigh each of n battles with the same prompt 1/√n, and return a sentence where there are any.

    So a prompt asked 10,000 times counts as 100. A ceiling on how often a prompt counts would need a threshold, below which
    repeating pays fully; the root has none. Which of both is better no data decided: it is a choice.
    """
    found = table.arrays("row", "same_prompt")
    _, which, times = np.unique(found["same_prompt"], return_inverse=True, return_counts=True)
    factor = 1 / np.sqrt(times[which])
    table.weigh(found["row"], factor)
    repeated = int((times[which] > 1).sum())
    if not repeated:
        return []
    counted = float(factor[times[which] > 1].sum())
    return [f"{repeated:,} battles repeat a prompt: they count as {counted:,.0f}."]
