"""MMLU-Pro: 14 subjects, up to ten options. Wang et al. (2024), "MMLU-Pro: A More Robust and Challenging Multi-Task Language
Understanding Benchmark", NeurIPS."""

from __future__ import annotations

from typing import ClassVar

from llmuses.benchmarks.base import HubIds
from llmuses.benchmarks.choice import LETTERS, MultipleChoice
from llmuses.benchmarks.rows import Row, cell
from llmuses.records import GenerationConfig, Mode, Sample

_STEPS = "Let's think step by step."


class MMLUPro(MultipleChoice):
    """Written answers are reasoned step by step as in the paper: the worked examples of a subject show how.

    By log-probability the letters are compared at once, and the worked examples give their letter alone.
    """

    name = "mmlu_pro"
    title = "MMLU-Pro"
    group = "knowledge"
    paper = "https://arxiv.org/abs/2406.01574"
    homepage = "https://github.com/TIGER-AI-Lab/MMLU-Pro"
    licence = "MIT"
    hub = HubIds("TIGER-Lab/MMLU-Pro", "TIGER-Lab/MMLU-Pro", ("data/*.parquet",))
    files = ("{split}-*.parquet", "{split}.parquet", "{split}/*.parquet", "{split}.jsonl", "{split}.json")
    subsets = (
        "biology",
        "business",
        "chemistry",
        "computer science",
        "economics",
        "engineering",
        "health",
        "history",
        "law",
        "math",
        "other",
        "philosophy",
        "physics",
        "psychology",
    )
    subset_column = "category"
    few_shot_split = "validation"
    few_shot = 5
    generation: ClassVar[GenerationConfig] = GenerationConfig(max_tokens=2048, stop=("Question:",))

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        options = [str(option).strip() for option in cell(row, "options")]
        options = [option for option in options if option != "N/A"]  # the first release filled up to ten with these
        target = str(cell(row, "answer")).strip().upper()
        if target not in tuple(LETTERS[: len(options)]):
            raise ValueError(f"the answer {target!r} is not one of {len(options)} options' letters")
        reasoning = str(row.get("cot_content") or "").removeprefix("A:").strip().removeprefix(_STEPS).strip()
        return Sample(
            sample_id=str(cell(row, "question_id")),
            subset=subset,
            question=str(cell(row, "question")).strip(),
            choices=options,
            target=target,
            details={"reasoning": reasoning} if reasoning else {},
        )

    def intro(self, subset: str, mode: Mode) -> str:
        asked = f"The following are multiple choice questions (with answers) about {subset}."
        if mode is Mode.LOGPROB:
            return f"{asked}\n\n"
        return (
            f'{asked} Think step by step and then finish your answer with "the answer is (X)" where X is the correct '
            "letter choice.\n"
        )

    def question(self, sample: Sample, mode: Mode) -> str:
        options = "".join(f"{letter}. {text}\n" for letter, text in zip(LETTERS, sample.choices, strict=False))
        steps = "" if mode is Mode.LOGPROB else f" {_STEPS}"
        return f"Question:\n{sample.question}\nOptions:\n{options}{self.cue}{steps}"

    def example_answer(self, sample: Sample, mode: Mode) -> str:
        if mode is Mode.LOGPROB:
            return sample.target
        return str(sample.details.get("reasoning", f"The answer is ({sample.target})."))
