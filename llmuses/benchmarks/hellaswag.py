"""HellaSwag: which of four endings goes on with a scene. Zellers et al. (2019), "HellaSwag: Can a Machine Really Finish Your
Sentence?", ACL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from llmuses.benchmarks.base import HubIds
from llmuses.benchmarks.choice import LETTERS, MultipleChoice
from llmuses.benchmarks.rows import Row, cell
from llmuses.records import Mode, Sample

_MARKUP = re.compile(r"\[.*?\]")


class HellaSwag(MultipleChoice):
    """The test split has no answers, so the validation split is asked.

    Scenes and endings are cleaned of WikiHow's markup as lm-evaluation-harness does it, to the letter: an ending that
    begins with a heading keeps the space that stood after it.
    """

    name = "hellaswag"
    title = "HellaSwag"
    group = "reasoning"
    paper = "https://arxiv.org/abs/1905.07830"
    homepage = "https://rowanzellers.com/hellaswag"
    licence = "MIT"
    hub = HubIds(
        "evalscope/hellaswag",
        "Rowan/hellaswag",
        ("*.parquet", "*.jsonl"),
        huggingface_revision="refs/convert/parquet",
    )
    files = ("hellaswag_{split}.jsonl", "{split}-*.parquet", "{split}.parquet", "{split}/*.parquet", "{split}.jsonl")
    subsets = ("default",)
    split = "validation"
    split_names: ClassVar[Mapping[str, tuple[str, ...]]] = {"validation": ("val", "validation")}
    few_shot = 0
    metrics: ClassVar[Mapping[Mode, tuple[str, ...]]] = {Mode.LOGPROB: ("acc_norm", "acc"), Mode.GENERATE: ("acc",)}
    chance = 0.25
    cloze = True

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        endings, label = cell(row, "endings"), str(cell(row, "label")).strip()
        if len(endings) != 4 or label not in tuple("0123"):
            raise ValueError(f"the label {label!r} is not one of four endings' (the test split has none)")
        scene = f"{cell(row, 'activity_label')}: {cell(row, 'ctx_a')} {cell(row, 'ctx_b').capitalize()}"
        return Sample(
            sample_id=f"{subset}/{index}",
            subset=subset,
            question=without_markup(scene).strip(),
            choices=[without_markup(ending) for ending in endings],
            target=LETTERS[int(label)],
        )

    def intro(self, subset: str, mode: Mode) -> str:
        if mode is Mode.LOGPROB:
            return ""
        return (
            "Which ending goes on with the scene most plausibly? End with a line of the form “Answer: LETTER”, where "
            "LETTER is the letter of that ending.\n\n"
        )

    def question(self, sample: Sample, mode: Mode) -> str:
        if mode is Mode.LOGPROB:
            return sample.question
        options = "".join(f"\n{letter}. {text.strip()}" for letter, text in zip(LETTERS, sample.choices, strict=False))
        return f"{sample.question}{options}\n{self.cue}"


def without_markup(text: str) -> str:
    """Return a text without the marks that WikiHow's articles left in it: ``[header]``, ``[title]``, ``[step]``.

    Follows lm-evaluation-harness (``lm_eval/tasks/hellaswag``): a title becomes a sentence of its own.
    """
    return _MARKUP.sub("", text.strip().replace(" [title]", ". ")).replace("  ", " ")
