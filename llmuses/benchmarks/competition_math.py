"""MATH: problems of mathematics competitions, seven subjects, five levels. Hendrycks et al. (2021), "Measuring
Mathematical Problem Solving With the MATH Dataset", NeurIPS; and its 500 problems chosen by Lightman et al. (2023),
"Let's Verify Step by Step"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from llmuses.benchmarks.base import HubIds
from llmuses.benchmarks.math_answers import MathAnswers
from llmuses.benchmarks.rows import Filter, Row, cell, column_values, find_files, layout_roots
from llmuses.metrics.math import boxed_math
from llmuses.records import GenerationConfig, Sample

_SUBJECTS = {
    "algebra": "Algebra",
    "counting_and_probability": "Counting & Probability",
    "geometry": "Geometry",
    "intermediate_algebra": "Intermediate Algebra",
    "number_theory": "Number Theory",
    "prealgebra": "Prealgebra",
    "precalculus": "Precalculus",
}
_MATH_500 = "math_500"
_FILES_OF_MATH_500 = (
    "math_500/{split}.jsonl",
    "MATH-500/{split}.jsonl",
    "math_500/{split}*.parquet",
    "{split}.jsonl",
    "{split}*.parquet",
    "data/{split}*.parquet",
)


class CompetitionMath(MathAnswers):
    """The seven subjects are asked unless told otherwise; ``math_500`` repeats 500 of their test problems.

    Reports tell the five levels apart too. The four worked examples that Minerva and lm-evaluation-harness show are
    rows of the train split, which may not be passed on: the first rows of the subject's train split stand in for them.
    """

    name = "competition_math"
    title = "MATH"
    group = "maths"
    paper = "https://arxiv.org/abs/2103.03874"
    homepage = "https://github.com/hendrycks/math"
    licence = "MIT"
    hub = HubIds(
        "evalscope/competition_math",
        "EleutherAI/hendrycks_math",
        apart={_MATH_500: ("AI-ModelScope/MATH-500", "HuggingFaceH4/MATH-500")},
    )
    files = (
        "{split}/{subset}/*.json",
        "{subset}/{split}*.parquet",
        "{subset}/{split}.jsonl",
        "{split}.jsonl",
        "{split}*.parquet",
        "data/{split}*.parquet",
        "*_{split}.jsonl",
    )
    subsets = (*_SUBJECTS, _MATH_500)
    default_subsets = tuple(_SUBJECTS)
    subset_column = "type"
    subset_labels: ClassVar[Mapping[str, str]] = _SUBJECTS
    few_shot = 4
    generation: ClassVar[GenerationConfig] = GenerationConfig(max_tokens=2048, stop=("\nProblem:",))

    def _locate(self, root: Path, subset: str, split: str) -> tuple[list[Path], Filter | None]:
        if subset != _MATH_500:
            if root.is_file() and _is_math_500(root):
                return [], None
            files, only = super()._locate(root, subset, split)
            return sorted(files, key=_number), only
        if root.is_file():
            asked = split != self.few_shot_split and (self.subset_of(root) == subset or _is_math_500(root))
            return ([root] if asked else []), None
        for folder in layout_roots(root, self.name):
            for template in _FILES_OF_MATH_500:
                found = [file for file in find_files(folder, template, subset, (split,)) if _is_math_500(file)]
                if found:
                    return found, None
        return [], None

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        solution = str(cell(row, "solution")).strip()
        target = boxed_math(solution) or str(row.get("answer") or "").strip()
        if not target:
            raise ValueError("its solution has no answer in \\boxed{}")
        level = re.search(r"[1-5]", str(row.get("level", "")))
        return Sample(
            sample_id=str(row.get("unique_id") or f"{subset}/{index}"),
            subset=subset,
            question=str(cell(row, "problem")).strip(),
            target=target,
            details={"solution": solution, "level": int(level.group()) if level else None},
        )

    def tag(self, sample: Sample) -> str | None:
        level = sample.details["level"]
        return None if level is None else f"Level {level}"


def _is_math_500(file: Path) -> bool:
    """Whether a file holds rows of MATH-500, which name the problem that they repeat, and their subject."""
    return column_values(file, "unique_id") is not None


def _number(file: Path) -> tuple[int, str]:
    """Return by what the files of one problem each are put in order."""
    return (int(file.stem) if file.stem.isdecimal() else 0), file.name
