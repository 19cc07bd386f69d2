"""AIME: the American Invitational Mathematics Examination, thirty problems a year whose answers are whole numbers from 0
to 999."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from llmuses.benchmarks.base import HubIds
from llmuses.benchmarks.math_answers import MathAnswers
from llmuses.benchmarks.rows import Filter, Row, cell, find_files
from llmuses.metrics.math import boxed_math
from llmuses.records import GenerationConfig, Sample

_FILES_OF_ONE_YEAR = ("{split}*.parquet", "{split}*.jsonl", "data/{split}*.parquet", "data/{split}*.jsonl", "*.jsonl")
_YEAR = re.compile(r"aime[-_ ]?(?:20)?(2[456])(?![0-9])", re.IGNORECASE)


class AIME(MathAnswers):
    """Thirty problems say little: ask each of them several times (``--repeats``).

    Each year lies in a repository of its own, whose name alone says which year it is. No worked examples are usual, and
    there are no rows for them.
    """

    name = "aime"
    title = "AIME"
    group = "maths"
    paper = "https://artofproblemsolving.com/wiki/index.php/AIME_Problems_and_Solutions"
    homepage = "https://maa.org/maa-invitational-competitions/"
    licence = "© Mathematical Association of America"
    hub = HubIds(
        "evalscope/aime24",
        "math-ai/aime24",
        apart={
            "aime25": ("evalscope/aime25", "math-ai/aime25"),
            "aime26": ("evalscope/aime26", "math-ai/aime26"),
        },
    )
    files = (
        "{subset}/{split}*.parquet",
        "{subset}/{split}.jsonl",
        "{subset}/{split}/*.parquet",
        "{subset}.jsonl",
        "{subset}.parquet",
    )
    subsets = ("aime24", "aime25", "aime26")
    split_names: ClassVar[Mapping[str, tuple[str, ...]]] = {"test": ("test", "train")}
    few_shot_split = "examples"
    pass_at: ClassVar[tuple[int, ...]] = (1, 4, 8, 16, 32, 64)
    generation: ClassVar[GenerationConfig] = GenerationConfig(max_tokens=16384)

    def _locate(self, root: Path, subset: str, split: str) -> tuple[list[Path], Filter | None]:
        files, only = super()._locate(root, subset, split)
        if not files and split == self.split and root.is_dir() and _year(root) == subset:
            for template in _FILES_OF_ONE_YEAR:
                if files := find_files(root, template, subset, self.split_names[self.split]):
                    break
        return files, only

    def subset_of(self, file: Path) -> str | None:
        return _year(file)

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        answer = str(row["answer"] if row.get("answer") is not None else cell(row, "Answer", "solution"))
        answer = (boxed_math(answer) or answer).strip()
        if re.fullmatch(r"[0-9]{1,3}", answer) is None:
            raise ValueError(f"the answer {answer[:40]!r} is no whole number from 0 to 999")
        return Sample(
            sample_id=f"{subset}/{index}",
            subset=subset,
            question=str(cell(row, "problem", "Problem", "question")).strip(),
            target=str(int(answer)),
        )


def _year(path: Path) -> str | None:
    """Return the subset that a path names: ``aime25`` for .../AIME2025-I.jsonl and .../math-ai--aime25/snapshots/1f3a."""
    found = _YEAR.findall(str(path))
    return f"aime{found[-1]}" if found else None
