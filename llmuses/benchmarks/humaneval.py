"""HumanEval: functions to complete from their docstring. Chen et al. (2021), "Evaluating Large Language Models Trained on
Code"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from llmuses.benchmarks.base import Example, HubIds, Prompt, conversation
from llmuses.benchmarks.programs import Programs, tests_tree
from llmuses.benchmarks.rows import Row, cell
from llmuses.metrics.code import preamble, read_program
from llmuses.metrics.reading import Reading
from llmuses.records import DatasetPlan, GenerationConfig, Sample
from llmuses.sandbox import FunctionJob

_INTRO = (
    "Complete the following Python function. Answer with the whole function, its imports and signature included, "
    "in one ```python code block.\n\n"
)


class HumanEval(Programs):
    """The prompt ends with the row's own, so that a model without a chat template goes on with the function's body."""

    name = "humaneval"
    title = "HumanEval"
    paper = "https://arxiv.org/abs/2107.03374"
    homepage = "https://github.com/openai/human-eval"
    licence = "MIT"
    hub = HubIds("opencompass/humaneval", "openai/openai_humaneval")
    files = (
        "HumanEval.jsonl.gz",
        "HumanEval.jsonl",
        "human-eval-v2-*.jsonl",
        "{subset}/{split}*.parquet",
        "{subset}/{split}.jsonl",
        "{split}*.parquet",
        "{split}.jsonl",
    )
    subsets = ("openai_humaneval",)
    few_shot_split = "test"
    # What a chat model's answer begins with is never cut: its function may stand below any line of Python.
    generation: ClassVar[GenerationConfig] = GenerationConfig(
        max_tokens=1024, stop=("\nif __name__", "\n# Example usage", "\n# Test cases")
    )

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        prompt, test, entry_point = (str(cell(row, name)) for name in ("prompt", "test", "entry_point"))
        tests_tree(test)
        if f"def {entry_point}" not in prompt:
            raise ValueError(f"its prompt does not begin '{entry_point}'")
        return Sample(
            sample_id=str(cell(row, "task_id")),
            subset=subset,
            question=prompt.strip(),
            target=str(row.get("canonical_solution") or ""),
            details={"prompt": prompt, "test": test, "entry_point": entry_point},
        )

    def prompt(self, sample: Sample, shots: Sequence[Sample], plan: DatasetPlan) -> Prompt:
        examples = [Example(f"{shot.question}\n", _answer(shot, plan), "") for shot in shots]
        return conversation(_INTRO, examples, f"{sample.question}\n", plan)

    def read(self, text: str, sample: Sample) -> Reading | None:
        return read_program(text, [sample.details["entry_point"]], sample.details["prompt"])

    def job(self, program: str, sample: Sample) -> FunctionJob:
        details = sample.details
        return FunctionJob(
            candidate=program,
            test=details["test"],
            helpers=preamble(details["prompt"], details["entry_point"]),
            entry_point=details["entry_point"],
        )


def _answer(shot: Sample, plan: DatasetPlan) -> str:
    """Return what a worked example answers: in one text the body that goes on, as a turn the whole function."""
    body = shot.target.strip("\n")
    return body if plan.few_shot_as == "text" else f"```python\n{shot.question}\n{body}\n```"
