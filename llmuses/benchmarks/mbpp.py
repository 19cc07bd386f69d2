"""MBPP: short Python tasks with three assertions each. Austin et al. (2021), "Program Synthesis with Large Language
Models"."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from llmuses.benchmarks.base import Example, HubIds, Prompt, conversation
from llmuses.benchmarks.programs import Programs, tests_tree
from llmuses.benchmarks.rows import Filter, Row, cell, column_values, layout_roots
from llmuses.metrics.code import read_program
from llmuses.metrics.reading import Reading
from llmuses.records import DatasetPlan, GenerationConfig, Sample
from llmuses.sandbox import FunctionJob

_NATIVE = {"full": "mbpp.jsonl", "sanitized": "sanitized-mbpp.json"}
"""The authors' file of each subset."""
_SPLITS = {"prompt": (1, 10), "test": (11, 510), "validation": (511, 600), "train": (601, 974)}
"""The first and last task of each split: the authors' files hold them all."""
_SHOWN_FIRST = ("2", "3", "4")
"""The worked examples of the paper's prompt."""


class MBPP(Programs):
    """The paper's prompt: the task, its assertions, the program between [BEGIN] and [DONE]."""

    name = "mbpp"
    title = "MBPP"
    paper = "https://arxiv.org/abs/2108.07732"
    homepage = "https://github.com/google-research/google-research/tree/master/mbpp"
    licence = "CC-BY-4.0"
    hub = HubIds(
        "google-research-datasets/mbpp",
        "google-research-datasets/mbpp",
        ("full/*.parquet", "sanitized/*.parquet", "*.jsonl", "*.json"),
    )
    files = (
        "mbpp.jsonl",
        "sanitized-mbpp.json",
        "{subset}/{split}*.parquet",
        "{subset}/{split}/*.parquet",
        "{subset}/{split}.jsonl",
    )
    subsets = ("full", "sanitized")
    default_subsets = ("full",)
    few_shot_split = "prompt"
    few_shot = 3
    generation: ClassVar[GenerationConfig] = GenerationConfig(max_tokens=512, stop=("[DONE]",))

    def subset_of(self, file: Path) -> str | None:
        return "sanitized" if "sanitized" in (file.stem + file.parent.name).lower() else "full"

    def _locate(self, root: Path, subset: str, split: str) -> tuple[list[Path], Filter | None]:
        if root.is_dir():
            for folder in layout_roots(root, self.name):
                path = folder / _NATIVE[subset]
                if path.is_file() and any(_is_of(task, split) for task in column_values(path, "task_id") or ()):
                    return [path], None
        return super()._locate(root, subset, split)

    def samples(self, root: Path, subset: str, split: str) -> Iterator[Sample]:
        samples = super().samples(root, subset, split)
        if any(path.name in _NATIVE.values() for path in self.find(root, subset, split)):
            samples = (sample for sample in samples if _is_of(sample.details["task_id"], split))
        if split != self.few_shot_split:
            return samples
        return iter(sorted(samples, key=lambda sample: sample.details["task_id"] not in _SHOWN_FIRST))

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        task_id = str(cell(row, "task_id"))
        tests = [str(test).strip() for test in cell(row, "test_list")]
        imports = "\n".join(row.get("test_imports") or ())
        setup = str(row.get("test_setup_code") or "").replace("\r\n", "\n")
        if not tests or not task_id.isdecimal():
            raise ValueError("it has no tests" if not tests else f"its task_id '{task_id}' is no number")
        return Sample(
            sample_id=f"{'MBPP' if subset == 'full' else 'MBPP-sanitized'}/{task_id}",
            subset=subset,
            question=str(cell(row, "text", "prompt")).strip(),
            target=str(cell(row, "code")).replace("\r\n", "\n").strip(),
            details={
                "task_id": task_id,
                "tests": tests,
                "imports": imports,
                "setup": setup,
                "names": _called("\n".join([imports, setup, *tests])),
            },
        )

    def prompt(self, sample: Sample, shots: Sequence[Sample], plan: DatasetPlan) -> Prompt:
        examples = [Example(_question(shot), f"{shot.target}\n[DONE]", "") for shot in shots]
        return conversation("", examples, _question(sample), plan)

    def read(self, text: str, sample: Sample) -> Reading | None:
        return read_program(text, sample.details["names"])

    def job(self, program: str, sample: Sample) -> FunctionJob:
        details = sample.details
        # In the authors' one namespace what the tests import is there for the program too.
        return FunctionJob(
            candidate=f"{program}\n{details['imports']}",
            test="\n".join([details["imports"], details["setup"], *details["tests"]]),
        )


def _question(sample: Sample) -> str:
    tests = "\n".join(sample.details["tests"])
    return (
        f"You are an expert Python programmer, and here is your task: {sample.question} "
        f"Your code should pass these tests:\n\n{tests}\n[BEGIN]\n"
    )


def _is_of(task_id: str, split: str) -> bool:
    """Whether a task is of a split by its number; a split of another name has all."""
    first, last = _SPLITS.get(split, (0, 1 << 62))
    return task_id.isdecimal() and first <= int(task_id) <= last


def _called(test: str) -> list[str]:
    """Return the functions that tests call, without builtins unless there is nothing else: task 126 asks for ``sum``."""
    calls = [
        node.func.id
        for node in ast.walk(tests_tree(test))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    names = list(dict.fromkeys(calls))
    return [name for name in names if not hasattr(builtins, name)] or names
