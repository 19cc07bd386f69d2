"""GPQA: graduate-level questions of biology, physics and chemistry. Rein et al. (2023), "GPQA: A Graduate-Level Google-Proof
Q&A Benchmark"."""

from __future__ import annotations

from typing import ClassVar

from llmuses.benchmarks.base import HubIds
from llmuses.benchmarks.choice import LETTERS, MultipleChoice
from llmuses.benchmarks.ordering import shuffled
from llmuses.benchmarks.rows import Row, cell
from llmuses.records import GenerationConfig, Mode, Sample


class GPQA(MultipleChoice):
    """The diamond set is asked unless others are named: it is part of the main one, which is part of the extended one.

    Rows name the right answer first, so each question's options are put into an order that follows from its record id:
    a question has the same letters in every run and in each of the three sets. The authors ask not to show examples
    online: ``publish_samples`` is off. The hub's files can be fetched once their terms have been accepted there.
    """

    name = "gpqa"
    title = "GPQA"
    group = "knowledge"
    paper = "https://arxiv.org/abs/2311.12022"
    homepage = "https://github.com/idavidrein/gpqa"
    licence = "CC BY 4.0"
    publish_samples = False
    hub = HubIds(
        "AI-ModelScope/gpqa_diamond", "Idavidrein/gpqa", ("gpqa_diamond.csv", "gpqa_main.csv", "gpqa_extended.csv")
    )
    files = ("gpqa_{subset}.csv", "gpqa_{subset}/*.parquet", "gpqa_{subset}.jsonl")
    subsets = ("diamond", "main", "extended")
    default_subsets = ("diamond",)
    split = "train"
    few_shot = 0
    chance = 0.25
    generation: ClassVar[GenerationConfig] = GenerationConfig(max_tokens=4096)

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        question = str(cell(row, "Question")).strip()
        answers = [str(cell(row, name)).strip() for name in ("Correct Answer", *_WRONG)]
        if not all(answers):
            raise ValueError("one of the four answers is empty")
        record = str(row.get("Record ID") or "").strip()
        choices, right = shuffled(answers, record or question)
        return Sample(
            # The sets share records, and an id must be one sample's own.
            sample_id=f"{subset}/{record or index}",
            subset=subset,
            question=question,
            choices=choices,
            target=LETTERS[right],
            details={"domain": str(row["High-level domain"])} if row.get("High-level domain") else {},
        )

    def intro(self, subset: str, mode: Mode) -> str:
        if mode is Mode.LOGPROB:
            return ""
        return (
            "Answer the following multiple choice question. Think step by step, then end with a line of the form "
            "“Answer: LETTER”, where LETTER is the letter of the right option.\n\n"
        )

    def question(self, sample: Sample, mode: Mode) -> str:
        asked = f"What is the correct answer to this question: {sample.question}\n\nChoices:"
        pairs = list(zip(LETTERS, sample.choices, strict=False))
        if mode is Mode.LOGPROB:
            return asked + "".join(f"\n{letter}. {text}" for letter, text in pairs) + f"\n{self.cue}"
        return asked + "".join(f"\n({letter}) {text}" for letter, text in pairs) + "\n\nLet's think step by step."

    def example_answer(self, sample: Sample, mode: Mode) -> str:
        return sample.target if mode is Mode.LOGPROB else f"The correct answer is ({sample.target})."


_WRONG = ("Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
