"""ARC: grade school science, Easy and Challenge. Clark et al. (2018), "Think you have Solved Question Answering? Try
ARC, the AI2 Reasoning Challenge"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from llmuses.benchmarks.base import HubIds
from llmuses.benchmarks.choice import LETTERS, MultipleChoice
from llmuses.benchmarks.rows import Row, cell
from llmuses.records import Mode, Sample


class ARC(MultipleChoice):
    """Options have three to five labels, letters or digits; they are put under letters in the row's order."""

    name = "arc"
    title = "ARC"
    group = "reasoning"
    paper = "https://arxiv.org/abs/1803.05457"
    homepage = "https://allenai.org/data/arc"
    licence = "CC BY-SA 4.0"
    hub = HubIds("allenai/ai2_arc", "allenai/ai2_arc", ("ARC-*/*.parquet",))
    files = (
        "{subset}/{subset}-{Split}.jsonl",
        "{subset}-{Split}.jsonl",
        "{subset}/{split}*.parquet",
        "{subset}/{split}/*.parquet",
        "{subset}/{split}.jsonl",
    )
    subsets = ("ARC-Easy", "ARC-Challenge")
    split_names: ClassVar[Mapping[str, tuple[str, ...]]] = {"validation": ("validation", "dev")}
    few_shot = 0
    metrics: ClassVar[Mapping[Mode, tuple[str, ...]]] = {Mode.LOGPROB: ("acc_norm", "acc"), Mode.GENERATE: ("acc",)}
    cloze = True

    def sample(self, row: Row, subset: str, index: int) -> Sample:
        question = cell(row, "question")
        if isinstance(question, dict):  # AI2's own layout
            stem = cell(question, "stem")
            options = [(cell(choice, "label"), cell(choice, "text")) for choice in cell(question, "choices")]
        else:
            stem, choices = question, cell(row, "choices")
            options = list(zip(cell(choices, "label"), cell(choices, "text"), strict=True))
        labels = [str(label).strip() for label, _ in options]
        answer = str(cell(row, "answerKey")).strip()
        if labels.count(answer) != 1 or len(labels) > len(LETTERS):
            raise ValueError(f"the answer key {answer!r} is not one of the labels {', '.join(labels)}")
        return Sample(
            sample_id=str(cell(row, "id")),
            subset=subset,
            question=str(stem).strip(),
            choices=[str(text) for _, text in options],
            target=LETTERS[labels.index(answer)],
        )
