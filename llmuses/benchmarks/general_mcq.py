"""Multiple choice questions of a user's own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from llmuses.benchmarks.base import Prompt
from llmuses.benchmarks.choice import LETTERS, MultipleChoice
from llmuses.benchmarks.own import OwnFiles, language_of, listed, own_id, text_cell
from llmuses.benchmarks.rows import Row, cell
from llmuses.records import DatasetPlan, Mode, Sample

_COLUMNS = LETTERS[:10]


class GeneralMCQ(OwnFiles, MultipleChoice):
    """A row has a ``question`` (or ``query``, ``input``), options in columns ``A`` to ``J`` or a list ``choices``, and the
    right ``answer`` (or ``target``): its letter, its text, or its place counted from 0.

    A Chinese question is put in Chinese words.
    """

    name = "general_mcq"
    title = "Own multiple choice"

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        choices = _choices(row)
        return Sample(
            sample_id=own_id(row, subset, index),
            subset=subset,
            question=text_cell(row, "question", "query", "input"),
            choices=choices,
            target=_letter(cell(row, "answer", "target"), choices),
        )

    def prompt(self, sample: Sample, shots: Sequence[Sample], plan: DatasetPlan) -> Prompt:
        if language_of(sample.question) == "zh":
            return MultipleChoice.prompt(_CHINESE, sample, shots, plan)
        return super().prompt(sample, shots, plan)


class _Chinese(GeneralMCQ):
    """The same questions with Chinese words around them."""

    cue = "答案："
    gap = ""

    def intro(self, subset: str, mode: Mode) -> str:
        return "请回答下面的单项选择题，并以“答案：字母”的形式结尾。\n\n" if mode is Mode.GENERATE else ""


_CHINESE = _Chinese()


def _choices(row: Row) -> list[str]:
    """Return a row's options. Raises ValueError for fewer than two, for a gap between them, and for two that are equal."""
    given = next((row[name] for name in ("choices", "options") if row.get(name) not in (None, "")), None)
    choices = _in_columns(row) if given is None else _in_list(given)
    if len(choices) < 2:
        raise ValueError("it needs two options at least: columns A, B, ... or a list 'choices'")
    if len(choices) > len(LETTERS) or len(set(choices)) != len(choices):
        raise ValueError(f"two options are equal, or there are more than {len(LETTERS)}")
    return choices


def _in_columns(row: Row) -> list[str]:
    cells = ["" if row.get(letter) is None else str(row[letter]).strip() for letter in _COLUMNS]
    choices = [text for text in cells if text]
    if cells[: len(choices)] != choices:
        raise ValueError(f"option {_COLUMNS[cells.index('')]} is empty and a later one is not")
    return choices


def _in_list(given: Any) -> list[str]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise ValueError('its choices are no list, such as ["one", "two"]') from None
    return listed(list(given.values()) if isinstance(given, dict) else given)


def _letter(answer: Any, choices: Sequence[str]) -> str:
    """Return the letter of the right option, which is given as a letter, a text or a place. Raises ValueError.

    A text counts before a place, since an option may be a number; one that is another option's letter is refused.
    """
    said = str(answer).strip()
    letters = LETTERS[: len(choices)]
    bare = said.strip("().").upper()
    by_letter = bare if len(bare) == 1 and bare in letters else ""
    by_text = letters[list(choices).index(said)] if said in choices else ""
    if by_letter and by_text and by_letter != by_text:
        raise ValueError(
            f"the answer '{said}' is the letter of one option and the text of another; give the place from 0"
        )
    if by_letter or by_text:
        return by_letter or by_text
    if said.isdecimal() and int(said) < len(choices):
        return letters[int(said)]
    raise ValueError(f"the answer '{said}' is no letter up to {letters[-1]}, no option's text and no place from 0")
