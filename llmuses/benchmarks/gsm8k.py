"""GSM8K: grade school maths in words. Cobbe et al. (2021), "Training Verifiers to Solve Math Word Problems"."""

from __future__ import annotations

import re
from typing import ClassVar

from llmuses.benchmarks.base import HubIds
from llmuses.benchmarks.generation import Generation
from llmuses.benchmarks.rows import Row, cell
from llmuses.metrics.numbers import equal_numbers, plain_number, read_number
from llmuses.metrics.reading import Reading
from llmuses.records import GenerationConfig, Sample

_CALCULATION = re.compile(r"<<[^<>]*>>")


class GSM8K(Generation):
    name = "gsm8k"
    title = "GSM8K"
    group = "maths"
    paper = "https://arxiv.org/abs/2110.14168"
    homepage = "https://github.com/openai/grade-school-math"
    licence = "MIT"
    # ModelScope's older modelscope/gsm8k is a script without files.
    hub = HubIds("AI-ModelScope/gsm8k", "openai/gsm8k", ("main/*.parquet",))
    files = (
        "{split}.jsonl",
        "{subset}/{split}*.parquet",
        "{subset}/{split}.jsonl",
        "{split}-*.parquet",
        "{split}.parquet",
        "{split}.csv",
    )
    subsets = ("main",)
    few_shot = 4
    version = 4  # since 4, digits in names are no numbers, and numbers taken back are not read
    generation: ClassVar[GenerationConfig] = GenerationConfig(max_tokens=512, stop=("\nQuestion:",))

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        reasoning, _, answer = str(cell(row, "answer")).rpartition("####")
        target = plain_number(answer)
        if not equal_numbers(target, target):
            raise ValueError("the answer is no number and does not end on a line '#### NUMBER'")
        return Sample(
            sample_id=f"{subset}/{index}",
            subset=subset,
            question=str(cell(row, "question")).strip(),
            target=target,
            details={"reasoning": _CALCULATION.sub("", reasoning).strip()},
        )

    def intro(self, subset: str) -> str:
        return "Solve each problem step by step. End with the line “The answer is NUMBER.”\n\n"

    def question(self, sample: Sample) -> str:
        return f"Question: {sample.question}\nAnswer:"

    def example_answer(self, sample: Sample) -> str:
        return f"{sample.details['reasoning']}\nThe answer is {sample.target}."

    def read(self, text: str, sample: Sample) -> Reading | None:
        return read_number(text)

    def equal(self, reading: Reading, sample: Sample) -> bool:
        return equal_numbers(reading.value, sample.target)
